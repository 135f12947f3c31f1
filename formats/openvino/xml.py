"""XML as a tree of elements, without what XML could do beyond that: no document types, no entities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from ...compiler.budget import check_depth

MAX_TEXT = 256
"""Characters of an element's text, of which more says nothing: sizes are all that it holds."""


@dataclass(slots=True)
class Element:
    """An element: its tag, its attributes, the elements in it, and the text before them."""

    tag: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=lambda: list[Element]())
    text: str = ""

    def all(self, tag: str) -> Iterator[Element]:
        """Iterate over the direct children that have a tag."""
        return (child for child in self.children if child.tag == tag)

    def first(self, tag: str) -> Element | None:
        """Return the first child with a tag, None if there is none."""
        return next(self.all(tag), None)

    def under(self, tag: str, child: str) -> Iterator[Element]:
        """Iterate over the children ``child`` of the first child ``tag``."""
        found = self.first(tag)
        return iter(()) if found is None else found.all(child)


class _Builder:
    """Builds the tree while the parser reports elements."""

    def __init__(self) -> None:
        self.root = Element("", {})
        self.open = [self.root]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        check_depth(len(self.open), "elements")
        element = Element(tag, attributes)
        self.open[-1].children.append(element)
        self.open.append(element)

    def end(self, _tag: str) -> None:
        self.open.pop()

    def text(self, data: str) -> None:
        element = self.open[-1]
        if data.strip() and not element.children and len(element.text) < MAX_TEXT:
            element.text += data


def _refuse(*_: object) -> None:
    """Refuse document types: with entities a few bytes expand to any number, or name other files."""
    raise ValueError("it declares a document type or entities, which no model needs")


def parse(data: bytes) -> Element:
    """Return the root element.

    Raises:
        ValueError: the text is no well-formed XML, or uses what is refused.
        CompileError: M005, elements are nested too deeply.
    """
    builder = _Builder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as bad:
        raise ValueError(str(bad)) from bad
    return builder.root.children[0]
