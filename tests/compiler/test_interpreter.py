"""The reference interpreter: how functions are called, what is refused, control flow, named sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import random_inputs, run
from nhwcc.compiler.ir import Func, Op, Value
from nhwcc.compiler.opdef import OPS, Pure, op
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import Array, TensorType


def func(statements: str, arguments: str, returns: str) -> Func:
    return parse_module(f"func @main({arguments}) -> ({returns}) {{\n{statements}\n}}").main


ADD = func("%z = add(%x, %y) : f32[n,2]\nreturn(%z)", '%x: f32[n,2] {name = "left side"}, %y: f32[n,2]', "f32[n,2]")
A, B = np.ones((3, 2), np.float32), np.full((3, 2), 2, np.float32)


def code(of: Func, inputs: Sequence[Array]) -> str:
    with pytest.raises(CompileError) as caught:
        run(of, inputs)
    return caught.value.diagnostics[0].code


class TestCalling:
    def test_by_position_and_by_source_name(self) -> None:
        np.testing.assert_array_equal(run(ADD, [A, B])[0], A + B)
        np.testing.assert_array_equal(run(ADD, {"y": B, "left side": A})[0], A + B)

    def test_too_few(self) -> None:
        assert code(ADD, [A]) == "R002"

    def test_a_name_that_is_not_given(self) -> None:
        with pytest.raises(CompileError) as caught:
            run(ADD, {"x": A, "y": B})
        bad = caught.value.diagnostics[0]
        assert bad.code == "R002" and "left side" in bad.message

    @pytest.mark.parametrize(
        "wrong",
        [np.ones((3, 3), np.float32), np.ones((3, 2)), np.ones(6, np.float32), np.ones((4, 2), np.float32)],
        ids=["size", "element type", "rank", "a name means one size"],
    )
    def test_wrong_arrays(self, wrong: Array) -> None:
        assert code(ADD, [A, wrong]) == "R002"


class TestNamedSizes:
    def test_expressions_are_solved(self) -> None:
        half = func(
            "%z = slice(%x) {starts = [0], sizes = ['n'], steps = [1]} : f32[n]\nreturn(%z)", "%x: f32[2*n]", "f32[n]"
        )
        np.testing.assert_array_equal(run(half, [np.arange(8, dtype=np.float32)])[0], [0, 1, 2, 3])
        assert code(half, [np.ones(7, np.float32)]) == "R002"

    def test_sizes_of_two_axes(self) -> None:
        flat = func("%z = reshape(%x) {shape = ['h*w']} : f32[h*w]\nreturn(%z)", "%x: f32[h,w]", "f32[h*w]")
        assert run(flat, [np.ones((3, 5), np.float32)])[0].shape == (15,)


class TestControlFlow:
    BRANCH = func(
        """%y = if(%c) do () { %n = neg(%x) : f32[2] return(%n) } do () {
             %s = add(%x, %x) : f32[2]
             %z = if(%d) do () { return(%s) } do () { %q = mul(%s, %s) : f32[2] return(%q) } : f32[2]
             return(%z)
           } : f32[2]
           return(%y)""",
        "%c: bool[], %d: bool[], %x: f32[2]",
        "f32[2]",
    )

    @pytest.mark.parametrize(("c", "d", "want"), [(1, 0, -3.0), (1, 1, -3.0), (0, 1, 6.0), (0, 0, 36.0)])
    def test_branches_read_what_is_around_them(self, c: int, d: int, want: float) -> None:
        x = np.full(2, 3, np.float32)
        (y,) = run(self.BRANCH, [np.asarray(bool(c)), np.asarray(bool(d)), x])
        np.testing.assert_array_equal(y, [want, want])

    def test_a_value_that_only_a_region_reads_is_kept(self) -> None:
        """It is forgotten after its last use; uses inside of regions count."""
        late = func(
            """%n = neg(%x) : f32[2]
               %a = abs(%n) : f32[2]
               %y = if(%c) do () { return(%n) } do () { return(%a) } : f32[2]
               %z = if(%c) do () { return(%n) } do () { return(%a) } : f32[2]
               %s = add(%y, %z) : f32[2]
               return(%s)""",
            "%c: bool[], %x: f32[2]",
            "f32[2]",
        )
        np.testing.assert_array_equal(run(late, [np.asarray(True), np.ones(2, np.float32)])[0], [-2, -2])

    def test_a_loop(self) -> None:
        loop = func(
            """%one = const() {value = dense<1> : i32[]} : i32[]
               %n, %y = while(%i, %x) do (%j: i32[], %v: f32[2]) {
                 %more = less(%j, %k) : bool[]
                 return(%more)
               } do (%m: i32[], %w: f32[2]) {
                 %next = add(%m, %one) : i32[]
                 %d = add(%w, %w) : f32[2]
                 return(%next, %d)
               } : i32[], f32[2]
               return(%n, %y)""",
            "%i: i32[], %k: i32[], %x: f32[2]",
            "i32[], f32[2]",
        )
        count, y = run(loop, [np.asarray(0, np.int32), np.asarray(5, np.int32), np.ones(2, np.float32)])
        assert count == 5 and y.tolist() == [32, 32]
        count, y = run(loop, [np.asarray(9, np.int32), np.asarray(5, np.int32), np.ones(2, np.float32)])
        assert count == 9 and y.tolist() == [1, 1]


class TestObserving:
    def test_every_operation_with_its_results(self) -> None:
        seen: list[tuple[str, list[float]]] = []

        def watch(op: Op, results: Sequence[Array]) -> None:
            seen.append((op.spec.name, results[0].reshape(-1).tolist()))

        two = func("%n = neg(%x) : f32[1]\n%a = abs(%n) : f32[1]\nreturn(%a)", "%x: f32[1]", "f32[1]")
        run(two, [np.asarray([2], np.float32)], watch)
        assert seen == [("neg", [-2]), ("abs", [2])]


class TestErrors:
    def test_no_reference_semantics(self) -> None:
        @op("test_opaque", Pure)
        class Opaque(Op):
            """An operation that only a target can run."""

            x: Value

            def infer(self) -> TensorType:
                """Keep the type."""
                return self.x.type

        try:
            opaque = func("%y = test_opaque(%x) : f32[2]\nreturn(%y)", "%x: f32[2]", "f32[2]")
            assert code(opaque, [np.ones(2, np.float32)]) == "R001"
            assert Opaque.spec.evaluate is None
        finally:
            del OPS["test_opaque"]

    def test_a_result_that_contradicts_inference(self) -> None:
        @op("test_liar", Pure)
        class Liar(Op):
            """An operation whose semantics give another shape than it infers."""

            x: Value

            def infer(self) -> TensorType:
                """Keep the type."""
                return self.x.type

            @staticmethod
            def evaluate(x: Array) -> Array:
                """Lose an element."""
                return x[1:]

        try:
            liar = func("%y = test_liar(%x) : f32[2]\nreturn(%y)", "%x: f32[2]", "f32[2]")
            assert code(liar, [np.ones(2, np.float32)]) == "R003"
            assert Liar.spec.name == "test_liar"
        finally:
            del OPS["test_liar"]


class TestRandomInputs:
    MIXED = func("return(%x)", "%x: f32[n,3], %i: i8[4], %b: bool[64], %h: f16[h]", "f32[n,3]")

    def test_types_and_sizes(self) -> None:
        x, i, b, h = random_inputs(self.MIXED, sizes={"n": 5}, default=7)
        assert (x.shape, i.dtype, b.dtype, h.dtype, h.shape) == ((5, 3), np.int8, np.bool_, np.float16, (7,))
        assert b.any() and not b.all() and i.min() >= 0

    def test_a_seed_is_reproducible(self) -> None:
        a, b, c = (random_inputs(self.MIXED, seed=s)[0] for s in (1, 1, 2))
        assert (a == b).all() and not (a == c).all()
