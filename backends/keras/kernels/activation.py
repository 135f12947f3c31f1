"""Rows for activation functions, as layers where the operand is computed, and as functions of ``keras.ops``."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from ....compiler.fold import constant
from ....compiler.ops import activation as ir
from ....compiler.types import Array
from ..table import Call, Condition, condition, emits, kernels
from .common import computed, dtype_of, precise, same, weight_of

SIXTH = 1 / 6

RANKS = range(1, 6)
"""Axes of what is normalized."""


def _named(name: str) -> Any:
    def call(op: Any) -> Call:
        """One function by its name."""
        return Call((op.x,), {"activation": name, **dtype_of(op)})

    return call


@emits(ir.Relu, "layers.ReLU", when=(computed,))
def relu(op: ir.Relu) -> Call:
    """``layers.ReLU`` without a bound, in the operation's own element type."""
    return Call((op.x,), dtype_of(op))


emits(ir.Relu, "ops.relu", dtypes=kernels("Relu"))(same)

for _op, _name in ((ir.Tanh, "tanh"), (ir.Sigmoid, "sigmoid"), (ir.Softplus, "softplus"), (ir.Softsign, "softsign")):
    emits(_op, "layers.Activation", when=(computed,))(_named(_name))
emits(ir.Silu, "layers.Activation", when=(computed,))(_named("silu"))


@condition("the function of two parts, with the error function")
def _exact(op: ir.Gelu) -> str | None:
    return "the approximation by a hyperbolic tangent" if op.approximate else None


emits(ir.Gelu, "layers.Activation", when=(computed, _exact))(_named("gelu"))


@emits(ir.Gelu, "ops.gelu")
def gelu(op: ir.Gelu) -> Call:
    """``ops.gelu``: exact with the error function, or approximated by a hyperbolic tangent, as the operation says."""
    return Call((op.x,), {"approximate": op.approximate})


@condition("the line that Keras has: a sixth of x plus a half")
def _usual_line(op: ir.HardSigmoid) -> str | None:
    return None if math.isclose(op.alpha, SIXTH, rel_tol=1e-6) and op.beta == 0.5 else "another line"


emits(ir.HardSigmoid, "layers.Activation", when=(computed, _usual_line))(_named("hard_sigmoid"))
emits(ir.HardSwish, "layers.Activation", when=(computed,))(_named("hard_silu"))


@condition("bounds 0 and a positive number")
def _from_zero(op: ir.Clip) -> str | None:
    return None if op.min == 0 < op.max < math.inf else f"bounds {op.min} and {op.max}"


@emits(ir.Clip, "layers.ReLU", when=(computed, _from_zero))
def bounded_relu(op: ir.Clip) -> Call:
    """``layers.ReLU`` with ``max_value``, for a clip whose lower bound is 0."""
    return Call((op.x,), {"max_value": float(op.max), **dtype_of(op)})


@condition("two finite bounds")
def _finite(op: ir.Clip) -> str | None:
    return None if math.isfinite(op.min) and math.isfinite(op.max) else "a bound that is infinite"


@emits(ir.Clip, "ops.clip", when=(_finite,))
def clip(op: ir.Clip) -> Call:
    """``ops.clip`` between two finite numbers; an infinite bound is left to other rows and lowerings."""
    return Call((op.x,), {"x_min": float(op.min), "x_max": float(op.max)})


@emits(ir.LeakyRelu, "layers.LeakyReLU", when=(computed,))
def leaky_relu(op: ir.LeakyRelu) -> Call:
    """``layers.LeakyReLU``, which multiplies negative numbers by one constant slope."""
    return Call((op.x,), {"negative_slope": float(op.alpha), **dtype_of(op)})


@condition("a constant slope for each position but the first axis, or for some axes")
def _slope(op: ir.PRelu) -> str | None:
    weight = constant(op.slope)
    if weight is None or op.x.type.rank < 2:
        return "a slope that is computed, or a single axis"
    slopes, shape = _slopes(op), op.x.type.shape
    is_alike = len(slopes) == len(shape) and slopes[0] == 1
    return None if is_alike and all(s in (1, d) for s, d in zip(slopes, shape, strict=True)) else "other slopes"


def _slopes(op: ir.PRelu) -> tuple[Any, ...]:
    given = op.slope.type.shape
    return (*(1,) * (op.x.type.rank - len(given)), *given)


@emits(ir.PRelu, "layers.PReLU", when=(computed, _slope))
def prelu(op: ir.PRelu) -> Call:
    """``layers.PReLU``, whose slopes are a weight; axes along which they are alike become ``shared_axes``."""
    slopes = _slopes(op)[1:]
    shared = tuple(axis for axis, size in enumerate(slopes, 1) if size == 1)
    weight = weight_of(op.slope)
    alpha = weight.derive(weight.type.with_shape(slopes), partial(_reshaped, shape=slopes))
    settings: dict[str, Any] = {"shared_axes": shared} if shared else {}
    return Call((op.x,), {**settings, **dtype_of(op)}, (alpha,))


def _reshaped(array: Array, *, shape: tuple[int, ...]) -> Array:
    return np.reshape(array, shape)


@emits(ir.Elu, "layers.ELU", when=(computed,))
def elu(op: ir.Elu) -> Call:
    """``layers.ELU``: ``alpha * (exp(x) - 1)`` below zero, for any ``alpha``."""
    return Call((op.x,), {"alpha": float(op.alpha), **dtype_of(op)})


@condition("the alpha and gamma that the function was defined with")
def _defined(op: Any) -> str | None:
    known = {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805}
    is_known = all(math.isclose(op.attributes[name], value, rel_tol=1e-6) for name, value in known.items())
    return None if is_known else "another alpha or gamma"


emits(ir.Selu, "layers.Activation", when=(computed, _defined))(_named("selu"))
emits(ir.Mish, "layers.Activation", when=(computed,))(_named("mish"))


def _along(op: ir.Softmax | ir.LogSoftmax) -> Call:
    return Call((op.x,), {"axis": op.axis})


@condition("more than one axis")
def _axes(op: ir.Softmax) -> str | None:
    return None if op.x.type.rank > 1 else "a vector"


_LAYER: tuple[Condition, ...] = (computed, precise, _axes)


@emits(ir.Softmax, "layers.Softmax", when=_LAYER, ranks=RANKS)
def softmax(op: ir.Softmax) -> Call:
    """``layers.Softmax`` along any axis, of tensors with at least two."""
    return Call((op.x,), {"axis": op.axis, **dtype_of(op)})


emits(ir.Softmax, "ops.softmax", ranks=RANKS, when=(precise,))(_along)
emits(ir.LogSoftmax, "ops.log_softmax", ranks=RANKS, when=(precise,))(_along)
