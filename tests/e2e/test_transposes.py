"""The operators of whole files: what needs no transpose has none, and the kernel that is meant."""

from __future__ import annotations

from pathlib import Path

import onnx.parser
import pytest

import nhwcc

CONV = "{strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]]}"


def ones(shape: str, *sizes: int) -> str:
    """A constant with numbers that tell positions apart."""
    count = 1
    for size in sizes:
        count *= size
    flat: list[object] = [((7 * i) % 11 - 5) / 8 for i in range(count)]
    for size in reversed(sizes[1:]):
        flat = [flat[i : i + size] for i in range(0, len(flat), size)]
    return f"const() {{value = dense<{flat}> : f32[{shape}]}} : f32[{shape}]"


SHUFFLES = f"""func @main(%x: f32[1,3,6,6]) -> (f32[1,3,22,22]) {{
  %v = {ones("16,3,1,1", 16, 3, 1, 1)}
  %w = {ones("16,4,2,2", 16, 4, 2, 2)}
  %u = {ones("3,4,1,1", 3, 4, 1, 1)}
  %a = {ones("16,1,1", 16, 1, 1)}
  %c = conv(%x, %v, none) {CONV} : f32[1,16,6,6]
  %s = reshape(%c) {{shape = [1, 4, 2, 2, 6, 6]}} : f32[1,4,2,2,6,6]
  %t = transpose(%s) {{perm = [0, 1, 4, 2, 5, 3]}} : f32[1,4,6,2,6,2]
  %d = reshape(%t) {{shape = [1, 4, 12, 12]}} : f32[1,4,12,12]
  %e = conv(%d, %w, none) {CONV} : f32[1,16,11,11]
  %p = prelu(%e, %a) : f32[1,16,11,11]
  %f = depth_to_space(%p) {{block = 2, mode = "crd"}} : f32[1,4,22,22]
  %y = conv(%f, %u, none) {CONV} : f32[1,3,22,22]
  return(%y)
}}
"""

OVER_HEIGHT = f"""func @main(%x: f32[2,3,8,8]) -> (f32[2,4,5,8]) {{
  %v = {ones("8,3,1,1", 8, 3, 1, 1)}
  %w = {ones("5,8", 5, 8)}
  %b = {ones("5", 5)}
  %u = {ones("4,8,1,1", 4, 8, 1, 1)}
  %c = conv(%x, %v, none) {CONV} : f32[2,8,8,8]
  %t = transpose(%c) {{perm = [0, 1, 3, 2]}} : f32[2,8,8,8]
  %l = linear(%t, %w, %b) : f32[2,8,8,5]
  %s = transpose(%l) {{perm = [0, 1, 3, 2]}} : f32[2,8,5,8]
  %y = conv(%s, %u, none) {CONV} : f32[2,4,5,8]
  return(%y)
}}
"""

FEATURES = f"""func @main(%x: f32[2,3,4,4], %z: f32[2,5]) -> (f32[2,6]) {{
  %v = {ones("8,3,1,1", 8, 3, 1, 1)}
  %w = {ones("6,165", 6, 165)}
  %c = conv(%x, %v, none) {CONV} : f32[2,8,4,4]
  %p = max_pool(%c) {{kernel = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [[0, 0], [0, 0]]}} : f32[2,8,2,2]
  %a = reshape(%c) {{shape = [2, 128]}} : f32[2,128]
  %b = reshape(%p) {{shape = [2, 32]}} : f32[2,32]
  %j = concat(%a, %z, %b) {{axis = 1}} : f32[2,165]
  %y = linear(%j, %w, none) : f32[2,6]
  return(%y)
}}
"""

CACHE = f"""func @main(%x: f32[1,3,4,4], %k: f32[1,4,4,8]) -> (f32[1,2,4,4]) {{
  %v = {ones("8,3,1,1", 8, 3, 1, 1)}
  %u = {ones("2,8,1,1", 2, 8, 1, 1)}
  %c = conv(%x, %v, none) {CONV} : f32[1,8,4,4]
  %r = slice(%c) {{starts = [0, 0, 1, 0], sizes = [1, 8, 1, 4], steps = [1, 1, 1, 1]}} : f32[1,8,1,4]
  %z = const() {{value = dense<[2]> : i64[1]}} : i64[1]
  %t = transpose(%k) {{perm = [0, 3, 1, 2]}} : f32[1,8,4,4]
  %s = scatter(%t, %z, %r) {{axis = 2}} : f32[1,8,4,4]
  %y = conv(%s, %u, none) {CONV} : f32[1,2,4,4]
  return(%y)
}}
"""


SKELETONS = f"""func @main(%x: f32[1,3,10,7]) -> (f32[1,4,10,7]) {{
  %v = {ones("24,3,1,1", 24, 3, 1, 1)}
  %w = {ones("21,7", 21, 7)}
  %u = {ones("4,8,1,1", 4, 8, 1, 1)}
  %c = conv(%x, %v, none) {CONV} : f32[1,24,10,7]
  %k = reshape(%c) {{shape = [1, 3, 8, 10, 7]}} : f32[1,3,8,10,7]
  %t = transpose(%k) {{perm = [0, 2, 3, 1, 4]}} : f32[1,8,10,3,7]
  %j = reshape(%t) {{shape = [1, 80, 21]}} : f32[1,80,21]
  %m = matmul(%j, %w) : f32[1,80,7]
  %s = reshape(%m) {{shape = [1, 8, 10, 7]}} : f32[1,8,10,7]
  %y = conv(%s, %u, none) {CONV} : f32[1,4,10,7]
  return(%y)
}}
"""
"""A product over kinds and joints together, as `einsum("nkctv,kvw->nctw")` is exported."""


@pytest.mark.parametrize(
    ("text", "kernels"),
    [
        (SHUFFLES, {"CONV_2D": 3, "DEPTH_TO_SPACE": 2, "PRELU": 1}),
        (OVER_HEIGHT, {"CONV_2D": 2, "BATCH_MATMUL": 1, "ADD": 1}),
        (FEATURES, {"CONV_2D": 1, "MAX_POOL_2D": 1, "CONCATENATION": 1, "FULLY_CONNECTED": 1}),
        (CACHE, {"CONV_2D": 2, "SLICE": 1, "CONCATENATION": 1, "GATHER": 1}),
        (SKELETONS, {"CONV_2D": 2, "BATCH_MATMUL": 1}),
    ],
    ids=[
        "pixel shuffles",
        "a linear layer over the height",
        "features joined",
        "slices put along an axis",
        "skeletons",
    ],
)
def test_no_transpose(tmp_path: Path, text: str, kernels: dict[str, int]) -> None:
    source = tmp_path / "net.ir"
    source.write_text(text)
    report = nhwcc.compile(source, output=tmp_path / "net.tflite").report
    found = {name: count for name, count in report.ops_after.items() if name != "RESHAPE"}
    assert found == kernels


def row(*numbers: float) -> str:
    """The numbers of an initializer in ONNX's text form."""
    return f"{{{', '.join(map(str, numbers))}}}"


def varied(count: int) -> str:
    return row(*(((7 * i) % 11 - 5) / 8 for i in range(count)))


def unfolded(kernel: int, stride: int, pad: int) -> str:
    """A convolution over the columns of an image, as exporters of PyTorch write them."""
    count = (6 + 2 * pad - kernel) // stride + 1
    places = [i + stride * j for i in range(kernel) for j in range(count)]
    size = 2 * kernel * kernel
    return f"""g (float[1,2,6,6] x) => (float[] y)
      <float[2,2,1,1] v = {varied(4)}, float[3,{size},1,1] w = {varied(3 * size)},
       int64[8] p = {row(0, 0, pad, pad, 0, 0, pad, pad)}, int64[{kernel},{count}] i = {row(*places)},
       int64[4] s = {row(1, size, count, count)}> {{
      c = Conv(x, v) d = Pad(c, p) a = Gather<axis=2>(d, i) b = Gather<axis=4>(a, i)
      t = Transpose<perm=[0,1,2,4,3,5]>(b) r = Reshape(t, s) y = Conv(r, w) }}"""


def over(equation: str, sizes: tuple[int, int]) -> str:
    """A product with a matrix, between convolutions; the matrix comes first if the equation says so."""
    operands = "m, c" if equation.index(",") == len("mk") else "c, m"
    return f"""g (float[1,2,6,5] x) => (float[] y)
      <float[4,2,1,1] v = {varied(8)}, float[{sizes[0]},{sizes[1]}] m = {varied(sizes[0] * sizes[1])},
       float[3,4,1,1] w = {varied(12)}> {{
      c = Conv(x, v) e = Einsum<equation="{equation}">({operands}) y = Conv(e, w) }}"""


@pytest.mark.parametrize(
    ("graph", "kernel"),
    [
        (unfolded(3, 1, 1), "CONCATENATION"),
        (unfolded(2, 2, 0), "SPACE_TO_DEPTH"),
        (unfolded(3, 2, 1), "CONCATENATION"),
        (over("nchw,wk->nchk", (5, 3)), "BATCH_MATMUL"),
        (over("nchw,hk->nckw", (6, 3)), "BATCH_MATMUL"),
        (over("kh,nchw->nckw", (3, 6)), "BATCH_MATMUL"),
    ],
)
def test_what_exporters_write_needs_no_transpose(tmp_path: Path, graph: str, kernel: str) -> None:
    source = tmp_path / "net.onnx"
    parsed = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 18]>\n{graph}')
    source.write_bytes(parsed.SerializeToString())
    report = nhwcc.compile(source, output=tmp_path / "net.tflite").report
    assert kernel in report.ops_after and "TRANSPOSE" not in report.ops_after
