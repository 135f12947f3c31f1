"""Whether coremltools is installed, and how it is imported alone."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

from ...compiler.diagnostics import error

INSTALL = "pip install 'nhwcc[coreml]'"

OTHERS = ("tensorflow", "torch", "transformers", "sklearn", "xgboost", "keras")
"""Libraries that coremltools imports to convert from, all of them if they are installed: nothing is converted here."""


def is_installed() -> bool:
    """Say whether coremltools can be imported in this environment."""
    return find_spec("coremltools") is not None


def check_installed() -> None:
    """Refuse to go on without coremltools.

    Raises:
        CompileError: R017.
    """
    if not is_installed():
        raise error("R017", "packages of Core ML are written by coremltools, which is not installed", help=INSTALL)


def load() -> Any:
    """Import coremltools without the libraries that it converts from; only in a process that needs none of them."""
    blocked = {name: None for name in OTHERS if name not in sys.modules}
    sys.modules.update(blocked)  # pyright: ignore[reportArgumentType, reportCallIssue] -- None blocks imports
    try:
        import coremltools
    finally:
        for name in blocked:
            del sys.modules[name]
    return coremltools
