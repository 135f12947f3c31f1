"""Recurrent layers: whole where kernels run them, else as loops or step by step."""

from __future__ import annotations

import numpy as np
import pytest

from .conftest import Check

SIZES = [{"t": 3, "b": 2}, {"t": 1, "b": 1}]
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def layer(
    kind: str, options: str = "", *, batch_first: bool = True, lengths: bool = False, states: bool = False
) -> str:
    """A layer of 4 features and 3 in its state, with computed weights."""
    rows = 3 * GATES[kind]
    x, out = ("f32[b,t,4]", "f32[b,t,3]") if batch_first else ("f32[t,b,4]", "f32[t,b,3]")
    ends = 2 if kind == "lstm" else 1
    named = [("x", x), ("w", f"f32[{rows},4]"), ("r", f"f32[{rows},3]"), ("k", f"f32[{rows}]")]
    given = [*[(f"s{i}", "f32[b,3]") for i in range(ends if states else 0)], *([("n", "i32[b]")] if lengths else [])]
    slots = {"rnn": ["h0"], "gru": ["h0", "none"], "lstm": ["h0", "c0", "none", "none"]}[kind]
    names = {"h0": "%s0" if states else "none", "c0": "%s1" if states else "none", "none": "none"}
    operands = ["%x", "%w", "%r", "%k", "%n" if lengths else "none", *(names[s] for s in slots)]
    types = ", ".join([out, *["f32[b,3]"] * ends])
    results = ", ".join(["%y", "%h", "%c"][: 1 + ends])
    settings = ", ".join(filter(None, [options, "batch_first = true" if batch_first else ""]))
    return f"""
func @main({", ".join(f"%{n}: {t}" for n, t in [*named, *given])}) -> ({types}) {{
  {results} = {kind}({", ".join(operands)}) {{{settings}}} : {types}
  return({results})
}}
"""


WHOLE = {"rnn": "RNNSequence", "gru": "GRUSequence", "lstm": "LSTMSequence"}


@pytest.mark.parametrize("options", ["", "reverse = true"])
@pytest.mark.parametrize("states", [False, True])
@pytest.mark.parametrize("kind", WHOLE)
def test_layers_stay_whole(check: Check, kind: str, options: str, states: bool) -> None:
    done = check(layer(kind, options=options, states=states), sizes=SIZES)
    assert done.operators[WHOLE[kind]] == 1
    assert done.reread is not None
    assert [op.spec.name for op in done.reread.walk() if op.spec.name == kind] == [kind]


def test_the_time_first_is_transposed(check: Check) -> None:
    done = check(layer("lstm", batch_first=False), sizes=SIZES)
    assert done.operators["LSTMSequence"] == 1
    assert done.operators["Transpose"] == 2


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_sequences_of_several_lengths(check: Check, kind: str) -> None:
    check(layer(kind, lengths=True), sizes=SIZES[:1], inputs={"n": np.asarray([3, 1])})


@pytest.mark.parametrize("after", ["true", "false"])
def test_the_reset_gate_before_and_after_the_product(check: Check, after: str) -> None:
    text = layer("gru", options=f"reset_after = {after}")
    if after == "true":
        text = text.replace("%k: f32[9]", "%k: f32[9], %q: f32[3]").replace("none, none, none", "none, none, %q")
    assert check(text, sizes=SIZES).operators["GRUSequence"] == 1


@pytest.mark.parametrize("options", ["clip = 0.5", 'activations = ["hardsigmoid", "tanh", "tanh"]', "coupled = true"])
def test_what_kernels_do_not_do_is_a_loop(check: Check, options: str) -> None:
    text = layer("lstm", options=options)
    assert check(text, sizes=[{"t": 4, "b": 2}], reread=False).operators["Loop"] == 1
    unrolled = check(text.replace(",t,", ",4,"), sizes=[{"b": 2}])
    assert "Loop" not in unrolled.operators
    assert "LSTMSequence" not in unrolled.operators


BOTH = """
func @main(%x: f32[b,t,2]) -> (OUTPUTS) {
  %w = const() {value = dense<[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]> : f32[3,2]} : f32[3,2]
  %v = const() {value = dense<[[0.3, 0.1], [0.1, 0.2], [0.7, 0.4]]> : f32[3,2]} : f32[3,2]
  %r = const() {value = dense<[[0.1], [0.2], [0.3]]> : f32[3,1]} : f32[3,1]
  %y, %h = gru(%x, %w, %r, none, none, none, none) {batch_first = true} : f32[b,t,1], f32[b,1]
  %z, %g = gru(%x, %v, %r, none, none, none, none) {batch_first = true, reverse = true} : f32[b,t,1], f32[b,1]
  REST
}
"""


def both(outputs: str, rest: str) -> str:
    return BOTH.replace("OUTPUTS", outputs).replace("REST", rest)


def test_both_directions_are_one_layer(check: Check) -> None:
    joined = both("f32[b,t,2]", "%c = concat(%y, %z) {axis = 2} : f32[b,t,2]\n  return(%c)")
    operators = check(joined, sizes=SIZES).operators
    assert operators["GRUSequence"] == 1
    assert "Concat" not in {*operators} - {"Concat"} and operators["Transpose"] == operators["Reshape"] == 1


def test_both_directions_are_picked_where_they_go_ways_of_their_own(check: Check) -> None:
    apart = both("f32[b,t,1], f32[b,t,1], f32[b,1]", "return(%y, %z, %g)")
    assert check(apart, sizes=SIZES).operators["GRUSequence"] == 1


def test_layers_with_other_settings_stay_apart(check: Check) -> None:
    text = both("f32[b,t,1], f32[b,t,1]", "return(%y, %z)")
    text = text.replace("reverse = true", "reverse = true, reset_after = true")
    assert check(text, sizes=SIZES).operators["GRUSequence"] == 2
