"""In-place operators: which of them can be read as assignments.

``relu_(x)`` is ``x = relu(x)`` unless somebody reads the same memory under another shape afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import fx

from .nodes import is_getitem, schema, written

RETURNS_OPERAND = ("aten::dropout", "aten::feature_dropout", "aten::alpha_dropout", "aten::feature_alpha_dropout")
"""Operators that return their operand in evaluation mode although their schemas don't say so."""


def is_plain(graph: fx.Graph) -> bool:
    """Whether no in-place operator writes to an input, or to memory that another tensor reads later."""
    nodes = list(graph.nodes)
    if not any(map(written, nodes)):
        return True
    place = {node: i for i, node in enumerate(nodes)}
    memory = _memory(nodes)
    members: dict[fx.Node, list[fx.Node]] = {}
    for node, root in memory.items():
        members.setdefault(root, []).append(node)
    same = assignments(nodes)
    for node in nodes:
        for target in written(node):
            group = members[memory[target]]
            others = (m for m in group if same.get(m, m) is not same.get(target, target))
            if any(m.op != "call_function" for m in group) or any(_last_use(m, place) > place[node] for m in others):
                return False
    return True


def assignments(nodes: Iterable[fx.Node]) -> dict[fx.Node, fx.Node]:
    """Return for every node that is the same tensor as an earlier one that one: in-place operators have such nodes."""
    same: dict[fx.Node, fx.Node] = {}
    for node in nodes:
        found = schema(node)
        is_operand = found is not None and found.name in RETURNS_OPERAND
        for target in node.all_input_nodes[:1] if is_operand else written(node)[:1]:
            same[node] = same.get(target, target)
    return same


def _memory(nodes: Iterable[fx.Node]) -> dict[fx.Node, fx.Node]:
    """Return for every node the first one whose memory it may share."""
    memory: dict[fx.Node, fx.Node] = {}
    for node in nodes:
        memory[node] = next((memory[base] for base in _bases(node)), node)
    return memory


def _bases(node: fx.Node) -> Iterator[fx.Node]:
    """The operands whose memory a node's result may share."""
    found = schema(node)
    if found is None:
        may_share = is_getitem(node)
    else:
        may_share = found.name in RETURNS_OPERAND or any(r.alias_info is not None for r in found.returns)
    if may_share:
        yield from node.all_input_nodes[:1]


def _last_use(node: fx.Node, place: dict[fx.Node, int]) -> int:
    return max((place[user] for user in node.users), default=-1)
