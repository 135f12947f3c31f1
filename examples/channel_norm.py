"""An operator of one's own, in one file: what it means, how it is read from ONNX, how TFLite runs it.

docs/custom-ops.md explains it: ``nhwcc compile model.onnx -o model.tflite --op-library channel_norm.py``.
"""

from __future__ import annotations

import numpy as np
from nhwcc.backends.tflite.lowering import Build, lower
from nhwcc.compiler.axes import Axes, Axis, letters
from nhwcc.compiler.ir import Op, Value
from nhwcc.compiler.opdef import Pure, op
from nhwcc.compiler.ops.arith import Add, Mul, Rsqrt
from nhwcc.compiler.ops.reduce import Reduce
from nhwcc.compiler.types import Array, TensorType
from nhwcc.frontends.onnx.emitter import Emitter
from nhwcc.frontends.onnx.registry import onnx_op


@op("acme.channel_norm", Pure)
class ChannelNorm(Op):
    """``x`` divided by its root mean square along an axis, times a factor for every position of that axis."""

    x: Value
    scale: Value
    axis: Axis
    epsilon: float = 1e-5

    def infer(self) -> TensorType:
        """Return the operand's type; a ValueError becomes the error that names the operation and its place."""
        if self.scale.type.shape != (self.x.type.shape[self.axis],):
            raise ValueError(f"{self.scale.type} are not the factors of axis {self.axis} of {self.x.type}")
        return self.x.type

    @staticmethod
    def evaluate(x: Array, scale: Array, *, axis: int, epsilon: float) -> Array:
        """Compute it in numpy: what it means, and what compiled numbers are compared with."""
        mean = np.mean(x * x, axis, keepdims=True)
        factors = scale.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
        return x / np.sqrt(mean + epsilon) * factors

    def axes(self) -> Axes:
        """Run in any storage order, the same one for operand and result; ``axis`` is renumbered with it."""
        every = letters(self.x.type.rank)
        return Axes.common((every, (every[self.axis],)), (every,))


@onnx_op("ChannelNorm", since=1, domain="com.acme")
def read_channel_norm(emit: Emitter, x: Value, scale: Value, *, epsilon: float = 1e-5) -> Value:
    """Inputs of the ONNX operator are positional parameters, attributes are those behind the star."""
    return emit(ChannelNorm(x, scale, axis=1, epsilon=epsilon))


@lower(ChannelNorm)
def channel_norm_of_parts(op: ChannelNorm, build: Build) -> None:
    """Squares, their mean, a reciprocal root and two products."""
    mean = build(Reduce, build(Mul, op.x, op.x), "mean", (op.axis,))
    factor = build(Rsqrt, build(Add, mean, op.epsilon))
    shape = [size if i == op.axis else 1 for i, size in enumerate(op.x.type.shape)]
    build.replace(build(Mul, build(Mul, op.x, factor), build.reshape(op.scale, shape)))
