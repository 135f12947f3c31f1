"""Constants, inputs, variables, and operators that give what they read."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.types import DType
from ....formats.tensorflow.model import StoredShape
from ....formats.tensorflow.tensors import ElementType, StoredTensor
from ..emitter import Emitter
from ..handles import Handle, Imported
from ..registry import tf_op
from ..variables import variable_name


@tf_op("Const")
def const(emit: Emitter, *, value: StoredTensor, dtype: ElementType) -> Value:
    """Const: a constant with the elements that the graph holds, whose type and shape are theirs."""
    return emit.const(value.weight(f"the constant {emit.call.name!r}"))


@tf_op("Placeholder")
def placeholder(emit: Emitter, *, dtype: ElementType, shape: StoredShape = StoredShape(None)) -> Value:  # noqa: B008 -- never changed
    """Placeholder: an error, since those that are inputs have values before nodes are imported."""
    raise emit.fail(f"{emit.call.name!r} has no value", code="F018", help="Name it: --inputs NODE.")


@tf_op("PlaceholderWithDefault")
def placeholder_with_default(emit: Emitter, input: Imported, *, shape: StoredShape) -> Imported:
    """PlaceholderWithDefault: its default, which is what a network without that input computes with."""
    return input


@tf_op("Identity", "Snapshot", "StopGradient", "RefIdentity")
def identity(emit: Emitter, input: Imported) -> Imported:
    """Operators that give what they read, tensors as well as handles; nothing is left of them in the IR."""
    return input


@tf_op("IdentityN")
def identity_n(emit: Emitter, input: tuple[Imported, ...]) -> tuple[Imported, ...]:
    """IdentityN: all of its operands as they are, so that nothing is left of it."""
    return input


@tf_op("CheckNumerics", "CheckNumericsV2")
def check_numerics(emit: Emitter, tensor: Value, *, message: str) -> Value:
    """CheckNumerics: its operand; that no element is NaN or infinite is not checked."""
    return tensor


@tf_op("EnsureShape")
def ensure_shape(emit: Emitter, input: Value, *, shape: StoredShape) -> Value:
    """Nothing is changed; sizes that are known must be those that are stated."""
    if shape.dims is not None:
        given = input.type.shape
        pairs = list(zip(given, shape.dims, strict=False))
        if len(given) != len(shape.dims) or any(isinstance(d, int) and e not in (d, None) for d, e in pairs):
            raise emit.fail(f"states {list(shape.dims)} of {input.type}", code="T001")
    return input


@tf_op("VarHandleOp")
def var_handle_op(
    emit: Emitter,
    *,
    dtype: ElementType,
    shape: StoredShape,
    container: str = "",
    shared_name: str = "",
    debug_name: str = "",
    allowed_devices: tuple[str, ...] = (),
) -> Handle:
    """VarHandleOp: the handle of a variable, by the name under which it is stored."""
    return Handle("variable", variable_name(emit.call))


@tf_op("ReadVariableOp")
def read_variable_op(emit: Emitter, resource: Handle, *, dtype: ElementType) -> Value:
    """ReadVariableOp: the value of a variable, a constant, since networks are imported for inference."""
    return emit.around.variable(resource)


@tf_op("VariableV2")
def variable_v2(
    emit: Emitter, *, shape: StoredShape, dtype: ElementType, container: str = "", shared_name: str = ""
) -> Value:
    """VariableV2: a variable of TensorFlow 1 read by its name, which is a constant here."""
    return emit.around.variable(Handle("variable", variable_name(emit.call)))


@tf_op("ZerosLike")
def zeros_like(emit: Emitter, x: Value) -> Value:
    """ZerosLike: zeros of the operand's type and shape, whose sizes may be open."""
    return emit.expand(emit.const(0, x.type.dtype), x.type.shape)


@tf_op("OnesLike")
def ones_like(emit: Emitter, x: Value) -> Value:
    """OnesLike: ones of the operand's type and shape, whose sizes may be open."""
    return emit.expand(emit.const(1, x.type.dtype), x.type.shape)


@tf_op("Fill")
def fill(emit: Emitter, dims: Value, value: Value) -> Value:
    """Fill: a scalar broadcast to a shape, which is an operand and may be computed."""
    return emit.expand(emit.reshape(value, ()), emit.dims(dims, "dims"))


@tf_op("Cast")
def cast(emit: Emitter, x: Value, *, DstT: DType, Truncate: bool = False) -> Value:
    """Cast to another element type; floats are cut towards zero on the way to integers."""
    return emit.cast(x, DstT)


@tf_op("Bitcast")
def bitcast(emit: Emitter, input: Value, *, type: DType) -> Value:
    """Bitcast: the same bits as another element type of equal size; of another size it is refused."""
    from ....compiler.ops.arith import BitCast

    return emit(BitCast(input, type))
