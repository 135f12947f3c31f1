"""Lists of tensors of one type, which are one tensor with an axis for the items."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.shape import Concat
from ....compiler.types import DType
from ...slicing import cut
from .. import items
from ..emitter import Emitter
from ..handles import TensorList
from ..registry import tf_op


def _stated(emit: Emitter, shape: Value) -> tuple[int | None, ...] | None:
    """Return what a list's operator states of the sizes of items; -1 is open."""
    found = emit.known.dims(shape)
    if found is None or shape.type.rank == 0:
        return None
    return tuple(d if isinstance(d, int) and d >= 0 else None for d in found)


@tf_op("TensorListReserve")
def tensor_list_reserve(
    emit: Emitter, element_shape: Value, num_elements: Value, *, element_dtype: DType
) -> TensorList:
    """Make a list of a number of items, which are zeros until they are written."""
    count = emit.dim(num_elements, "num_elements")
    return TensorList(None, element_dtype, count, _stated(emit, element_shape))


@tf_op("TensorListFromTensor")
def tensor_list_from_tensor(emit: Emitter, tensor: Value, element_shape: Value) -> TensorList:
    """Make a list of the slices of a tensor along its first axis."""
    return TensorList(tensor, tensor.type.dtype, tensor.type.shape[0])


@tf_op("TensorListStack")
def tensor_list_stack(
    emit: Emitter,
    input_handle: TensorList,
    element_shape: Value,
    *,
    element_dtype: DType,
    num_elements: int = -1,
) -> Value:
    """Stack all items of the list along a new first axis."""
    return items.all_items(emit, input_handle)


@tf_op("TensorListGetItem")
def tensor_list_get_item(
    emit: Emitter, input_handle: TensorList, index: Value, element_shape: Value, *, element_dtype: DType
) -> Value:
    """Return the item at a position, which may be computed at run time."""
    return items.item(emit, input_handle, index)


@tf_op("TensorListSetItem")
def tensor_list_set_item(
    emit: Emitter,
    input_handle: TensorList,
    index: Value,
    item: Value,
    *,
    resize_if_index_out_of_bounds: bool = False,
) -> TensorList:
    """TensorListSetItem: the list with another item at a position, which may be beyond its end if so stated."""
    return items.with_item(emit, input_handle, index, item, grows=resize_if_index_out_of_bounds)


@tf_op("TensorListLength")
def tensor_list_length(emit: Emitter, input_handle: TensorList) -> Value:
    """Return the number of items of the list, which may be symbolic."""
    return items.count_of(emit, input_handle)


@tf_op("EmptyTensorList")
def empty_tensor_list(
    emit: Emitter, element_shape: Value, max_num_elements: Value, *, element_dtype: DType
) -> TensorList:
    """EmptyTensorList: a list without items, to which loops append; the shape of items may be partly known."""
    return TensorList(None, element_dtype, 0, _stated(emit, element_shape))


@tf_op("TensorListPushBack")
def tensor_list_push_back(
    emit: Emitter, input_handle: TensorList, tensor: Value, *, element_dtype: DType
) -> TensorList:
    """Append one item to the list; the list grows by it."""
    item = emit.reshape(tensor, (1, *tensor.type.shape))
    joined = item if input_handle.value is None else emit(Concat((input_handle.value, item), 0))
    return items.holding(input_handle, joined)


@tf_op("TensorListPopBack", outputs=("output_handle", "tensor"))
def tensor_list_pop_back(
    emit: Emitter, input_handle: TensorList, element_shape: Value, *, element_dtype: DType
) -> tuple[TensorList, Value]:
    """Remove the last item of the list; return the rest and the item."""
    stored = items.all_items(emit, input_handle)
    size = stored.type.shape[0]
    left, last = (cut(emit, stored, {0: bounds}) for bounds in ((0, size - 1, 1), (size - 1, size, 1)))
    return items.holding(input_handle, left), emit.reshape(last, stored.type.shape[1:])


@tf_op("TensorListGather")
def tensor_list_gather(
    emit: Emitter, input_handle: TensorList, indices: Value, element_shape: Value, *, element_dtype: DType
) -> Value:
    """Stack the items at the positions of a vector along a new first axis."""
    return items.picked(emit, input_handle, indices)


@tf_op("TensorListScatterV2")
def tensor_list_scatter(
    emit: Emitter, tensor: Value, indices: Value, element_shape: Value, num_elements: Value
) -> TensorList:
    """Make a list with slices at positions; -1 items mean as many as these need."""
    count = emit.known.dim(num_elements)
    if isinstance(count, int) and count < 0:
        fresh = TensorList(None, tensor.type.dtype, 0)
        return items.with_items(emit, fresh, indices, tensor, grows=True)
    fresh = TensorList(None, tensor.type.dtype, emit.dim(num_elements, "num_elements"))
    return items.with_items(emit, fresh, indices, tensor)


@tf_op("TensorListScatterIntoExistingList")
def tensor_list_scatter_into(emit: Emitter, input_handle: TensorList, tensor: Value, indices: Value) -> TensorList:
    """Replace the items at the positions of a vector by slices of a tensor."""
    return items.with_items(emit, input_handle, indices, tensor)


@tf_op("TensorListConcatV2", outputs=("tensor", "lengths"))
def tensor_list_concat(
    emit: Emitter, input_handle: TensorList, element_shape: Value, leading_dims: Value, *, element_dtype: DType
) -> tuple[Value, Value]:
    """Concatenate the items along their first axis; return their lengths, too."""
    return items.joined(emit, input_handle)


@tf_op("TensorListSplit")
def tensor_list_split(emit: Emitter, tensor: Value, element_shape: Value, lengths: Value) -> TensorList:
    """Split a tensor along its first axis into items of the given lengths."""
    return items.split(emit, TensorList(None, tensor.type.dtype), tensor, lengths)
