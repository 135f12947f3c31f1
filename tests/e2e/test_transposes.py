"""The operators of whole files: what needs no transpose has none, and the kernel that is meant."""

from __future__ import annotations

from pathlib import Path

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


@pytest.mark.parametrize(
    ("text", "kernels"),
    [
        (SHUFFLES, {"CONV_2D": 3, "DEPTH_TO_SPACE": 2, "PRELU": 1}),
        (OVER_HEIGHT, {"CONV_2D": 2, "BATCH_MATMUL": 1, "ADD": 1}),
        (FEATURES, {"CONV_2D": 1, "MAX_POOL_2D": 1, "CONCATENATION": 1, "FULLY_CONNECTED": 1}),
        (CACHE, {"CONV_2D": 2, "SLICE": 1, "CONCATENATION": 1, "GATHER": 1}),
    ],
    ids=["pixel shuffles", "a linear layer over the height", "features joined", "slices put along an axis"],
)
def test_no_transpose(tmp_path: Path, text: str, kernels: dict[str, int]) -> None:
    source = tmp_path / "net.ir"
    source.write_text(text)
    report = nhwcc.compile(source, output=tmp_path / "net.tflite").report
    found = {name: count for name, count in report.ops_after.items() if name != "RESHAPE"}
    assert found == kernels
