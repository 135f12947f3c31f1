"""What operands may be: an operation that takes others is refused where it is built, and says why."""

from __future__ import annotations

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.opdef import OPS, Elementwise
from nhwcc.compiler.parser import parse_module

WINDOWS = "{kernel = [1, 2], strides = [1, 1], dilations = [1, 1], pads = [[0, 1], [0, 0]], channels_last = true}"
"""Of which the last one lies in the padding."""

ILL_TYPED = {
    "sigmoid(%i) : i32[2,4]": "floating-point numbers as x, not i32",
    "exp(%i) : i32[2,4]": "floating-point",
    "softmax(%i) {axis = 1} : i32[2,4]": "floating-point",
    "hard_swish(%i) : i32[2,4]": "floating-point",
    "layer_norm(%i) {dims = [1]} : i32[2,4]": "floating-point",
    'reduce(%i) {kind = "l2", dims = [1]} : i32[2,1]': "floating-point",
    "neg(%t) : bool[2,4]": "numbers as x, not bool",
    "add(%x, %i) : f32[2,4]": "different element types, f32 and i32",
    "logical_and(%x, %x) : f32[2,4]": "booleans as a, not f32",
    "select(%i, %x, %x) : f32[2,4]": "booleans as condition",
    "select(%t, %x, %i) : f32[2,4]": "f32 and i32",
    "gather(%x, %v) {axis = 0} : f32[4,4]": "integers as indices, not f32",
    "gather_elements(%x, %x) {axis = 0} : f32[2,4]": "integers as indices",
    "gather_nd(%x, %v) : f32[]": "integers as indices",
    "scatter_nd(%x, %j, %i) : f32[2,4]": "updates of i32 for f32",
    "concat(%x, %i) {axis = 0} : f32[4,4]": "different element types",
    "range(%v, %v) {size = 3} : f32[3]": "no scalars",
    "transpose(%x) {perm = [0, 0]} : f32[2,2]": "not a permutation",
    'reduce(%x) {kind = "sum", dims = [1, 1]} : f32[2,1]': "name one twice",
    "reverse(%x) {dims = [0, 0]} : f32[2,4]": "name one twice",
    "reverse(%x) {dims = [-1]} : f32[2,4]": "axis -1 is outside of rank 2",
    "shape_of(%x) {dims = [2]} : i64[1]": "axis 2 is outside of rank 2",
    "layer_norm(%x) {dims = [-1]} : f32[2,4]": "axis -1 is outside of rank 2",
    "layer_norm(%x, %u) {dims = [1]} : f32[2,4]": "f32[1,1,4] does not broadcast to f32[2,4]",
    "rms_norm(%x, %m) {dims = [1]} : f32[2,4]": "f32[4,4] does not broadcast to f32[2,4]",
    "batch_norm(%x, %v, %v, %v, %v) {axis = 2} : f32[2,4]": "axis 2 is outside of rank 2",
    "batch_norm(%x, %v, %v, %v, %x) : f32[2,4]": "variance is f32[2,4], but should be a vector of 4",
    "prelu(%x, %u) : f32[2,4]": "f32[1,1,4] does not broadcast",
    "linear(%x, %m, %x) : f32[2,4]": "bias is f32[2,4], but should be a vector of 4",
    "linear(%x, %u) : f32[2,4]": "should be a matrix",
    "matmul(%x, %n) : f32[2,4]": "different element types",
    "clip(%x) {min = nan} : f32[2,4]": "nothing lies between",
    "elu(%x) {alpha = inf} : f32[2,4]": "alpha is inf, but must be finite",
    "shrink(%i) {bias = -inf} : i32[2,4]": "bias is -inf, but must be finite",
    "layer_norm(%x) {dims = [1], epsilon = nan} : f32[2,4]": "epsilon is nan, but must be finite",
    "local_response_norm(%x) {size = 1, beta = inf} : f32[2,4]": "beta is inf, but must be finite",
    "resize(%x) {dims = [0], sizes = [0]} : f32[0,4]": "there is nothing on one side",
    "resize(%x) {dims = [0], sizes = [4], scales = [0.0]} : f32[4,4]": "all must be positive",
    "scatter(%m, %k, %u) {axis = 0} : f32[4,4]": "are no slices of f32[4,4]",
    "scatter(%m, %k, %x) {axis = 1} : f32[4,4]": "are no slices of f32[4,4]",
    "scatter(%m, %k, %i) {axis = 0} : f32[4,4]": "updates of i32 for f32",
    "one_hot(%x, %w) {depth = 3, axis = 0} : f32[3,2,4]": "integers as indices",
    'reduce(%e) {kind = "mean", dims = [1], keepdims = false} : i32[2]': "no elements of i32[2,0] have a mean",
    'reduce(%t) {kind = "l1", dims = [1]} : bool[2,1]': "l1 takes numbers, not bool",
    'arg_max(%x) {axis = 1, dtype = "bool"} : bool[2,1]': "must be one of i32, i64",
    "max_pool_positions(%q) {kernel = [1], strides = [1], dilations = [1], pads = [[0, 1]]} : f32[1,2,5], i64[1,2,5]": (
        "no position of the largest element"
    ),
    "dequantize(%i, %v, %v) : f32[2,4]": "a zero point of f32 is not a number of i32",
    'quantize(%x, %v, %v) {dtype = "i8"} : i8[2,4]': "f32 as zero point, is not a type of integers",
    'add(%t, %t) {activation = "relu6"} : bool[2,4]': "booleans that end in relu6",
    "rnn(%z, %m, %m, %v, none, %h) : f32[2,3,4], f32[3,4]": "operands of different element types, f32 and f64",
    "rnn(%z, %m, %r) : f32[2,3,2], f32[3,2]": "r is f32[4,2], but [4,4] fits",
    "lstm(%z, %m, %m) : f32[2,3,4], f32[3,4], f32[3,1]": "r is f32[4,4], but [4,1] fits",
    "non_max_suppression(%b, %s) {limit = 3, overlap = 0.5, count = 3} : i64[3,3]": "nothing to choose from",
    f"max_pool(%p) {WINDOWS} : i8[1,3,3,2]": "some windows hold nothing but paddings",
    f"average_pool(%p) {WINDOWS} : i8[1,3,3,2]": "some windows hold nothing but paddings",
}

ARGUMENTS = (
    "%x: f32[2,4], %i: i32[2,4], %t: bool[2,4], %v: f32[4], %j: i32[2,1], %u: f32[1,1,4], %m: f32[4,4], %n: i32[4,4], "
    "%k: i32[2], %w: f32[2], %e: i32[2,0], %b: f32[1,2,4], %s: f32[1,0,2], %p: i8[1,2,4,2], "
    "%q: f32[1,2,4], %z: f32[2,3,4], %h: f64[3,4], %r: f32[4,2]"
)


@pytest.mark.parametrize("statement", ILL_TYPED)
def test_ill_typed(statement: str) -> None:
    text = f'func @main({ARGUMENTS}) -> () {{\n%y = {statement} loc("here")\nreturn()\n}}'
    with pytest.raises(CompileError) as caught:
        parse_module(text)
    (problem,) = caught.value.diagnostics
    assert problem.code == "T001"
    assert ILL_TYPED[statement] in problem.message
    assert problem.location is not None and problem.location.node == "here"


def test_elements_of_elementwise_functions_are_declared() -> None:
    """What moves any element says nothing; whoever computes says of what."""
    compared = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}
    anything = {"add", "mul", "max", "min", "cast", "bit_cast", *compared}
    silent = {n for n, cls in OPS.items() if cls.spec.has(Elementwise) and not cls.spec.elements}
    assert silent == anything
