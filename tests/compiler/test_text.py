"""The text form: what is read, what is printed, and what each mistake says."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError, Diagnostic
from nhwcc.compiler.dims import parse_dim, symbol
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.parser import parse_module, read_module
from nhwcc.compiler.printer import print_literal, print_module
from nhwcc.compiler.types import DType, parse_type
from nhwcc.compiler.weights import Weight

IR_FILES = sorted(Path(__file__).parents[1].rglob("*.ir"))


def problem(text: str) -> Diagnostic:
    with pytest.raises(CompileError) as caught:
        parse_module(text, "m.ir")
    (only,) = caught.value.diagnostics
    return only


def body(statements: str, arguments: str = "%x: f32[2]", returns: str = "f32[2]") -> str:
    return f"func @main({arguments}) -> ({returns}) {{\n{statements}\n}}\n"


@pytest.mark.parametrize("path", IR_FILES, ids=lambda p: p.name)
def test_every_case_of_the_suite_round_trips(path: Path) -> None:
    for case in path.read_text().split("// -----\n"):
        for part in case.split("// becomes\n"):
            if part.strip():
                text = print_module(parse_module(part, path.name), locations=True)
                assert print_module(parse_module(text), locations=True) == text


def test_the_suite_has_cases() -> None:
    assert IR_FILES


class TestReading:
    def test_names_locations_ports_and_comments(self) -> None:
        text = """// a comment
func @main(%"input/1": f32[batch,3] {name = "input 1", perm = [1, 0]}, %x.y$z-1: i64[]) ->
    (f32[batch,3] {name = "out"}) {
  %0 = neg(%"input/1") : f32[batch,3] loc("a \\"node\\"" in "m (1).onnx" with "b", "c")
  return(%0)
}
"""
        module = parse_module(text)
        func = module.main
        assert [(p.name, p.perm) for p in func.inputs] == [("input 1", (1, 0)), ("x.y$z-1", None)]
        assert [a.name for a in func.args] == ["input/1", "x.y$z-1"]
        assert func.outputs[0].name == "out"
        (neg, _) = func.ops
        assert neg.location is not None
        assert (neg.location.node, neg.location.file, neg.location.via) == ('a "node"', "m (1).onnx", ("b", "c"))
        again = print_module(module, locations=True)
        assert print_module(parse_module(again), locations=True) == again

    def test_attributes_of_every_kind(self) -> None:
        text = body(
            """%y = resize(%x) {dims = [0], sizes = ['2*n'], scales = [0.5], antialias = true} : f32[2*n]
            %z = resize(%y) {dims = [0], sizes = [3], scales = null} : f32[3]
            %c = clip(%z) {min = -inf, max = 1e-3} : f32[3]
            return(%c)""",
            "%x: f32[n]",
            "f32[3]",
        )
        module = parse_module(text)
        first, second, clip, _ = module.main.ops
        assert first.attributes["sizes"] == (symbol("n") * 2,) and first.attributes["antialias"] is True
        assert second.attributes["scales"] is None
        assert (clip.attributes["min"], clip.attributes["max"]) == (-np.inf, 1e-3)
        assert print_module(parse_module(print_module(module))) == print_module(module)

    def test_several_results_and_functions(self) -> None:
        text = body("%a, %b = split(%x) {axis = 0, sizes = [1, 1]} : f32[1], f32[1]\nreturn(%a)", returns="f32[1]")
        module = parse_module(text + text.replace("@main", "@other"))
        assert list(module.funcs) == ["main", "other"] and module.main.name == "main"

    def test_an_empty_module(self) -> None:
        assert parse_module("// nothing\n").funcs == {}

    @pytest.mark.parametrize("shape", [(3,), (1, 3), (0, 2), ()])
    @pytest.mark.parametrize("dtype", list(DType))
    def test_constants_of_every_type(self, dtype: DType, shape: tuple[int, ...]) -> None:
        values = np.resize(
            np.asarray(['"a"', "b", "\u00e4\n"] if dtype is DType.STRING else [0, 1, 1], dtype.numpy), shape
        )
        type = Weight.of(values).type
        module = parse_module(body("return(%x)", f"%x: {type}", f"{type}"))
        func = module.main
        const = func.body.insert(Const(Weight.of(values)), before=func.body.terminator)
        func.body.terminator.set_operand(0, const.results[0])
        (again, _) = parse_module(print_module(module)).main.ops
        assert again.attributes["value"] == Weight.of(values)

    @pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e-45", "-0.0", "3.4028235e+38", "0.1"])
    def test_floats_survive_exactly(self, number: str) -> None:
        weight = Weight.of(np.asarray(float(number), np.float32))
        text = print_literal(weight)
        module = parse_module(body(f"%c = const() {{value = {text}}} : f32[]\nreturn(%c)", returns="f32[]"))
        (const, _) = module.main.ops
        assert const.attributes["value"].array().tobytes() == weight.array().tobytes()


class TestMistakes:
    def test_syntax(self) -> None:
        bad = problem("func @main(%x: f32[2]) -> (f32[2]) {\n  %y = neg(%x : f32[2]\n}")
        assert bad.code == "P001" and bad.message == "m.ir:2:8: syntax error"
        assert bad.excerpt is not None and "neg(%x" in bad.excerpt

    def test_truncated(self) -> None:
        bad = problem("func @main(%x: f32[2]) -> (f32[2]) {\n  return(%x)\n")
        assert bad.code == "P001"

    def test_defined_twice(self) -> None:
        bad = problem(body("%y = neg(%x) : f32[2]\n%y = abs(%x) : f32[2]\nreturn(%y)"))
        assert bad.code == "P002" and "%y is defined twice" in bad.message

    def test_not_defined(self) -> None:
        bad = problem(body("%y = neg(%z) : f32[2]\nreturn(%y)"))
        assert bad.code == "P003" and bad.message == "m.ir:2: %z is not defined"

    def test_used_before_definition(self) -> None:
        assert problem(body("%y = neg(%z) : f32[2]\n%z = neg(%x) : f32[2]\nreturn(%y)")).code == "P003"

    def test_unknown_operation(self) -> None:
        bad = problem(body("%y = softmx(%x) : f32[2]\nreturn(%y)"))
        assert bad.code == "P004" and bad.help == "did you mean 'softmax'?"

    def test_stated_type(self) -> None:
        bad = problem(body("%y = neg(%x) : f32[3]\nreturn(%y)"))
        assert bad.code == "P005" and "f32[3]" in bad.message

    def test_stated_returns(self) -> None:
        bad = problem(body("return(%x)", returns="f32[3]"))
        assert bad.code == "P005" and "(f32[3])" in bad.message

    def test_number_of_results(self) -> None:
        assert problem(body("%y, %z = neg(%x) : f32[2]\nreturn(%y)")).code == "P006"
        assert problem(body("neg(%x) : f32[2]\nreturn(%x)")).code == "P006"

    @pytest.mark.parametrize(
        "statement",
        [
            "%y = neg(%x, %x) : f32[2]",
            "%y = neg() : f32[2]",
            "%y = neg(none) : f32[2]",
            "%y = add(%x, none) : f32[2]",
            "%y = concat(none, %x) {axis = 0} : f32[2]",
            "%y = softmax(%x) : f32[2]",
            "%y = softmax(%x) {axis = 0, colour = 1} : f32[2]",
            '%y = softmax(%x) {axis = "first"} : f32[2]',
            "%y = softmax(%x) {axis = null} : f32[2]",
            "%y = transpose(%x) {perm = 1} : f32[2]",
            '%y = cast(%x) {to = "f31"} : f32[2]',
            "%y = neg(%x) do () { return(%x) } : f32[2]",
            "%y = if(%x) do () { return(%x) } : f32[2]",
        ],
    )
    def test_fields(self, statement: str) -> None:
        bad = problem(body(f"{statement}\nreturn(%y)"))
        assert bad.code == "P006" and bad.message.startswith("m.ir:2: ")

    def test_types_that_do_not_fit(self) -> None:
        bad = problem(body("%y = softmax(%x) {axis = 1} : f32[2]\nreturn(%y)"))
        assert bad.code == "T001"

    def test_a_dimension(self) -> None:
        assert problem(body("return(%x)", "%x: f32[2+]", "f32[2]")).code == "P007"

    @pytest.mark.parametrize(("type", "code"), [("f31[2]", "P010"), ("f32[-1]", "P007"), ("f32[2", "P007")])
    def test_a_type(self, type: str, code: str) -> None:
        assert problem(body("return(%x)", f"%x: {type}", "f32[2]")).code == code

    def test_a_constant_of_another_shape(self) -> None:
        bad = problem(body("%c = const() {value = dense<[1.0, 2.0]> : f32[3]} : f32[3]\nreturn(%c)"))
        assert bad.code == "P006"

    def test_an_elided_weight(self) -> None:
        bad = problem(body("%c = const() {value = @@elided : f32[99]} : f32[99]\nreturn(%c)", returns="f32[99]"))
        assert bad.code == "P008" and "for reading only" in bad.message

    def test_a_weight_in_no_side_file(self) -> None:
        bad = problem(body("%c = const() {value = @@w7 : f32[99]} : f32[99]\nreturn(%c)", returns="f32[99]"))
        assert bad.code == "P008" and "@@w7" in bad.message

    def test_a_missing_return(self) -> None:
        assert problem("func @main(%x: f32[2]) -> (f32[2]) {\n}").code == "V001"

    def test_values_of_a_region_are_its_own(self) -> None:
        bad = problem(
            body(
                "%y = if(%c) do () { %i = neg(%x) : f32[2] return(%i) } do () { return(%x) } : f32[2]\nreturn(%i)",
                "%c: bool[], %x: f32[2]",
            )
        )
        assert bad.code == "P003"

    def test_two_functions_of_one_name(self) -> None:
        text = body("return(%x)")
        assert problem(text + text).code == "P002"

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CompileError) as caught:
            read_module(tmp_path / "none.ir")
        assert caught.value.diagnostics[0].code == "R010"

    def test_a_file_that_is_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "m.ir"
        path.write_bytes(b"\xff\xfe\x00func")
        with pytest.raises(CompileError) as caught:
            read_module(path)
        assert caught.value.diagnostics[0].code == "R010"


class TestPrinting:
    def test_two_values_of_one_name(self) -> None:
        module = parse_module(body("%y = neg(%x) : f32[2]\n%z = abs(%y) : f32[2]\nreturn(%z)"))
        for op in module.walk():
            for result in op.results:
                result.name = "same"
        text = print_module(module)
        assert "%same = neg(%x)" in text and "%0 = abs(%same)" in text
        assert print_module(parse_module(text)) == text

    def test_a_name_that_looks_like_a_number(self) -> None:
        """An exporter's ``%0`` must not collide with the printer's."""
        module = parse_module(body("%y = neg(%x) : f32[2]\n%z = abs(%y) : f32[2]\nreturn(%z)"))
        y, z = (op.results[0] for op in module.walk() if op.results)
        y.name, z.name = None, "0"
        text = print_module(module)
        assert print_module(parse_module(text)) == text

    def test_large_constants_are_elided_without_a_side_file(self) -> None:
        weight = Weight.of(np.zeros(17, np.float32))
        assert print_literal(weight) == "@@elided : f32[17]"
        assert print_literal(Weight.of(np.zeros(16, np.float32))).startswith("dense<")

    def test_what_has_no_text(self) -> None:
        with pytest.raises(TypeError, match="no text form"):
            print_literal(object())


def test_types() -> None:
    for text in ("f32[]", "i64[batch,3]", "bool[2*(h//2)+1,max(a, b)]", "string[2]"):
        parsed = parse_type(text)
        assert parse_type(str(parsed)) == parsed
    assert parse_type("f32[]").rank == 0 and parse_type("f32[]").size == 1


LONG = """func @main(%x: f32[1,h,4] {name = "in"}, %"odd name": f32[1,2*h+1,4]) -> (f32[1,3*h+1,8] {name = "out"}) {
  %a, %b = split(%x) {axis = 2, sizes = [2, 2]} : f32[1,h,2], f32[1,h,2] loc("s" in "m.onnx" with "t", "u")
""" + "".join(
    f"  %c{i} = concat({', '.join(['%x', '%a', 'none', '%b'] * 12)}) {{axis = 1, note = dense<[1.5, -2]> : f32[2]}}"
    f" do (%r: f32[{i}]) {{ return(%r) }} : f32[1,{i}*h,2]\n"
    for i in range(12)
)


RESTS = ("", " " * 4000, "%" * 40, "a0" * 2000, ", %x" * 2000, "\\" * 4000, '"' * 41, "[" * 60, "((((" * 20)
"""What texts go on with where they are cut."""


def test_every_beginning_is_refused_in_linear_time() -> None:
    """A lexer that goes back over what it has read would not end here."""
    for end in range(0, len(LONG), 31):
        for rest in RESTS:
            with suppress(CompileError):
                parse_module(LONG[:end] + rest)


@pytest.mark.parametrize(
    "text",
    [
        "h**1000000000",
        "2**2**2**2**9",
        "((9**9)**9)**9",
        "(a+b+c+d+e+f+g)**16",
        "h+" * 50_000 + "h",
        "-" * 1000 + "h",
        "(" * 400 + "h" + ")" * 400,
        "9" * 5000,
        "len('a')",
        "__import__('os')",
        "max(h, key=h)",
        "h.real",
        "[h][0]",
        "h if h else 1",
        "lambda: h",
        "True",
        "h\0",
    ],
)
def test_sizes_that_are_not_read(text: str) -> None:
    with pytest.raises(CompileError) as caught:
        parse_dim(text)
    assert caught.value.diagnostics[0].code == "P007"
