"""Lowerings of products of stacks of matrices that broadcast."""

from __future__ import annotations

from ....compiler.ops.linear import MatMul
from ....passes.lowerings.batches import repeat_matrices
from .lowering import lower

lower(MatMul, benefit=2)(repeat_matrices)
