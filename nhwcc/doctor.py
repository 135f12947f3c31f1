"""What is installed: the libraries nhwcc needs, and those it can use."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from nhwcc.runners.tfjs import PACKAGE, find_library


class Library(NamedTuple):
    """A library: what is imported, what is installed, what for; ``extra`` is empty for what nhwcc can't do without."""

    module: str
    distribution: str
    purpose: str
    extra: str = ""


LIBRARIES = (
    Library("numpy", "numpy", "tensors"),
    Library("ml_dtypes", "ml-dtypes", "bfloat16, int4"),
    Library("lark", "lark", "reading IR and rules"),
    Library("scipy", "scipy", "choosing layouts by integer programming"),
    Library("sympy", "sympy", "sizes with names"),
    Library("onnx", "onnx", "reading ONNX models"),
    Library("flatbuffers", "flatbuffers", "writing TFLite files"),
    Library("ai_edge_litert.interpreter", "ai-edge-litert", "running TFLite files"),
    Library("click", "click", "the command line"),
    Library("rich", "rich", "progress on a terminal"),
    Library("onnxruntime", "onnxruntime", "comparing with what runs the source", "onnxruntime"),
    Library("torch", "torch", "exporting models from PyTorch", "torch"),
    Library("tensorflow", "tensorflow", "comparing with what runs a SavedModel", "tensorflow"),
    Library("openvino", "openvino", "comparing with what runs OpenVINO's IR", "openvino"),
    Library("graphviz", "graphviz", "asking Graphviz for drawings", "draw"),
    Library("distributed", "distributed", "running zoos of models", "zoo"),
)


@dataclass(frozen=True)
class Finding:
    """A library or a program and what was found of it; ``problem`` says why it can't be used."""

    name: str
    purpose: str
    extra: str
    version: str = ""
    problem: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether something is wrong with it that nhwcc can't work without."""
        return bool(self.problem) and not self.extra


def examine() -> Iterator[Finding]:
    """Look at Python, at every library, and at what draws."""
    yield Finding(
        "python", platform.platform(), "", platform.python_version(), "" if sys.version_info >= (3, 11) else "too old"
    )
    for library in LIBRARIES:
        yield _examine(library)
    yield _found("coremltools", "writing packages of Core ML", "coreml")
    dot = shutil.which("dot")
    yield Finding("dot", "drawing networks by Graphviz", "a system package", dot or "", "" if dot else "not installed")
    library = find_library()
    purpose, problem = "running what was written for browsers", "" if library else "not installed"
    yield Finding(PACKAGE, purpose, "an npm package", str(library or ""), problem)


def _found(distribution: str, purpose: str, extra: str) -> Finding:
    """Look for a library that is not imported, since it imports all others that it can convert from."""
    try:
        return Finding(distribution, purpose, extra, version(distribution))
    except PackageNotFoundError:
        return Finding(distribution, purpose, extra, "", "not installed")


@contextmanager
def _unheard() -> Generator[None, None, None]:
    """Keep what libraries print when they are imported, also that of their native code, from the terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [(stream, os.dup(stream)) for stream in (1, 2)]
    try:
        with Path(os.devnull).open("wb") as nowhere:
            for stream, _ in kept:
                os.dup2(nowhere.fileno(), stream)
        yield
    finally:
        for stream, copy in kept:
            os.dup2(copy, stream)
            os.close(copy)


def _examine(library: Library) -> Finding:
    """Import a library: one that is installed but does not load is of no use."""
    try:
        with _unheard():
            import_module(library.module)
        found = version(library.distribution)
    except PackageNotFoundError:
        found = "unknown version"
    except ImportError as bad:
        missing = isinstance(bad, ModuleNotFoundError) and library.module.startswith(bad.name or " ")
        problem = "not installed" if missing else f"does not load: {bad}"
        return Finding(library.distribution, library.purpose, library.extra, "", problem)
    return Finding(library.distribution, library.purpose, library.extra, found)
