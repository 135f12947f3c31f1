"""The rules language: every construct, and why a rule nearly fired."""

from __future__ import annotations

from pathlib import Path

import pytest
from nhwcc.compiler.diagnostics import CompileError, Remark, collect_remarks
from nhwcc.compiler.ir import Module, Value
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.rewrite import rewrite
from nhwcc.compiler.rule_helpers import HELPERS
from nhwcc.compiler.rules import helper, load_rules, parse_rules
from nhwcc.compiler.verify import verify


@helper
def sum_of(a: float, b: float) -> float:
    """Add two attributes."""
    return a + b


@helper
def exceeds_zero(number: float) -> bool:
    """A guard over an attribute."""
    return number > 0


@helper
def is_vector(value: Value) -> bool:
    """A guard over a value."""
    return value.type.rank == 1


def module(statements: str, returns: str = "%y", arguments: str = "%x: f32[4], %z: f32[4]") -> Module:
    """A function whose results are all ``f32[4]``."""
    types = ", ".join("f32[4]" for _ in returns.split(","))
    lines = "\n".join(f"{line} : f32[4]" if "=" in line else line for line in statements.strip().splitlines())
    return parse_module(f"func @main({arguments}) -> ({types}) {{\n{lines}\nreturn({returns})\n}}")


def apply(rules: str, before: Module) -> tuple[str, list[Remark]]:
    """Rewrite and return the body's operations as text, and the remarks."""
    with collect_remarks() as remarks:
        rewrite(before, parse_rules(rules))
    verify(before)
    body = print_module(before).splitlines()[1:-2]
    return "; ".join(line.strip().removesuffix(" : f32[4]") for line in body), remarks


def fires(rules: str, before: Module, after: str) -> None:
    text, remarks = apply(rules, before)
    assert text == after
    assert [r.kind for r in remarks].count("fired") >= 1


def misses(rules: str, before: Module, reason: str | None) -> None:
    """Nothing changes; the rule says why if it nearly fired."""
    original = print_module(before)
    _, remarks = apply(rules, before)
    assert print_module(before) == original
    assert [r.text for r in remarks] == ([] if reason is None else [reason])


TWICE = "rule double-neg: neg(neg(%x)) => %x"


class TestPatterns:
    def test_operations_in_operations(self) -> None:
        fires(TWICE, module("%a = neg(%x)\n%b = neg(%a)\n%y = abs(%b)"), "%y = abs(%x)")

    def test_over_and_over(self) -> None:
        fires(TWICE, module("%a = neg(%x)\n%b = neg(%a)\n%c = neg(%b)\n%d = neg(%c)\n%y = abs(%d)"), "%y = abs(%x)")

    def test_the_same_variable_is_the_same_value(self) -> None:
        rule = "rule double: add(%a, %a) => mul(%a, 2)"
        fires(rule, module("%y = add(%x, %x)"), "%0 = const() {value = dense<2.0> : f32[]} : f32[]; %y = mul(%x, %0)")
        misses(rule, module("%y = add(%x, %z)"), None)

    def test_the_same_variable_is_an_equal_constant(self) -> None:
        """Exporters write a constant anew wherever it is used."""
        text = """func @main(%x: f32[2]) -> (f32[2]) {
            %c = const() {value = dense<[3.0, 4.0]> : f32[2]} : f32[2]
            %d = const() {value = dense<OTHER> : f32[2]} : f32[2]
            %a = add(%x, %c) : f32[2]
            %b = sub(%a, %d) : f32[2]
            return(%b) }"""
        rule = "rule cancel: sub(add(%x, %c), %c) => abs(%x)"
        got, _ = apply(rule, parse_module(text.replace("OTHER", "[3.0, 4.0]")))
        assert "abs(%x)" in got and "add" not in got
        misses(rule, parse_module(text.replace("OTHER", "[3.0, 5.0]")), None)

    def test_operands_of_commutative_operations_in_either_order(self) -> None:
        rule = "rule absorb: add(neg(%a), %b) => sub(%b, %a)"
        fires(rule, module("%n = neg(%x)\n%y = add(%n, %z)"), "%y = sub(%z, %x)")
        fires(rule, module("%n = neg(%x)\n%y = add(%z, %n)"), "%y = sub(%z, %x)")

    def test_operands_of_others_in_their_order_only(self) -> None:
        rule = "rule absorb: sub(%a, neg(%b)) => add(%a, %b)"
        fires(rule, module("%n = neg(%x)\n%y = sub(%z, %n)"), "%y = add(%z, %x)")
        misses(rule, module("%n = neg(%x)\n%y = sub(%n, %z)"), None)

    @pytest.mark.parametrize("number", ["0.5", "dense", "5e-1"])
    def test_a_number_is_a_constant_of_equal_elements(self, number: str) -> None:
        value = "dense<[0.5, 0.5, 0.5, 0.5]> : f32[4]" if number == "dense" else f"dense<{number}> : f32[]"
        type = value.rpartition(" : ")[2]
        text = f"""func @main(%x: f32[4]) -> (f32[4]) {{
            %c = const() {{value = {value}}} : {type}
            %m = mul(%x, %c) : f32[4]
            return(%m) }}"""
        rule = "rule half: mul(%x, 0.5) => div(%x, 2)"
        got, _ = apply(rule, parse_module(text))
        assert "div(%x, %" in got and "mul" not in got

    def test_a_constant_of_different_elements_is_no_number(self) -> None:
        text = """func @main(%x: f32[2]) -> (f32[2]) {
            %c = const() {value = dense<[0.5, 0.6]> : f32[2]} : f32[2]
            %m = mul(%x, %c) : f32[2]
            return(%m) }"""
        misses("rule half: mul(%x, 0.5) => div(%x, 2)", parse_module(text), None)

    def test_numbers_are_compared_in_single_precision(self) -> None:
        text = """func @main(%x: f32[2]) -> (f32[2]) {
            %c = const() {value = dense<0.16666667> : f32[]} : f32[]
            %m = mul(%x, %c) : f32[2]
            return(%m) }"""
        got, _ = apply("rule sixth: mul(%x, 0.166666666666) => div(%x, 6)", parse_module(text))
        assert "div" in got

    def test_attributes_literal_and_bound(self) -> None:
        rule = "rule merge: leaky_relu(leaky_relu(%x, alpha=$p), alpha=$p) => elu(%x, alpha=$p)"
        same = module("%a = leaky_relu(%x) {alpha = 0.5}\n%y = leaky_relu(%a) {alpha = 0.5}")
        fires(rule, same, "%y = elu(%x) {alpha = 0.5}")
        misses(rule, module("%a = leaky_relu(%x) {alpha = 0.5}\n%y = leaky_relu(%a) {alpha = 0.25}"), None)
        literal = 'rule plain: add(%a, %b, activation="relu") => relu(add(%a, %b))'
        fires(literal, module('%y = add(%x, %z) {activation = "relu"}'), "%0 = add(%x, %z); %y = relu(%0)")
        misses(literal, module("%y = add(%x, %z)"), None)

    def test_attributes_that_are_not_named_have_their_defaults(self) -> None:
        rule = "rule zero: add(%a, neg(%b)) => sub(%a, %b)"
        fires(rule, module("%n = neg(%z)\n%y = add(%x, %n)"), "%y = sub(%x, %z)")
        misses(rule, module('%n = neg(%z)\n%y = add(%x, %n) {activation = "relu"}'), None)
        inner = "rule inner: neg(sub(%a, %b)) => sub(%b, %a)"
        misses(inner, module('%s = sub(%x, %z) {activation = "relu6"}\n%y = neg(%s)'), None)

    def test_attributes_of_any_value(self) -> None:
        rule = "rule any: abs(leaky_relu(%x, alpha=$_)) => abs(%x)"
        fires(rule, module("%a = leaky_relu(%x) {alpha = 0.5}\n%y = abs(%a)"), "%y = abs(%x)")
        twice = "rule any: leaky_relu(leaky_relu(%x, alpha=$_), alpha=$_) => relu(%x)"
        fires(twice, module("%a = leaky_relu(%x) {alpha = 0.5}\n%y = leaky_relu(%a) {alpha = 0.25}"), "%y = relu(%x)")

    def test_whole_numbers_are_exact(self) -> None:
        text = """func @main(%x: f32[2]) -> (f32[2]) {
            %c = const() {value = dense<1.0000001> : f32[]} : f32[]
            %m = mul(%x, %c) : f32[2]
            return(%m) }"""
        misses("rule one: mul(%x, 1) => %x", parse_module(text), None)

    def test_a_complex_number_is_no_number_of_a_rule(self) -> None:
        text = """func @main(%x: c64[2]) -> (c64[2]) {
            %c = const() {value = dense<[1.0, 2.0]> : c64[]} : c64[]
            %m = mul(%x, %c) : c64[2]
            return(%m) }"""
        misses("rule one: mul(%x, 1) => %x", parse_module(text), None)

    def test_booleans(self) -> None:
        rule = "rule exact: gelu(%x, approximate=true) => gelu(%x, approximate=false)"
        fires(rule, module("%y = gelu(%x) {approximate = true}"), "%y = gelu(%x)")

    def test_absent_operands(self) -> None:
        text = """func @main(%x: f32[4,4], %w: f32[4,4], %b: f32[4]) -> (f32[4,4]) {
            %y = linear(%x, %w, BIAS) : f32[4,4]
            return(%y) }"""
        rule = "rule plain: linear(%x, %w, none) => matmul(%x, %w, transpose_b=true)"
        got, _ = apply(rule, parse_module(text.replace("BIAS", "none")))
        assert "matmul(%x, %w) {transpose_b = true}" in got
        misses(rule, parse_module(text.replace("BIAS", "%b")), None)

    def test_an_alias_names_a_result(self) -> None:
        """Here a value stays although the operation around it goes."""
        rule = "rule keep: abs(neg(%x) as %n) => mul(%n, -1)"
        got, _ = apply(rule, module("%n = neg(%x)\n%y = abs(%n)"))
        assert got.startswith("%n = neg(%x); ") and "%y = mul(%n, %0)" in got

    def test_folding_while_building(self) -> None:
        text = """func @main(%x: f32[2]) -> (f32[2]) {
            %c = const() {value = dense<3.0> : f32[]} : f32[]
            %d = const() {value = dense<4.0> : f32[]} : f32[]
            %a = add(%x, %c) : f32[2]
            %b = add(%a, %d) : f32[2]
            return(%b) }"""
        got, _ = apply("rule merge: add(add(%x, %a), %b) => add(%x, add(%a, %b))", parse_module(text))
        assert "dense<7.0>" in got and got.count("add") == 1


class TestNumbers:
    """Attributes, and what helpers make of them, as operands of the right side."""

    def test_an_attribute(self) -> None:
        rule = "rule write-out: leaky_relu(%x, alpha=$a) => max(%x, mul(%x, $a))"
        got, _ = apply(rule, module("%y = leaky_relu(%x) {alpha = 0.25}"))
        assert "dense<0.25> : f32[]" in got and got.endswith("%y = max(%x, %1)")

    def test_what_a_helper_gives(self) -> None:
        rule = "rule sum: elu(%x, alpha=$p) => mul(%x, sum-of($p, 0.5))"
        got, _ = apply(rule, module("%y = elu(%x) {alpha = 2.0}"))
        assert "dense<2.5> : f32[]" in got

    def test_a_fraction_is_no_integer(self) -> None:
        text = """func @main(%x: i32[4]) -> (f32[4]) {
            %a = cast(%x) {to = "f32"} : f32[4]
            %y = elu(%a) {alpha = 0.5} : f32[4]
            return(%y) }"""
        rule = 'rule inner: elu(cast(%x, to="f32"), alpha=$p) => cast(mul(%x, $p), to="f32")'
        misses(rule, parse_module(text), "0.5 is not of the type i32")

    def test_a_list(self) -> None:
        text = """func @main(%x: f32[2,3]) -> (f32[3,2]) {
            %y = transpose(%x) {perm = [1, 0]} : f32[3,2]
            return(%y) }"""
        before = parse_module(text)
        rewrite(before, parse_rules("rule swap: transpose(%x, perm=[1, 0]) => reshape(%x, shape=[3, 2])"))
        assert "%y = reshape(%x) {shape = [3, 2]}" in print_module(before)


class TestHelpers:
    def test_on_the_right_side(self) -> None:
        rule = "rule sum: elu(elu(%x, alpha=$p), alpha=$q) => elu(%x, alpha=sum-of($p, $q))"
        fires(rule, module("%a = elu(%x) {alpha = 2.0}\n%y = elu(%a) {alpha = 3.0}"), "%y = elu(%x) {alpha = 5.0}")

    def test_nested_with_literals(self) -> None:
        rule = "rule sum: elu(%x, alpha=2) => elu(%x, alpha=sum-of(sum-of(1, 0.5), 2))"
        fires(rule, module("%y = elu(%x) {alpha = 2.0}"), "%y = elu(%x) {alpha = 3.5}")

    def test_guards(self) -> None:
        rule = "rule guarded: elu(%x, alpha=$p) where exceeds-zero($p), is-vector(%x) => relu(%x)"
        fires(rule, module("%y = elu(%x) {alpha = 2.0}"), "%y = relu(%x)")
        misses(rule, module("%y = elu(%x) {alpha = -1.0}"), "not exceeds-zero")


class TestNearMisses:
    def test_an_inner_result_has_other_users(self) -> None:
        text = module("%n = neg(%x)\n%y = neg(%n)\n%u = abs(%n)", "%y, %u")
        misses(TWICE, text, "an inner result is used elsewhere too")

    def test_an_inner_result_is_returned(self) -> None:
        misses(TWICE, module("%n = neg(%x)\n%y = neg(%n)", "%y, %n"), "an inner result is used elsewhere too")

    def test_two_uses_inside_the_match_are_none_outside(self) -> None:
        rule = "rule square: mul(neg(%x) as %n, %n) => square(%x)"
        fires(rule, module("%n = neg(%x)\n%y = mul(%n, %n)"), "%y = square(%x)")


class TestRewriting:
    def test_larger_patterns_first(self) -> None:
        rules = """
        rule small: neg(%x) => abs(%x)
        rule large: neg(relu(%x)) => tanh(%x)  # a comment
        """
        fires(rules, module("%r = relu(%x)\n%y = neg(%r)"), "%y = tanh(%x)")

    def test_origins_are_fused(self) -> None:
        before = parse_module(
            """func @main(%x: f32[4]) -> (f32[4]) {
              %r = relu(%x) : f32[4] loc("inner" in "m")
              %y = neg(%r) : f32[4] loc("outer" in "m")
              return(%y) }"""
        )
        _, remarks = apply("rule large: neg(relu(%x)) => tanh(%x)", before)
        (op, _) = before.main.ops
        assert str(op.location) == 'm: node "outer" (with inner)'
        assert [(r.kind, r.by, str(r.location)) for r in remarks] == [("fired", "large", 'm: node "outer"')]

    def test_rules_that_undo_each_other(self) -> None:
        rules = "rule there: neg(%x) => abs(%x)\nrule back: abs(%x) => neg(%x)"
        with pytest.raises(CompileError) as caught:
            apply(rules, module("%y = neg(%x)"))
        (said,) = caught.value.diagnostics
        assert said.code == "W001" and said.message.endswith(" undo each other")
        assert said.excerpt is not None
        assert set(said.excerpt.splitlines()) == {"there: %y = neg(%x) : f32[4]", "back: %y = abs(%x) : f32[4]"}

    def test_a_rule_that_fires_on_what_it_makes(self) -> None:
        with pytest.raises(CompileError, match="grow fires on what it makes"):
            apply("rule grow: neg(%x) => neg(abs(%x))", module("%y = neg(%x)"))

    def test_another_type_is_missed(self) -> None:
        """A rule can't know all types that its operands may have: it does not apply where it would change one."""
        before = module("%y = neg(%x)")
        _, remarks = apply('rule wrong: neg(%x) => cast(%x, to="f16")', before)
        assert [op.spec.name for op in before.main.ops] == ["neg", "return"]
        assert [(r.kind, r.by) for r in remarks] == [("missed", "wrong")]
        assert "f16[4]" in remarks[0].text

    def test_what_would_be_ill_typed_is_missed(self) -> None:
        text = "func @main(%x: i32[4]) -> (i32[4]) {\n%y = neg(%x) : i32[4]\nreturn(%y)\n}"
        misses(
            "rule wrong: neg(%x) => sigmoid(%x)",
            parse_module(text),
            "sigmoid takes floating-point numbers as x, not i32",
        )
        misses("rule wrong: neg(%x) => mul(%x, 0.5)", parse_module(text), "0.5 is not of the type i32")

    def test_numbers_have_the_type_of_what_stands_beside_them(self) -> None:
        text = "func @main(%x: f32[4]) -> (bool[4]) {\n%y = is_nan(%x) : bool[4]\nreturn(%y)\n}"
        before = parse_module(text)
        rewrite(before, parse_rules("rule large: is_nan(%x) => less(add(%x, 1), 0.5)"))
        verify(before)
        assert "dense<0.5> : f32[]" in print_module(before)


class TestMistakes:
    @pytest.mark.parametrize(
        ("rules", "code"),
        [
            ("rule r: neg(%x) = %x", "P001"),
            ("rule r neg(%x) => %x", "P001"),
            ("rule r: negg(%x) => %x", "P004"),
            ("rule r: neg(%x) where no-such-helper(%x) => %x", "P009"),
            ("rule r: neg(%x, %y) => %x", "P006"),
            ("rule r: " + "add(" * 13 + "%x" + ", %y)" * 13 + " => %x", "P011"),
            ("rule r: softmax(%x, axes=1) => %x", "P006"),
            ("rule r: neg(%x) => %y", "P003"),
            ("rule r: neg(%x) => elu(%x, alpha=$p)", "P003"),
            ("rule r: neg(%x) => softmax(%x)", "P006"),
            ("rule r: neg(%x) where exceeds-zero($p) => %x", "P003"),
            ("rule r: elu(%x, alpha=sum-of($p, 1)) => %x", "P003"),
            ("rule r: reshape(%x) => %x", "P006"),
            ("rule r: elu(%x, alpha=$_) => elu(%x, alpha=$_)", "P003"),
            ("rule r: neg(%x) => mul(%x, $p)", "P003"),
            ("rule r: mul(%x, $p) => %x", "P006"),
            ("rule r: mul(%x, sum-of(1, 2)) => %x", "P006"),
            ("rule r: elu(%x, alpha=%x) => %x", "P003"),
            ("rule r: elu(%x, alpha=$p) => elu(%x, alpha=%x)", "P006"),
            ('rule r: elu(%x, alpha="much") => %x', "P006"),
            ('rule r: elu(%x, alpha=$p) => elu(%x, alpha="much")', "P006"),
            ("rule r: transpose(%x, perm=1) => %x", "P006"),
            ("rule r: transpose(%x, perm=$p) => elu(%x, alpha=$p)", "P006"),
            ("rule r: transpose(%x, perm=$p) => mul(%x, $p)", "P006"),
            ("rule r: elu(%x, alpha=$p) where exceeds-zero($p, $p) => %x", "P006"),
            ("rule r: elu(%x, alpha=$p) where exceeds-zero() => %x", "P006"),
            ("rule r: elu(%x, alpha=$p) where exceeds-zero(%x) => %x", "P006"),
            ("rule r: elu(%x, alpha=$p) where is-vector($p) => %x", "P006"),
            ("rule r: transpose(%x, perm=$p) where exceeds-zero($p) => %x", "P006"),
            ("rule r: neg(%x) => mul(%x, sum-of(a=1, b=2))", "P006"),
            ("rule r: neg(%x) => mul(%x, sum-of(neg(%x), 2))", "P006"),
            ("rule r: neg(%x) => mul(%x, sum-of(none, 2))", "P006"),
            ("rule r: neg(%x) => mul(%x, sum-of(%x, 2))", "P006"),
            ("rule r: neg(%x) => mul(%x, sum-of(1, 2, 3))", "P006"),
            ("rule r: %x => neg(%x)", "P006"),
            ("rule r: 3 => neg(3)", "P006"),
            ("rule r: neg(%x) => 3", "P006"),
            ("rule r: elu(%x, alpha=$p) => sum-of($p, 1)", "P006"),
        ],
    )
    def test_say_what_and_where(self, rules: str, code: str) -> None:
        with pytest.raises(CompileError) as caught:
            parse_rules(rules, "my.rules")
        assert [d.code for d in caught.value.diagnostics] == [code]
        assert "rule r" in caught.value.diagnostics[0].message or "my.rules" in caught.value.diagnostics[0].message

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CompileError) as caught:
            load_rules(tmp_path / "none.rules")
        assert caught.value.diagnostics[0].code == "R010"

    def test_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "my.rules").write_text(TWICE)
        (only,) = load_rules(tmp_path / "my.rules")
        assert (only.name, only.benefit) == ("double-neg", 2)

    def test_helpers_are_known_by_their_names_with_dashes(self) -> None:
        assert HELPERS["sum-of"](1, 2) == 3
