"""Fourier transforms, and complex numbers as their parts."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Atan2, Neg, Sqrt, Square
from ....compiler.types import DType
from ...common.complex_numbers import Complex, along_both, fitted
from ..emitter import Emitter
from ..registry import tf_op


def _half(name: str, count: int) -> None:
    """Register a transform of real numbers along the last axes, of which the last one is given by half."""

    @tf_op(name)
    def handler(emit: Emitter, input: Value, fft_length: Value, *, Tcomplex: DType = DType.C64) -> Complex:  # pyright: ignore[reportUnusedFunction] -- registered
        lengths = emit.ints(fft_length, "fft_length")
        if len(lengths) != count or input.type.rank < count or min(lengths) < 1:
            raise emit.fail(f"transforms {input.type} to {list(lengths)}", code="F006")
        found = along_both(emit, (fitted(emit, input, lengths),), lengths, onesided=True)
        return Complex(found[0], found[1])


def _whole(name: str, count: int, *, inverse: bool) -> None:
    """Register a transform of complex numbers along the last axes."""

    @tf_op(name)
    def handler(emit: Emitter, input: Complex) -> Complex:  # pyright: ignore[reportUnusedFunction] -- registered
        shape = input.real.type.shape
        sizes = [d for d in shape[len(shape) - count :] if isinstance(d, int)]
        if len(sizes) != count:
            raise emit.fail(f"transforms {input.real.type}, whose sizes are open", code="F004")
        found = along_both(emit, (input.real, input.imag), sizes, inverse=inverse)
        return Complex(found[0], found[1])


_half("RFFT", 1)
_half("RFFT2D", 2)
_whole("FFT", 1, inverse=False)
_whole("FFT2D", 2, inverse=False)
_whole("IFFT", 1, inverse=True)
_whole("IFFT2D", 2, inverse=True)


@tf_op("Complex")
def complex_(emit: Emitter, real: Value, imag: Value, *, Tout: DType = DType.C64) -> Complex:
    """Complex: real and imaginary parts become one complex value; two tensors represent it in the IR."""
    shape = emit(Add(real, imag)).type.shape
    return Complex(emit.expand(real, shape), emit.expand(imag, shape))


@tf_op("Real")
def real(emit: Emitter, input: Complex, *, Tout: DType = DType.F32) -> Value:
    """Real: the tensor of real parts, which complex values hold separately."""
    return input.real


@tf_op("Imag")
def imag(emit: Emitter, input: Complex, *, Tout: DType = DType.F32) -> Value:
    """Imag: the tensor of imaginary parts, which complex values hold separately."""
    return input.imag


@tf_op("Conj")
def conj(emit: Emitter, input: Complex) -> Complex:
    """Conj: the complex conjugate, whose imaginary parts have the other sign."""
    return Complex(input.real, emit(Neg(input.imag)))


@tf_op("ComplexAbs")
def complex_abs(emit: Emitter, x: Complex, *, Tout: DType = DType.F32) -> Value:
    """ComplexAbs: the absolute values ``sqrt(real ** 2 + imag ** 2)``, without protection against overflow."""
    return emit(Sqrt(emit(Add(emit(Square(x.real)), emit(Square(x.imag))))))


@tf_op("Angle")
def angle(emit: Emitter, input: Complex, *, Tout: DType = DType.F32) -> Value:
    """Angle: ``atan2(imag, real)``, the argument of each complex number."""
    return emit(Atan2(input.imag, input.real))
