"""Weights of recurrent layers that constants of integers stand for, as text of the IR."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def stored_weights(shapes: Mapping[str, tuple[int, int]], dtype: str = "i8", zero: int = 0) -> str:
    """Return statements that define a value for each name: random integers of a type, and their scale of 0.004."""
    rng = np.random.default_rng(0)
    low, high = (-127, 128) if dtype == "i8" else (0, 256)
    lines = ["%s = const() {value = dense<0.004> : f32[]} : f32[]"]
    lines.append(f"%z = const() {{value = dense<{zero}> : i32[]}} : i32[]")
    for name, (rows, columns) in shapes.items():
        drawn, sizes = rng.integers(low, high, (rows, columns)).tolist(), f"[{rows},{columns}]"
        lines.append(f"%q{name} = const() {{value = dense<{drawn}> : {dtype}{sizes}}} : {dtype}{sizes}")
        lines.append(f"%{name} = dequantize(%q{name}, %s, %z) : f32{sizes}")
    return "\n".join(lines)
