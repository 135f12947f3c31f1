"""Every builtin: read, run by the meaning of the operations, and compared with the runtime; then written again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from nhwcc.compiler.types import Array
from nhwcc.compiler.verify import verify
from nhwcc.formats.tflite.model import CUSTOM
from nhwcc.formats.tflite.reader import inspect
from nhwcc.formats.tflite.schema import builtin_names, options_defaults
from nhwcc.frontends.tflite import Program, read_tflite
from nhwcc.frontends.tflite.refused import REFUSED
from nhwcc.frontends.tflite.registry import HANDLERS, HOW, Entry

from .building import written
from .cases import DETECTION, ELEMENTWISE, INTEGERS, MOVES, RECURRENT, STATE, WINDOWS, Case
from .comparing import check_same, interpreted
from .conftest import Runtime
from .files import inputs_of, write

Arrays = Mapping[str, Array]

CASES = [*ELEMENTWISE, *WINDOWS, *MOVES, *INTEGERS, *RECURRENT, *DETECTION]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.builtin}")
def test_meaning(case: Case, tmp_path: Path, runtime: Runtime) -> None:
    path = write(case, tmp_path / "m.tflite")
    read = read_tflite(path, keeps_state=any(isinstance(o, str) and o.startswith(STATE) for o in case.operands))
    verify(read.module)
    inputs = inputs_of(read)
    given = {n: a for n, a in inputs.items() if n not in read.states}
    wanted = runtime(path, given, delegate=case.delegate)
    found = interpreted(read.module.main, inputs)
    for name, want in wanted.items():
        check_same(found[name], want, case.slack, bool(case.scales), f"{case.title}: {name}")
    if not case.scales:
        check_again(case, read, inputs, wanted, runtime, path)


def check_again(case: Case, read: Program, inputs: Arrays, wanted: Arrays, runtime: Runtime, path: Path) -> None:
    """Lower, write and run."""
    again = path.with_name("again.tflite")
    written(read.module, again, "legalize")
    found = runtime(again, {n: inputs[n] for n in inspect(again).ports("inputs")}, delegate=case.delegate)
    for name, want in wanted.items():
        check_same(found[name], want, max(case.slack, 2e-5), 0, f"{case.title}: {name}")
    assert _count(again)["TRANSPOSE"] <= _count(path)["TRANSPOSE"] or case.builtin in NOT_ALONG_LAST


NOT_ALONG_LAST = ("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "GATHER")
"""Builtins that no row of the backend calls, which move axes."""


def _count(path: Path) -> Counter[str]:
    return Counter(op.name for graph in inspect(path).subgraphs for op in graph.operators)


@pytest.mark.parametrize("entry", [e for e in HANDLERS.values() if e.table], ids=lambda e: e.name)
def test_signatures_are_the_schema(entry: Entry) -> None:
    assert entry.table is not None
    stated = options_defaults(entry.table)
    assert {*entry.options} == {*stated} - HOW
    for name, parameter in entry.options.items():
        default: Any = stated[name]
        if default is not None:
            assert parameter.default == parameter.convert(default), f"{entry.name} has {name} = {default}"
        else:
            assert not parameter.default


def test_what_the_backend_writes_can_be_read() -> None:
    from nhwcc.backends.tflite.target import TARGET

    called = {row.kernel for rows in TARGET.table.rows.values() for row in rows}
    assert called - {CUSTOM} <= set(HANDLERS)


def test_cases_cover_the_handlers() -> None:
    """What is not here has a test of its own."""
    own = {"IF", "WHILE", "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "DENSIFY"}
    own |= {"RFFT2D", "REAL", "IMAG", "COMPLEX_ABS"}
    own |= {"MaxPoolingWithArgmax2D", "MaxUnpooling2D", "Convolution2DTransposeBias"}
    random = {"RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL"}
    stablehlo = {"STABLEHLO_CASE", "STABLEHLO_COMPOSITE"}
    assert set(HANDLERS) - {c.builtin for c in CASES} <= own | random | stablehlo


def test_what_is_refused_is_not_read() -> None:
    assert set(REFUSED) <= set(builtin_names().values()) - set(HANDLERS)
