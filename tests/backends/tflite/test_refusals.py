"""What TFLite can't do is said with a code, the operation, its place and the reason; all of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from nhwcc.backends.tflite import emit
from nhwcc.compiler.diagnostics import CompileError, Location
from nhwcc.compiler.ir import Module
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline

import nhwcc

from .conftest import single


def legalize(module: Module | str) -> Module:
    module = parse_module(module) if isinstance(module, str) else module
    Pipeline(parse_pipeline("legalize")).run(module)
    return module


def refused(module: Module | str) -> CompileError:
    with pytest.raises(CompileError) as caught:
        legalize(module)
    return caught.value


def test_all_operations_are_named_at_once() -> None:
    module = parse_module("""
    func @main(%x: f32[2,2,2,2,2,2], %w: f32[2,1,1,1,1,2], %i: string[3]) -> (f32[2,2,2,2,2,2] {name = "a"}) {
      %s = const() {value = dense<"a"> : string[1]} : string[1]
      %a = conv(%x, %w, none) {
        strides = [1, 1, 1, 1], dilations = [1, 1, 1, 1], pads = [[0, 0], [0, 0], [0, 0], [0, 0]], channels_last = true
      } : f32[2,2,2,2,2,2]
      return(%a)
    }""")
    bad = refused(module)
    assert [d.code for d in bad.diagnostics] == ["B001", "B003"]
    assert "over 4 spatial axes; at most 3" in str(bad)
    assert "the input i is string[3]" in str(bad)


def test_equal_reasons_are_one_message_with_all_places() -> None:
    text = "\n".join(
        f"%y{i + 1} = conv(%y{i}, %w, none) {{strides = [1, 1, 1, 1], dilations = [1, 1, 1, 1], "
        "pads = [[0, 0], [0, 0], [0, 0], [0, 0]], channels_last = true} : f32[2,2,2,2,2,2]"
        for i in range(8)
    )
    module = parse_module(f"""
    func @main(%y0: f32[2,2,2,2,2,2], %w: f32[2,1,1,1,1,2]) -> (f32[2,2,2,2,2,2] {{name = "a"}}) {{
      {text}
      return(%y8)
    }}""")
    for i, op in enumerate(module.main.ops):
        op.location = Location(f"node{i}", "m.onnx")
    (bad,) = refused(module).diagnostics
    assert bad.code == "B001" and "conv (8 of them)" in bad.message
    assert bad.location == Location("node0", "m.onnx") and bad.excerpt is not None
    assert [n for n in bad.notes if n.startswith("also at")] == [f'also at m.onnx: node "node{i}"' for i in range(1, 5)]
    assert "and at 3 more places" in bad.notes
    assert bad.help is not None and "docs/support.md" in bad.help


@pytest.mark.parametrize("dtype", ["string", "c64"])
def test_types_without_kernels(dtype: str) -> None:
    bad = refused(single("add", f"{dtype}[3]", f"{dtype}[3]"))
    assert bad.diagnostics[0].code == "B001" and f"of {dtype}" in str(bad)


def test_sizes_that_nothing_tells(tmp_path: Path) -> None:
    """The number of elements is known, its factors are not."""
    module = legalize("""
    func @main(%x: f32[h*w]) -> (f32[h,w] {name = "y"}) {
      %y = reshape(%x) {shape = ['h', 'w']} : f32[h,w]
      return(%y)
    }""")
    with pytest.raises(CompileError) as caught:
        emit(module, tmp_path / "m.tflite")
    assert [d.code for d in caught.value.diagnostics] == ["B002"] and "size h" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("dtype", "code"), [("f64", "B001"), ("i4", "B001"), ("u4", "B003")])
def test_writing_what_is_not_legal(tmp_path: Path, dtype: str, code: str) -> None:
    with pytest.raises(CompileError) as caught:
        emit(single("neg", f"{dtype}[3]"), tmp_path / "m.tflite")
    assert caught.value.diagnostics[0].code == code
    assert list(tmp_path.iterdir()) == []


def test_integers_that_are_cut_for_certain() -> None:
    """No kernel divides i64; i32 serves unless a constant shows that it does not."""
    text = """func @main(%x: i64[3]) -> (i64[3] {{name = "y"}}) {{
      %c = const() {{value = dense<{}> : i64[]}} : i64[]
      %y = floor_div(%x, %c) : i64[3]
      return(%y)
    }}"""
    legalize(text.format(1 << 30))
    assert "floor_div of i64 by numbers beyond 2^31" in str(refused(text.format(1 << 31)))


CONVOLUTION = """func @main(%x: f32[1,4,9,9], %f: f32[3,4,3,3]) -> (f32[1,3,9,9]) {
  %y = conv(%x, %f) {strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]]} : f32[1,3,9,9]
  return(%y)
}"""


def test_the_nearest_row_is_named_first(tmp_path: Path) -> None:
    """A pipeline that ends too early: what the kernel for pictures lacks, not that another one is for volumes."""
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(CONVOLUTION.encode(), tmp_path / "m.tflite", passes="canonicalize")
    (said,) = caught.value.diagnostics
    assert said.message == "TFLite can't run conv: channels on axis 1; the kernel has them last"
    assert "also: CONV_3D takes rank 5, not 4" in said.notes
    assert said.help is not None and "--passes mine,default" in said.help
