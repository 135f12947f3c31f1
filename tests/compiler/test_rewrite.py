"""Patterns in Python: what they may do, and what is taken back when they give up."""

from __future__ import annotations

from collections.abc import Sequence

from nhwcc.compiler.diagnostics import collect_remarks, explaining
from nhwcc.compiler.ir import Module, Op, Value
from nhwcc.compiler.ops.activation import Relu
from nhwcc.compiler.ops.arith import Abs, Add, Neg
from nhwcc.compiler.ops.shape import Split
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.rewrite import Pattern, Rewriter, erase_dead, pattern, rewrite, watch_rewriting
from nhwcc.compiler.rules import parse_rules
from nhwcc.compiler.verify import verify
from nhwcc.passes.fuse_activations import FuseActivations


def module(statements: str, returns: str = "%y") -> Module:
    return parse_module(f"func @main(%x: f32[4]) -> (f32[4]) {{\n{statements}\nreturn({returns})\n}}")


def names(module: Module) -> list[str]:
    verify(module)
    return [op.spec.name for op in module.walk()]


def test_structural_matching() -> None:
    @pattern(Relu)
    def drop_abs(op: Relu, rw: Rewriter) -> None:
        """The absolute value is positive already."""
        match op.x:
            case Value(Abs() as inner):
                rw.replace(inner.result)
            case _:
                return

    before = module("%a = abs(%x) : f32[4]\n%r = relu(%a) : f32[4]\n%y = relu(%r) : f32[4]")
    assert drop_abs.name == "drop-abs"
    assert rewrite(before, [drop_abs]) == 2
    assert names(before) == ["abs", "return"]


def test_giving_up_takes_back_what_was_inserted() -> None:
    @pattern(Neg)
    def hesitate(op: Neg, rw: Rewriter) -> None:
        """Insert, then find out that it does not pay."""
        rw.insert(Abs(op.x))
        rw.require(False, "on second thoughts")

    before = module("%y = neg(%x) : f32[4]")
    with collect_remarks() as remarks:
        assert rewrite(before, [hesitate]) == 0
    assert names(before) == ["neg", "return"] and len(before.main.args[0].uses) == 1
    assert [(r.kind, r.by, r.text) for r in remarks] == [("missed", "hesitate", "on second thoughts")]


def test_a_pattern_that_replaces_nothing_did_not_fire() -> None:
    seen: list[Op] = []
    before = module("%y = neg(%x) : f32[4]")
    assert rewrite(before, [Pattern("look", (Op,), lambda op, rw: seen.append(op))]) == 0
    assert [op.spec.name for op in seen] == ["neg", "return"], "Op stands for all operations"


def test_several_results_are_replaced_one_by_one() -> None:
    @pattern(Split)
    def halves(op: Split, rw: Rewriter) -> None:
        """Give the parts back in the other order."""
        rw.require(op.results[0].name == "a", "turned already")
        twin = rw.insert(Split(op.x, op.axis, op.sizes))
        rw.replace(*reversed(twin.results))

    before = module(
        "%a, %b = split(%x) {axis = 0, sizes = [2, 2]} : f32[2], f32[2]\n%y = concat(%a, %b) {axis = 0} : f32[4]"
    )
    assert rewrite(before, [halves]) == 1
    split, concat, _ = before.main.ops
    assert concat.operands == split.results[::-1]


def test_the_more_specific_pattern_goes_first() -> None:
    order: list[str] = []
    patterns = [
        Pattern("vague", (Neg,), lambda op, rw: order.append("vague"), benefit=1),
        Pattern("exact", (Neg,), lambda op, rw: order.append("exact"), benefit=5),
    ]
    rewrite(module("%y = neg(%x) : f32[4]"), patterns)
    assert order == ["exact", "vague"]


def test_users_of_what_changed_are_looked_at_again() -> None:
    """Only after the inner operation is gone does the outer one match."""

    @pattern(Neg)
    def drop_neg(op: Neg, rw: Rewriter) -> None:
        """Lose a sign."""
        rw.replace(op.x)

    @pattern(Add)
    def same(op: Add, rw: Rewriter) -> None:
        """A sum of equals."""
        rw.require(op.a is op.b, "two different values")
        rw.replace(Abs(op.a))

    before = module("%n = neg(%x) : f32[4]\n%y = add(%n, %x) : f32[4]")
    assert rewrite(before, [same, drop_neg]) == 2
    assert names(before) == ["abs", "return"]


def test_dead_operations_go_with_what_only_they_needed() -> None:
    before = module("%a = neg(%x) : f32[4]\n%b = abs(%a) : f32[4]\n%c = add(%a, %b) : f32[4]\n%y = neg(%a) : f32[4]")
    dead = next(op for op in before.walk() if isinstance(op, Add))
    released: list[str] = []
    erased = erase_dead(dead, released=lambda op: released.append(op.spec.name))
    assert [op.spec.name for op in erased] == ["add", "abs"]
    assert names(before) == ["neg", "neg", "return"] and "neg" in released


def test_rewriting_can_be_watched() -> None:
    class Log:
        """What was told, in order."""

        def __init__(self) -> None:
            self.lines: list[str] = []

        def begin(self, module: Module, patterns: Sequence[Pattern]) -> None:
            self.lines.append(f"begin {' '.join(p.name for p in patterns)}")

        def fired(self, module: Module, pattern: Pattern) -> None:
            self.lines.append(f"{pattern.name}: {' '.join(names(module))}")

    @pattern(Neg)
    def take_size(op: Neg, rw: Rewriter) -> None:
        """Only the size matters."""
        rw.replace(Abs(op.x))

    log = Log()
    with watch_rewriting(log):
        rewrite(module("%a = neg(%x) : f32[4]\n%y = neg(%a) : f32[4]"), [take_size])
    rewrite(module("%y = neg(%x) : f32[4]"), [take_size])
    assert log.lines == ["begin take-size", "take-size: abs neg return", "take-size: abs abs return"]


def test_what_continues_an_operation_keeps_its_place() -> None:
    """The root is the activation, but the convolution is what a message about the result must name."""
    text = """func @main(%x: f32[1,2,4,4], %w: f32[3,2,1,1]) -> (f32[1,3,4,4]) {
  %c = conv(%x, %w, none) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]]}
    : f32[1,3,4,4] loc("stem/conv")
  %y = relu(%c) : f32[1,3,4,4] loc("stem/act")
  return(%y)
}"""
    fused = parse_module(text)
    FuseActivations().run(fused)
    (conv, _) = fused.main.ops
    assert str(conv.location) == 'node "stem/conv" (with stem/act)'


def test_what_never_fired_says_where_it_came_nearest() -> None:
    rules = parse_rules(
        "rule far: relu(add(%x, 3)) => relu(%x)\nrule kind: neg(neg(%x)) => %x\nrule none: abs(%x) => %x"
    )
    before = module("%a = add(%x, %x) : f32[4]\n%n = neg(%a) : f32[4]\n%y = relu(%a) : f32[4]")
    with collect_remarks() as remarks, explaining():
        assert rewrite(before, rules) == 0
    found = {r.by: r.text for r in remarks if r.kind == "idle"}
    assert found["far"] == "operand 2 of add is not the constant 3" and found["none"] == ""
    assert found["kind"] == "operand 1 of neg: add stands where neg is asked for"
    with collect_remarks() as remarks:
        rewrite(before, rules)
    assert not [r for r in remarks if r.kind == "idle"], "finding out takes time"
