"""Handlers against OpenVINO: its own tables of operations, and the attributes that it writes."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Value
from nhwcc.formats.openvino.reader import read_contents
from nhwcc.frontends.openvino.emitter import Emitter
from nhwcc.frontends.openvino.refused import REFUSED
from nhwcc.frontends.openvino.registry import HANDLERS, NEWEST, find, openvino_op

from benchmarks.openvino_conformance import PAGE, versions

from .building import Case, model_of, save
from .cases import CASES

pytest.importorskip("openvino")

STRUCTURE = {"Constant", "Parameter", "Result"}
"""What the importer reads itself."""

UNREAD = {"variable_id", "variable_type", "variable_shape"}


def tables() -> dict[int, set[str]]:
    """The operations of every operator set, from the headers that come with OpenVINO."""
    folder = Path(str(import_module("openvino").__file__)).parent / "include" / "openvino" / "opsets"
    found: dict[int, set[str]] = {}
    for path in folder.glob("opset*_tbl.hpp"):
        number = int(re.findall(r"\d+", path.name)[0])
        found[number] = set(re.findall(r"^_OPENVINO_OP_REG\((\w+),", path.read_text(encoding="utf-8"), re.MULTILINE))
    return found


def test_every_operation_is_read_or_refused_with_a_reason() -> None:
    found = tables()
    assert set(range(1, NEWEST + 1)) <= found.keys()
    for opset, names in found.items():
        for name in names - STRUCTURE:
            assert find(name, f"opset{opset}") is not None or name in REFUSED, f"{name} of opset{opset}"


def test_nothing_is_refused_that_is_read() -> None:
    assert not {name for name in REFUSED if name.lower() in HANDLERS}
    known = {name for names in tables().values() for name in names}
    assert set(REFUSED) <= known
    assert {e.name for entries in HANDLERS.values() for e in entries} <= known


def test_every_handler_has_a_case() -> None:
    for entries in HANDLERS.values():
        for entry in entries:
            tested = [c for c in CASES if c.type == entry.name and entry.covers(_opset(c))]
            assert tested, f"{entry.name} since opset{entry.since}"


def _opset(case: Case) -> int:
    return case.opset


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.title)
def test_attributes(case: Case, tmp_path: Path) -> None:
    """Every attribute that OpenVINO writes is one of the handler's parameters."""
    contents = read_contents(save(model_of(case), tmp_path / "m.xml"))
    for layer in contents.network.layers.values():
        entry = find(layer.type, layer.opset)
        if entry is not None:
            written = {name.replace("-", "_") for name in layer.data} - UNREAD
            assert written <= entry.attributes.keys(), f"{layer.type}: {written - entry.attributes.keys()}"


def test_two_handlers_for_one_operation() -> None:
    with pytest.raises(TypeError, match="two handlers"):

        @openvino_op("Relu", since=3)
        def _(emit: Emitter, x: Value) -> Value:
            return x

    with pytest.raises(TypeError, match="no type that attributes have"):

        @openvino_op("Fresh")
        def _(emit: Emitter, x: Value, *, how: set[int]) -> Value:
            return x


@pytest.mark.parametrize(("given", "code"), [({}, "F002"), ({"axis": "x"}, "F002"), ({"axis": "9" * 30}, "F002")])
def test_attributes_that_do_not_fit(given: dict[str, str], code: str) -> None:
    entry = find("Concat", "opset1")
    assert entry is not None
    with pytest.raises(CompileError, match=code):
        entry.call(None, [], given)  # pyright: ignore[reportArgumentType]


def test_the_page_of_all_versions_is_fresh() -> None:
    """It names the versions that there are, with as many models as are tested, none of which gives wrong numbers."""
    text = PAGE.read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.partition("## By operation")[2].splitlines()]
    shown = {(row[0], row[1].partition(" to ")[0]): row[2] for row in rows[5:] if len(row) > len("nsm")}
    cases = {(v.name, str(v.since)): str(sum(v.has(c) for c in CASES)) for v in versions()}
    assert shown == cases, "python -m benchmarks.openvino_conformance"
    refused = {row[0] for row in rows[5:] if len(row) > len("nsm") and "F001" in row[4]}
    assert refused == REFUSED.keys() & {v.name for v in versions()}
    totals = re.findall(
        r"^\| (?:IR|TFLite|ONNX|OpenVINO) \| (\d+) \| (\d+) \| 0 \| 0 \| 0 \| (\d+) \|$", text, re.MULTILINE
    )
    assert [int(whole) for _, _, whole in totals] == [len(cases)] * 4
