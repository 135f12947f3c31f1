"""Two layers that read the same sequences, one of them backwards, as one kernel."""

from __future__ import annotations

import pytest
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module

from tests.support.written import constant_text, name_outputs

from .conftest import Check

GATES = {"rnn": 1, "lstm": 4}
RESULTS = {"rnn": "f32[{steps}], f32[2,5]", "lstm": "f32[{steps}], f32[2,5], f32[2,5]"}


def both(kind: str, x: str, *, options: str = "", joined: bool = False, other: str = "") -> str:
    """Both directions on ``x``, of so many steps and sequences; ``other`` is what the second one has besides."""
    rows, count = GATES[kind] * 5, "%y, %h" + (", %c" if kind == "lstm" else "")
    types = RESULTS[kind].format(steps=f"{x},5")
    constants = {"w": (rows, 3), "r": (rows, 5), "b": (rows,), "v": (rows, 3), "s": (rows, 5), "d": (rows,)}
    lines = [f"%{name} = {constant_text(*shape)}" for name, shape in constants.items()]
    lines.append(f"{count} = {kind}(%x, %w, %r, %b) {{{options}}} : {types}")
    back = count.replace("%y", "%y2").replace("%h", "%h2").replace("%c", "%c2")
    reverse = ", ".join(filter(None, ("reverse = true", options, other)))
    lines.append(f"{back} = {kind}(%x, %v, %s, %d) {{{reverse}}} : {types}")
    if joined:
        lines.append(f"%both = concat(%y, %y2) {{axis = 2}} : f32[{x},10]")
    results = {"%both": f"f32[{x},10]"} if joined else {"%y": f"f32[{x},5]", "%y2": f"f32[{x},5]"}
    returned = ", ".join(results.values())
    return f"func @main(%x: f32[{x},3]) -> ({returned}) {{\n" + "\n".join(lines) + f"\nreturn({', '.join(results)})\n}}"


def named(text: str) -> Module:
    module = parse_module(text)
    name_outputs(module.main)
    return module


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("is_batch_first", [False, True])
@pytest.mark.parametrize("joined", [False, True])
def test_one_kernel(check: Check, kind: str, is_batch_first: bool, joined: bool) -> None:
    """Called several times, each begins anew; what both give is joined by the kernel, where it does that right."""
    text = both(kind, "2,4" if is_batch_first else "4,2", options="batch_first = true" * is_batch_first, joined=joined)
    found = check(named(text), sizes=({}, {}, {}), passes="legalize{rnn=fused}").builtins
    beside = {"CONCATENATION": 1} if joined and is_batch_first and kind == "lstm" else {}
    assert {name: n for name, n in found.items() if name != "SPLIT"} == {
        f"BIDIRECTIONAL_SEQUENCE_{kind.upper()}": 1
    } | beside


@pytest.mark.parametrize("kind", GATES)
def test_states_that_are_read(check: Check, kind: str) -> None:
    text = both(kind, "4,2").replace("return(%y, %y2)", "return(%h, %y2, %y, %h2)")
    text = text.replace("-> (f32[4,2,5], f32[4,2,5])", "-> (f32[2,5], f32[4,2,5], f32[4,2,5], f32[2,5])")
    found = check(named(text), sizes=({}, {}), passes="legalize{rnn=fused}").builtins
    assert found[f"BIDIRECTIONAL_SEQUENCE_{kind.upper()}"] == 1


def test_what_differs_is_two_kernels(check: Check) -> None:
    """Another activation beside it: there is one option for both."""
    text = both("rnn", "4,2", other='activations = ["relu"]')
    found = check(named(text), sizes=({}, {}), passes="legalize{rnn=fused}").builtins
    assert found["UNIDIRECTIONAL_SEQUENCE_RNN"] == 2


@pytest.mark.parametrize("kind", GATES)
def test_what_others_read_too_is_joined_beside_the_kernel(check: Check, kind: str) -> None:
    text = both(kind, "4,2", joined=True).replace("return(%both)", "return(%both, %y)")
    text = text.replace("-> (f32[4,2,10])", "-> (f32[4,2,10], f32[4,2,5])")
    found = check(named(text), sizes=({}, {}), passes="legalize{rnn=fused}").builtins
    assert found[f"BIDIRECTIONAL_SEQUENCE_{kind.upper()}"] == found["CONCATENATION"] == 1
