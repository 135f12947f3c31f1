"""ONNX's backend protocol on the reference interpreter: what the imported IR computes, by definition.

>>> import numpy as np
>>> from onnx import helper
>>> run_node(helper.make_node("Neg", ["x"], ["y"]), [np.float32([1, 2])])
Outputs(y=array([-1., -2.], dtype=float32))
"""

from __future__ import annotations

from nhwcc.compiler.ir import Module
from nhwcc.onnx_backend.prepared import Executable, NhwccBackend
from nhwcc.runners.reference import ReferenceRunner


def _build(module: Module) -> Executable:
    return ReferenceRunner(module)


class InterpreterBackend(NhwccBackend):
    """ONNX's backend interface on the reference interpreter: runs the imported IR, before any pass."""

    build = staticmethod(_build)


prepare = InterpreterBackend.prepare
run_model = InterpreterBackend.run_model
run_node = InterpreterBackend.run_node
supports_device = InterpreterBackend.supports_device
