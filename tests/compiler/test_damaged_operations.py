"""Whatever ranks, sizes and attributes operations are built with: they run as inferred, or are refused with a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from damage import Damage, elements, operands_of, run_alone
from nhwcc.compiler.attributes import OneOf, converter
from nhwcc.compiler.axes import Axes
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Op, Value
from nhwcc.compiler.opdef import OPS, Pure, op
from nhwcc.compiler.ops.activation import Softmax
from nhwcc.compiler.ops.index import Gather
from nhwcc.compiler.ops.norm import BatchNorm, LayerNorm
from nhwcc.compiler.ops.shape import BroadcastTo, Slice
from nhwcc.compiler.ops.window import Conv
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import DType, TensorType, parse_type
from samples import sample_op, samples

SAMPLES = {n: f for n, f in samples().items() if n not in ("if", "while", "return", "custom", "const")}
COUNTED_BY_DATA = {"non_max_suppression", "non_zero", "unique"}
"""Operations with a size that only their operands' elements decide about, so that the type can't know better."""

LIMIT = 100_000
"""Elements of the largest operation that is run."""


@pytest.mark.parametrize("name", SAMPLES)
def test_refused_or_run_as_inferred(name: str) -> None:
    sample, like = sample_op(SAMPLES[name]), operands_of(SAMPLES[name])
    allowed = {"T001", "T002", "P006", "R003"} if name in COUNTED_BY_DATA else {"T001", "T002", "P006"}
    allowed |= {"R001", "M001"}  # there are no random texts to run it on; a result would be too large
    outcomes: Counter[str] = Counter()
    for seed in range(25):
        damage = Damage((name, seed))
        outcomes[outcome(lambda: damage.operation(sample), lambda new: run_alone(new, like, seed))] += 1  # noqa: B023
    assert outcomes.keys() <= allowed | {""}, outcomes


def outcome(build: Callable[[], Op], run: Callable[[Op], object]) -> str:
    """Return the code with which an operation is refused, or fails when it is run; nothing if all is well."""
    try:
        built = build()
        if elements(built) < LIMIT:
            run(built)
    except CompileError as bad:
        return bad.diagnostics[0].code
    return ""


def value(text: str) -> Value:
    return Value(parse_type(text), name="x")


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (int, "3"),
        (int, 1.5),
        (int, 2**63),
        (int, None),
        (float, "1"),
        (float, 10**400),
        (bool, 2),
        (str, 1),
        (DType, "f31"),
        (tuple[int, ...], 3),
        (tuple[int, ...], (1, "2")),
        (tuple[tuple[int, int], ...], ((1,),)),
        (int | None, "none"),
    ],
)
def test_attributes_of_the_wrong_type(wanted: object, given: object) -> None:
    convert = converter(wanted)
    assert convert is not None
    with pytest.raises(ValueError, match="but must be"):
        convert(given)


def test_numbers_of_numpy_are_attributes() -> None:
    axis: Any = np.int64(1)
    assert Softmax(value("f32[2,3]"), axis).attributes == {"axis": 1}


def test_words_are_declared() -> None:
    assert OneOf("a", "b").words == ("a", "b")
    with pytest.raises(CompileError, match="one of none, relu, relu6"):
        OPS["add"](value("f32[2]"), value("f32[2]"), "tanh")


class TestTypes:
    """One operation of each kind of fault."""

    @staticmethod
    def refused(text: str) -> str:
        with pytest.raises(CompileError) as caught:
            parse_module(text, "m.ir")
        (bad,) = caught.value.diagnostics
        assert bad.code in ("T001", "P006") and bad.message.startswith("m.ir:")
        return bad.message

    @pytest.mark.parametrize("axis", [3, -1, 2**62, -(2**63)])
    def test_axis(self, axis: int) -> None:
        with pytest.raises(CompileError, match="is outside of rank 3"):
            Softmax(value("f32[1,2,3]"), axis)

    def test_axis_named_twice(self) -> None:
        with pytest.raises(CompileError, match="name one twice"):
            LayerNorm(value("f32[1,2,3]"), None, None, dims=(1, 1))

    def test_entries_per_axis(self) -> None:
        with pytest.raises(CompileError, match="starts has 1 entries for 2 axes"):
            Slice(value("f32[4,4]"), (0,), (4, 4), (1, 1))

    def test_strides(self) -> None:
        with pytest.raises(CompileError, match="strides is 0, but must be at least 1"):
            Conv(value("f32[1,1,4]"), value("f32[1,1,2]"), strides=(0,), dilations=(1,), pads=((0, 0),))

    def test_no_negative_sizes(self) -> None:
        with pytest.raises(CompileError, match="no size can be negative"):
            BroadcastTo(value("f32[1]"), (-1, 1))

    @pytest.mark.parametrize("scale", ["f32[2,1]", "f32[4]", "f32[]"])
    def test_parameters_of_norms(self, scale: str) -> None:
        bias, mean, variance = (value("f32[3]") for _ in range(3))
        with pytest.raises(CompileError, match=r"scale is .*, but should be a vector of 3 elements"):
            BatchNorm(value("f32[1,3,4]"), value(scale), bias, mean, variance)

    def test_positions_outside(self) -> None:
        op = Gather(value("f32[3]"), value("i64[2]"), 0)
        with pytest.raises(CompileError, match="position -4 is outside of an axis of size 3") as caught:
            run_alone(op, [np.zeros(3, np.float32), np.asarray([2, -4])], 0)
        assert [d.code for d in caught.value.diagnostics] == ["T002"]

    def test_the_place_in_a_text(self) -> None:
        text = "func @main(%x: f32[2]) -> (f32[2]) {\n  %y = softmax(%x) {axis = 1} : f32[2]\n  return(%y)\n}"
        assert self.refused(text).startswith("m.ir:2: axis 1 is outside of rank 1")

    def test_a_condition_of_numbers(self) -> None:
        text = (
            "func @main(%c: f32[2], %x: f32[2]) -> (f32[2]) {\n  %y = if(%c) do () { return(%x) } do () { return(%x) }"
            " : f32[2]\n  return(%y)\n}"
        )
        assert "booleans as condition, not f32" in self.refused(text)


def test_axes_that_are_not_those_of_the_operands() -> None:
    """A declaration of a user says more axes than there are: an error of the declaration, not of the pass that asks."""

    @op("test_letters", Pure)
    class Letters(Op):
        """An operation with a wrong declaration."""

        x: Value

        def infer(self) -> TensorType:
            """Keep the type."""
            return self.x.type

        def axes(self) -> Axes:
            """One axis too many."""
            return Axes.common((("a", "b"),), (("a", "b", "c"),))

    try:
        with pytest.raises(CompileError, match="its axes are declared as") as caught:
            Letters.spec.axes_of(Letters(value("f32[2,3]")))
        assert [d.code for d in caught.value.diagnostics] == ["L010"]
    finally:
        del OPS["test_letters"]
