"""Recurrent layers in every form: right on every call, with all attributes, with open sizes."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Func, Module, Port, Region, Value
from nhwcc.compiler.opdef import OPS
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.recurrent import ACTIVATIONS, Lstm, Recurrent
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import parse_type
from nhwcc.compiler.weights import Weight
from nhwcc.formats.tflite.contents import read_contents
from nhwcc.passes.lowerings.loop_iterations import products_first, steps_per_iteration
from stored_weights import stored_weights

from .conftest import Check

STEPS, BATCH, FEATURES, HIDDEN = 4, 2, 3, 5

FORMS = ("unroll", "while", "fused")


def layer(
    kind: str, x: str, constants: dict[str, tuple[int, ...]], inputs: dict[str, str], **attributes: Any
) -> Module:
    """A module of one layer: constants by name and shape, inputs by name and type."""
    cls = OPS[kind]
    assert issubclass(cls, Recurrent)
    rng = np.random.default_rng(1)
    region = Region()
    values: dict[str, Value] = {}
    for name, text in {"x": x, **inputs}.items():
        region.args.append(Value(parse_type(text), name=name))
        values[name] = region.args[-1]
    for name, shape in constants.items():
        drawn = (rng.standard_normal(shape) * 0.5).astype(np.float32)
        values[name] = region.insert(Const(Weight.of(drawn))).results[0]
    op = region.insert(cls(**values, **attributes))
    region.insert(Return(op.results))
    ports = [Port(name) for name in ("x", *inputs)]
    return Module(Func("main", region, ports, [Port(f"y{i}") for i in range(len(op.results))]))


def weights(kind: str, hidden: int = HIDDEN, projected: int = 0) -> dict[str, tuple[int, ...]]:
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind] * hidden
    return {"w": (gates, FEATURES), "r": (gates, projected or hidden), "bias": (gates,)}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_open_sizes(check: Check, kind: str, form: str) -> None:
    sizes = [{"time": t, "batch": b} for t, b in ((4, 2), (4, 2), (1, 1), (7, 3), (19, 3), (64, 1), (141, 2))]
    given = layer(kind, "f32[time,batch,3]", weights(kind), {}, reverse=True)
    if form == "unroll":
        with pytest.raises(CompileError, match="time steps, which are not known, can't be unrolled"):
            check(given, passes="legalize{rnn=unroll}")
    else:
        check(given, sizes=sizes, passes=f"legalize{{rnn={form}}}")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("seed", range(6))
def test_any_attributes(check: Check, kind: str, form: str, seed: int) -> None:
    """Three calls in a row on other data; attributes and absent operands drawn at random."""
    rng = random.Random(f"{kind} {seed}")
    attributes: dict[str, Any] = {"reverse": rng.random() < 0.5, "batch_first": rng.random() < 0.5}
    constants, inputs = weights(kind), dict[str, str]()
    if rng.random() < 0.3:
        del constants["bias"]
    if rng.random() < 0.5:
        inputs["h0"] = f"f32[{BATCH},{HIDDEN}]"
    if rng.random() < 0.3:
        inputs["lengths"] = f"{rng.choice(['i32', 'i64'])}[{BATCH}]"
    if rng.random() < 0.3:
        attributes["clip"] = 0.5
    if rng.random() < 0.3:
        names = rng.choices(sorted(ACTIVATIONS), k={"rnn": 1, "gru": 2, "lstm": 3}[kind])
        attributes |= {"activations": names, "alpha": [0.3] * len(names), "beta": [0.6] * len(names)}
    if kind == "gru" and rng.random() < 0.5:
        attributes["reset_after"] = True
        constants["hidden_bias"] = (HIDDEN,)
    if kind == "lstm":
        attributes["coupled"] = rng.random() < 0.3
        constants |= {"peepholes": (3 * HIDDEN,)} if rng.random() < 0.3 else {}
        inputs |= {"c0": f"f32[{BATCH},{HIDDEN}]"} if rng.random() < 0.5 else {}
    x = (BATCH, STEPS) if attributes["batch_first"] else (STEPS, BATCH)
    given = layer(kind, f"f32[{x[0]},{x[1]},{FEATURES}]", constants, inputs, **attributes)
    check(given, sizes=({}, {}, {}), passes=f"legalize{{rnn={form}}}")


@pytest.mark.parametrize("form", FORMS)
def test_projection(check: Check, form: str) -> None:
    constants = weights("lstm", projected=2) | {"projection": (2, HIDDEN)}
    check(layer("lstm", "f32[4,2,3]", constants, {}), sizes=({}, {}), passes=f"legalize{{rnn={form}}}")


@pytest.mark.parametrize("dtype", ["f16", "f64"])
def test_other_element_types(check: Check, dtype: str) -> None:
    shapes = weights("gru")
    inputs = {name: f"{dtype}[{','.join(map(str, shape))}]" for name, shape in shapes.items()}
    check(layer("gru", f"{dtype}[4,2,3]", {}, inputs), tolerance=1e-2 if dtype == "f16" else 1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("given", [(), ("h0", "c0")])
def test_no_steps(check: Check, kind: str, form: str, given: tuple[str, ...]) -> None:
    """There are no outputs, and states stay what they are."""
    states = {name: f"f32[{BATCH},{HIDDEN}]" for name in given if kind == "lstm" or name == "h0"}
    network = layer(kind, "f32[0,2,3]", weights(kind), states)
    check(network, sizes=({}, {}), passes=f"legalize{{rnn={form}}}")


@pytest.mark.parametrize("steps", [11, 16, 23, 300, 303])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_rest_of_steps(check: Check, steps: int, reverse: bool) -> None:
    """Numbers of steps that turns and blocks divide, and others; sequences end anywhere."""
    lengths = {"lengths": "i32[2]"}
    network = layer("gru", f"f32[{steps},2,3]", weights("gru"), lengths, reverse=reverse)
    check(network, inputs={"lengths": np.asarray([steps - 1, steps // 3])}, passes="legalize{rnn=while}")


def test_blocks_of_steps(check: Check) -> None:
    """States go from block to block, of a layer with other sizes for each of them."""
    constants = weights("lstm", projected=2) | {"projection": (2, HIDDEN)}
    states = {"h0": "f32[2,2]", "c0": f"f32[2,{HIDDEN}]"}
    network = layer("lstm", "f32[2,300,3]", constants, states, batch_first=True)
    found = check(network, passes="legalize{rnn=while}")
    assert found.builtins["WHILE"] == 2, "a loop inside of a loop"


@pytest.mark.parametrize("dtype", ["i8", "u8"])
@pytest.mark.parametrize("rounds", [True, False])
def test_weights_of_integers(check: Check, dtype: str, rounds: bool) -> None:
    """They stay constants in the loops, which copy what they only read; i8 beside rounded states has a kernel."""
    text = f"""
func @main(%x: f32[time,batch,3]) -> (f32[time,batch,5]) {{
{stored_weights({"w": (20, 3), "r": (20, 5)}, dtype, 0 if dtype == "i8" else 120)}
%y, %h, %c = lstm(%x, %w, %r) {{rounds_state = {str(rounds).lower()}}} : f32[time,batch,5], f32[batch,5], f32[batch,5]
return(%y)
}}"""
    sizes = [{"time": t, "batch": b} for t, b in ((3, 2), (9, 1), (70, 3))]
    found = check(text, sizes=sizes, tolerance=1e-2 if rounds else 1e-5)
    assert found.builtins["BATCH_MATMUL"] == 0, "a product with what is no constant"
    assert (found.builtins["REDUCE_MAX"] > 0) == (rounds and dtype == "u8"), "no kernel rounds beside weights of u8"
    graphs = read_contents(found.path).graphs
    read_by_loops = {
        g.tensors[i].info.shape for g in graphs for op in g.operators if op.name == "WHILE" for i in op.info.inputs
    }
    assert read_by_loops and not read_by_loops & {(20, 3), (20, 5)}, "weights are copied in every iteration"


@pytest.mark.parametrize(("stored", "steps"), [("i8", 4), ("f32", 1)])
def test_how_loops_are_cut_into_iterations(stored: str, steps: int) -> None:
    """Weights of a megabyte leave room for one step; a batch of open size counts as one sequence."""
    read = "dequantize(%q, %s, %z)" if stored == "i8" else "cast(%q) {to = 'f32'}"
    text = f"""
func @main(%x: f32[t,b,64], %q: {stored}[1024,256], %w: f32[1024,64], %s: f32[], %z: i32[]) -> (f32[t,b,256]) {{
  %r = {read.replace("'", '"')} : f32[1024,256]
  %y, %h, %c = lstm(%x, %w, %r) : f32[t,b,256], f32[b,256], f32[b,256]
  return(%y)
}}"""
    (layer,) = (op for op in parse_module(text).walk() if isinstance(op, Lstm))
    assert steps_per_iteration(layer)[1:] == list(dict.fromkeys((steps, 1)))
    short = parse_module(text.replace("[t,", "[64,"))
    assert [products_first(op) for op in short.walk() if isinstance(op, Lstm)] == [True]
