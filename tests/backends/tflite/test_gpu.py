"""What the GPU's accelerator would compute wrong, lose, or leave to the processor: files avoid it, check says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nhwcc.backends.common.placement import Placement
from nhwcc.backends.registry import find_target
from nhwcc.backends.tflite import emit
from nhwcc.backends.tflite.devices import keep_outputs as _keep_outputs  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline

from .conftest import Check, Checked, single

LAST: dict[str, Any] = {"channels_last": True}
ONCE: dict[str, Any] = {"strides": (1, 1), "dilations": (1, 1), "pads": ((0, 0), (0, 0)), **LAST}

OnGpu = Callable[..., tuple[Checked, Placement]]


@pytest.fixture
def on_gpu(check: Check) -> OnGpu:
    """Check a module that is compiled for the GPU, and say where its operators run."""

    def go(given: Any, **more: Any) -> tuple[Checked, Placement]:
        out = check(given, target="tflite-gpu", **more)
        return out, placed(out.path)

    return go


def placed(path: Path) -> Placement:
    place = find_target("tflite-gpu").place
    assert place is not None
    return place(path)


def kernels(found: Placement) -> list[str]:
    """Return the operators that the GPU runs; those that it leaves in brackets."""
    return [op.kernel if op.where == "device" else f"({op.kernel})" for op in found.operators]


@pytest.mark.parametrize(("pads", "value"), [([0, 1, 2, 0], "-inf"), ([1, 0, 0, 0], "0.5")])
def test_infinite_paddings_and_those_of_a_batch_are_constants(on_gpu: OnGpu, pads: list[int], value: str) -> None:
    sizes = [n + p for n, p in zip((1, 4, 4, 3), pads, strict=True)]
    shape = ",".join(map(str, sizes))
    _, found = on_gpu(f"""
        func @main(%x: f32[1,4,4,3] {{name = "x"}}) -> (f32[{shape}] {{name = "y"}}) {{
          %p = pad(%x) {{low = {pads}, high = [0, 0, 0, 0], value = {value}}} : f32[{shape}]
          %z = const() {{value = dense<-2.0> : f32[]}} : f32[]
          %y = max(%p, %z) : f32[{shape}]
          return(%y)
        }}""")
    assert set(kernels(found)) == {"CONCATENATION", "MAXIMUM"}


def test_mirrored_batches_are_gathered(on_gpu: OnGpu) -> None:
    module = single("pad", "f32[3,4,4,2]", low=(1, 0, 0, 0), high=(0, 0, 0, 0), mode="reflect")
    assert kernels(on_gpu(module)[1]) == ["GATHER"]


def test_sorted_rows_are_left_to_the_processor(on_gpu: OnGpu) -> None:
    many = single("top_k", "f32[3,5]", k=2, axis=1, dtype="i32")
    assert kernels(on_gpu(many)[1]) == ["(RESHAPE)", "(TOPK_V2)", "(RESHAPE)", "(RESHAPE)"]
    assert kernels(on_gpu(single("top_k", "f32[1,5]", k=2, axis=1, dtype="i32"))[1]) == ["TOPK_V2"]


def test_means_of_windows_that_end_outside(on_gpu: OnGpu) -> None:
    given: dict[str, Any] = {"kernel": (3, 3), "strides": (2, 2), "dilations": (1, 1), "pads": ((0, 0), (0, 0))}
    _, found = on_gpu(single("average_pool", "f32[1,12,12,3]", **given, **LAST, ceil=True))
    assert kernels(found) == ["DEPTHWISE_CONV_2D", "MUL"]


def test_transposed_convolutions_end_in_no_activation(on_gpu: OnGpu) -> None:
    given = {**ONCE, "strides": (2, 2), "output_pads": (0, 0), "activation": "relu"}
    module = single("conv_transpose", "f32[1,4,4,3]", "f32[2,3,3,3]", "f32[2]", constants={1: 1, 2: 2}, **given)
    assert kernels(on_gpu(module)[1]) == ["TRANSPOSE_CONV", "RELU"]


@pytest.mark.parametrize("name", ["mul", "mod", "less"])
def test_constant_integers_have_all_axes(on_gpu: OnGpu, name: str) -> None:
    module = single(name, "i32[1,4,3,3]", "i32[3]", constants={1: [4, 2, 3]})
    assert len(kernels(on_gpu(module)[1])) == 1


@pytest.mark.parametrize("target", ["tflite-gpu", "tflite-micro"])
def test_positions_are_cast_at_once(check: Check, target: str) -> None:
    out = check(
        """
        func @main(%x: f32[5] {name = "x"}) -> (i32[5] {name = "y"}) {
          %a = cast(%x) {to = "i64"} : i64[5]
          %y = cast(%a) {to = "i32"} : i32[5]
          return(%y)
        }""",
        target=target,
    )
    assert out.builtins == {"CAST": 1}


def test_one_part_of_a_network_runs_on_the_gpu(on_gpu: OnGpu) -> None:
    """The largest one: SIN behind what the GPU lacks is left to the CPU, too, although it comes first in the file."""
    _, found = on_gpu("""
        func @main(%x: f32[1,2,4,4] {name = "x"}, %z: f32[1,2,4,4] {name = "z"}) ->
            (f32[1,2,4,4] {name = "y"}, f32[1,2,4,4] {name = "v"}) {
          %a = exp(%x) : f32[1,2,4,4]
          %b = reshape(%a) {shape = [1, 2, 2, 2, 4]} : f32[1,2,2,2,4]
          %c = cum_sum(%b) {axis = 2} : f32[1,2,2,2,4]
          %d = reshape(%c) {shape = [1, 2, 4, 4]} : f32[1,2,4,4]
          %y = sin(%d) : f32[1,2,4,4]
          %u = exp(%z) : f32[1,2,4,4]
          %v = sin(%u) : f32[1,2,4,4]
          return(%y, %v)
        }""")
    assert kernels(found) == ["EXP", "(RESHAPE)", "(CUMSUM)", "(RESHAPE)", "(SIN)", "EXP", "SIN"]
    assert found.partitions == 1
    assert next(op.why for op in found.operators if op.kernel == "SIN") == (
        "the GPU takes one part of a network, and another one has as many operators or more"
    )


CONV = """
    func @main(%x: f32[1,4,4,2] {name = "x"}) -> (f32[1,4,4,2] {name = "y"}, f32[1,4,4,2] {name = "z"}) {
      %w = const() {value = dense<[[[[1.0, -2.0]]], [[[3.0, 0.5]]]]> : f32[2,1,1,2]} : f32[2,1,1,2]
      %b = const() {value = dense<[0.5, -1.5]> : f32[2]} : f32[2]
      %y = conv(%x, %w, %b) {strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]], channels_last = true}
         : f32[1,4,4,2]
      %z = OPERATION
      return(%y, %z)
    }"""


@pytest.mark.parametrize(
    ("operation", "copies"), [("mul(%y, %b) : f32[1,4,4,2]", 1), ("exp(%y) : f32[1,4,4,2]", 0), ("", 2)]
)
def test_outputs_that_are_merged_are_kept(on_gpu: OnGpu, operation: str, copies: int) -> None:
    """A convolution whose result is an output and is scaled; or given twice."""
    text = CONV.replace("%z = OPERATION", f"%z = {operation}" if operation else "")
    text = text if operation else text.replace("(%y, %z)", "(%y, %y)")
    out, found = on_gpu(text, passes="legalize{target=tflite-gpu},keep-outputs")
    assert kernels(found).count("MUL") == copies + operation.startswith("mul")
    names = [p.name for p in out.module.main.outputs]
    assert names == ["y", "z"]


def test_outputs_of_a_file_are_tensors_of_their_own(tmp_path: Path) -> None:
    """CompiledModel has one buffer for each tensor: a second output, and an output that is an input, stay unset."""
    module = parse_module("""
        func @main(%x: f32[4] {name = "x"}) -> (f32[4] {name = "a"}, f32[4] {name = "b"}, f32[4] {name = "c"}) {
          %n = neg(%x) : f32[4]
          return(%n, %n, %x)
        }""")
    Pipeline(parse_pipeline("legalize")).run(module)
    from nhwcc.formats.tflite.reader import inspect

    (graph,) = inspect(emit(module, tmp_path / "m.tflite").path).subgraphs
    assert len({*graph.inputs, *graph.outputs}) == 4
