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

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from nhwcc.compiler.diagnostics import CompileError, Diagnostic, Location
from nhwcc.options import CompileOptions, Model, PathLike

if TYPE_CHECKING:
    from nhwcc.artifact import Artifact
    from nhwcc.compiler.ir import Module
    from nhwcc.report import Report
    from nhwcc.sources import load
    from nhwcc.verification import Verification, VerificationError

__version__ = "0.1.0"

IMPORTED = time.perf_counter()
"""When this process began to need nhwcc: what a command line takes includes all imports after this one."""

P = ParamSpec("P")


def _taking(options: Callable[P, CompileOptions]) -> Callable[Concatenate[Model, P], Artifact]:
    """Make the function that takes a model and every field of ``options`` as an argument."""

    def compile(model: Model, /, *args: P.args, **kwargs: P.kwargs) -> Artifact:
        """Compile a model and return the artifact; the arguments are the fields of :class:`CompileOptions`.

        Raises:
            VerificationError: the result computes something else than the source.
            CompileError: everything else that can be wrong; its ``diagnostics`` say what, where and what to do.
        """
        from nhwcc.driver import compile_model

        return compile_model(model, options(*args, **kwargs))

    return compile


compile = _taking(CompileOptions)


def compile_all(model: Model, outputs: Sequence[PathLike], **options: Any) -> list[Artifact]:
    """Compile a model into several files, which is read once; all of them appear, or none.

    ``options`` are the fields of :class:`CompileOptions` but for ``output``.

    Raises:
        VerificationError: a result computes something else than the source.
        CompileError: everything else that can be wrong.
    """
    from nhwcc.driver import compile_all

    return compile_all(model, CompileOptions(**options), outputs)


_LAZY = {
    "Artifact": "nhwcc.artifact",
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
    "load",
]
