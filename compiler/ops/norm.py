"""Normalisations: batch, layer, root mean square, group, and local response normalisation."""

from __future__ import annotations

import numpy as np

from ..attributes import Finite, Positive
from ..axes import Axes, Axis, AxisTuple, Form, letters
from ..ir import Op
from ..opdef import Pure, op
from ..operands import Floats, parameters_broadcast, same_elements, vector_of
from ..traits import Accumulates
from ..types import Array, TensorType
from .window import slide


class _PerChannel:
    """The result has the type of the data; all other operands have one element per position along the axis."""

    @staticmethod
    def infer(op: BatchNorm | GroupNorm | LocalResponseNorm) -> TensorType:
        """Keep the first operand's type."""
        same_elements(op)
        for name, value in zip(op.spec.operands[1:], op.operands[1:], strict=True):
            vector_of(value, op.x.type.shape[op.axis], name)
        return op.x.type


class _AlongAxes:
    """The result has the type of the data, to which all other operands broadcast."""

    @staticmethod
    def infer(op: LayerNorm | RmsNorm) -> TensorType:
        """Keep the first operand's type."""
        return parameters_broadcast(op)


@op("batch_norm", _PerChannel, Pure)
class BatchNorm(Op):
    """``(x - mean) / sqrt(variance + epsilon) * scale + bias`` with one parameter per position along ``axis``."""

    x: Floats
    scale: Floats
    bias: Floats
    mean: Floats
    variance: Floats
    epsilon: Finite = 1e-5
    axis: Axis = 1

    @staticmethod
    def evaluate(
        x: Array, scale: Array, bias: Array, mean: Array, variance: Array, *, epsilon: float, axis: int
    ) -> Array:
        """Compute the formula of the class in numpy."""
        shape = [-1 if i == axis else 1 for i in range(x.ndim)]
        factor = scale / np.sqrt(variance + np.asarray(epsilon, variance.dtype))
        return (x * factor.reshape(shape) + (bias - mean * factor).reshape(shape)).astype(x.dtype)

    def axes(self) -> Axes:
        """Any common order."""
        names = letters(self.x.type.rank)
        channel = (names[self.axis],)
        return Axes.common((names, channel, channel, channel, channel), (names,))


def _along_axes(op: LayerNorm | RmsNorm) -> Axes:
    """Any common order; some kernels want the axes along which is normalised last."""
    names = letters(op.x.type.rank)
    operands = tuple(None if v is None else names[len(names) - v.type.rank :] for v in op.operands)
    last = (..., *(names[d] for d in sorted(d % len(names) for d in op.dims)))
    forms = tuple(
        Form(
            tuple(None if v is None else pattern for v in operands), (pattern,), penalty=penalty, strided=bool(penalty)
        )
        for penalty, pattern in enumerate((last, (...,)))
    )
    return Axes(operands, (names,), forms=forms, broadcasts=True)


@op("layer_norm", _AlongAxes, Pure, Accumulates)
class LayerNorm(Op):
    """Mean 0 and variance 1 along ``dims``, times ``scale`` plus ``bias``, which broadcast to ``x``."""

    x: Floats
    scale: Floats | None
    bias: Floats | None
    dims: AxisTuple
    epsilon: Finite = 1e-5

    @staticmethod
    def evaluate(x: Array, scale: Array | None, bias: Array | None, *, dims: tuple[int, ...], epsilon: float) -> Array:
        """By definition, in float32 at least."""
        y = x.astype(np.promote_types(x.dtype, np.float32))
        centred = y - y.mean(axis=dims, keepdims=True)
        out = centred / np.sqrt(np.square(centred).mean(axis=dims, keepdims=True) + np.asarray(epsilon, y.dtype))
        out = out.astype(x.dtype) if scale is None else out.astype(x.dtype) * scale
        return out if bias is None else out + bias

    def axes(self) -> Axes:
        """Any common order; parameters are aligned at the last axis."""
        return _along_axes(self)


@op("rms_norm", _AlongAxes, Pure, Accumulates)
class RmsNorm(Op):
    """``x`` divided by the root of its mean square along ``dims``, times ``scale`` (arXiv 1910.07467)."""

    x: Floats
    scale: Floats | None
    dims: AxisTuple
    epsilon: Finite = 1e-5

    @staticmethod
    def evaluate(x: Array, scale: Array | None, *, dims: tuple[int, ...], epsilon: float) -> Array:
        """By definition, in float32 at least."""
        y = x.astype(np.promote_types(x.dtype, np.float32))
        out = (y / np.sqrt(np.square(y).mean(axis=dims, keepdims=True) + np.asarray(epsilon, y.dtype))).astype(x.dtype)
        return out if scale is None else out * scale

    def axes(self) -> Axes:
        """Any common order; the scale is aligned at the last axis."""
        return _along_axes(self)


@op("group_norm", Pure, Accumulates)
class GroupNorm(Op):
    """Mean 0 and variance 1 within ``groups`` of neighbouring channels; one scale and bias per channel.

    Channels lie along ``axis``, the batch along axis 0. With as many groups as channels this is an instance
    normalisation.
    """

    x: Floats
    scale: Floats
    bias: Floats
    groups: Positive
    epsilon: Finite = 1e-5
    axis: Axis = 1

    def infer(self) -> TensorType:
        """Keep the data's type."""
        channels = self.x.type.shape[self.axis]
        if self.axis == 0 or (isinstance(channels, int) and channels % self.groups):
            raise ValueError(f"{channels} channels along axis {self.axis} are not {self.groups} equal groups")
        return _PerChannel.infer(self)

    @staticmethod
    def evaluate(x: Array, scale: Array, bias: Array, *, groups: int, epsilon: float, axis: int) -> Array:
        """Reshape, normalise, reshape back."""
        if x.size == 0:
            return x
        x = np.moveaxis(x, axis, 1)
        y = x.reshape(x.shape[0], groups, -1).astype(np.promote_types(x.dtype, np.float32))
        centred = y - y.mean(axis=2, keepdims=True)
        normal = centred / np.sqrt(np.square(centred).mean(axis=2, keepdims=True) + np.asarray(epsilon, y.dtype))
        shape = (1, -1, *[1] * (x.ndim - 2))
        out = (normal.reshape(x.shape) * scale.reshape(shape) + bias.reshape(shape)).astype(x.dtype)
        return np.moveaxis(out, 1, axis)

    def axes(self) -> Axes:
        """The batch outermost, all else in any order; channels stay in theirs, for they are counted in groups."""
        names = letters(self.x.type.rank)
        channel = (names[self.axis],)
        form = Form((("d0", ...), channel, channel), (("d0", ...),))
        return Axes((names, channel, channel), (names,), frozenset(channel), (form,))


@op("local_response_norm", _PerChannel, Pure, Accumulates)
class LocalResponseNorm(Op):
    """``x / (bias + alpha / size * sum of squares of neighbours)^beta`` over ``size`` channels around each."""

    x: Floats
    size: Positive
    alpha: Finite = 1e-4
    beta: Finite = 0.75
    bias: Finite = 1.0
    axis: Axis = 1

    @staticmethod
    def evaluate(x: Array, *, size: int, alpha: float, beta: float, bias: float, axis: int) -> Array:
        """Sum over a sliding window of channels."""
        before = (size - 1) // 2
        widths = [(before, size - 1 - before) if i == axis else (0, 0) for i in range(x.ndim)]
        squares = np.pad(np.square(x), widths)
        view = slide(squares, [size], [axis])
        return (x / np.power(bias + alpha / size * view.sum(-1), beta)).astype(x.dtype)

    def axes(self) -> Axes:
        """The channel axis where the target has channels."""
        names, rank = letters(self.x.type.rank), self.x.type.rank
        channel = names[self.axis]
        last, first = (..., channel), (*(n for n in names[:1] if n != channel), channel, ...)
        forms = [Form((last,), (last,), channels="last")]
        if rank > 1 and self.axis:
            forms.append(Form((first,), (first,), channels="first"))
        return Axes((names,), (names,), frozenset({channel}), tuple(forms))
