"""Drawing with what is installed: Graphviz, else igraph."""

from __future__ import annotations

import shutil
import subprocess

from nhwcc.graphs import draw
from nhwcc.graphs.view import Graph

PATIENCE = 60
"""Seconds after which Graphviz is given up: its layout of a thousand boxes can take minutes."""


def can_render() -> bool:
    """Say whether anything that draws is installed."""
    return shutil.which("dot") is not None or draw.is_available()


def render(graph: Graph, dot: str) -> str | None:
    """Return an .svg file's text; None if nothing that draws is installed."""
    return _graphviz(dot) or (draw.to_svg(graph) if draw.is_available() else None)


def _graphviz(dot: str) -> str | None:
    program = shutil.which("dot")
    if program is None:
        return None
    command = [program, "-Tsvg"]
    try:
        done = subprocess.run(command, input=dot.encode(), capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.decode("utf-8", "replace")
