"""Weights and folding: computed when needed, kept when small, shared, mapped."""

from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.fold import constant, emit, fold
from nhwcc.compiler.ir import Op, Region, Value
from nhwcc.compiler.ops.arith import Add, Neg
from nhwcc.compiler.ops.control import If
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.ops.shape import BroadcastTo, Split, Transpose
from nhwcc.compiler.types import Array, DType, TensorType, parse_type
from nhwcc.compiler.weights import EAGER_BYTES, MappedFile, Weight

LARGE = EAGER_BYTES // 4 + 1
F = DType.F32


def large(fill: float = 1) -> Weight:
    """A weight that is too large to compute with at once, with elements of its own."""
    return Weight.of(np.full(LARGE, fill, np.float32))


class TestWeights:
    def test_of(self) -> None:
        weight = Weight.of([[1.0, 2.0]])
        assert weight.type == parse_type("f64[1,2]") and Weight.of(weight) is weight and weight.nbytes == 16

    def test_small_results_are_computed_at_once(self) -> None:
        calls: list[int] = []

        def same(array: Array) -> Array:
            calls.append(1)
            return array

        weight = Weight.of(np.zeros(4, np.float32)).derive(parse_type("f32[4]"), same)
        assert calls == [1] and weight.array().tolist() == [0] * 4 and calls == [1]

    def test_large_ones_when_they_are_read(self) -> None:
        calls: list[int] = []

        def double(array: Array) -> Array:
            calls.append(1)
            return array * 2

        weight = large().derive(TensorType(F, (LARGE,)), double)
        assert not calls
        held = weight.array()
        assert calls == [1] and held[0] == 2
        assert weight.array() is held and calls == [1], "what somebody holds is not computed again"
        del held
        gc.collect()
        assert weight.array()[0] == 2 and calls == [1, 1], "what nobody holds takes no memory"

    def test_recipes_of_recipes(self) -> None:
        type = TensorType(F, (LARGE,))
        weight = large(3).derive(type, np.negative).derive(type, np.subtract, large(5))
        assert weight.array()[0] == -8

    def test_equality(self) -> None:
        a, b = Weight.of(np.ones(3, np.float32)), Weight.of(np.ones(3, np.float32))
        assert a == b and hash(a) == hash(b)
        assert a != Weight.of(np.ones(3, np.float64)) and a != Weight.of(np.zeros(3, np.float32)) and a != 1
        assert Weight.of(np.zeros(3, np.float32)) != Weight.of(np.zeros(3, np.int32)), "the same bytes of another type"
        assert large() != large(), "large ones are equal only if they are one"

    def test_not_a_number_equals_itself_and_zeros_differ_by_sign(self) -> None:
        nan = Weight.of(np.asarray(np.nan))
        assert nan == Weight.of(np.asarray(np.nan))
        assert Weight.of(np.asarray(0.0)) != Weight.of(np.asarray(-0.0))

    def test_splats_take_the_memory_of_one(self) -> None:
        weight = Weight.splat(2, F, (1000, 1000))
        assert weight.is_splat and weight.array().strides == (0, 0) and weight.array()[5, 7] == 2
        assert not large().is_splat and not Weight.of(np.ones((2, 2))).is_splat
        assert Weight.of(np.ones((1, 1))).is_splat

    def test_mapped(self, tmp_path: Path) -> None:
        path = tmp_path / "data"
        path.write_bytes(b"xxxx" + np.arange(6, dtype="<f4").tobytes())
        weight = Weight.mapped(MappedFile(path), 4, parse_type("f32[2,3]"))
        np.testing.assert_array_equal(weight.array(), np.arange(6).reshape(2, 3))
        with pytest.raises(ValueError, match="read-only"):
            weight.array()[0, 0] = 1


def const(array: Array) -> Value:
    return Const(Weight.of(array)).result


class TestFolding:
    def test_constants_only(self) -> None:
        two = const(np.asarray([2, 3], np.float32))
        folded = fold(Add(two, two))
        assert folded is not None and folded[0].array().tolist() == [4, 6]
        assert fold(Add(two, Value(parse_type("f32[2]")))) is None
        assert constant(two) is not None and constant(Value(parse_type("f32[2]"))) is None and constant(None) is None

    def test_constants_themselves_and_regions_are_not_folded(self) -> None:
        def branch() -> Region:
            region = Region()
            region.insert(Return(()))
            return region

        assert fold(Const(Weight.of(1.0))) is None
        assert fold(If(const(np.asarray(True)), branch(), branch())) is None

    def test_several_results(self) -> None:
        folded = fold(Split(const(np.arange(5)), axis=0, sizes=(2, 3)))
        assert folded is not None and [w.array().tolist() for w in folded] == [[0, 1], [2, 3, 4]]

    def test_growth_is_limited(self) -> None:
        grow = BroadcastTo(const(np.ones(1, np.float32)), shape=(1000, 1000))
        assert fold(grow, max_bytes=1 << 10) is None
        assert fold(grow) is not None
        shrink = Transpose(const(np.ones((1000, 10), np.float32)), perm=(1, 0))
        assert fold(shrink, max_bytes=1 << 10) is not None, "no larger than what it is made of"

    def test_emit_inserts_what_it_folds_to(self) -> None:
        region = Region()
        end = region.insert(Return(()))
        (value,) = emit(Neg(const(np.asarray([2.0]))), region, end)
        (made, last) = region.ops
        assert isinstance(value.owner, Const) and made is value.owner and last is end
        assert value.owner.value.array().tolist() == [-2]

    def test_emit_frees_the_operands_of_what_it_folds(self) -> None:
        two = const(np.asarray([2.0]))
        emit(Neg(two), Region(), None)
        assert not two.uses

    def test_emit_keeps_what_is_not_constant(self) -> None:
        region, x = Region(), Value(parse_type("f32[2]"))
        op: Op = Neg(x)
        assert emit(op, region, None) == op.results and list(region.ops) == [op]
