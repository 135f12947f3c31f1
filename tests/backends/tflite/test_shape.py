"""Moving, cutting, joining and resampling data in the TFLite runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from .conftest import Check, single

DTYPES = ["f32", "bool", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "f16", "f64"]
SIZES = [{"n": 1, "t": 2, "h": 3}, {"n": 3, "t": 1, "h": 1}, {"n": 2, "t": 5, "h": 4}]


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_moves(check: Check, dtype: str) -> None:
    x = f"{dtype}[2,3,4]"
    check(single("transpose", x, perm=(2, 0, 1)))
    check(single("reshape", x, shape=(6, 4)))
    check(single("broadcast_to", x, shape=(2, 2, 3, 4)))
    check(single("concat", x, x, axis=1))
    check(single("split", x, axis=2, sizes=(1, 2, 1)))
    check(single("split", x, axis=2, sizes=(2, 2)))
    check(single("slice", x, starts=(0, 1, 1), sizes=(2, 2, 2), steps=(1, 1, 2)))
    check(single("pad", x, low=(0, 1, 0), high=(0, 0, 2)))
    check(single("tile", x, repeats=(1, 2, 3)))
    check(single("reverse", x, dims=(0, 2)))
    check(single("gather", x, "i64[3]", axis=1), inputs={"x1": [0, 2, 1]})


@pytest.mark.parametrize(
    ("shape", "perm"),
    [
        ("2,3", (1, 0)),
        ("2,3,4,5", (0, 2, 3, 1)),
        ("2,3,2,3,2", (4, 2, 0, 1, 3)),
        ("2,3,2,3,2,3", (5, 4, 3, 2, 1, 0)),
        ("2,3,2,3,2,3,2", (0, 1, 5, 6, 2, 3, 4)),
        ("2,3,1,2,3,2,3,2", (0, 2, 1, 5, 6, 7, 3, 4)),
    ],
)
def test_transposes(check: Check, shape: str, perm: tuple[int, ...]) -> None:
    assert check(single("transpose", f"f32[{shape}]", perm=perm)).builtins["TRANSPOSE"] == 1


def test_transposes_of_many_groups(check: Check) -> None:
    """Seven groups of axes, then eight: two steps, since each brings several of them together."""
    assert check(single("transpose", "f32[2,3,2,3,2,3,2]", perm=(6, 4, 2, 0, 5, 3, 1))).builtins["TRANSPOSE"] == 2
    perm = (7, 5, 3, 1, 6, 4, 2, 0)
    assert check(single("transpose", "f32[2,3,2,3,2,3,2,2]", perm=perm)).builtins["TRANSPOSE"] == 2


def test_windows_of_windows_of_windows(check: Check) -> None:
    """Nine groups of axes: two transposes."""
    found = check(
        """func @main(%x: f32[16,16,3]) -> (f32[256,3]) {
      %a = reshape(%x) {shape = [2, 2, 2, 2, 2, 2, 2, 2, 3]} : f32[2,2,2,2,2,2,2,2,3]
      %b = transpose(%a) {perm = [0, 4, 3, 7, 2, 6, 1, 5, 8]} : f32[2,2,2,2,2,2,2,2,3]
      %y = reshape(%b) {shape = [256, 3]} : f32[256,3]
      return(%y)
    }"""
    )
    assert found.builtins["TRANSPOSE"] == 2


def test_transposes_merge(check: Check) -> None:
    text = """
    func @main(%x: f32[2,3,4]) -> (f32[2,3,4], f32[4,2,3]) {
      %a = transpose(%x) {perm = [2, 0, 1]} : f32[4,2,3]
      %b = transpose(%a) {perm = [1, 2, 0]} : f32[2,3,4]
      return(%b, %a)
    }"""
    text = text.replace("(f32[2,3,4], f32[4,2,3])", '(f32[2,3,4] {name = "b"}, f32[4,2,3] {name = "a"})')
    assert check(text).builtins == {"TRANSPOSE": 1, "SLICE": 1}  # an input that is an output is copied


RESHAPES = [
    ("n,t,6", "n,t,2,3", {"RESHAPE"}),
    ("n,t,6", "n*t,6", {"RESHAPE"}),
    ("n,4,t", "n,1,4,t", {"EXPAND_DIMS"}),
    ("n,1,t", "n,t", {"SQUEEZE"}),
    ("n,1,t,1", "n,t", {"SQUEEZE"}),
    ("n,t", "1,n,1,t,1", {"EXPAND_DIMS"}),
    ("n,t,1", "n,1,t", {"RESHAPE"}),
]


@pytest.mark.parametrize(("before", "after", "builtins"), RESHAPES)
def test_reshapes_of_unknown_sizes(check: Check, before: str, after: str, builtins: set[str]) -> None:
    text = f"""
    func @main(%x: f32[{before}]) -> (f32[{after}]) {{
      %y = reshape(%x) {{shape = [{",".join(f"'{d}'" for d in after.split(","))}]}} : f32[{after}]
      return(%y)
    }}"""
    used = set(check(text, sizes=SIZES).builtins)
    assert builtins <= used and ("SHAPE" in used) == (after in {"n,t,2,3", "n,1,t"})


def test_scalars_and_empty_tensors(check: Check) -> None:
    check(single("reshape", "f32[1,1]", shape=()))
    check(single("reshape", "f32[]", shape=(1, 1)))
    check(single("reshape", "f32[0,3]", shape=(3, 0)))
    check(single("concat", "f32[0,3]", "f32[2,3]", axis=0))
    check(single("slice", "f32[4,3]", starts=(1, 0), sizes=(0, 3), steps=(1, 1)))
    check(single("add", "f32[0,3]", "f32[3]"))
    check(single("transpose", "f32[]", perm=()))


@pytest.mark.parametrize(
    ("x", "shape", "builtin"),
    [
        ("f32[3,1]", (2, 3, 4), "TILE"),
        ("f32[]", (2, 3), "TILE"),
        ("i64[1]", (5,), "TILE"),
        ("f32[2,3]", (1, 2, 3), "RESHAPE"),
        ("f32[2,3]", (2, 3), None),
    ],
)
def test_broadcasts_are_tiles(check: Check, x: str, shape: tuple[int, ...], builtin: str | None) -> None:
    out = check(single("broadcast_to", x, shape=shape))
    assert "BROADCAST_TO" not in out.builtins and (builtin in out.builtins or builtin is None)


def test_broadcasts_to_unknown_sizes(check: Check) -> None:
    text = """
    func @main(%x: f32[1,4], %s: f32[n,t]) -> (f32[n,t,4], f32[n,t]) {
      %a = broadcast_to(%x) {shape = ['n', 't', 4]} : f32[n,t,4]
      %b = abs(%s) : f32[n,t]
      return(%a, %b)
    }""".replace("(f32[n,t,4], f32[n,t])", '(f32[n,t,4] {name = "a"}, f32[n,t] {name = "b"})')
    assert "TILE" in check(text, sizes=SIZES).builtins


def test_broadcasts_that_may_repeat(check: Check) -> None:
    text = """
    func @main(%x: f32[n], %s: f32[t]) -> (f32[t]) {
      %a = broadcast_to(%x) {shape = ['t']} : f32[t]
      %c = exp(%a) : f32[t]
      %b = add(%c, %s) : f32[t]
      return(%b)
    }"""
    assert "BROADCAST_TO" in check(text, sizes=[{"n": 1, "t": 4}, {"n": 3, "t": 3}]).builtins


def test_operations_broadcast_by_themselves(check: Check) -> None:
    text = """
    func @main(%x: f32[3,1], %s: f32[2,3,4]) -> (f32[2,3,4]) {
      %a = broadcast_to(%x) {shape = [2, 3, 4]} : f32[2,3,4]
      %b = add(%a, %s) : f32[2,3,4]
      return(%b)
    }"""
    assert check(text).builtins == {"ADD": 1}


def test_concat(check: Check) -> None:
    check(single("concat", *["f32[n,2,t]"] * 7, axis=1), sizes=SIZES)
    check(single("concat", *["f32[2,1,2,1,2,1,3]"] * 3, axis=4))
    check(single("concat", *["f32[2,1,2,1,2,1,3]"] * 3, axis=6))


@pytest.mark.parametrize(
    ("sizes", "builtins"),
    [((4, 4), {"SPLIT": 1}), ((2, 2, 2, 2), {"SPLIT": 1}), ((1,) * 8, {"SLICE": 8}), ((3, 5), {"SLICE": 2})],
)
def test_split(check: Check, sizes: tuple[int, ...], builtins: dict[str, int]) -> None:
    assert check(single("split", "f32[2,8,3]", axis=1, sizes=sizes)).builtins == builtins


def test_split_of_unknown_sizes(check: Check) -> None:
    text = """
    func @main(%x: f32[2*t,n]) ->
        (f32[t,n] {name = "a"}, f32[t,n] {name = "b"}, f32[t-1,n] {name = "c"}, f32[t+1,n] {name = "d"}) {
      %a, %b = split(%x) {axis = 0, sizes = ['t', 't']} : f32[t,n], f32[t,n]
      %c, %d = split(%x) {axis = 0, sizes = ['t-1', 't+1']} : f32[t-1,n], f32[t+1,n]
      return(%a, %b, %c, %d)
    }"""
    check(text, sizes=[{"t": 2, "n": 1}, {"t": 5, "n": 3}])


@pytest.mark.parametrize(
    ("starts", "sizes", "steps", "builtins"),
    [
        ((1, 2), (3, 4), (1, 1), {"SLICE": 1}),
        ((0, 0), (3, 4), (2, 2), {"STRIDED_SLICE": 1}),
        ((5, 7), (6, 8), (-1, -1), {"REVERSE_V2": 2}),
        ((5, 1), (3, 2), (-2, 3), {"STRIDED_SLICE": 1, "REVERSE_V2": 1}),
        ((0, 0), (6, 8), (1, 1), {"SLICE": 1}),  # a copy
    ],
)
def test_slices(check: Check, starts: Any, sizes: Any, steps: Any, builtins: dict[str, int]) -> None:
    assert check(single("slice", "f32[6,8]", starts=starts, sizes=sizes, steps=steps)).builtins == builtins


def test_slices_of_unknown_sizes(check: Check) -> None:
    text = """
    func @main(%x: f32[t,n]) -> (f32[t-1,n] {name = "a"}, f32[(t+1)//2,1] {name = "b"}, f32[t,n] {name = "c"}) {
      %a = slice(%x) {starts = [1, 0], sizes = ['t-1', 'n'], steps = [1, 1]} : f32[t-1,n]
      %b = slice(%x) {starts = [0, 'n-1'], sizes = ['(t+1)//2', 1], steps = [2, 1]} : f32[(t+1)//2,1]
      %c = slice(%x) {starts = ['t-1', 0], sizes = ['t', 'n'], steps = [-1, 1]} : f32[t,n]
      return(%a, %b, %c)
    }"""
    check(text, sizes=[{"t": 2, "n": 1}, {"t": 5, "n": 3}, {"t": 6, "n": 2}])


@pytest.mark.parametrize("mode", ["constant", "reflect", "symmetric", "edge", "wrap"])
@pytest.mark.parametrize("pads", [((1, 2), (2, 0)), ((0, 0), (1, 1)), ((5, 0), (0, 9))])
def test_pads(check: Check, mode: str, pads: Any) -> None:
    low, high = zip(*pads, strict=True)
    check(single("pad", "f32[3,4]", low=low, high=high, mode=mode))


def test_pads_of_other_kinds(check: Check) -> None:
    assert check(single("pad", "f32[3,4]", low=(0, 1), high=(1, 0), value=2.5)).builtins == {"PADV2": 1}
    assert check(single("pad", "i64[3,4]", low=(0, 1), high=(1, 0), value=-7.0)).builtins == {"PADV2": 1}
    assert check(single("pad", "f32[3,4]", low=(0, 1), high=(1, 0))).builtins == {"PAD": 1}
    check(single("pad", "f32[2,3,1,2,2,3]", low=(0, 1, 0, 0, 0, 0), high=(0, 0, 0, 0, 0, 2)))
    check(single("pad", "f32[2,1,2,3,2]", low=(0, 0, 0, 1, 0), high=(0, 0, 0, 2, 0), value=1.0))
    check(single("pad", "f32[2,3,1,2,2]", low=(0, 0, 0, 1, 1), high=(0, 0, 0, 1, 1), mode="reflect"))


def test_pads_of_unknown_sizes(check: Check) -> None:
    sizes = [{"t": 2, "n": 1}, {"t": 5, "n": 3}]
    for mode in ("constant", "edge"):
        check(single("pad", "f32[n,t]", low=(0, 2), high=(1, 1), mode=mode), sizes=sizes)
    for mode in ("reflect", "symmetric", "wrap"):
        sizes_of_all_kinds = [*sizes, {"t": 1, "n": 2}, {"t": 9, "n": 4}]
        check(single("pad", "f32[n,t]", low=(0, 4), high=(1, 3), mode=mode), sizes=sizes_of_all_kinds)
    text = """
    func @main(%x: f32[n,t]) -> (f32[n,n+t]) {
      %y = pad(%x) {low = [0, 0], high = [0, 'n']} : f32[n,n+t]
      return(%y)
    }"""
    check(text, sizes=sizes)


def test_tiles(check: Check) -> None:
    check(single("tile", "f32[2,3]", repeats=(3, 1)))
    check(single("tile", "f32[]", repeats=()))
    text = """
    func @main(%x: f32[n,t]) -> (f32[n*t,2*t]) {
      %y = tile(%x) {repeats = ['t', 2]} : f32[n*t,2*t]
      return(%y)
    }"""
    check(text, sizes=[{"t": 2, "n": 1}, {"t": 5, "n": 3}])


@pytest.mark.parametrize("dtype", ["i64", "i32"])
@pytest.mark.parametrize("dims", [(0, 1, 2), (1,), (2, 0)])
def test_shape_of(check: Check, dims: tuple[int, ...], dtype: str) -> None:
    check(single("shape_of", "f32[n,3,t]", dims=dims, dtype=dtype), sizes=SIZES)


@pytest.mark.parametrize("dtype", ["i64", "i32", "f32"])
def test_ranges(check: Check, dtype: str) -> None:
    for size in (5, "n+2"):
        text = f"""
        func @main(%x: f32[n], %start: {dtype}[]) -> ({dtype}[{size}] {{name = "a"}}, {dtype}[{size}] {{name = "b"}}) {{
          %step = const() {{value = dense<3> : {dtype}[]}} : {dtype}[]
          %one = const() {{value = dense<1> : {dtype}[]}} : {dtype}[]
          %a = range(%one, %step) {{size = '{size}'}} : {dtype}[{size}]
          %b = range(%start, %step) {{size = '{size}'}} : {dtype}[{size}]
          return(%a, %b)
        }}"""
        check(text, sizes=SIZES)


@pytest.mark.parametrize("block", [2, 3])
@pytest.mark.parametrize("channels_last", [False, True])
def test_blocks(check: Check, block: int, channels_last: bool) -> None:
    deep, wide = f"{5 * block**2}", f"{2 * block},{3 * block}"
    x = f"f32[2,2,3,{deep}]" if channels_last else f"f32[2,{deep},2,3]"
    y = f"f32[2,{wide},5]" if channels_last else f"f32[2,5,{wide}]"
    for mode in ("dcr", "crd"):
        check(single("depth_to_space", x, block=block, mode=mode, channels_last=channels_last))
    check(single("space_to_depth", y, block=block, channels_last=channels_last))


def test_blocks_of_unknown_sizes(check: Check) -> None:
    for mode in ("dcr", "crd"):
        check(single("depth_to_space", "f32[n,h,t,8]", block=2, mode=mode, channels_last=True), sizes=SIZES)


COORDINATES = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel", "half_pixel_symmetric"]
TARGETS = [(8, 10), (3, 4), (7, 3), (4, 5), (1, 5), (12, 15)]


@pytest.mark.parametrize("coordinates", [*COORDINATES, "half_pixel_floor"])
@pytest.mark.parametrize("rounding", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
@pytest.mark.parametrize("sizes", TARGETS)
def test_nearest(check: Check, coordinates: str, rounding: str, sizes: tuple[int, int]) -> None:
    check(single("resize", "f32[2,4,5,3]", dims=(1, 2), sizes=sizes, coordinates=coordinates, nearest=rounding))


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("sizes", TARGETS)
@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_linear_and_cubic(check: Check, coordinates: str, mode: str, sizes: tuple[int, int]) -> None:
    given: dict[str, Any] = {"dims": (1, 2), "sizes": sizes, "mode": mode, "coordinates": coordinates}
    check(single("resize", "f32[2,4,5,3]", **given))


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_resizes_of_other_kinds(check: Check, mode: str) -> None:
    others: list[dict[str, Any]] = [
        {"antialias": True},
        {"exclude_outside": True},
        {"scales": (1.7, 2.1)},
        {"antialias": True, "sizes": (2, 3)},
    ]
    for given in others:
        sizes = given.pop("sizes", (10, 14))
        check(single("resize", "f32[2,6,7,3]", mode=mode, dims=(1, 2), sizes=sizes, **given))


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_resizes_along_other_axes(check: Check, mode: str) -> None:
    given: dict[str, Any] = {"mode": mode, "coordinates": "asymmetric"}
    check(single("resize", "f32[2,3,4,5]", dims=(2, 3), sizes=(8, 10), **given))
    check(single("resize", "f32[2,3,4]", dims=(2,), sizes=(8,), **given))
    check(single("resize", "f32[2,3,4,5,2]", dims=(1, 2, 3), sizes=(6, 8, 10), **given))
    check(single("resize", "f32[2,3,4,5]", dims=(3, 1), sizes=(10, 5), **given))
    check(single("resize", "f32[2,3,4,5]", dims=(0, 1, 2, 3), sizes=(2, 3, 8, 10), **given))
    check(single("resize", "f32[2,3,4,5]", dims=(0, 1, 2, 3), sizes=(2, 3, 4, 5), **given))


@pytest.mark.parametrize(
    ("given", "builtins"),
    [
        ({"mode": "linear"}, {"RESIZE_BILINEAR": 1}),
        ({"mode": "linear", "coordinates": "align_corners"}, {"RESIZE_BILINEAR": 1}),
        ({"coordinates": "asymmetric", "nearest": "floor"}, {"RESIZE_NEAREST_NEIGHBOR": 1}),
        ({"coordinates": "half_pixel", "nearest": "round_prefer_floor"}, {"RESIZE_NEAREST_NEIGHBOR": 1}),
        ({"mode": "linear", "scales": (2.0, 2.0)}, {"RESIZE_BILINEAR": 1}),
    ],
)
def test_kernels_that_resize(check: Check, given: dict[str, Any], builtins: dict[str, int]) -> None:
    assert check(single("resize", "f32[2,4,5,3]", dims=(1, 2), sizes=(8, 10), **given)).builtins == builtins


def test_resizes_of_unknown_sizes(check: Check) -> None:
    for mode, rounding in (("linear", "floor"), ("nearest", "floor")):
        text = f"""
        func @main(%x: f32[n,h,t,3]) -> (f32[n,2*h,3*t,3]) {{
          %y = resize(%x) {{dims = [1, 2], sizes = ['2*h', '3*t'], mode = "{mode}", nearest = "{rounding}",
                           coordinates = "asymmetric"}} : f32[n,2*h,3*t,3]
          return(%y)
        }}"""
        check(text, sizes=SIZES)


@pytest.mark.parametrize("dtype", ["u8", "i8", "i32", "i64"])
def test_resizes_of_integers(check: Check, dtype: str) -> None:
    given: dict[str, Any] = {"coordinates": "asymmetric", "nearest": "floor"}
    check(single("resize", f"{dtype}[1,4,5,3]", dims=(1, 2), sizes=(8, 10), **given))


def test_large_splats_become_scalars(check: Check) -> None:
    module = single("mul", "f32[4,5]", "f32[4,5]", constants={1: 2.0})
    out = check(module)
    constants = [op.results[0].type.shape for op in out.module.main.ops if op.spec.name == "const"]
    assert constants == [()] and np.prod((4, 5)) == 20


@pytest.mark.parametrize(("axis", "kernels"), [(0, 0), (1, 1)])
def test_reversing_beside_an_axis_that_may_be_empty(check: Check, axis: int, kernels: int) -> None:
    """The kernel crashes there, which is why positions are gathered."""
    text = f"""
func @main(%x: f32[n,m,4]) -> (f32[n,m-1,4]) {{
  %a = slice(%x) {{starts = [0, 1, 0], sizes = ['n', 'm-1', 4], steps = [1, 1, 1]}} : f32[n,m-1,4]
  %y = reverse(%a) {{dims = [{axis}]}} : f32[n,m-1,4]
  return(%y)
}}"""
    found = check(text, sizes=[{"n": n, "m": m} for n, m in ((3, 4), (2, 1), (1, 3))])
    assert found.builtins["REVERSE_V2"] == kernels
