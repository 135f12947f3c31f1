"""Lists of tensors of one type, which are one tensor with an axis for the items."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.dynamic import DynamicUpdateSlice
from ....compiler.ops.index import Gather
from ....compiler.ops.shape import Concat
from ....compiler.types import DType
from ...slicing import cut
from ..emitter import Emitter
from ..handles import TensorList
from ..registry import tf_op


def _stated(emit: Emitter, shape: Value) -> tuple[int | None, ...] | None:
    """Return what a list's operator states of the sizes of items; -1 is open."""
    found = emit.known.dims(shape)
    if found is None or shape.type.rank == 0:
        return None
    return tuple(d if isinstance(d, int) and d >= 0 else None for d in found)


def _items(emit: Emitter, items: TensorList) -> Value:
    """Return the items as one tensor.

    Raises:
        CompileError: F004, nobody has written any, and their sizes are open.
    """
    if items.value is not None:
        return items.value
    if items.dims is None or any(d is None for d in items.dims):
        raise emit.fail("reads a list of items whose sizes are not known", code="F004")
    shape: tuple[Dim, ...] = (items.count, *(d for d in items.dims if d is not None))
    return emit.expand(emit.const(0, items.dtype), shape)


@tf_op("TensorListReserve")
def tensor_list_reserve(
    emit: Emitter, element_shape: Value, num_elements: Value, *, element_dtype: DType
) -> TensorList:
    """So many items that are zeros until they are written."""
    count = emit.dim(num_elements, "num_elements")
    return TensorList(None, element_dtype, count, _stated(emit, element_shape))


@tf_op("TensorListFromTensor")
def tensor_list_from_tensor(emit: Emitter, tensor: Value, element_shape: Value) -> TensorList:
    """The positions along the first axis."""
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
    """All items along a new first axis."""
    return _items(emit, input_handle)


@tf_op("TensorListGetItem")
def tensor_list_get_item(
    emit: Emitter, input_handle: TensorList, index: Value, element_shape: Value, *, element_dtype: DType
) -> Value:
    """One item."""
    return emit(Gather(_items(emit, input_handle), emit.reshape(index, ()), 0, wraps=False))


@tf_op("TensorListSetItem")
def tensor_list_set_item(
    emit: Emitter,
    input_handle: TensorList,
    index: Value,
    item: Value,
    *,
    resize_if_index_out_of_bounds: bool = False,
) -> TensorList:
    """Another item in one place."""
    stored = input_handle.value
    if stored is None:
        stored = emit.expand(emit.const(0, item.type.dtype), (input_handle.count, *item.type.shape))
    update = emit.reshape(item, (1, *item.type.shape))
    zeros = emit.const([0] * item.type.rank, index.type.dtype)
    first = emit.reshape(index, (1,))
    starts = emit(Concat((first, zeros), 0)) if item.type.rank else first
    return TensorList(emit(DynamicUpdateSlice(stored, update, starts)), item.type.dtype, input_handle.count)


@tf_op("TensorListLength")
def tensor_list_length(emit: Emitter, input_handle: TensorList) -> Value:
    """How many items there are."""
    count = input_handle.count if input_handle.value is None else input_handle.value.type.shape[0]
    if not isinstance(count, int):
        raise emit.fail(f"counts {count} items, which depends on the shapes of inputs", code="F004")
    return emit.const(count, DType.I32)


@tf_op("EmptyTensorList")
def empty_tensor_list(
    emit: Emitter, element_shape: Value, max_num_elements: Value, *, element_dtype: DType
) -> TensorList:
    """No items."""
    return TensorList(None, element_dtype, 0, _stated(emit, element_shape))


@tf_op("TensorListPushBack")
def tensor_list_push_back(
    emit: Emitter, input_handle: TensorList, tensor: Value, *, element_dtype: DType
) -> TensorList:
    """One more item at the end."""
    item = emit.reshape(tensor, (1, *tensor.type.shape))
    joined = item if input_handle.value is None else emit(Concat((input_handle.value, item), 0))
    return TensorList(joined, tensor.type.dtype, joined.type.shape[0])


@tf_op("TensorListPopBack", outputs=("output_handle", "tensor"))
def tensor_list_pop_back(
    emit: Emitter, input_handle: TensorList, element_shape: Value, *, element_dtype: DType
) -> tuple[TensorList, Value]:
    """Without the last item, and that item."""
    items = _items(emit, input_handle)
    size = items.type.shape[0]
    left, last = (cut(emit, items, {0: bounds}) for bounds in ((0, size - 1, 1), (size - 1, size, 1)))
    return TensorList(left, items.type.dtype, size - 1), emit.reshape(last, items.type.shape[1:])
