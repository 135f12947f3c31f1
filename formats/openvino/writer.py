"""Writing a model: the elements of constants as a stream, equal ones once, then the XML that says where they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO
from xml.sax.saxutils import quoteattr

from ...compiler.diagnostics import error, reason
from ...compiler.dims import static
from ...compiler.scratch import Scratch
from ...compiler.weights import Weight
from ..growth import check_growth
from ..packed import elements
from .model import Body, Layer, Link, Network, Port
from .reader import BODIES
from .weights import STORED_AS

VERSION = 11
"""Of the IR that is written: since 2022."""

ALIGNMENT = 64
"""Of every constant in the file."""

Attributes = Mapping[str, object]


def write(network: Network, path: Path, *, metadata: Mapping[str, str] | None = None) -> int:
    """Write a model, its constants beside it, and return the size in bytes; nothing appears unless both are whole.

    ``metadata`` are strings by path (``nhwcc/layout``), in the model's own annotations.

    Raises:
        CompileError: R012, the place can't be written to, or the disk is full; M002, the files would be far larger
            than the source.
    """
    constants = list(_constants(network))
    check_growth([w for _, w in constants], lambda i: f"{constants[i][0]}, {constants[i][1].type}")
    beside = path.with_suffix(".bin")
    try:
        with Scratch(path) as scratch:
            draft, data = scratch.path / path.name, scratch.path / beside.name
            with data.open("wb") as file:
                places = _stream(file, [w for _, w in constants])
            draft.write_text("".join(_Xml(places).model(network, metadata or {})), encoding="utf-8")
            size = draft.stat().st_size + data.stat().st_size
            data.replace(beside)
            draft.replace(path)
    except OSError as bad:
        raise error("R012", f"can't write {path}: {reason(bad)}") from bad
    return size


def _constants(network: Network) -> Iterator[tuple[str, Weight]]:
    """Iterate over all constants, also those of bodies, with their names."""
    for layer in network.layers.values():
        if layer.weight is not None:
            yield str(layer), layer.weight
        for body in layer.bodies.values():
            yield from _constants(body.network)


def _stream(file: BinaryIO, weights: Iterable[Weight]) -> dict[Weight, tuple[int, int]]:
    """Write elements, and return where each weight lies; what has equal bytes lies at one place."""
    places: dict[Weight, tuple[int, int]] = {}
    known: dict[bytes, tuple[int, int]] = {}
    for weight in weights:
        if weight in places:
            continue
        file.write(bytes(-file.tell() % ALIGNMENT))
        start, digest = file.tell(), blake2b(digest_size=32)
        for chunk in elements(weight):
            file.write(chunk)
            digest.update(chunk)
        place = start, file.tell() - start
        places[weight] = known.setdefault(digest.digest(), place)
        if places[weight] != place:
            file.seek(start)
            file.truncate()
    if not file.tell():
        file.write(bytes(1))  # what is empty counts as missing
    return places


@dataclass
class _Xml:
    """Makes the lines of the XML; ``places`` are those of constants in the other file."""

    places: Mapping[Weight, tuple[int, int]]
    depth: int = field(default=0)

    def model(self, network: Network, metadata: Mapping[str, str]) -> Iterator[str]:
        yield '<?xml version="1.0"?>\n'
        yield from self._element("net", {"name": network.name, "version": VERSION}, self._inside(network, metadata))

    def _element(self, tag: str, given: Attributes, inside: Iterable[str] = ()) -> Iterator[str]:
        start = "\t" * self.depth + f"<{tag}{''.join(f' {name}={_quoted(value)}' for name, value in given.items())}"
        self.depth += 1
        lines = list(inside)
        self.depth -= 1
        if not lines:
            yield f"{start} />\n"
            return
        yield f"{start}>\n"
        yield from lines
        yield "\t" * self.depth + f"</{tag}>\n"

    def _inside(self, network: Network, metadata: Mapping[str, str]) -> Iterator[str]:
        layers = network.layers.values()
        yield from self._element("layers", {}, (line for layer in layers for line in self._layer(layer)))
        edges = (
            {"from-layer": source[0], "from-port": source[1], "to-layer": to[0], "to-port": to[1]}
            for to, source in network.edges.items()
        )
        yield from self._element("edges", {}, (line for edge in edges for line in self._element("edge", edge)))
        yield from self._element("rt_info", {}, self._tree(metadata))

    def _tree(self, metadata: Mapping[str, str]) -> Iterator[str]:
        """Nest elements as the paths say."""
        heads = dict.fromkeys(path.partition("/")[0] for path in metadata)
        for head in heads:
            start = f"{head}/"
            below = {path.removeprefix(start): text for path, text in metadata.items() if path.startswith(start)}
            given = {"value": metadata[head]} if head in metadata else {}
            yield from self._element(head, given, self._tree(below))

    def _layer(self, layer: Layer) -> Iterator[str]:
        given = {"id": layer.id, "name": layer.name, "type": layer.type, "version": layer.opset}
        if layer.output_names:
            given["output_names"] = _names(layer.output_names)
        yield from self._element("layer", given, self._content(layer))

    def _content(self, layer: Layer) -> Iterator[str]:
        data = {**layer.data, **self._place(layer.weight)}
        if data:
            yield from self._element("data", data)
        for name, body in layer.bodies.items():
            yield from self._maps(BODIES[name], body)
        if layer.info:
            noted = (line for name in layer.info for line in self._element("attribute", {"name": name, "version": 0}))
            yield from self._element("rt_info", {}, noted)
        for side, ports in (("input", layer.inputs), ("output", layer.outputs)):
            if ports:
                yield from self._element(side, {}, (line for port in ports for line in self._port(port)))
        for name, body in layer.bodies.items():
            yield from self._element(name, {}, self._inside(body.network, {}))

    def _place(self, weight: Weight | None) -> Attributes:
        if weight is None:
            return {}
        offset, size = self.places[weight]
        shape = ",".join(map(str, static(weight.type.shape)))
        return {"element_type": STORED_AS[weight.type.dtype], "shape": shape, "offset": offset, "size": size}

    def _port(self, port: Port) -> Iterator[str]:
        given: dict[str, object] = {"id": port.id, "precision": port.precision}
        if port.names:
            given["names"] = _names(port.names)
        yield from self._element("port", given, self._about(port))

    def _about(self, port: Port) -> Iterator[str]:
        indent = "\t" * self.depth
        yield from (f"{indent}<dim>{size}</dim>\n" for size in port.dims)
        if port.info:
            noted = ({"name": name, "version": 0, **said} for name, said in port.info.items())
            yield from self._element("rt_info", {}, (line for a in noted for line in self._element("attribute", a)))

    def _maps(self, tag: str, body: Body) -> Iterator[str]:
        yield from self._element(tag, {}, self._links(body))
        if body.back:
            edges = ({"from-layer": source, "to-layer": to} for source, to in body.back)
            yield from self._element("back_edges", {}, (line for e in edges for line in self._element("edge", e)))

    def _links(self, body: Body) -> Iterator[str]:
        for tag, links in (("input", body.inputs), ("output", body.outputs)):
            for link in links:
                yield from self._element(tag, _ends(link))


def _ends(link: Link) -> Attributes:
    given: dict[str, object] = {"external_port_id": link.external, "internal_layer_id": link.internal}
    if link.axis is not None:
        given |= {"axis": link.axis, "start": link.start, "end": link.end}
        given |= {"stride": link.stride, "part_size": link.part}
    return given | ({"purpose": link.purpose} if link.purpose else {})


def _names(names: Iterable[str]) -> str:
    r"""Join names by commas; one that belongs to a name gets a backslash.

    >>> print(_names(["x", "a,b"]))
    x,a\,b
    """
    return ",".join(name.replace(",", "\\,") for name in names)


def _quoted(value: object) -> str:
    r"""Return an attribute's value in quotes; characters that XML can't hold become the one that stands for such.

    >>> _quoted('a"<\x00')
    '\'a"&lt;\ufffd\''
    """
    return quoteattr(_UNSAYABLE.sub("\ufffd", str(value)), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


_UNSAYABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no character of XML 1.0."""

__all__ = ["ALIGNMENT", "write"]
