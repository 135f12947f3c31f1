"""Reading a model: the XML's grammar, checked, and the file that holds its constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ...compiler.diagnostics import error, reason
from .model import Body, Layer, Link, Network, Place, Port
from .weights import WeightsFile
from .xml import Element, parse

VERSIONS = (10, 11)
"""Versions of the IR: those that OpenVINO itself reads, from 2020 to today."""

BODIES = {"body": "port_map", "then_body": "then_port_map", "else_body": "else_port_map"}
"""Elements of a layer that hold networks, and those that say how these are connected."""

MAX_DIGITS = 20


@dataclass(frozen=True)
class Contents:
    """A model: its network, the version of its IR, its metadata by path, and where the elements of constants lie."""

    network: Network
    version: int
    metadata: Mapping[str, str]
    path: Path | None
    weights: WeightsFile = field(repr=False)


def read_contents(source: Path | bytes, weights: Path | None = None) -> Contents:
    """Read a model: the path of its XML, or the XML itself; ``weights`` is the file that is else beside it.

    Raises:
        CompileError: R010, the XML is missing, damaged or no model; F012, its version can't be read.
    """
    path = source if isinstance(source, Path) else None
    try:
        data = source.read_bytes() if isinstance(source, Path) else source
        root = parse(data)
        if root.tag != "net":
            raise ValueError(f"its root is <{root.tag}>, not <net>")
        version = _version(root)
        network = _network(root)
        metadata = dict(_metadata(root))
    except OSError as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}") from bad
    except ValueError as bad:
        what = path if path is not None else "what was given"
        raise error(
            "R010", f"{what} is not a model of OpenVINO: {bad}", help="The file is damaged; get it again."
        ) from bad
    return Contents(network, version, metadata, path, WeightsFile(weights or _beside(path)))


def _beside(path: Path | None) -> Path | None:
    return None if path is None else path.with_suffix(".bin")


def _version(root: Element) -> int:
    stated = root.attributes.get("version", "")
    if stated not in map(str, VERSIONS):
        text = f"the model is IR of version {stated or 'unknown'}; {' and '.join(map(str, VERSIONS))} can be read"
        raise error("F012", text, help="Convert the original network with a newer OpenVINO, or compile it itself.")
    return int(stated)


def _network(root: Element) -> Network:
    layers: dict[int, Layer] = {}
    for element in root.under("layers", "layer"):
        layer = _layer(element)
        if layer.id in layers:
            raise ValueError(f"two layers have the number {layer.id}")
        layers[layer.id] = layer
    edges: dict[Place, Place] = {}
    for element in root.under("edges", "edge"):
        to = (_number(element, "to-layer"), _number(element, "to-port"))
        if to in edges:
            raise ValueError(f"two edges lead to port {to[1]} of layer {to[0]}")
        edges[to] = (_number(element, "from-layer"), _number(element, "from-port"))
    return Network(root.attributes.get("name", ""), layers, edges)


def _layer(element: Element) -> Layer:
    data = element.first("data")
    number, kind = _number(element, "id"), element.attributes.get("type", "")
    if not kind:
        raise ValueError(f"layer {number} has no type")
    return Layer(
        number,
        element.attributes.get("name", ""),
        kind,
        element.attributes.get("version", ""),
        {} if data is None else data.attributes,
        tuple(map(_port, element.under("input", "port"))),
        tuple(map(_port, element.under("output", "port"))),
        _names(element.attributes.get("output_names", "")),
        {tag: _body(inner, element, maps) for tag, maps in BODIES.items() if (inner := element.first(tag)) is not None},
    )


def _port(element: Element) -> Port:
    info = element.first("rt_info")
    return Port(
        _number(element, "id"),
        element.attributes.get("precision", ""),
        tuple(_integer(d.text, "dim") for d in element.all("dim")),
        _names(element.attributes.get("names", "")),
        {} if info is None else {a.attributes.get("name", ""): a.attributes for a in info.all("attribute")},
    )


def _names(text: str) -> tuple[str, ...]:
    r"""Split names at commas; one that belongs to a name has a backslash before it.

    >>> _names(r"x,a\,b")
    ('x', 'a,b')
    """
    parts = text.replace("\\,", "\0").split(",")
    return tuple(p.replace("\0", ",") for p in parts if p)


def _body(inner: Element, layer: Element, maps: str) -> Body:
    return Body(
        _network(inner),
        tuple(map(_link, layer.under(maps, "input"))),
        tuple(map(_link, layer.under(maps, "output"))),
        tuple((_number(e, "from-layer"), _number(e, "to-layer")) for e in layer.under("back_edges", "edge")),
    )


def _link(element: Element) -> Link:
    given = element.attributes
    numbers = {
        field: _number(element, name)
        for name, field in {
            "axis": "axis",
            "start": "start",
            "end": "end",
            "stride": "stride",
            "part_size": "part",
        }.items()
        if name in given
    }
    external, internal = _number(element, "external_port_id"), _number(element, "internal_layer_id")
    return Link(external, internal, **numbers, purpose=given.get("purpose", ""))


def _metadata(root: Element) -> Iterable[tuple[str, str]]:
    """Iterate over what the model says of itself, with the names of the elements around as a path."""
    work = [("", e) for tag in ("rt_info", "meta_data") for e in root.all(tag)]
    while work:
        path, element = work.pop()
        for child in element.children:
            name = f"{path}/{child.attributes.get('name') or child.tag}".lstrip("/")
            if "value" in child.attributes:
                yield name, child.attributes["value"]
            work.append((name, child))


def _number(element: Element, name: str) -> int:
    if name not in element.attributes:
        raise ValueError(f"<{element.tag}> lacks its {name}")
    return _integer(element.attributes[name], name)


def _integer(text: str, what: str) -> int:
    text = text.strip()
    if len(text) > MAX_DIGITS or not text.removeprefix("-").isdecimal() or not text.isascii():
        raise ValueError(f"the {what} is {text[:40]!r}, not a number")
    return int(text)
