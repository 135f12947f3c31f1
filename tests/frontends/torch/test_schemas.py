"""Every handler's signature must be the schema of each overload that it is registered for."""

from __future__ import annotations

import types
import typing
from typing import Any, cast, get_args, get_origin

import pytest
import torch
import torch.ao.quantization.fx._decomposed as _quantized  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import Sym
from nhwcc.compiler.ir import Value
from nhwcc.compiler.types import DType
from nhwcc.frontends.torch import import_torch as _registers  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.frontends.torch.complex import Complex
from nhwcc.frontends.torch.registry import BY_PARTS, COMPLEX, HANDLERS, IMPLIED, Entry, find

PARSE: Any = getattr(torch, "_C").parse_schema  # noqa: B009

KINDS: dict[str, set[Any]] = {
    "Tensor": {Value, Complex},
    "int": {int, Sym, DType},
    "SymInt": {int, Sym},
    "float": {float, int},
    "Scalar": {int, float, bool, Sym},
    "number": {int, float, bool, Sym},
    "bool": {bool},
    "str": {str},
    "ScalarType": {DType},
}
"""Which annotations fit an argument by the name of its type in the schema, where element types are called int."""


ENTRIES = [*HANDLERS.items(), *COMPLEX.items()]
"""All handlers, each with the overload for which it is registered."""

every_handler = pytest.mark.parametrize(("name", "entry"), ENTRIES, ids=[name for name, _ in ENTRIES])


ELSEWHERE = {"torchvision::nms.default": "torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"}
"""Schemas of operators whose packages need not be installed, as these declare them."""


def schema_of(name: str) -> Any:
    if name in ELSEWHERE:
        return PARSE(ELSEWHERE[name])
    namespace, _, rest = name.partition("::")
    base, _, overload = rest.partition(".")
    return getattr(getattr(getattr(torch.ops, namespace), base), overload)._schema


def leaves(annotation: Any) -> set[Any]:
    """The classes in an annotation, those in tuples too."""
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return {leaf for part in get_args(annotation) for leaf in leaves(part)}
    if get_origin(annotation) is tuple:
        return leaves(get_args(annotation)[0])
    return {annotation}


@every_handler
def test_positions(name: str, entry: Entry) -> None:
    """Arguments that a graph gives by position must be taken at that position, in a form that holds them."""
    arguments = [a for a in schema_of(name).arguments if not a.kwarg_only]
    parameters = [p for p in entry.parameters if not p.is_keyword]
    assert len(parameters) >= len(arguments)
    for argument, parameter in zip(arguments, parameters, strict=False):
        kind = str(argument.type).removesuffix("?").replace("Optional[", "").replace("List[", "").rstrip("]")
        wanted = KINDS.get(kind)
        if wanted is not None:
            assert leaves(parameter.type) & (wanted | {Any}), f"{parameter.name} is {parameter.type}, not {kind}"
    for parameter in parameters[len(arguments) :]:
        assert not parameter.is_required


@every_handler
def test_keywords(name: str, entry: Entry) -> None:
    by_name = {p.name: p for p in entry.parameters}
    for argument in schema_of(name).arguments:
        if argument.kwarg_only and argument.name not in IMPLIED:
            assert argument.name in by_name, f"{argument.name} is missing"


def test_an_argument_that_nobody_knows_is_refused() -> None:
    entry = HANDLERS["aten::relu.default"]
    for args, kwargs in (((None, 1), {}), ((None,), {"slope": 1})):
        with pytest.raises(CompileError, match=r"F002.* which its handler does not know"):
            entry.call(cast(Any, None), args, kwargs)


@every_handler
def test_defaults(name: str, entry: Entry) -> None:
    """What a graph leaves out must mean what PyTorch means by it."""
    by_name = {p.name: p for p in entry.parameters}
    for argument in schema_of(name).arguments:
        parameter = by_name.get(argument.name)
        if parameter is None or not argument.has_default_value():
            continue
        assert not parameter.is_required, f"{argument.name} has no default"
        default: Any = argument.default_value
        if "memory_format" in argument.name:
            continue
        ours: Any = parameter.default
        assert ours == default or set(ours) == set(default)


def test_optional_tensors_may_be_absent() -> None:
    for name, entry in ENTRIES:
        by_name = {p.name: p for p in entry.parameters}
        for argument in schema_of(name).arguments:
            if str(argument.type) == "Optional[Tensor]" and argument.name in by_name:
                assert type(None) in leaves(by_name[argument.name].type), f"{name}: {argument.name}"


@pytest.mark.parametrize("name", BY_PARTS)
def test_what_is_done_to_the_parts_of_complex_numbers_is_done_to_real_ones(name: str) -> None:
    assert schema_of(name) is not None
    assert find(name) is not None
    assert name not in COMPLEX
