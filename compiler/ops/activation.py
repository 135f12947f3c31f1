"""Activation functions, applied to every element, and normalised exponentials (softmax)."""

from __future__ import annotations

import math

import numpy as np

from ..attributes import Finite
from ..axes import Axes, Axis, Form, letters
from ..ir import Op
from ..opdef import Elementwise, Pure, op
from ..operands import Floats, Numbers, parameters_broadcast
from ..traits import Accumulates, NonNegative
from ..types import Array, DType, TensorType
from .arith import erf


@op("relu", Elementwise, NonNegative)
class Relu(Op):
    """``max(x, 0)`` of every element; NaN stays NaN."""

    x: Numbers
    told_apart = (0.0, math.inf)

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Clamp from below."""
        return np.maximum(x, np.asarray(0, x.dtype))


@op("clip", Elementwise)
class Clip(Op):
    """Clamp into ``[min, max]``; infinite bounds don't bind."""

    x: Numbers
    min: float = -math.inf
    max: float = math.inf

    def infer(self) -> TensorType:
        """The operand's type; bounds must be numbers."""
        if math.isnan(self.min) or math.isnan(self.max):
            raise ValueError(f"nothing lies between {self.min} and {self.max}")
        return self.x.type

    @staticmethod
    def evaluate(x: Array, *, min: float, max: float) -> Array:
        """Clamp; the upper bound wins, as in ONNX."""
        low, high = (None if b is None else np.asarray(b, x.dtype) for b in binding(min, max, DType.of(x.dtype)))
        return x if low is None and high is None else np.clip(x, low, high)


def binding(low: float, high: float, dtype: DType) -> tuple[float | int | None, float | int | None]:
    """The bounds of a clip as numbers of an element type; None where no such number is beyond.

    >>> binding(-math.inf, 6.5, DType.I32)
    (None, 6)
    """
    if dtype.is_int:
        info = np.iinfo(dtype.numpy)
        least, most = int(info.min), int(info.max)
        bounds = [b if math.isinf(b) else int(b) for b in (low, high)]
        whole = [
            int(min(max(b, least), most)) if b not in (-math.inf, math.inf) else most if b > 0 else least
            for b in bounds
        ]
        return (None if whole[0] == least else whole[0], None if whole[1] == most else whole[1])
    return (None if low == -math.inf else low, None if high == math.inf else high)


@op("leaky_relu", Elementwise)
class LeakyRelu(Op):
    """``x`` where it is positive, ``alpha * x`` elsewhere."""

    x: Numbers
    alpha: Finite = 0.01

    @staticmethod
    def evaluate(x: Array, *, alpha: float) -> Array:
        """Choose between both formulas by the sign of each element."""
        return np.where(x > 0, x, x * np.asarray(alpha, x.dtype))


@op("prelu", Elementwise)
class PRelu(Op):
    """``x`` where positive, ``slope * x`` elsewhere; the slope broadcasts to ``x``."""

    x: Numbers
    slope: Numbers

    def infer(self) -> TensorType:
        """The operand's type, to which the slope must broadcast."""
        return parameters_broadcast(self)

    @staticmethod
    def evaluate(x: Array, slope: Array) -> Array:
        """Choose between both formulas by the sign of each element."""
        return np.where(x > 0, x, x * slope)


def _negative(x: Array) -> Array:
    """``x`` where it is not positive, else 0; -0 stays -0, which ``np.minimum`` does not promise."""
    return np.where(x > 0, x.dtype.type(0), x)


@op("elu", Elementwise)
class Elu(Op):
    """``x`` where positive, ``alpha * (exp(x) - 1)`` elsewhere."""

    x: Floats
    alpha: Finite = 1.0

    @staticmethod
    def evaluate(x: Array, *, alpha: float) -> Array:
        """Choose between both formulas by the sign of each element."""
        return np.where(x > 0, x, np.asarray(alpha, x.dtype) * np.expm1(_negative(x)))


@op("selu", Elementwise)
class Selu(Op):
    """``gamma * x`` where positive, ``gamma * alpha * (exp(x) - 1)`` elsewhere (arXiv 1706.02515)."""

    x: Floats
    alpha: Finite = 1.6732632423543772
    gamma: Finite = 1.0507009873554805

    @staticmethod
    def evaluate(x: Array, *, alpha: float, gamma: float) -> Array:
        """Choose between both formulas by the sign of each element."""
        return np.where(x > 0, gamma * x, gamma * alpha * np.expm1(_negative(x))).astype(x.dtype)


@op("celu", Elementwise)
class Celu(Op):
    """``max(x, 0) + min(0, alpha * (exp(x / alpha) - 1))``."""

    x: Floats
    alpha: Finite = 1.0

    @staticmethod
    def evaluate(x: Array, *, alpha: float) -> Array:
        """Compute the formula of the class in numpy."""
        return (np.maximum(x, 0) + np.minimum(0, alpha * np.expm1(np.minimum(x, 0) / alpha))).astype(x.dtype)


@op("thresholded_relu", Elementwise)
class ThresholdedRelu(Op):
    """``x`` where it exceeds ``alpha``, and 0 elsewhere."""

    x: Floats
    alpha: Finite = 1.0

    @staticmethod
    def evaluate(x: Array, *, alpha: float) -> Array:
        """Choose between both values by the condition."""
        return np.where(x > alpha, x, np.asarray(0, x.dtype))


@op("shrink", Elementwise)
class Shrink(Op):
    """``x + bias`` below ``-threshold``, ``x - bias`` above ``threshold``, 0 between."""

    x: Numbers
    bias: Finite = 0.0
    threshold: Finite = 0.5

    @staticmethod
    def evaluate(x: Array, *, bias: float, threshold: float) -> Array:
        """Choose between both values by the condition."""
        return np.where(x < -threshold, x + bias, np.where(x > threshold, x - bias, 0)).astype(x.dtype)


@op("tanh", Elementwise)
class Tanh(Op):
    """Hyperbolic tangent of every element, between -1 and 1."""

    x: Floats
    evaluate = np.tanh


@op("sigmoid", Elementwise, NonNegative)
class Sigmoid(Op):
    """``1 / (1 + exp(-x))`` of every element, between 0 and 1."""

    x: Floats
    told_apart = (-8.0, 8.0)

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Compute the formula of the class in numpy."""
        return sigmoid(x)


@op("hard_sigmoid", Elementwise, NonNegative)
class HardSigmoid(Op):
    """``clip(alpha * x + beta, 0, 1)``: a sigmoid made of straight lines."""

    x: Floats
    alpha: Finite = 0.2
    beta: Finite = 0.5

    @staticmethod
    def evaluate(x: Array, *, alpha: float, beta: float) -> Array:
        """Compute the formula of the class in numpy."""
        return np.clip(x * np.asarray(alpha, x.dtype) + np.asarray(beta, x.dtype), 0, 1).astype(x.dtype)


@op("hard_swish", Elementwise)
class HardSwish(Op):
    """``x * clip(x + 3, 0, 6) / 6``."""

    x: Floats
    told_apart = (-3.0, math.inf)

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Compute the formula of the class in numpy."""
        return (x * (np.clip(x + 3, 0, 6) / 6)).astype(x.dtype)


@op("silu", Elementwise)
class Silu(Op):
    """``x * sigmoid(x)`` of every element, also called Swish."""

    x: Floats

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Compute the formula of the class in numpy."""
        return x * sigmoid(x)


@op("gelu", Elementwise)
class Gelu(Op):
    """``x * Phi(x)``, Phi being the normal distribution; ``approximate`` through tanh (arXiv 1606.08415)."""

    x: Floats
    approximate: bool = False

    @staticmethod
    def evaluate(x: Array, *, approximate: bool) -> Array:
        """Compute the formula of the class in numpy."""
        if approximate:
            return (0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))).astype(x.dtype)
        return (0.5 * x * (1 + erf(x / math.sqrt(2)))).astype(x.dtype)


@op("softplus", Elementwise, NonNegative)
class Softplus(Op):
    """``log(1 + exp(x))`` of every element, without overflow for large ones."""

    x: Floats

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Without overflow."""
        return np.logaddexp(x, np.asarray(0, x.dtype))


@op("softsign", Elementwise)
class Softsign(Op):
    """``x / (1 + abs(x))`` of every element, between -1 and 1."""

    x: Floats

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Compute the formula of the class in numpy."""
        return x / (1 + np.abs(x))


@op("mish", Elementwise)
class Mish(Op):
    """``x * tanh(softplus(x))`` of every element, an activation function."""

    x: Floats

    @staticmethod
    def evaluate(x: Array) -> Array:
        """Compute the formula of the class in numpy."""
        return x * np.tanh(np.logaddexp(x, np.asarray(0, x.dtype)))


class _AlongAxis:
    """Normalises along one axis: cheapest where that axis is stored innermost, possible anywhere."""

    @staticmethod
    def infer(op: Softmax | LogSoftmax) -> TensorType:
        """Keep the type."""
        return op.x.type

    @staticmethod
    def axes(op: Softmax | LogSoftmax) -> Axes:
        """Prefer the axis last."""
        names = letters(op.x.type.rank)
        last = (..., names[op.axis])
        forms = (Form((last,), (last,)), Form(((...,),), ((...,),), penalty=1))
        return Axes((names,), (names,), forms=forms)


@op("softmax", _AlongAxis, Pure, NonNegative, Accumulates)
class Softmax(Op):
    """``exp(x)`` divided by its sum along one axis."""

    x: Floats
    axis: Axis

    @staticmethod
    def evaluate(x: Array, *, axis: int) -> Array:
        """Shifted for stability."""
        e = np.exp(x - x.max(axis=axis, keepdims=True, initial=-np.inf))
        return e / e.sum(axis=axis, keepdims=True)


@op("log_softmax", _AlongAxis, Pure, Accumulates)
class LogSoftmax(Op):
    """Logarithm of the normalised exponentials along one axis."""

    x: Floats
    axis: Axis

    @staticmethod
    def evaluate(x: Array, *, axis: int) -> Array:
        """Shifted for stability."""
        shifted = x - x.max(axis=axis, keepdims=True, initial=-np.inf)
        return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


def sigmoid(x: Array) -> Array:
    """Logistic function, computed in float32 at least; where the exponential overflows, it is zero."""
    with np.errstate(over="ignore"):
        return (1 / (1 + np.exp(-x.astype(np.promote_types(x.dtype, np.float32))))).astype(x.dtype)
