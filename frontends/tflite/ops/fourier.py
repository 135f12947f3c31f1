"""Fourier transforms, as products with constant matrices, and complex numbers as their parts."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Sqrt, Square
from ...common.complex_numbers import along_both, fitted
from ..emitter import Emitter
from ..handles import Complex
from ..registry import builtin


@builtin("RFFT2D", "Rfft2dOptions")
def rfft2d(emit: Emitter, x: Value, length: Value) -> Complex:
    """Along the last two axes, of which the last one is real and given by half; cut or filled up to ``length``."""
    rows, columns = emit.ints(length, "fft_length")
    if x.type.rank < 2 or min(rows, columns) < 1:
        raise emit.fail(f"transforms {x.type} to {rows} x {columns}", code="F006")
    x = fitted(emit, x, (rows, columns))
    return Complex(*along_both(emit, (x,), (rows, columns), onesided=True))


@builtin("REAL")
def real(emit: Emitter, x: Complex) -> Value:
    """REAL: the real parts of complex numbers, as floats."""
    return x.real


@builtin("IMAG")
def imag(emit: Emitter, x: Complex) -> Value:
    """IMAG: the imaginary parts of complex numbers, as floats."""
    return x.imag


@builtin("COMPLEX_ABS")
def complex_abs(emit: Emitter, x: Complex) -> Value:
    """COMPLEX_ABS: absolute values of complex numbers, as floats."""
    return emit(Sqrt(emit(Add(emit(Square(x.real)), emit(Square(x.imag))))))
