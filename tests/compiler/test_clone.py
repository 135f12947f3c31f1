"""Copies of modules: equal, and independent."""

from __future__ import annotations

import pytest
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.verify import verify
from samples import samples

TEXT = """func @main(%c: bool[], %x: f32[n,2] {name = "in 1", perm = [1, 0]}) -> (f32[n,2] {name = "out"}) {
  %w = const() {value = dense<[1.0, 2.0]> : f32[2]} : f32[2]
  %s = add(%x, %w) : f32[n,2] loc("sum" in "m.onnx" with "bias")
  %y = if(%c) do () {
    %a = abs(%s) : f32[n,2]
    return(%a)
  } do () {
    return(%x)
  } : f32[n,2]
  return(%y)
}

func @other() -> () {
  return()
}
"""


def test_a_copy_prints_the_same_and_is_well_formed() -> None:
    module = parse_module(TEXT)
    copy = clone_module(module)
    verify(copy)
    assert print_module(copy, locations=True) == print_module(module, locations=True) == TEXT


@pytest.mark.parametrize("name", samples())
def test_every_operation_can_be_copied(name: str) -> None:
    module = Module(samples()[name])
    copy = clone_module(module)
    verify(copy)
    assert print_module(copy) == print_module(module)


def test_changing_one_leaves_the_other_alone() -> None:
    module = parse_module(TEXT)
    copy = clone_module(module)
    copy.main.inputs[1].perm = None
    add = next(op for op in copy.main.ops if op.spec.name == "add")
    add.results[0].replace_all_uses_with(copy.main.args[1])
    copy.main.body.erase(add)
    copy.main.args[1].name = "renamed"
    verify(module)
    assert print_module(module, locations=True) == TEXT
    assert print_module(copy) != print_module(module)


def test_weights_are_shared() -> None:
    module = parse_module(TEXT)
    (old,), (new,) = ([op.value for op in m.walk() if isinstance(op, Const)] for m in (module, clone_module(module)))
    assert old is new
