"""Files for devices: what a device refuses or gets wrong is written in forms that it runs, with the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.backends.common.placement import Placed, Placement
from nhwcc.backends.registry import DEVICES, find_target
from nhwcc.backends.tflite.devices.arena import Lifetime, packed
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline

from .conftest import Check, single

LAST: dict[str, Any] = {"channels_last": True}
POOL: dict[str, Any] = {"kernel": (3, 3), "strides": (2, 2), "dilations": (1, 1), **LAST}
ONCE: dict[str, Any] = {"strides": (1, 1), "dilations": (1, 1), "pads": ((0, 0), (0, 0)), **LAST}


def where(path: Path, target: str) -> Placement:
    place = find_target(target).place
    assert place is not None
    return place(path)


class TestGpu:
    @pytest.fixture
    def on_gpu(self, check: Check) -> Check:
        """Check a module, and that the GPU takes all of it."""

        def go(given: Any, **more: Any) -> Any:
            out = check(given, target="tflite-gpu", **more)
            assert not where(out.path, "tflite-gpu").elsewhere
            return out

        return go

    @pytest.mark.parametrize("counts", [True, False])
    @pytest.mark.parametrize("ceil", [True, False])
    def test_means_over_paddings(self, on_gpu: Check, counts: bool, ceil: bool) -> None:
        given: dict[str, Any] = {**POOL, "pads": ((1, 1), (1, 1)), "count_pads": counts, "ceil": ceil}
        out = on_gpu(single("average_pool", "f32[1,8,8,3]", **given))
        assert "AVERAGE_POOL_2D" not in out.builtins and out.builtins["DEPTHWISE_CONV_2D"] == 1

    def test_maxima_over_paddings(self, on_gpu: Check) -> None:
        out = on_gpu(single("max_pool", "f32[1,8,8,3]", **POOL, pads=((1, 1), (1, 1))))
        assert out.builtins == {"PADV2": 1, "MAX_POOL_2D": 1}

    @pytest.mark.parametrize("kind", ["average_pool", "max_pool"])
    @pytest.mark.parametrize("value", [0.0, 1.5])
    def test_paddings_before_poolings(self, on_gpu: Check, kind: str, value: float) -> None:
        count = ", count_pads = true" if kind == "average_pool" else ""
        out = on_gpu(f"""
            func @main(%x: f32[1,8,8,3]) -> (f32[1,8,8,3] {{name = "y"}}) {{
              %p = pad(%x) {{low = [0, 1, 1, 0], high = [0, 1, 1, 0], value = {value}}} : f32[1,10,10,3]
              %y = {kind}(%p) {{kernel = [3, 3], strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]],
                                channels_last = true{count}}} : f32[1,8,8,3]
              return(%y)
            }}""")
        assert out.builtins["AVERAGE_POOL_2D"] == 0

    def test_other_paddings_than_zeros_before_convolutions(self, on_gpu: Check) -> None:
        out = on_gpu("""
            func @main(%x: f32[1,8,8,3], %w: f32[4,3,3,3]) -> (f32[1,8,8,4] {name = "y"}) {
              %b = const() {value = dense<[0.5, -0.5, 1.0, 2.0]> : f32[4]} : f32[4]
              %p = pad(%x) {low = [0, 1, 1, 0], high = [0, 1, 1, 0], value = 1.5} : f32[1,10,10,3]
              %y = conv(%p, %w, %b) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]],
                                     channels_last = true} : f32[1,8,8,4]
              return(%y)
            }""")
        assert out.builtins == {"CONCATENATION": 2, "CONV_2D": 1}

    @pytest.mark.parametrize(("groups", "split"), [(4, 4), (2, 1)])
    def test_groups(self, on_gpu: Check, groups: int, split: int) -> None:
        w = f"f32[8,3,3,{8 // groups}]"
        out = on_gpu(single("conv", "f32[1,6,6,8]", w, "f32[8]", constants={1: 1, 2: 2}, groups=groups, **ONCE))
        assert out.builtins["CONV_2D"] == split

    def test_positions_are_read_in_one_row(self, on_gpu: Check) -> None:
        out = on_gpu(single("gather", "f32[5,3]", "i32[2,2]", axis=0, wraps=False), inputs={"x1": [[0, 4], [1, 2]]})
        assert out.builtins == {"RESHAPE": 2, "GATHER": 1}

    def test_coordinates_become_positions(self, on_gpu: Check) -> None:
        module = single("gather_nd", "f32[4,5,3]", "i32[2,2]", wraps=False)
        assert on_gpu(module, inputs={"x1": [[0, 4], [3, 2]]}).builtins["GATHER"] == 1

    def test_operands_differ(self, on_gpu: Check) -> None:
        out = on_gpu("""
            func @main(%x: f32[2,4,4]) -> (f32[2,4,4] {name = "y"}) {
              %p = matmul(%x, %x) : f32[2,4,4]
              %d = sub(%x, %x) : f32[2,4,4]
              %y = add(%p, %d) : f32[2,4,4]
              return(%y)
            }""")
        assert out.builtins == {"TRANSPOSE": 1, "BATCH_MATMUL": 1, "MUL": 1, "ADD": 1}

    def test_a_constant_matrix_stands_on_the_right(self, on_gpu: Check) -> None:
        out = on_gpu(single("matmul", "f32[1,5,4]", "f32[3,4,6]", constants={0: 1}))
        assert out.builtins == {"TRANSPOSE": 2, "FULLY_CONNECTED": 1}

    def test_permutations_of_many_axes_go_by_four_blocks(self, on_gpu: Check) -> None:
        text = """
            func @main(%x: f32[12,4,9]) -> (f32[9,4,12] {name = "y"}) {
              %r = reshape(%x) {shape = [3, 4, 2, 2, 3, 3]} : f32[3,4,2,2,3,3]
              %t = transpose(%r) {perm = [4, 0, 3, 2, 5, 1]} : f32[3,3,2,2,3,4]
              %y = reshape(%t) {shape = [9, 4, 12]} : f32[9,4,12]
              return(%y)
            }"""
        assert on_gpu(text).builtins["TRANSPOSE"] > 1

    def test_the_smallest_is_the_largest_of_the_negated(self, on_gpu: Check) -> None:
        module = single("arg_min", "f32[3,8]", axis=1, keepdims=False, dtype="i32")
        assert on_gpu(module).builtins == {"NEG": 1, "ARG_MAX": 1}

    def test_channels_become_the_width(self, on_gpu: Check) -> None:
        module = single("arg_max", "f32[1,2,2,5]", axis=3, keepdims=False, dtype="i32")
        x = -1 - np.arange(20).reshape(1, 2, 2, 5) % 7
        assert on_gpu(module, inputs={"x0": x}).builtins == {"RESHAPE": 2, "ARG_MAX": 1}

    def test_the_first_of_few_axes_is_no_batch(self, on_gpu: Check) -> None:
        assert on_gpu(single("cum_sum", "f32[3,5]", axis=0)).builtins == {"RESHAPE": 2, "CUMSUM": 1}
        assert on_gpu(single("pad", "f32[3,5]", low=(1, 0), high=(0, 2))).builtins == {"RESHAPE": 2, "PAD": 1}
        assert on_gpu(single("reverse", "f32[3,5]", dims=(1,))).builtins == {"RESHAPE": 2, "REVERSE_V2": 1}
        assert on_gpu(single("top_k", "f32[1,5]", k=2, axis=1, dtype="i32")).builtins == {"TOPK_V2": 1}

    @pytest.mark.parametrize("exclusive", [True, False])
    @pytest.mark.parametrize("reverse", [True, False])
    def test_sums(self, on_gpu: Check, exclusive: bool, reverse: bool) -> None:
        out = on_gpu(single("cum_sum", "f32[1,4,3,4]", axis=1, exclusive=exclusive, reverse=reverse))
        assert out.builtins["CUMSUM"] == 1 and out.builtins["SUB"] == exclusive

    @pytest.mark.parametrize("shape", ["5", "2,5", "2,3,5"])
    def test_the_first_axis_of_a_constant_is_no_batch(self, on_gpu: Check, shape: str) -> None:
        out = on_gpu(single("mul", f"f32[{shape}]", f"f32[{shape}]", constants={1: 1}))
        assert out.builtins == {"RESHAPE": 2, "MUL": 1}

    @pytest.mark.parametrize("name", ["depth_to_space", "space_to_depth"])
    def test_blocks_of_a_batch(self, on_gpu: Check, name: str) -> None:
        out = on_gpu(single(name, "f32[2,4,6,8]", block=2, **LAST))
        assert out.builtins == {"RESHAPE": 2, name.upper(): 1}

    @pytest.mark.parametrize("shapes", [("bool[4,1]", "f32[2,4,3]", "f32[]"), ("bool[2,4,3]", "f32[3]", "f32[2,4,1]")])
    def test_choices(self, on_gpu: Check, shapes: tuple[str, ...]) -> None:
        assert on_gpu(single("select", *shapes, constants={2: 1})).builtins["SELECT_V2"] == 1

    @pytest.mark.parametrize("shapes", [("f32[2,3,4]", "f32[1,4,5]"), ("f32[3,4]", "f32[2,4,5]")])
    def test_matrices_are_repeated(self, on_gpu: Check, shapes: tuple[str, str]) -> None:
        assert on_gpu(single("matmul", *shapes)).builtins["BATCH_MATMUL"] == 1

    def test_what_it_does_not_run_is_left_to_the_processor(self, check: Check) -> None:
        out = check(single("cum_sum", "f32[2,3,2,3,2]", axis=1), target="tflite-gpu")
        (left,) = where(out.path, "tflite-gpu").elsewhere
        assert (left.kernel, left.where, left.why) == ("CUMSUM", "rest", "a tensor of rank 5; at most 4")


class TestMicro:
    @pytest.fixture
    def on_micro(self, check: Check) -> Check:
        """Check a module, and that TFLite Micro takes all of it."""

        def go(given: Any, **more: Any) -> Any:
            out = check(given, target="tflite-micro", **more)
            assert not where(out.path, "tflite-micro").elsewhere
            return out

        return go

    def test_gelu(self, on_micro: Check) -> None:
        assert on_micro(single("gelu", "f32[2,30]")).builtins["ELU"] == 1

    def test_sign(self, on_micro: Check) -> None:
        assert on_micro(single("sign", "f32[4]"), inputs={"x0": [-2, 0, 0.5, 3]}).builtins["LESS"] == 2

    def test_repetitions(self, on_micro: Check) -> None:
        assert on_micro(single("tile", "f32[2,3]", repeats=(2, 3))).builtins == {"CONCATENATION": 2}

    def test_at_most_ten_parts_are_joined(self, on_micro: Check) -> None:
        assert on_micro(single("concat", *["f32[1,3]"] * 25, axis=0)).builtins == {"CONCATENATION": 4}

    def test_positions_from_the_end(self, on_micro: Check) -> None:
        module = single("gather", "f32[5,3]", "i32[3]", axis=0)
        assert on_micro(module, inputs={"x1": [-1, 2, -5]}).builtins["FLOOR_MOD"] == 0

    def test_powers_of_what_is_not_negative(self, on_micro: Check) -> None:
        text = """
            func @main(%x: f32[2,30]) -> (f32[2,30] {name = "y"}) {
              %a = abs(%x) : f32[2,30]
              %e = const() {value = dense<1.7> : f32[]} : f32[]
              %y = pow(%a, %e) : f32[2,30]
              return(%y)
            }"""
        assert on_micro(text).builtins == {"ABS": 1, "LOG": 1, "MUL": 1, "EXP": 1}

    def test_what_it_does_not_run_is_an_error(self, check: Check) -> None:
        with pytest.raises(CompileError, match="TFLite Micro can't run top_k"):
            check(single("top_k", "f32[3,5]", k=2, axis=1, largest=True), target="tflite-micro")

    def test_sizes_are_known(self, check: Check) -> None:
        with pytest.raises(CompileError, match="a size that is open"):
            check(single("relu", "f32[n,3]"), target="tflite-micro", sizes=[{"n": 2}])

    def test_what_it_does_not_run_can_be_looked_at(self, tmp_path: Path) -> None:
        module = single("top_k", "f32[3,5]", k=2, axis=1, largest=True)
        Pipeline(parse_pipeline("legalize{target=tflite-micro,partial=true}")).run(module)
        target = find_target("tflite-micro")
        target.emit(module, tmp_path / "m.tflite")
        placed = where(tmp_path / "m.tflite", "tflite-micro")
        assert ("TOPK_V2", "TFLite Micro has no TOPK_V2") in placed.reasons()
        assert placed.elsewhere[0].where == "nowhere"


@pytest.mark.parametrize("target", DEVICES)
def test_integers_outside_have_32_bits(target: str) -> None:
    module = parse_module("""
        func @main(%x: f32[5,3] {name = "x"}, %i: i64[2] {name = "i"}) -> (f32[2,3] {name = "y"}, i64[2] {name = "p"}) {
          %y = gather(%x, %i) {axis = 0} : f32[2,3]
          %p = arg_max(%y) {axis = 1, keepdims = false} : i64[2]
          return(%y, %p)
        }""")
    Pipeline(parse_pipeline(f"legalize{{target={target},partial=true}}")).run(module)
    func = module.main
    assert [str(v.type) for v in (*func.args, *func.returns)] == ["f32[5,3]", "i32[2]", "f32[2,3]", "i32[2]"]
    assert not [op for op in func.walk() for r in op.results if r.type.dtype == "i64"]


def test_recurrent_layers_are_unrolled() -> None:
    module = single("rnn", "f32[40,1,3]", "f32[4,3]", "f32[4,4]", constants={1: 1, 2: 2})
    Pipeline(parse_pipeline("legalize{target=tflite-gpu}")).run(module)
    assert not [op for op in module.main.walk() if op.regions]


class TestPlacement:
    OPS = (
        Placed("a", "CONV_2D", "device", macs=90),
        Placed("b", "WHERE", "rest", "none", moved=8),
        Placed("c", "CONV_2D", "device", macs=10),
    )

    def test_totals(self) -> None:
        found = Placement("t", "D", "R", self.OPS)
        assert found.partitions == 2
        assert found.share("operators") == pytest.approx(2 / 3)
        assert found.share("macs") == 1
        assert found.reasons() == {("WHERE", "none"): (self.OPS[1],)}

    def test_nothing_is_all(self) -> None:
        assert Placement("t", "D", "R", ()).share("operators") == 1

    def test_work(self, check: Check) -> None:
        out = check(single("conv", "f32[1,6,6,8]", "f32[4,3,3,8]", "f32[4]", constants={1: 1, 2: 2}, **ONCE))
        (conv,) = where(out.path, "tflite-gpu").operators
        assert (conv.macs, conv.weights, conv.moved) == (4 * 4 * 4 * 72, 4 * 292, 4 * (6 * 6 * 8 + 4 * 4 * 4))


@pytest.mark.parametrize(
    ("lives", "bytes"),
    [
        ([(16, 0, 0), (16, 1, 1)], 16),
        ([(16, 0, 1), (16, 1, 1)], 32),
        ([(64, 0, 2), (16, 0, 1), (32, 2, 3), (16, 3, 4)], 96),
        ([], 0),
    ],
)
def test_arena(lives: list[tuple[int, int, int]], bytes: int) -> None:
    assert packed([Lifetime(*life) for life in lives]) == bytes


def test_arena_of_a_file(check: Check) -> None:
    """What lives at the same time: the data and the first result, then both results."""
    out = check("""
        func @main(%x: f32[100]) -> (f32[100] {name = "y"}) {
          %a = exp(%x) : f32[100]
          %b = neg(%a) : f32[100]
          %y = sin(%b) : f32[100]
          return(%y)
        }""")
    assert where(out.path, "tflite-micro").arena == 2 * 400
    assert np.isfinite(where(out.path, "tflite-micro").share("macs"))


class TestIntegers:
    """NPUs compute with integers; what they lack stays what it is, for the processor."""

    NPUS = ("ethos-u55", "ethos-u65", "ethos-u85", "edgetpu")

    @pytest.mark.parametrize("target", NPUS)
    def test_integers_are_taken(self, tmp_path: Path, target: str) -> None:
        (conv,) = lowered(QUANTIZED, target, tmp_path)
        assert (conv.kernel, conv.where) == ("CONV_2D", "device")

    @pytest.mark.parametrize("target", NPUS)
    def test_floats_are_not(self, check: Check, target: str) -> None:
        out = check(
            single("conv", "f32[1,6,6,8]", "f32[4,3,3,8]", "f32[4]", constants={1: 1, 2: 2}, **ONCE), target=target
        )
        (conv,) = where(out.path, target).operators
        assert conv.where == "rest" and conv.why is not None and "--quantize int8" in conv.why

    def test_what_the_tools_fail_at(self, check: Check) -> None:
        out = check(single("hard_swish", "f32[1,8]"), target="ethos-u55")
        (op,) = where(out.path, "ethos-u55").operators
        assert (op.where, op.why) == ("stops", "Vela fails at HARD_SWISH of f32")

    @pytest.mark.parametrize(("outputs", "place"), [("y", "rest"), ("y, c", "stops")])
    @pytest.mark.parametrize("target", ["ethos-u55", "ethos-u65"])
    def test_truth_values_outside_stop_the_tools(self, check: Check, target: str, outputs: str, place: str) -> None:
        types = {"y": 'f32[1,8] {name = "y"}', "c": 'bool[1,8] {name = "c"}'}
        out = check(
            f"""
            func @main(%x: f32[1,8] {{name = "x"}}) -> ({", ".join(types[n] for n in outputs.split(", "))}) {{
              %z = exp(%x) : f32[1,8]
              %c = greater(%x, %z) : bool[1,8]
              %y = select(%c, %x, %z) : f32[1,8]
              return({", ".join(f"%{n}" for n in outputs.split(", "))})
            }}""",
            target=target,
        )
        found = {op.kernel: op.where for op in where(out.path, target).operators}
        assert found["GREATER"] == place

    @pytest.mark.parametrize(("target", "place"), [("ethos-u65", "rest"), ("ethos-u85", "device")])
    def test_rows_of_a_table_of_integers(self, check: Check, target: str, place: str) -> None:
        out = check(single("gather", "i32[10]", "i32[7]", constants={1: np.arange(7)}, axis=0), target=target)
        assert where(out.path, target).operators[-1].where == place

    @pytest.mark.parametrize("target", ["ethos-u55", "ethos-u85", "tflite-micro"])
    def test_no_kernel_on_integers_is_too_slow(self, target: str) -> None:
        """Where floats in between are faster on a processor, they still leave the device."""
        own, tflite = find_target(target).integers, find_target("tflite").integers
        op = next(iter(single("hard_swish", "f32[1,8]").main.ops))
        assert own is not None and tflite is not None
        found, other = own.demands(op), tflite.demands(op)
        assert found is not None and not found.is_slow
        assert other is not None and other.is_slow
        product = next(o for o in single("linear", "f32[1,8]", "f32[4,8]", constants={1: 1}).main.ops if o.operands)
        assert own.rounded_dims(product) is None and tflite.rounded_dims(product) is not None

    def test_what_a_device_has_no_kernel_for_may_stay_slow(self) -> None:
        own = find_target("edgetpu").integers
        assert own is not None
        found = own.demands(next(iter(single("gelu", "f32[1,8]").main.ops)))
        assert found is not None and found.is_slow

    def test_transposed_convolutions_stay_whole(self, check: Check) -> None:
        given = {"strides": (2, 2), "dilations": (1, 1), "pads": ((0, 0), (0, 0)), "output_pads": (0, 0), **LAST}
        module = single("conv_transpose", "f32[1,4,4,3]", "f32[2,2,2,3]", "f32[2]", constants={1: 1, 2: 2}, **given)
        assert check(module, target="ethos-u55").builtins == {"TRANSPOSE_CONV": 1}

    @pytest.mark.parametrize("name", ["depth_to_space", "space_to_depth"])
    def test_blocks_are_transposed(self, check: Check, name: str) -> None:
        out = check(single(name, "f32[2,4,6,8]", block=2, **LAST), target="ethos-u85")
        assert out.builtins == {"RESHAPE": 2, "TRANSPOSE": 1}

    @pytest.mark.parametrize("target", ["ethos-u55", "tflite-micro"])
    def test_softmax_of_channels_is_one_kernel(self, check: Check, target: str) -> None:
        out = check(single("softmax", "f32[2,5,3,4]", axis=1), target=target)
        assert out.builtins == {"TRANSPOSE": 2, "SOFTMAX": 1}

    def test_squares_are_products(self, check: Check) -> None:
        assert check(single("square", "f32[2,4]"), target="ethos-u65").builtins == {"MUL": 1}

    @pytest.mark.parametrize(("factor", "runs"), [(2, True), (3, False)])
    def test_resizes(self, check: Check, factor: int, runs: bool) -> None:
        sizes: dict[str, Any] = {
            "sizes": (4 * factor, 4 * factor),
            "dims": (1, 2),
            "mode": "linear",
            "coordinates": "half_pixel",
        }
        out = check(single("resize", "f32[1,4,4,2]", **sizes), target="ethos-u55")
        assert (out.builtins["RESIZE_BILINEAR"] == 1) is runs

    def test_the_edge_tpu_stops_at_the_first(self, tmp_path: Path) -> None:
        more = """%n = exp(%x2) : f32[2]
          %s2 = slice(%out) {starts = [0, 0, 0, 0], sizes = [1, 2, 6, 2], steps = [1, 1, 1, 1]} : i8[1,2,6,2]
          return(%s2, %n)"""
        outputs = '-> (i8[1,2,6,2] {name = "y"}, f32[2] {name = "n"})'
        text = QUANTIZED.replace("return(%out)", more).replace('-> (i8[1,6,6,2] {name = "y"})', outputs)
        text = text.replace('%x: i8[1,6,6,3] {name = "x"}', '%x: i8[1,6,6,3] {name = "x"}, %x2: f32[2]')
        conv, exp, moved = lowered(text, "edgetpu", tmp_path)
        assert (conv.where, exp.where, moved.where) == ("device", "rest", "rest")
        assert moved.why == "it stands after n, where the Edge TPU stops"


def lowered(text: str, target: str, folder: Path) -> tuple[Placed, ...]:
    """Compile a module for a device, whose kernels on integers may round otherwise; say where operators run."""
    module = parse_module(text)
    Pipeline(parse_pipeline(f"legalize{{target={target}}}")).run(module)
    find_target(target).emit(module, folder / "m.tflite")
    return where(folder / "m.tflite", target).operators


QUANTIZED = """
        func @main(%x: i8[1,6,6,3] {name = "x"}) -> (i8[1,6,6,2] {name = "y"}) {
          %s = const() {value = dense<0.05> : f32[]} : f32[]
          %z = const() {value = dense<0> : i8[]} : i8[]
          %k = const() {value = dense<[[[[3, -9, 4]]], [[[7, 2, -5]]]]> : i8[2,1,1,3]} : i8[2,1,1,3]
          %b = const() {value = dense<[0.25, -0.5]> : f32[2]} : f32[2]
          %d = dequantize(%x, %s, %z) : f32[1,6,6,3]
          %w = dequantize(%k, %s, %z) : f32[2,1,1,3]
          %c = conv(%d, %w, %b) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]], channels_last = true}
             : f32[1,6,6,2]
          %out = quantize(%c, %s, %z) {dtype = "i8"} : i8[1,6,6,2]
          return(%out)
        }"""
