"""Texts of the IR that are no IR: each is refused with its place, whatever is wrong in it."""

from __future__ import annotations

import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module


def wrapped(statement: str, type: str = "f32[2]", port: str = "") -> str:
    return f"func @main(%x: {type} {port}) -> ({type}) {{\n  {statement}\n  return(%x)\n}}"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("P001", 'weights "\\q"\n' + wrapped("")),
        ("P001", wrapped('%y = neg(%x) : f32[2] loc("a\\q")')),
        ("P001", wrapped('%y = neg(%x) : f32[2] loc("a" in)')),
        ("P001", wrapped("%y = neg(%x) : f32[2] loc(x)")),
        ("P001", wrapped('%"\\q" = neg(%x) : f32[2]')),
        ("P001", wrapped('%y = custom(%x) {code = "\\q", types = ["f32[2]"]} : f32[2]')),
        ("P001", wrapped(f"%y = clip(%x) {{min = {'9' * 5000}}} : f32[2]")),
        ("P006", wrapped(f"%y = clip(%x) {{min = {'9' * 400}}} : f32[2]")),
        ("P006", wrapped("%y = softmax(%x) {axis = 1e400} : f32[2]")),
        ("P006", wrapped("%y = softmax(%x) {axis = 18446744073709551616} : f32[2]")),
        ("P006", wrapped('%y = const() {value = "text"} : f32[2]')),
        ("P006", wrapped('%y = custom(%x) {code = "a", types = "f32[2]"} : f32[2]')),
        ("P010", wrapped('%y = custom(%x) {code = "a", types = ["f33[2]"]} : f32[2]')),
        ("P007", wrapped("", f"f32[{'9' * 30}]")),
        ("P007", wrapped("", "f32[\N{SUPERSCRIPT TWO}]")),
        ("V007", wrapped("", port="{perm = 3}")),
        ("V007", wrapped("", port="{perm = [3]}")),
        ("V007", wrapped("", port='{perm = ["a"]}')),
        ("T001", wrapped("%y = softmax(%x) {axis = 1} : f32[2]")),
        ("T001", wrapped("%y = conv(%x, %x) : f32[2]")),
        ("T001", wrapped("%y = concat() {axis = 0} : f32[2]")),
        ("V001", "func @main() -> () {\n}"),
        ("V001", wrapped("%y = neg(%x) : f32[2]\nreturn(%y)")),
        ("V001", wrapped("%y = if(%x) do () { } do () { } : f32[2]")),
    ],
)
def test_refused(code: str, text: str) -> None:
    with pytest.raises(CompileError) as caught:
        parse_module(text, "m.ir")
    (bad,) = caught.value.diagnostics
    assert bad.code == code and bad.message
    assert bad.message.startswith("m.ir"), bad.message


@pytest.mark.parametrize("text", ["", "// nothing"])
def test_nothing_to_compile(text: str) -> None:
    with pytest.raises(CompileError, match="F011"):
        _ = parse_module(text).main


def test_a_place_with_all_its_parts() -> None:
    module = parse_module(wrapped('%y = neg(%x) : f32[2] loc("a" in "b.onnx" with "c", "d\\"")'))
    assert str(next(iter(module.walk())).location) == 'b.onnx: node "a" (with c, d")'
