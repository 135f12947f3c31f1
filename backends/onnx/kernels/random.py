"""Rows of the table for random numbers, drawn anew in each run."""

from __future__ import annotations

from ....compiler.dims import is_static, static
from ....compiler.ops import random as ir
from ....formats.onnx.tensors import number_of
from ..table import Call, condition, emits


@condition("a known shape")
def _known_shape(op: ir.RandomUniform | ir.RandomNormal) -> str | None:
    return None if is_static(op.shape) else "a symbolic shape"


def _seed(seed: int | None) -> dict[str, float]:
    return {} if seed is None else {"seed": float(seed)}


def _draw(op: ir.RandomUniform | ir.RandomNormal) -> Call:
    return Call((), {"shape": static(op.shape), **_seed(op.seed)})


emits(ir.RandomUniform, "RandomUniform", when=(_known_shape,))(_draw)
emits(ir.RandomNormal, "RandomNormal", when=(_known_shape,))(_draw)


@emits(ir.RandomChoice, "Multinomial")
def random_choice(op: ir.RandomChoice) -> Call:
    """Multinomial: draws columns by the logarithms of their probabilities."""
    return Call((op.logits,), {"sample_size": op.count, "dtype": number_of(op.dtype), **_seed(op.seed)})
