"""nhwcc, the NHWC compiler: networks to TFLite, ONNX and OpenVINO without needless transposes, numerically checked.

>>> import nhwcc
>>> artifact = nhwcc.compile("model.onnx", "model.tflite")  # doctest: +SKIP
>>> artifact.report.transposes_after, artifact(image)["scores"]  # doctest: +SKIP
"""

from __future__ import annotations

import sys
import time

if sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv)].endswith("nhwcc") and not sys.flags.safe_path:
    del sys.path[0]  # the current folder, which ``python -m nhwcc`` looks into before all others; nothing there is ours

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nhwcc.api import compile, compile_all, compile_signatures, verify  # noqa: A004 -- what a compiler does
from nhwcc.compiler.diagnostics import CompileError, Diagnostic, Location
from nhwcc.options import CompileOptions

if TYPE_CHECKING:
    from nhwcc.artifact import Artifact
    from nhwcc.comparison import Comparison
    from nhwcc.compiler.ir import Module
    from nhwcc.report import Report
    from nhwcc.sources import load
    from nhwcc.verification import Verification, VerificationError

__version__ = "0.1.0"

IMPORTED = time.perf_counter()
"""When this process began to need nhwcc: what a command line takes includes all imports after this one."""

_LAZY = {
    "Artifact": "nhwcc.artifact",
    "Comparison": "nhwcc.comparison",
    "Module": "nhwcc.compiler.ir",
    "Report": "nhwcc.report",
    "Verification": "nhwcc.verification",
    "VerificationError": "nhwcc.verification",
    "load": "nhwcc.sources",
}
"""Where names are that are imported when they are first used, since numpy comes with them."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'nhwcc' has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)


__all__ = [
    "Artifact",
    "Comparison",
    "CompileError",
    "CompileOptions",
    "Diagnostic",
    "Location",
    "Module",
    "Report",
    "Verification",
    "VerificationError",
    "compile",
    "compile_all",
    "compile_signatures",
    "load",
    "verify",
]
