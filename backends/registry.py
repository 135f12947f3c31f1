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


TARGETS: dict[str, Callable[[], Target]] = {"tflite": _in_package("tflite")}
"""What gives each target, by the name that users say."""


def find_target(name: str) -> Target:
    """Return a target by its name.

    Raises:
        CompileError: L008, there is no such target.
    """
    if name not in TARGETS:
        help = did_you_mean(name, TARGETS) or f"there are {', '.join(TARGETS)}"
        raise error("L008", f"no target named {name!r}", help=help)
    return TARGETS[name]()
