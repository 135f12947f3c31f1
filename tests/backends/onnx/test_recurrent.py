"""Recurrent layers as the operators that ONNX has, and what has none."""

from __future__ import annotations

import numpy as np
import pytest
from nhwcc.compiler.ir import Module
from stored_weights import stored_weights

from .conftest import Check


def layer(kind: str, *, options: str = "", lengths: bool = False, states: int = 0, batch_first: bool = False) -> str:
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    ends = 2 if kind == "lstm" else 1
    x, out = ("f32[b,t,4]", "f32[b,t,3]") if batch_first else ("f32[t,b,4]", "f32[t,b,3]")
    named = [("x", x), ("w", f"f32[{3 * gates},4]"), ("r", f"f32[{3 * gates},3]"), ("bias", f"f32[{3 * gates}]")]
    named += [("n", "i64[b]")] * lengths + [(name, "f32[b,3]") for name in ("h0", "c0")[:states]]
    operands = ["%x", "%w", "%r", "%bias", "%n" if lengths else "none", "%h0" if states else "none"]
    operands += {"rnn": [], "gru": ["none"], "lstm": ["%c0" if states > 1 else "none", "none", "none"]}[kind]
    types = ", ".join([out, *["f32[b,3]"] * ends])
    names = ", ".join(["%y", "%h", "%c"][: 1 + ends])
    settings = ", ".join(filter(None, [options, "batch_first = true" if batch_first else ""]))
    return f"""
func @main({", ".join(f"%{n}: {t}" for n, t in named)}) -> ({types}) {{
  {names} = {kind}({", ".join(operands)}) {{{settings}}} : {types}
  return({names})
}}
"""


SIZES = [{"t": 3, "b": 2}, {"t": 1, "b": 1}]


@pytest.mark.parametrize("options", ["", "reverse = true", "clip = 0.5"])
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_layers_stay_whole(check: Check, kind: str, options: str) -> None:
    done = check(layer(kind, options=options, states=2 if kind == "lstm" else 1), sizes=SIZES)
    assert done.operators[kind.upper()] == 1
    assert isinstance(done.reread, Module)
    assert [op.spec.name for op in done.reread.walk() if op.spec.name == kind] == [kind]


def test_functions_of_gates_keep_their_numbers(check: Check) -> None:
    options = (
        'activations = ["hardsigmoid", "scaledtanh", "leakyrelu"], alpha = [0.3, 0.5, 0.1], beta = [0.4, 0.6, 0.0]'
    )
    check(layer("lstm", options=options, states=2), sizes=SIZES)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
def test_sequences_of_several_lengths(check: Check, kind: str) -> None:
    check(layer(kind, lengths=True), sizes=SIZES[:1], inputs={"n": np.asarray([3, 1])})


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_the_batch_first_is_transposed(check: Check, kind: str) -> None:
    """onnxruntime has no kernels that read the batch first, although the standard has."""
    assert check(layer(kind, batch_first=True), sizes=SIZES).operators["Transpose"] == 2


def test_constant_weights_are_stored_as_the_operator_has_them(check: Check) -> None:
    done = check(
        """
func @main(%x: f32[4,2,1]) -> (f32[4,2,1]) {
  %w = const() {value = dense<[[1.0], [2.0], [0.5], [0.25]]> : f32[4,1]} : f32[4,1]
  %r = const() {value = dense<[[0.1], [0.2], [0.5], [0.25]]> : f32[4,1]} : f32[4,1]
  %b = const() {value = dense<[0.1, 0.2, 0.3, 0.4]> : f32[4]} : f32[4]
  %y, %h, %c = lstm(%x, %w, %r, %b, none, none, none, none, none) : f32[4,2,1], f32[2,1], f32[2,1]
  return(%y)
}
"""
    )
    assert dict(done.operators) == {"LSTM": 1, "Squeeze": 1}
    (node,) = [n for n in done.model.graph.node if n.op_type == "LSTM"]
    assert len(node.output) == 1, "states that nobody reads are left out"


PROJECTED = """
func @main(%x: f32[t,b,4], %w: f32[12,4], %r: f32[12,2], %bias: f32[12], %n: i32[b], %p: f32[2,3])
    -> (f32[t,b,2], f32[b,2], f32[b,3]) {
  %y, %h, %c = lstm(%x, %w, %r, %bias, LENGTHS, none, none, none, %p) {OPTIONS} : f32[t,b,2], f32[b,2], f32[b,3]
  return(%y, %h, %c)
}
"""


@pytest.mark.parametrize("options", ["", "reverse = true", "rounds_state = true"])
@pytest.mark.parametrize("lengths", ["none", "%n"])
def test_what_no_operator_does_is_a_loop_over_steps(check: Check, options: str, lengths: str) -> None:
    text = PROJECTED.replace("LENGTHS", lengths).replace("OPTIONS", options)
    sizes = [{"t": 4, "b": 2}]
    done = check(text, sizes=sizes, inputs={"n": np.asarray([4, 2])}, reread=False)
    assert done.operators["Loop"] == 1
    unrolled = check(text.replace("[t,", "[4,"), sizes=sizes, inputs={"n": np.asarray([4, 2])})
    assert "Loop" not in unrolled.operators


def test_weights_of_integers_lie_outside_of_loops(check: Check) -> None:
    """In a loop, onnxruntime looks for the constants of DequantizeLinear in the loop alone."""
    text = f"""
func @main(%x: f32[t,b,16]) -> (f32[t,b,8]) {{
{stored_weights({"w": (32, 16), "r": (32, 8)})}
%y, %h, %c = lstm(%x, %w, %r) {{rounds_state = true}} : f32[t,b,8], f32[b,8], f32[b,8]
return(%y)
}}"""
    done = check(text, sizes=SIZES, reread=False)
    assert done.operators["Loop"] == 1
    assert sum(n.op_type == "DequantizeLinear" for n in done.model.graph.node) == 2


def test_states_that_are_zeros_are_left_out(check: Check) -> None:
    done = check(
        """
func @main(%x: f32[t,b,4], %w: f32[9,4], %r: f32[9,3]) -> (f32[t,b,3]) {
  %zero = const() {value = dense<0.0> : f32[]} : f32[]
  %h0 = broadcast_to(%zero) {shape = ['b', 3]} : f32[b,3]
  %y, %h = gru(%x, %w, %r, none, none, %h0, none) : f32[t,b,3], f32[b,3]
  return(%y)
}
""",
        sizes=SIZES,
    )
    assert set(done.operators) == {"Unsqueeze", "GRU", "Squeeze"}


BOTH = """
func @main(%x: f32[t,b,2]) -> (OUTPUTS) {
  %w = const() {value = dense<[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]> : f32[3,2]} : f32[3,2]
  %v = const() {value = dense<[[0.3, 0.1], [0.1, 0.2], [0.7, 0.4]]> : f32[3,2]} : f32[3,2]
  %r = const() {value = dense<[[0.1], [0.2], [0.3]]> : f32[3,1]} : f32[3,1]
  %y, %h = gru(%x, %w, %r, none, none, none, none) : f32[t,b,1], f32[b,1]
  %z, %g = gru(%x, %v, %r, none, none, none, none) {reverse = true} : f32[t,b,1], f32[b,1]
  REST
}
"""


def both(outputs: str, rest: str) -> str:
    return BOTH.replace("OUTPUTS", outputs).replace("REST", rest)


def test_both_directions_are_one_node(check: Check) -> None:
    joined = both("f32[t,b,2]", "%c = concat(%y, %z) {axis = 2} : f32[t,b,2]\n  return(%c)")
    assert dict(check(joined, sizes=SIZES).operators) == {"GRU": 1, "Transpose": 1, "Reshape": 1}


def test_both_directions_are_cut_where_they_go_ways_of_their_own(check: Check) -> None:
    apart = both("f32[t,b,1], f32[t,b,1], f32[b,1]", "return(%y, %z, %g)")
    assert dict(check(apart, sizes=SIZES).operators) == {"GRU": 1, "Split": 2, "Squeeze": 3}


def test_states_keep_the_axis_that_readers_put_back(check: Check) -> None:
    rest = """%p = reshape(%h) {shape = [1, 'b', 1]} : f32[1,b,1]
  %q = reshape(%g) {shape = [1, 'b', 1]} : f32[1,b,1]
  %c = concat(%q, %p) {axis = 0} : f32[2,b,1]
  return(%c)"""
    assert dict(check(both("f32[2,b,1]", rest), sizes=SIZES).operators) == {"GRU": 1, "Split": 1, "Concat": 1}


def test_layers_with_other_settings_stay_apart(check: Check) -> None:
    text = both("f32[t,b,1], f32[t,b,1]", "return(%y, %z)").replace("{reverse = true}", "{reverse = true, clip = 0.1}")
    assert check(text, sizes=SIZES).operators["GRU"] == 2


def test_both_directions_beside_each_other(check: Check) -> None:
    rest = """%p = reshape(%y) {shape = ['t', 'b', 1, 1]} : f32[t,b,1,1]
  %q = reshape(%z) {shape = ['t', 'b', 1, 1]} : f32[t,b,1,1]
  %c = concat(%p, %q) {axis = 2} : f32[t,b,2,1]
  return(%c)"""
    assert dict(check(both("f32[t,b,2,1]", rest), sizes=SIZES).operators) == {"GRU": 1, "Transpose": 1}


def test_both_directions_as_the_operator_has_them(check: Check) -> None:
    rest = """%u = reshape(%y) {shape = ['t', 1, 'b', 1]} : f32[t,1,b,1]
  %o = reshape(%z) {shape = ['t', 1, 'b', 1]} : f32[t,1,b,1]
  %c = concat(%u, %o) {axis = 1} : f32[t,2,b,1]
  %d = neg(%c) : f32[t,2,b,1]
  return(%d)"""
    assert dict(check(both("f32[t,2,b,1]", rest), sizes=SIZES).operators) == {"GRU": 1, "Neg": 1}
    as_result = rest.replace("  %d = neg(%c) : f32[t,2,b,1]\n", "").replace("return(%d)", "return(%c)")
    assert dict(check(both("f32[t,2,b,1]", as_result), sizes=SIZES).operators) == {"GRU": 1}


def test_both_directions_of_one_sample_are_counted_anew(check: Check) -> None:
    text = both("f32[t,b,2]", "%c = concat(%y, %z) {axis = 2} : f32[t,b,2]\n  return(%c)")
    one = text.replace(",b,", ",1,").replace("f32[b,", "f32[1,")
    assert dict(check(one, sizes=[{"t": 3}]).operators) == {"GRU": 1, "Reshape": 1}


STATES = """
func @main(%x: f32[t,b,2], %h: f32[4,b,1]) -> (f32[t,b,2], f32[4,b,1]) {
  %w = const() {value = dense<[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]> : f32[3,2]} : f32[3,2]
  %v = const() {value = dense<[[0.3, 0.1], [0.1, 0.2], [0.7, 0.4]]> : f32[3,2]} : f32[3,2]
  %r = const() {value = dense<[[0.1], [0.2], [0.3]]> : f32[3,1]} : f32[3,1]
  %f0 = slice(%h) {starts = [0, 0, 0], sizes = [1, 'b', 1], steps = [1, 1, 1]} : f32[1,b,1]
  %low, %high = split(%h) {axis = 0, sizes = [2, 2]} : f32[2,b,1], f32[2,b,1]
  %s0, %s1 = split(%low) {axis = 0, sizes = [1, 1]} : f32[1,b,1], f32[1,b,1]
  %rows = reshape(%high) {shape = ['2*b', 1]} : f32[2*b,1]
  %a = reshape(%f0) {shape = ['b', 1]} : f32[b,1]
  %c = reshape(%s1) {shape = ['b', 1]} : f32[b,1]
  %d, %e = split(%rows) {axis = 0, sizes = ['b', 'b']} : f32[b,1], f32[b,1]
  %y, %p = gru(%x, %w, %r, none, none, %a, none) : f32[t,b,1], f32[b,1]
  %z, %q = gru(%x, %v, %r, none, none, %c, none) {reverse = true} : f32[t,b,1], f32[b,1]
  %j = concat(%y, %z) {axis = 2} : f32[t,b,2]
  %k, %m = gru(%j, %w, %r, none, none, %d, none) : f32[t,b,1], f32[b,1]
  %l, %n = gru(%j, %v, %r, none, none, %e, none) {reverse = true} : f32[t,b,1], f32[b,1]
  %o = concat(%k, %l) {axis = 2} : f32[t,b,2]
  %1 = reshape(%p) {shape = [1, 'b', 1]} : f32[1,b,1]
  %2 = reshape(%q) {shape = [1, 'b', 1]} : f32[1,b,1]
  %3 = reshape(%m) {shape = [1, 'b', 1]} : f32[1,b,1]
  %4 = reshape(%n) {shape = [1, 'b', 1]} : f32[1,b,1]
  %5 = concat(%1, %2, %3, %4) {axis = 0} : f32[4,b,1]
  return(%o, %5)
}
"""


def test_states_that_lie_together_are_not_taken_apart(check: Check) -> None:
    """Two layers in both directions: each reads half of the first states, and gives half of the last ones."""
    expected = {"Slice": 1, "Split": 1, "GRU": 2, "Transpose": 2, "Reshape": 2, "Concat": 1}
    assert dict(check(STATES, sizes=SIZES).operators) == expected


def test_states_of_another_order_are_put_in_order(check: Check) -> None:
    """The backward layer begins with the state before that of the forward one."""
    text = STATES.replace("none, %a, none", "none, %tmp, none").replace("none, %c, none", "none, %a, none")
    done = check(text.replace("%tmp", "%c"), sizes=SIZES)
    assert done.operators["Concat"] == 2


WHOLE = """
func @main(%x: f32[t,b,2], %h: f32[1,b,1]) -> (f32[t,b,1], f32[1,b,1]) {
  %w = const() {value = dense<[[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]> : f32[3,2]} : f32[3,2]
  %r = const() {value = dense<[[0.1], [0.2], [0.3]]> : f32[3,1]} : f32[3,1]
  %a = reshape(%h) {shape = ['b', 1]} : f32[b,1]
  %y, %p = gru(%x, %w, %r, none, none, %a, none) : f32[t,b,1], f32[b,1]
  %q = reshape(%p) {shape = [1, 'b', 1]} : f32[1,b,1]
  return(%y, %q)
}
"""


def test_states_of_one_layer_are_read_and_given_as_they_are(check: Check) -> None:
    done = check(WHOLE, sizes=SIZES)
    assert dict(done.operators) == {"GRU": 1, "Squeeze": 1}


def test_the_batch_of_both_directions_comes_first_at_once(check: Check) -> None:
    rest = """%c = concat(%y, %z) {axis = 2} : f32[t,b,2]
  %d = transpose(%c) {perm = [1, 0, 2]} : f32[b,t,2]
  return(%d)"""
    done = check(both("f32[b,t,2]", rest), sizes=SIZES)
    assert dict(done.operators) == {"GRU": 1, "Transpose": 1, "Reshape": 1}
