"""Which nodes have to be imported, in an order in which each comes after what it reads; and which have effects."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ...compiler.diagnostics import error
from .flatten import Call, Flat, Result

WRITES = frozenset(
    {
        "Assign",
        "AssignAdd",
        "AssignAddVariableOp",
        "AssignSub",
        "AssignSubVariableOp",
        "AssignVariableOp",
        "ResourceScatterAdd",
        "ResourceScatterNdAdd",
        "ResourceScatterNdUpdate",
        "ResourceScatterUpdate",
        "ScatterUpdate",
    }
)
"""Operators that change a variable."""

_BOXES = {"CropAndResize": (1, 2)} | dict.fromkeys(
    ("NonMaxSuppression", *(f"NonMaxSuppressionV{n}" for n in (2, 3, 4, 5))), (0, 1)
)
"""Operands by operator whose first axis counts boxes, not the batch."""

_SAME_ELEMENTS = frozenset({"Cast", "Identity"})
"""Operators that keep the shape of their operand."""


def needed_calls(flat: Flat, wanted: Iterable[Result], given: Collection[Result]) -> list[Call]:
    """Return the nodes that ``wanted`` tensors need where the ``given`` ones are there already.

    Raises:
        CompileError: F013, nodes read each other in a circle; F014, a tensor has no origin.
    """
    order: list[Call] = []
    state: dict[str, bool] = {}  # False while what a node reads is looked at
    stack: list[tuple[str, bool]] = [(r.node, False) for r in reversed([*_open(flat, wanted, given)])]
    while stack:
        name, is_done = stack.pop()
        call = flat.calls[name]
        if is_done:
            state[name] = True
            order.append(call)
            continue
        if name in state:
            continue
        state[name] = False
        stack.append((name, True))
        for operand in _open(flat, reversed(call.inputs), given):
            if state.get(operand.node) is False:
                raise error("F013", f"the nodes {name!r} and {operand.node!r} read each other in a circle")
            if operand.node not in state:
                stack.append((operand.node, False))
    return order


def _open(flat: Flat, results: Iterable[Result], given: Collection[Result]) -> Iterable[Result]:
    """Resolve tensors, those that are given left out."""
    found = (result if result in given else flat.resolve(result) for result in results)
    return (result for result in found if result not in given)


def reached(
    flat: Flat, names: Iterable[str], given: Collection[Result] = (), *, is_part: bool = False
) -> Iterable[Call]:
    """Iterate over all nodes that run so that ``names`` do, for their results or effects, where tensors are given.

    Of a part, effects count that a reading of a variable waits for, not those that a function's results wait for.
    """
    seen: set[str] = set()
    stack = list(names)
    while stack:
        name = stack.pop()
        if name in seen or name not in flat.calls:
            continue
        seen.add(name)
        call = flat.calls[name]
        stack += flat.effects_of(name)
        stack += () if is_part and call.op in _SAME_ELEMENTS else call.before
        stack += [operand.node for operand in _open(flat, call.inputs, given)]
        yield call


def what_axes_count(flat: Flat, given: Collection[Result], wanted: Iterable[Result]) -> dict[Result, str]:
    """Return what the first axis of given tensors counts where an operator that reads one says that: ``boxes``."""
    found: dict[Result, str] = {}
    for call in needed_calls(flat, wanted, given):
        for slot in _BOXES.get(call.op, ()):
            place = call.inputs[slot] if slot < len(call.inputs) else None
            while place is not None and place not in given:
                place = flat.resolve(place)
                owner = flat.calls[place.node]
                if place not in given:
                    place = owner.inputs[0] if owner.op in _SAME_ELEMENTS and owner.inputs else None
            if place is not None:
                found[place] = "boxes"
    return found
