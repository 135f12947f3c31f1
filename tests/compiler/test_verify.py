"""The verifier: one broken module for every code."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module, Op, Region, Value
from nhwcc.compiler.opdef import OPS, Pure, op
from nhwcc.compiler.ops.arith import Neg
from nhwcc.compiler.ops.core import Return
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import TensorType, parse_type
from nhwcc.compiler.verify import verify

TEXT = """func @main(%c: bool[], %x: f32[2]) -> (f32[2]) {
  %n = neg(%x) : f32[2]
  %y = if(%c) do () {
    %a = abs(%n) : f32[2]
    return(%a)
  } do () {
    return(%n)
  } : f32[2]
  return(%y)
}"""


@pytest.fixture
def module() -> Module:
    return parse_module(TEXT)


def codes(module: Module) -> list[str]:
    with pytest.raises(CompileError) as caught:
        verify(module)
    return [d.code for d in caught.value.diagnostics]


def ops(module: Module) -> dict[str, Op]:
    return {op.spec.name: op for op in module.walk()}


def test_well_formed(module: Module) -> None:
    verify(module)


def test_no_terminator(module: Module) -> None:
    body = module.main.body
    body.erase(body.terminator)
    assert codes(module) == ["V001"]


def test_an_empty_region(module: Module) -> None:
    branch = ops(module)["if"]
    branch.regions[1].erase(branch.regions[1].terminator)
    assert "V001" in codes(module)


def test_a_return_in_the_middle(module: Module) -> None:
    body = module.main.body
    body.insert(Return((module.main.args[1],)), before=body.ops.first)
    assert codes(module) == ["V001"]


def test_wrong_parent(module: Module) -> None:
    ops(module)["neg"].parent = Region()
    assert codes(module) == ["V002"]


def test_use_before_definition(module: Module) -> None:
    neg, body = ops(module)["neg"], module.main.body
    body.ops.remove(neg)
    body.insert(neg, before=body.terminator)
    assert set(codes(module)) == {"V003"}


def test_a_value_of_an_inner_region(module: Module) -> None:
    module.main.body.terminator.set_operand(0, ops(module)["abs"].result)
    assert codes(module) == ["V003"]


def test_a_value_of_no_region(module: Module) -> None:
    ops(module)["neg"].set_operand(0, Value(parse_type("f32[2]")))
    assert codes(module) == ["V003"]


def test_an_operand_without_its_use(module: Module) -> None:
    neg = ops(module)["neg"]
    neg._operands[0] = module.main.args[1]
    module.main.args[1]._uses.clear()
    assert codes(module) == ["V004"]


def test_a_use_without_its_operand(module: Module) -> None:
    neg = ops(module)["neg"]
    stranger = Neg(neg.result)
    stranger._operands[0] = module.main.args[1]
    assert "V004" in codes(module)


def test_a_stale_type(module: Module) -> None:
    ops(module)["neg"].result.type = parse_type("f16[2]")
    assert "V005" in codes(module)


def test_types_that_no_longer_fit() -> None:
    module = parse_module("func @main(%x: f32[2]) -> (f32[2]) {\n%y = add(%x, %x) : f32[2]\nreturn(%y)\n}")
    ops(module)["add"].set_operand(0, Value(parse_type("f32[3]")))
    assert "T001" in codes(module)


def test_an_operation_of_its_own_mind() -> None:
    @op("test_moody", Pure)
    class Moody(Op):
        """An operation whose own check fails."""

        x: Value

        def infer(self) -> TensorType:
            """Keep the type."""
            return self.x.type

        def verify(self) -> None:
            """Never be content."""
            raise ValueError("not today")

    try:
        text = "func @main(%x: f32[2]) -> (f32[2]) {\n%y = test_moody(%x) : f32[2]\nreturn(%y)\n}"
        with pytest.raises(CompileError) as caught:
            verify(parse_module(text))
        (bad,) = caught.value.diagnostics
        assert (bad.code, bad.message) == ("V006", "not today") and isinstance(bad.excerpt, str)
        assert Moody.spec.name == "test_moody"
    finally:
        del OPS["test_moody"]


def test_an_interface_that_does_not_match(module: Module) -> None:
    module.main.inputs.pop()
    assert codes(module) == ["V007"]


def test_an_interface_with_impossible_axes(module: Module) -> None:
    module.main.outputs[0].perm = (0, 2)
    assert codes(module) == ["V007"]


def test_everything_at_once(module: Module) -> None:
    found = ops(module)
    found["neg"].result.type = parse_type("f16[2]")
    found["abs"].parent = Region()
    assert {"V002", "V005"} <= set(codes(module))
