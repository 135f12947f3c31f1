"""All targets by name: one row each; what a target needs is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from ..compiler.diagnostics import did_you_mean, error

if TYPE_CHECKING:
    from .common.target import Target


def _in_package(name: str) -> Callable[[], Target]:
    """Return what loads the target that a package of this folder declares in its module ``target``."""
    return lambda: cast("Target", import_module(f"{__package__}.{name}.target").TARGET)


TARGETS: dict[str, Callable[[], Target]] = {"tflite": _in_package("tflite"), "onnx": _in_package("onnx")}
"""What gives each target, by the name that users say."""


def find_target(name: str, version: int | None = None) -> Target:
    """Return a target by its name; of one whose format has versions, the one that goes up to ``version``.

    Raises:
        CompileError: L008, there is no such target; L012, it has no such version.
    """
    if name not in TARGETS:
        help = did_you_mean(name, TARGETS) or f"there are {', '.join(TARGETS)}"
        raise error("L008", f"no target named {name!r}", help=help)
    target = TARGETS[name]()
    if version is None:
        return target
    if target.at is None:
        raise error("L012", f"{target.title} has no versions to choose from", help="leave --opset out")
    return target.at(version)
