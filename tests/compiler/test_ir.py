"""Operations in lists that change under iteration, use lists, regions, interfaces."""

from __future__ import annotations

import random
from typing import Any

import pytest
from nhwcc.compiler.diagnostics import CompileError, Location, at
from nhwcc.compiler.ir import Op, Port, Region, Use, Value
from nhwcc.compiler.ops.arith import Add, Neg
from nhwcc.compiler.ops.core import Return
from nhwcc.compiler.ops.shape import Concat
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import parse_type

F4 = parse_type("f32[4]")
X = Value(F4)


def chain(length: int) -> tuple[Region, list[Op]]:
    """A region with so many operations, each negating the one before."""
    x = Value(F4, name="x")
    region = Region([x])
    ops: list[Op] = []
    for _ in range(length):
        op = region.insert(Neg(ops[-1].result if ops else x))
        ops.append(op)
    return region, ops


def loose(region: Region) -> Op:
    return Neg(region.args[0])


class TestOpList:
    def test_order_and_length(self) -> None:
        region, ops = chain(4)
        assert list(region.ops) == ops and list(reversed(region.ops)) == ops[::-1] and len(region.ops) == 4
        assert (region.ops.first, region.ops.last) == (ops[0], ops[-1])

    def test_insert_before(self) -> None:
        region, ops = chain(2)
        first, middle = loose(region), loose(region)
        region.insert(first, before=ops[0])
        region.insert(middle, before=ops[1])
        assert list(region.ops) == [first, ops[0], middle, ops[1]]

    def test_what_is_inserted_behind_is_visited(self) -> None:
        region, ops = chain(2)
        new = loose(region)
        seen: list[Op] = []
        for op in region.ops:
            if op is ops[0]:
                region.insert(new, before=ops[1])
            seen.append(op)
        assert seen == [ops[0], new, ops[1]]

    def test_what_is_inserted_before_is_not(self) -> None:
        region, ops = chain(2)
        seen: list[Op] = []
        for op in region.ops:
            region.insert(loose(region), before=op)
            seen.append(op)
        assert seen == ops and len(region.ops) == 4

    def test_erasing_the_current_one_and_its_neighbours(self) -> None:
        region, _ = chain(0)
        ops = [region.insert(loose(region)) for _ in range(6)]
        seen: list[Op] = []
        for op in region.ops:
            seen.append(op)
            if op is ops[1]:
                for victim in (ops[1], ops[2], ops[3]):
                    region.erase(victim)
        assert seen == [ops[0], ops[1], ops[4], ops[5]]
        assert list(region.ops) == [ops[0], ops[4], ops[5]]

    def test_erasing_everything_ends_the_iteration(self) -> None:
        region, _ = chain(0)
        ops = [region.insert(loose(region)) for _ in range(4)]
        for op in region.ops:
            assert op is ops[0]
            for victim in ops:
                region.erase(victim)
        assert len(region.ops) == 0 and region.ops.first is None and region.ops.last is None

    @pytest.mark.parametrize("seed", range(20))
    def test_random_changes_against_a_list(self, seed: int) -> None:
        rng = random.Random(seed)
        region, _ = chain(0)
        model: list[Op] = []
        for _ in range(60):
            if model and rng.random() < 0.4:
                victim = rng.choice(model)
                region.erase(victim)
                model.remove(victim)
            else:
                place = rng.randint(0, len(model))
                new = loose(region)
                region.insert(new, before=model[place] if place < len(model) else None)
                model.insert(place, new)
            assert list(region.ops) == model and list(reversed(region.ops)) == model[::-1]
            assert len(region.ops) == len(model)

    def test_moving_an_operation_while_iterating(self) -> None:
        """Remove and insert again: the links are those of the new place."""
        region, _ = chain(0)
        a, b, c = (region.insert(loose(region)) for _ in range(3))
        region.ops.remove(a)
        region.insert(a, before=c)
        assert list(region.ops) == [b, a, c] and list(reversed(region.ops)) == [c, a, b]


class TestUses:
    def test_every_slot_is_a_use(self) -> None:
        x = Value(F4)
        op = Add(x, x)
        assert x.uses == (Use(op, 0), Use(op, 1)) and x.users == (op,) and not x.has_one_use

    def test_set_operand_keeps_both_lists(self) -> None:
        x, y = Value(F4), Value(F4)
        op = Neg(x)
        op.set_operand(0, y)
        assert not x.uses and y.uses == (Use(op, 0),) and y.has_one_use

    def test_replace_all_uses(self) -> None:
        x, y = Value(F4, name="x"), Value(F4)
        a, b = Neg(x), Add(x, y)
        x.replace_all_uses_with(y)
        assert not x.uses and a.operands == (y,) and b.operands == (y, y) and y.name == "x"

    def test_replacing_by_itself_changes_nothing(self) -> None:
        x = Value(F4)
        op = Neg(x)
        x.replace_all_uses_with(x)
        assert x.uses == (Use(op, 0),)

    def test_a_name_of_its_own_stays(self) -> None:
        x, y = Value(F4, name="x"), Value(F4, name="y")
        x.replace_all_uses_with(y)
        assert y.name == "y"

    def test_uses_may_change_while_they_are_read(self) -> None:
        x, y = Value(F4), Value(F4)
        ops = [Neg(x) for _ in range(3)]
        for use in x.uses:
            use.op.set_operand(use.slot, y)
        assert y.users == tuple(ops) and not x.uses

    def test_erasing_what_is_used_is_refused(self) -> None:
        region, ops = chain(2)
        with pytest.raises(CompileError) as caught:
            region.erase(ops[0])
        assert caught.value.diagnostics[0].code == "I001"

    def test_erasing_frees_operands_of_nested_regions(self) -> None:
        module = parse_module(
            """func @main(%c: bool[], %x: f32[4]) -> (f32[4]) {
              %y = if(%c) do () { %n = neg(%x) : f32[4] return(%n) } do () { return(%x) } : f32[4]
              return(%x)
            }"""
        )
        func = module.main
        (branch, _) = func.ops
        func.body.erase(branch)
        assert [use.op.spec.name for use in func.args[1].uses] == ["return"] and not func.args[0].uses


class TestOperations:
    def test_optional_and_variadic_operands(self) -> None:
        x = Value(parse_type("f32[2,3]"))
        joined = Concat((x, x, x), axis=0)
        assert joined.xs == (x, x, x) and joined.result.type == parse_type("f32[6,3]")

    def test_clone_infers_anew_and_takes_the_ambient_place(self) -> None:
        x = Value(F4)
        with at(Location("old")):
            op = Add(x, x)
        with at(Location("new")):
            twin = op.clone([x, Value(parse_type("f32[2,1]"))], activation="relu")
        assert (op.result.type, twin.result.type) == (F4, parse_type("f32[2,4]"))
        assert (op.activation, twin.activation) == ("none", "relu")
        assert (str(op.location), str(twin.location)) == ('node "old"', 'node "new"')

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ((X,), "add: b is missing"),
            ((X, None), "add: b is missing"),
            ((X, X, "relu", 1), "add: 4 arguments for 3 fields"),
        ],
    )
    def test_wrong_fields(self, given: Any, message: str) -> None:
        with pytest.raises(TypeError, match=message):
            Add(*given)

    def test_missing_and_unknown_attributes(self) -> None:
        with pytest.raises(TypeError, match="concat: unknown"):
            Concat.spec.build(Concat, [X], {"axis": 0, "colour": 1})
        with pytest.raises(TypeError, match="concat: axis is missing"):
            Concat.spec.build(Concat, [X], {})

    def test_types_that_do_not_fit(self) -> None:
        with at(Location("sum", "m.onnx")), pytest.raises(CompileError) as caught:
            Add(Value(F4, name="a"), Value(parse_type("f32[3]"), name="b"))
        (bad,) = caught.value.diagnostics
        assert bad.code == "T001" and bad.notes == ["%a is f32[4]", "%b is f32[3]"]
        assert str(bad.location) == 'm.onnx: node "sum"'

    def test_a_failed_operation_leaves_no_use_behind(self) -> None:
        """A frontend that goes on after an error must not see operations that were never built."""
        x = Value(F4)
        with pytest.raises(CompileError):
            Add(x, Value(parse_type("f32[3]")))
        assert not x.uses


class TestRegions:
    def test_walk_visits_inner_operations_first(self) -> None:
        module = parse_module(
            """func @main(%c: bool[], %x: f32[4]) -> (f32[4]) {
              %y = if(%c) do () { %n = neg(%x) : f32[4] return(%n) } do () { return(%x) } : f32[4]
              return(%y)
            }"""
        )
        assert [op.spec.name for op in module.walk()] == ["neg", "return", "return", "if", "return"]

    def test_a_region_without_return(self) -> None:
        region, _ = chain(1)
        with pytest.raises(CompileError) as caught:
            _ = region.returns
        assert caught.value.diagnostics[0].code == "I002"
        region.insert(Return((region.args[0],)))
        assert region.returns == (region.args[0],)


@pytest.mark.parametrize(
    ("perm", "text"),
    [
        (None, ""),
        ((0, 1, 2), ""),
        ((0, 2, 3, 1), "NHWC"),
        ((0, 2, 1), "NWC"),
        ((0, 2, 3, 4, 1), "NDHWC"),
        ((1, 0), "1,0"),
    ],
)
def test_layouts_in_words(perm: tuple[int, ...] | None, text: str) -> None:
    assert Port("x", perm).order == text
