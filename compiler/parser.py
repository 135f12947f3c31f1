"""The text form, read: a Lark grammar gives statements, a builder makes checked IR of them."""

from __future__ import annotations

import json
import re
from collections import ChainMap, Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np

from .beside import NotBesideError, file_beside
from .budget import check_depth, check_size
from .diagnostics import CompileError, Location, at, counted, did_you_mean, error, reason
from .dims import parse_dim, static
from .grammar import parser
from .ir import Func, Module, Op, Port, Region, Value
from .opdef import OPS
from .regular import regular
from .sidefile import from_stored, read_side_file
from .types import Array, DType, TensorType, parse_type
from .weights import Weight

T = TypeVar("T")


@dataclass(slots=True)
class _Param:
    name: str
    type: TensorType
    port: dict[str, Any] | None


@dataclass(slots=True)
class _Body:
    params: list[_Param]
    statements: list[_Statement]


@dataclass(slots=True)
class _Statement:
    results: list[str]
    op: str
    operands: list[str]
    attributes: dict[str, Any]
    regions: list[_Body]
    types: list[TensorType]
    location: str | None
    line: int


@dataclass(slots=True)
class _Function:
    name: str
    body: _Body
    outs: list[_Param]


def _elements(items: Any, dtype: DType) -> Array:
    """An array of the items between brackets; a complex number is a pair."""
    if not dtype.is_complex:
        return np.asarray(items, dtype.numpy)
    pairs = np.asarray(items, DType.F32.numpy if dtype is DType.C64 else DType.F64.numpy)
    return pairs.reshape(-1).view(dtype.numpy)


@dataclass(slots=True)
class _Stored:
    """A weight in a side file."""

    key: str
    type: TensorType


_VALUE = re.compile(r'%(?:"(?:\\.|[^"\\])*"|[\w.$-]+)|none')
_TYPE = re.compile(r"[a-z]+[0-9]*[a-z0-9]*\[[^\]]*\]")


class _Actions:
    """What each rule of ``text.lark`` makes of its children."""

    def start(self, items: list[Any]) -> list[Any]:
        return items

    def side_file(self, items: list[Any]) -> str:
        return _string(items[0])

    def func(self, items: list[Any]) -> _Function:
        name, params, outs, statements = items
        return _Function(str(name)[1:], _Body(params, statements), outs)

    def params(self, items: list[Any]) -> list[_Param]:
        return [p for p in items if p is not None]

    outs = params
    body = params

    def param(self, items: list[Any]) -> _Param:
        return _Param(str(items[0]), parse_type(str(items[1])), items[2])

    def out(self, items: list[Any]) -> _Param:
        return _Param("", parse_type(str(items[0])), items[1])

    def stmt(self, items: list[Any]) -> _Statement:
        results, call, attributes, *regions, types, location = items
        name, _, operands = str(call).partition("(")
        return _Statement(
            _VALUE.findall(results) if results else [],
            name,
            _VALUE.findall(operands),
            attributes or {},
            regions,
            [parse_type(t) for t in _TYPE.findall(types)] if types else [],
            None if location is None else str(location),
            call.line,
        )

    def region(self, items: list[Any]) -> _Body:
        return _Body(*items)

    def attrs(self, items: list[Any]) -> dict[str, Any]:
        return dict(i for i in items if i is not None)

    def attr(self, items: list[Any]) -> tuple[str, Any]:
        name = str(items[0])
        return _string(name) if name.startswith('"') else name, items[1]

    def field(self, items: list[Any]) -> tuple[str, Any]:
        """A whole number, a truth value, a plain string, or a list of whole numbers: JSON has the same notation."""
        name, _, value = str(items[0]).partition("=")
        found: Any = _json(value)
        return name.strip(), tuple(cast(list[Any], found)) if isinstance(found, list) else found

    def number(self, items: list[Any]) -> int | float:
        text = str(items[0])
        return _json(text) if text.lstrip("-").isdigit() else float(text)

    def string(self, items: list[Any]) -> str:
        return _string(items[0])

    def word(self, items: list[Any]) -> bool | None:
        return json.loads(items[0])

    def dim(self, items: list[Any]) -> Any:
        return parse_dim(str(items[0])[1:-1])

    def seq(self, items: list[Any]) -> tuple[Any, ...]:
        return tuple(i for i in items if i is not None)

    def dense(self, items: list[Any]) -> Weight:
        type = parse_type(str(items[1]))
        try:
            return Weight.of(_elements(items[0], type.dtype).reshape(static(type.shape)), is_stored=True)
        except (ValueError, TypeError, OverflowError) as bad:
            raise error("P006", f"a constant of type {type}: {bad}") from bad

    def stored(self, items: list[Any]) -> _Stored:
        return _Stored(str(items[0]), parse_type(str(items[1])))


@lru_cache(maxsize=1)
def _parser() -> Callable[[str, str], Any]:
    return parser(Path(__file__).with_name("text.lark"), _Actions)


_QUOTED = r'"(?:\\.|[^"\\])*"'
_LOCATION = re.compile(rf"\s*({_QUOTED})(?:\s*in\s*({_QUOTED}))?(?:\s*with\s*((?:{_QUOTED}[\s,]*)+))?\s*")


def _parse_location(text: str) -> Location:
    found = _LOCATION.fullmatch(text[len("loc(") : -1])
    if found is None:
        raise error("P001", f"{text} is not a location", help='one is written loc("node" in "file" with "other")')
    node, file, via = found.groups()
    return Location(
        _string(node), None if file is None else _string(file), tuple(map(_string, re.findall(_QUOTED, via or "")))
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as bad:
        raise error("P001", f"{text[:80]} can't be read: {bad}") from bad


def _string(token: str) -> str:
    """Return what a quoted text says, which is written as in JSON."""
    return _json(token)


@dataclass
class _Builder:
    """Builds one function; every stated type is checked against inference."""

    file: str
    weights: Mapping[str, Weight]
    scope: ChainMap[str, Value | None] = field(default_factory=lambda: ChainMap({"none": None}))
    depth: int = 0

    def function(self, parsed: _Function) -> Func:
        region = self.region(parsed.body)
        inputs = [_port(p, _name(p.name) or "") for p in parsed.body.params]
        outputs = [_port(p, "") for p in parsed.outs]
        func = Func(parsed.name, region, inputs, outputs)
        if [p.type for p in parsed.outs] != [v.type for v in func.returns]:
            stated, found = ", ".join(str(p.type) for p in parsed.outs), ", ".join(str(v.type) for v in func.returns)
            raise error("P005", f"{self.file}: @{parsed.name} states that it returns ({stated}), but returns ({found})")
        return func

    def region(self, body: _Body) -> Region:
        self.depth += 1
        check_depth(self.depth, f"{self.file}: regions")
        outside = self.scope
        self.scope = outside.new_child()
        for p in body.params:
            check_size(f"{self.file}: {p.name}", p.type)
        region = Region(self._define(p.name, Value(p.type)) for p in body.params)
        for statement in body.statements:
            region.insert(self.statement(statement))
        self._check_end(region, body)
        self.scope = outside
        self.depth -= 1
        return region

    def _check_end(self, region: Region, body: _Body) -> None:
        last = region.ops.last
        if last is None or not last.spec.is_terminator:
            place = f"{self.file}:{body.statements[-1].line}" if body.statements else self.file
            raise error("V001", f"{place}: a region does not end in a return")
        for op, statement in zip(region.ops, body.statements, strict=True):
            if op.spec.is_terminator and op is not last:
                raise error("V001", f"{self.file}:{statement.line}: a return stands before the end of its region")

    def statement(self, s: _Statement) -> Op:
        place = f"{self.file}:{s.line}"
        if s.op not in OPS:
            raise error("P004", f"{place}: unknown operation {s.op!r}", help=did_you_mean(s.op, OPS))
        cls = OPS[s.op]
        operands = [self._lookup(name, place) for name in s.operands]
        regions = [self.region(r) for r in s.regions]
        attributes = {k: self._literal(v, place, 0) for k, v in s.attributes.items()}
        location = _placed(place, partial(_parse_location, s.location)) if s.location else None
        with at(location):
            try:
                op = _placed(place, partial(cls.spec.build, cls, operands, attributes, regions))
            except (TypeError, ValueError) as bad:
                raise error("P006", f"{place}: {s.op}: {bad}") from bad
        if tuple(s.types) != tuple(r.type for r in op.results):
            stated = ", ".join(map(str, s.types)) or "nothing"
            raise op.fail("P005", f"{place}: stated type {stated} differs from the inferred one")
        if len(s.results) != len(op.results):
            raise op.fail(
                "P006", f"{place}: {counted(len(s.results), 'name')} for {counted(len(op.results), 'result')}"
            )
        for name, result in zip(s.results, op.results, strict=True):
            self._define(name, result)
        return op

    def _literal(self, value: Any, place: str, depth: int) -> Any:
        check_depth(depth, f"{place}: lists")
        if isinstance(value, dict):
            return {k: self._literal(v, place, depth + 1) for k, v in cast(dict[str, Any], value).items()}
        if isinstance(value, tuple):
            return tuple(self._literal(v, place, depth + 1) for v in cast(tuple[Any, ...], value))
        if not isinstance(value, _Stored):
            return value
        if value.key not in self.weights:
            way = (
                "such a text was printed for reading only"
                if value.key == "@@elided"
                else "the side files named at the top don't hold it"
            )
            raise error("P008", f"{place}: no weight {value.key}: {way}")
        weight = self.weights[value.key]
        if weight.type == value.type:
            return weight
        return weight.derive(value.type, partial(from_stored, type=value.type))

    def _define(self, token: str, value: Value) -> Value:
        if token in self.scope:
            raise error("P002", f"{self.file}: {token} is defined twice")
        self.scope[token] = value
        value.name = _name(token)
        return value

    def _lookup(self, token: str, place: str) -> Value | None:
        if token not in self.scope:
            raise error("P003", f"{place}: {token} is not defined")
        return self.scope[token]


def _name(token: str) -> str | None:
    text = token[1:]
    return _string(text) if text.startswith('"') else None if text.isdigit() else text


def _port(param: _Param, name: str) -> Port:
    stated = param.port or {}
    perm = stated.get("perm")
    axes = set(range(param.type.rank))
    if perm is not None and (not isinstance(perm, tuple) or set(cast(tuple[Any, ...], perm)) != axes):
        raise error("V007", f"{name or 'an output'} has {param.type}, its axes can't lie as {perm}")
    letters = str(stated.get("axes", ""))
    if letters and len(set(letters)) != param.type.rank:
        raise error("V007", f"{name or 'an output'} has {param.type}, its axes can't be called {letters!r}")
    return Port(str(stated.get("name", name)), cast(tuple[int, ...] | None, perm), letters)


def parse_module(text: str, file: str = "<text>", *, directory: Path | None = None) -> Module:
    """Read a module; side files with weights are looked for in ``directory``.

    Raises:
        CompileError: P..., with the place; T001, an operation whose types don't fit.
    """
    items = _parser()(text, file)
    weights: dict[str, Weight] = {}
    for name in (i for i in items if isinstance(i, str)):
        weights |= read_side_file(_side_file(name, file, directory))
    functions: list[_Function] = [i for i in items if isinstance(i, _Function)]
    twice = [name for name, count in Counter(f.name for f in functions).items() if count > 1]
    if twice:
        raise error("P002", f"{file}: @{twice[0]} is defined twice")
    return Module(*(_placed(file, partial(_Builder(file, weights).function, f)) for f in functions))


def _placed(place: str, build: Callable[[], T]) -> T:
    """Build something; say where its errors are, unless they say it themselves."""
    try:
        return build()
    except CompileError as bad:
        for problem in bad.diagnostics:
            if not problem.message.startswith(place.partition(":")[0]):
                problem.message = f"{place}: {problem.message}"
        raise


def _side_file(name: str, file: str, directory: Path | None) -> Path:
    """Return the path of a side file that a text names."""
    if directory is None:
        raise error("R010", f"{file}: the weights lie in {name!r}, but the text in no folder", help="Give a path.")
    try:
        return file_beside(directory / file, name)
    except NotBesideError as bad:
        raise error("R010", f"{file}: the weights can't be read: {bad}", help=bad.help) from bad


def read_module(path: Path) -> Module:
    """Read a module from a file, and its weights from the files beside it.

    Raises:
        CompileError: R010, the file can't be read; else as :func:`parse_module`.
    """
    try:
        text = regular(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}") from bad
    return parse_module(text, path.name, directory=path.parent)


__all__ = ["CompileError", "parse_module", "read_module"]
