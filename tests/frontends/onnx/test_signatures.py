"""Handlers against the standard: their parameters are the operator's schema, at every version of the operator set."""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.weights import Weight
from nhwcc.formats.onnx.model import Graph, Opaque
from nhwcc.frontends.onnx import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.frontends.onnx.definitions import newest_version
from nhwcc.frontends.onnx.importer import OLDEST
from nhwcc.frontends.onnx.refused import REFUSED
from nhwcc.frontends.onnx.registry import HANDLERS, Entry, Parameter, find
from onnx import AttributeProto, defs, helper
from onnx_models import imported, model, node

KINDS: dict[Any, set[str]] = {
    int: {"INT"},
    float: {"FLOAT"},
    str: {"STRING"},
    tuple[int, ...]: {"INTS"},
    tuple[float, ...]: {"FLOATS"},
    tuple[str, ...]: {"STRINGS"},
    Weight: {"TENSOR", "SPARSE_TENSOR"},
    Graph: {"GRAPH"},
    Opaque: {"TYPE_PROTO"},
}
OPTIONAL = defs.OpSchema.FormalParameterOption.Optional
EMPTY: dict[str, Any] = {"INTS": (), "FLOATS": (), "STRINGS": ()}
"""What stands for an absent list."""


OWN = ("SimplifiedLayerNormalization",)
"""Operators of the standard's domain that onnxruntime alone has."""


@cache
def schemas_of_onnxruntime() -> dict[tuple[str, str], Any]:
    """Schemas by domain and name; those of its own domain have one version."""
    state: Any = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    return {(s.domain, s.name): s for s in state.get_all_operator_schema()}


def versions() -> Iterator[tuple[str, Entry, int]]:
    """Every handler at every version of the standard's operator sets that it says it is for."""
    for (domain, name), entries in HANDLERS.items():
        known = [s.since_version for s in defs.get_all_schemas_with_history() if s.domain == domain]
        newest = newest_version() if domain == "" else max(known, default=1)
        newest = 1 if name in OWN else newest
        for entry in entries:
            for version in range(entry.since, (entry.until or newest) + 1):
                yield pytest.param(domain, entry, version, id=f"{name}-{version}")  # pyright: ignore[reportReturnType]


def schema(domain: str, entry: Entry, version: int) -> Any:
    if domain == "com.microsoft" or entry.name in OWN:
        return schemas_of_onnxruntime()[domain, entry.name]
    assert defs.has(entry.name, version, domain), f"{entry.name} does not exist at version {version}"
    return defs.get_schema(entry.name, version, domain)


@pytest.mark.parametrize(("domain", "entry", "version"), list(versions()))
def test_inputs(domain: str, entry: Entry, version: int) -> None:
    wanted = schema(domain, entry, version).inputs
    given = [p for p in entry.inputs if p.covers(version)]
    assert len(given) == len(wanted), [i.name for i in wanted]
    for parameter, formal in zip(given, wanted, strict=True):
        assert parameter.is_variadic == (formal.option == defs.OpSchema.FormalParameterOption.Variadic)
        is_optional = formal.option == OPTIONAL
        assert parameter.is_variadic or parameter.is_required != is_optional or became_optional(domain, entry, formal)


def became_optional(domain: str, entry: Entry, formal: Any) -> bool:
    """A handler may take without an input what only later versions of its range let go."""
    later = schema(domain, entry, entry.until or newest_version()).inputs
    return any(f.name == formal.name and f.option == OPTIONAL for f in later)


@pytest.mark.parametrize(("domain", "entry", "version"), list(versions()))
def test_attributes(domain: str, entry: Entry, version: int) -> None:
    wanted = schema(domain, entry, version).attributes
    given = {name: p for name, p in entry.attributes.items() if p.covers(version)}
    assert given.keys() == wanted.keys()
    for name, attribute in wanted.items():
        assert attribute.type.name in kinds(given[name]), name
        assert given[name].is_required == attribute.required, name
        if not attribute.required:
            assert given[name].default == pytest.approx(default(attribute, given[name])), name


def kinds(parameter: Parameter) -> set[str]:
    hint = parameter.type
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    hints = typing.get_args(hint) if is_union else (hint,)
    return {kind for h in hints if h is not types.NoneType for kind in KINDS[h]}


def default(attribute: Any, parameter: Parameter) -> Any:
    """The standard's default; where it states none, a list may be empty, all else must be None."""
    if isinstance(getattr(attribute, "_default_value", None), bytes):
        stated = AttributeProto.FromString(attribute._default_value)
    else:
        stated = attribute.default_value
    if stated.type == 0:
        return EMPTY.get(attribute.type.name) if parameter.default is not None else None
    value: Any = helper.get_attribute_value(stated)
    return plain(value)


def plain(value: Any) -> Any:
    """Texts instead of bytes, tuples instead of lists."""
    match value:
        case bytes():
            return value.decode()
        case list():
            return tuple(map(plain, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        case _:
            return value


def test_every_version_from_the_oldest_on_has_one_handler() -> None:
    """Where an operator has a handler at all, no version is forgotten: neither between two handlers nor at the end."""
    for (domain, name), entries in HANDLERS.items():
        if domain or name in OWN:
            continue
        for version in range(OLDEST + 1, newest_version() + 1):
            exists = defs.has(name, version) and not defs.get_schema(name, version).deprecated
            covering = [e for e in entries if e.covers(version)]
            assert len(covering) == exists or (covering and not exists), f"{name} at version {version}"


def test_every_operator_of_the_standard_is_read_or_refused_with_a_reason() -> None:
    """At every version that handlers are for: by a handler, by the standard's definition, or not, as is declared."""
    missing: set[str] = set()
    for name in {s.name for s in defs.get_all_schemas_with_history() if s.domain == ""}:
        for version in range(OLDEST + 1, newest_version() + 1):
            one: Any = defs.get_schema(name, version) if defs.has(name, version) else None
            if one is None or one.deprecated or find("", name, version) is not None:
                continue
            if not (one.has_function or one.has_context_dependent_function):
                missing.add(name)
    assert missing == set(REFUSED)


def test_a_refusal_says_why() -> None:
    proto = model([node("StringConcat", "a b", "y")], {"a": (2,), "b": (2,)}, ["y"], version=20)
    with pytest.raises(CompileError, match="works on strings") as caught:
        imported(proto)
    assert [d.code for d in caught.value.diagnostics] == ["F001"]
