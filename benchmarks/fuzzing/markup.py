"""Damage to XML, in terms of its elements: attributes, children, strings."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from random import Random

from benchmarks.fuzzing import damage, tokens

MAX_LETTERS = 1 << 20
"""Strings that are longer are damaged as bytes."""
ENTITIES = (
    b'<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    b'<!DOCTYPE net SYSTEM "file:///etc/passwd">',
)


def damaged(rng: Random, data: bytes) -> bytes:
    """Return XML with other elements or tokens; now and then with other bytes, or with entities."""
    chance = rng.random()
    if chance < 0.05:
        return rng.choice(ENTITIES) + data
    if chance < 0.2 or len(data) > MAX_LETTERS:
        return damage.data(rng, data)
    if chance < 0.4:
        return tokens.damaged(rng, data)
    root = ET.fromstring(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        _change(rng, root)
    return ET.tostring(root)


def _change(rng: Random, root: ET.Element) -> None:
    elements = list(root.iter())
    chosen = rng.choice(elements)
    match rng.randrange(7):
        case 0 if len(chosen):
            chosen.remove(chosen[rng.randrange(len(chosen))])
        case 1:
            chosen.append(copy.deepcopy(rng.choice(elements)))
        case 2 if chosen.text and chosen.text.strip():
            chosen.text = _value(rng, chosen.text.strip())
        case 3:
            chosen.tag = rng.choice(elements).tag
        case _:
            owner = rng.choice([e for e in elements if e.attrib] or [root])
            _attribute(rng, owner)


def _attribute(rng: Random, owner: ET.Element) -> None:
    name = rng.choice(sorted(owner.attrib) or ["name"])
    if rng.random() < 0.15:
        owner.attrib.pop(name, None)
    else:
        owner.set(name, _value(rng, owner.get(name, "")))


def _value(rng: Random, old: str) -> str:
    """Return another value: a list of numbers keeps its form, mostly."""
    parts = old.split(",")
    place = rng.randrange(len(parts))
    if parts[place].strip().lstrip("-").isdigit() and rng.random() < 0.8:
        parts[place] = str(damage.number(rng, int(parts[place])))
        return ",".join(parts)
    text = damage.text(rng, old)
    return "".join(c for c in text if c >= " ")
