"""Tensors that hold nothing: kernels divide by their sizes."""

from __future__ import annotations

import numpy as np

from ....compiler.dims import is_static, static
from ....compiler.ir import Op
from ....compiler.ops.shape import Reshape
from ....passes.lowerings.dtypes import CONVERSIONS
from .lowering import Build, improve


@improve(*(cls for cls in CONVERSIONS if cls is not Reshape), benefit=5)
def nothing_is_constant(op: Op, e: Build) -> None:
    """Results without elements become empty constants, which need no kernel."""
    types = [r.type for r in op.results]
    if all(is_static(t.shape) and 0 in t.shape for t in types):
        e.replace(*(e.constant(np.zeros(static(t.shape), t.dtype.numpy)) for t in types))
