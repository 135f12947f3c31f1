"""Arrays of tensors of version 1: lists, which the operand and result ``flow`` stands for; the handle says nothing."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.types import DType
from ....formats.tensorflow.model import StoredShape
from .. import items
from ..emitter import Emitter
from ..handles import Handle, TensorList
from ..registry import tf_op

ANY_SHAPE = StoredShape(None)
"""What is said of items of which nothing is known."""


@tf_op("TensorArrayV3", outputs=("handle", "flow"))
def tensor_array(
    emit: Emitter,
    size: Value,
    *,
    dtype: DType,
    element_shape: StoredShape = ANY_SHAPE,
    dynamic_size: bool = False,
    clear_after_read: bool = True,
    identical_element_shapes: bool = False,
    tensor_array_name: str = "",
) -> tuple[Handle, TensorList]:
    """Make a list of a number of items, which are zeros until they are written."""
    count = emit.dim(size, "size")
    return Handle("TensorArray", emit.call.name), TensorList(None, dtype, count, element_shape.dims, dynamic_size)


@tf_op("TensorArrayReadV3")
def tensor_array_read(emit: Emitter, handle: Handle, index: Value, flow_in: TensorList, *, dtype: DType) -> Value:
    """Return the item at a position, which may be computed at run time."""
    return items.item(emit, flow_in, index)


@tf_op("TensorArrayWriteV3")
def tensor_array_write(emit: Emitter, handle: Handle, index: Value, value: Value, flow_in: TensorList) -> TensorList:
    """TensorArrayWriteV3: the list with another item at a position, which ``flow_out`` carries on."""
    return items.with_item(emit, flow_in, index, value, grows=flow_in.grows)


@tf_op("TensorArrayGatherV3")
def tensor_array_gather(
    emit: Emitter,
    handle: Handle,
    indices: Value,
    flow_in: TensorList,
    *,
    dtype: DType,
    element_shape: StoredShape = ANY_SHAPE,
) -> Value:
    """Stack the items at the positions of a vector along a new first axis."""
    return items.picked(emit, flow_in, indices)


@tf_op("TensorArrayScatterV3")
def tensor_array_scatter(
    emit: Emitter, handle: Handle, indices: Value, value: Value, flow_in: TensorList
) -> TensorList:
    """Replace the items at the positions of a vector by slices of a tensor."""
    return items.with_items(emit, flow_in, indices, value, grows=flow_in.grows)


@tf_op("TensorArraySizeV3")
def tensor_array_size(emit: Emitter, handle: Handle, flow_in: TensorList) -> Value:
    """Return the number of items of the list, which may be symbolic."""
    return items.count_of(emit, flow_in)


@tf_op("TensorArrayConcatV3", outputs=("value", "lengths"))
def tensor_array_concat(
    emit: Emitter,
    handle: Handle,
    flow_in: TensorList,
    *,
    dtype: DType,
    element_shape_except0: StoredShape = ANY_SHAPE,
) -> tuple[Value, Value]:
    """Concatenate the items along their first axis; return their lengths, too."""
    return items.joined(emit, flow_in)


@tf_op("TensorArraySplitV3")
def tensor_array_split(emit: Emitter, handle: Handle, value: Value, lengths: Value, flow_in: TensorList) -> TensorList:
    """Split a tensor along its first axis into items of the given lengths."""
    return items.split(emit, flow_in, value, lengths)
