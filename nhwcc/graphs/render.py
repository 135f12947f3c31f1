"""Drawing: by Graphviz where it is installed, with its package, else by a layout of our own."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

from nhwcc.graphs.dot import to_dot
from nhwcc.graphs.draw import to_svg
from nhwcc.graphs.view import Graph

LARGEST = 400
"""Boxes up to which Graphviz draws: beyond, it can take minutes."""


def has_graphviz() -> bool:
    """Say whether Graphviz and its package are installed."""
    return shutil.which("dot") is not None and find_spec("graphviz") is not None


def render(graph: Graph) -> str:
    """Return the text of an ``.svg`` file for a graph that has been laid out."""
    if len(graph.boxes) > LARGEST or not has_graphviz():
        return to_svg(graph)
    import graphviz

    source = graphviz.Source(to_dot(graph), engine="dot")
    try:
        return source.pipe(format="svg", encoding="utf-8", quiet=True)
    except graphviz.CalledProcessError:
        return to_svg(graph)
