"""Lowerings for targets with general operations, such as ONNX and OpenVINO: of any rank, channels first.

Other targets have kernels of few ranks, that index by i32, and need others.  Importing this declares all.
"""

from . import arith, index, recurrent, reduce, shape, simplify, spatial
from .registry import GENERAL

__all__ = ["GENERAL", "arith", "index", "recurrent", "reduce", "shape", "simplify", "spatial"]
