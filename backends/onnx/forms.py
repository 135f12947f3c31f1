"""What nodes look like in an opset: what is an input now was an attribute once, or could not be left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ...compiler.diagnostics import error
from ...compiler.weights import Weight
from .standard import AS_ATTRIBUTE, IMPLIED, OLDEST, REQUIRED, Use, first_opset


@dataclass
class Draft:
    """A node in its newest form; ``use`` is how it uses the standard's operator, if it is one."""

    operator: str
    label: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    use: Use | None
    domain: str = ""


def lowest_opset(drafts: Iterable[Draft]) -> int:
    """Return the lowest opset that has all nodes.

    Raises:
        CompileError: B001, none has.
    """
    lowest = OLDEST
    for draft in drafts:
        found = OLDEST if draft.use is None else first_opset(draft.use)
        if isinstance(found, str):
            raise error("B001", f"{draft.label}: {found}")
        lowest = max(lowest, found)
    return lowest


def rendered(
    draft: Draft, opset: int, constants: Mapping[str, Weight], nothing: Callable[[], str]
) -> tuple[list[str], dict[str, Any]]:
    """Return inputs and attributes of a node as they are in an opset; ``nothing`` names an empty tensor."""
    if draft.domain:
        return draft.inputs, draft.attributes
    inputs = list(draft.inputs)
    attributes = {k: v for k, v in draft.attributes.items() if opset >= IMPLIED.get((draft.operator, k), 0)}
    for slot, name in enumerate(inputs):
        attribute, since = AS_ATTRIBUTE.get((draft.operator, slot), ("", 0))
        if name and opset < since:
            attributes[attribute] = tuple(int(n) for n in constants[name].array())
            inputs[slot] = ""
        if not inputs[slot] and opset < REQUIRED.get((draft.operator, slot), 0):
            inputs[slot] = nothing()
    while inputs and not inputs[-1]:
        inputs.pop()
    return inputs, attributes
