"""Drawings in Graphviz's language: boxes for operations, edges for tensors."""

from __future__ import annotations

import json

from nhwcc.compiler.visible import visible_lines
from nhwcc.graphs.view import CATEGORIES, Graph


def to_dot(graph: Graph) -> str:
    """Return a graph in Graphviz's language, the text of a ``.dot`` file."""
    lines = [
        f"digraph {_quote(graph.title)} {{",
        '  node [shape=box, style="rounded,filled", fontname="sans-serif", fontsize=11];',
        '  edge [fontname="sans-serif", fontsize=9, color="#7b8794", fontcolor="#52606d"];',
    ]
    for number, box in enumerate(graph.boxes):
        look = CATEGORIES[box.category]
        label = f"{box.title}\n{box.detail}" if box.detail else box.title
        lines.append(
            f"  n{number} [label={_quote(label)}, tooltip={_quote(box.tooltip or box.title)}, "
            f'fillcolor="{look.fill}", color="{look.line}", fontcolor="{look.text}"];'
        )
    lines += [f"  n{a} -> n{b} [label={_quote(text)}];" for a, b, text in graph.arrows]
    return "\n".join([*lines, "}"]) + "\n"


def _quote(text: str) -> str:
    return json.dumps(visible_lines(text), ensure_ascii=False)
