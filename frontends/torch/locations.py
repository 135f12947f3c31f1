"""Where a node comes from: the path of its module, and the line of its user's Python."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import fx

from ...compiler.diagnostics import Location

_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<function>[^\n]+)\n\s*(?P<code>[^\n]*)')
_OWN = str(Path(torch.__file__).parent)
"""Lines in PyTorch itself are nothing that its user wrote."""


def location(node: fx.Node) -> Location:
    """Return the origin of a node; the file is that of the innermost line outside of PyTorch."""
    frame = _frame(node.meta.get("stack_trace") or "")
    path = module_path(node)
    return Location(f"{path}.{node.name}" if path else node.name, frame and frame[0])


def code(node: fx.Node) -> str | None:
    """Return the line of the model's Python code that a node comes from, by its stack trace."""
    frame = _frame(node.meta.get("stack_trace") or "")
    return frame and frame[1]


def module_path(node: fx.Node) -> str:
    """Return the path of the innermost module that a node belongs to: ``encoder.layers.0``; empty for the model."""
    stack: dict[str, tuple[str, Any]] = node.meta.get("nn_module_stack") or {}
    paths = [path for path, _ in stack.values() if not path.startswith("_")]
    return paths[-1].replace("L['self'].", "") if paths else ""


@lru_cache(maxsize=1 << 12)
def _frame(trace: str) -> tuple[str, str] | None:
    """Place and text of the innermost frame that is not PyTorch's."""
    frames = [(f"{m['file']}:{m['line']}", m["code"].strip()) for m in _FRAME.finditer(trace)]
    users = [f for f in frames if not f[0].startswith((_OWN, "torch/"))]
    return users[-1] if users else None
