"""Devices' own tools agree with the tables: what a table takes runs with the same numbers.

They are not installed with nhwcc: ``pip install nhwcc[micro,ethos,gpu]``, and for the GPU a driver for Vulkan, which
``benchmarks/software_vulkan.sh`` fetches in software.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from nhwcc.backends.common.placement import Placement
from nhwcc.backends.registry import find_target
from nhwcc.compiler.clone import clone_module
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import random_inputs
from nhwcc.compiler.ir import Module, Port
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.pipeline import Pipeline, parse_pipeline
from nhwcc.compiler.types import Array
from samples import samples

from nhwcc.pipelines import register_passes
from nhwcc.runners.devices import DeviceRunner, Runtime
from nhwcc.runners.tflite import TfliteRunner
from nhwcc.runners.vela import run_vela

TOLERANCE = {"tflm": 1e-5, "gpu": 3e-4}
"""Of the largest number: the GPU's sines are right to four digits."""

TARGETS: dict[Runtime, str] = {"tflm": "tflite-micro", "gpu": "tflite-gpu"}

MISSING = {
    "tflm": find_spec("tflite_micro") is None,
    "gpu": "VK_ICD_FILENAMES" not in os.environ,
    "vela": find_spec("ethosu") is None,
}

HOW = {
    "tflm": "pip install nhwcc[micro]",
    "gpu": 'eval "$(sh benchmarks/software_vulkan.sh)"',
    "vela": "pip install nhwcc[ethos]",
}
"""How to get what is missing."""


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(MISSING[tool], reason=f"NOT TESTED on {tool}, which is missing: {HOW[tool]}")


def compiled(module: Module, target: str, path: Path) -> Placement | None:
    """Compile a module for a device; None where the target's files can't hold it."""
    place = find_target(target).place
    register_passes()
    try:
        Pipeline(parse_pipeline(f"legalize{{target={target},partial=true}}")).run(module)
        find_target(target).emit(module, path)
    except CompileError:
        return None
    return None if place is None else place(path)


@pytest.mark.parametrize("name", sorted(samples()))
@pytest.mark.parametrize("runtime", [pytest.param(r, marks=needs(r)) for r in get_args(Runtime)])
def test_what_a_table_takes_runs(runtime: Runtime, name: str, tmp_path: Path) -> None:
    module = clone_module(Module(samples()[name]), {"batch": 2})
    module.main.outputs = [Port(f"y{i}") for i in range(len(module.main.outputs))]
    arrays = random_inputs(module.main)
    placed = compiled(module, TARGETS[runtime], tmp_path / "m.tflite")
    if placed is None or placed.elsewhere or not placed.operators:
        return
    with TfliteRunner(tmp_path / "m.tflite", fast=False) as reference:
        types = reference.inputs
        inputs = {n: a.astype(types[n].dtype.numpy) for n, a in zip(types, arrays, strict=True)}
        wanted = reference.run(inputs)
    with DeviceRunner(tmp_path / "m.tflite", runtime) as device:
        agree(device.run(inputs), wanted, TOLERANCE[runtime])


def agree(got: Mapping[str, Array], wanted: Mapping[str, Array], tolerance: float) -> None:
    """Compare what is finite: of what has no value, devices know nothing."""
    for name, want in wanted.items():
        finite = np.isfinite(want)
        largest = np.abs(want[finite]).max(initial=1e-9) if want.dtype.kind == "f" else 1
        np.testing.assert_allclose(got[name][finite].astype(float), want[finite], rtol=0, atol=tolerance * largest)


@needs("gpu")
def test_one_part_runs_on_the_gpu(tmp_path: Path) -> None:
    """Between two convolutions stands what the GPU lacks: one of both is left, too, and the numbers agree."""
    conv = "{strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]], channels_last = true} : f32[1,4,4,4]"
    module = parse_module(f"""
        func @main(%x: f32[1,4,4,4] {{name = "x"}}) -> (f32[1,4,4,4] {{name = "y"}}) {{
          %i = const() {{value = dense<0.25> : f32[]}} : f32[]
          %w = broadcast_to(%i) {{shape = [4, 1, 1, 4]}} : f32[4,1,1,4]
          %a = conv(%x, %w, none) {conv}
          %b = reshape(%a) {{shape = [1, 2, 2, 4, 4]}} : f32[1,2,2,4,4]
          %c = cum_sum(%b) {{axis = 2}} : f32[1,2,2,4,4]
          %d = reshape(%c) {{shape = [1, 4, 4, 4]}} : f32[1,4,4,4]
          %y = conv(%d, %w, none) {conv}
          return(%y)
        }}""")
    placed = compiled(module, "tflite-gpu", tmp_path / "m.tflite")
    assert placed is not None and len(placed.on_device) >= 1
    inputs = dict(zip("x", random_inputs(module.main), strict=True))
    with TfliteRunner(tmp_path / "m.tflite", fast=False) as reference:
        wanted = reference.run(inputs)
    with DeviceRunner(tmp_path / "m.tflite", "gpu") as device:
        agree(device.run(inputs), wanted, TOLERANCE["gpu"])
        assert device.beside() == len(placed.elsewhere) and "on the CPU" in device.title


@needs("gpu")
def test_kernels_that_no_driver_takes_are_an_error(tmp_path: Path) -> None:
    """A file of another target: all its outputs would be zero."""
    text = """
        func @main(%x: f32[1,4,4,4] {name = "x"}) -> (f32[1,4,4,4] {name = "y"}) {
          %p = pad(%x) {low = [0, 1, 0, 0], high = [0, 0, 0, 0], value = -inf} : f32[1,5,4,4]
          %a = slice(%p) {starts = [0, 1, 0, 0], sizes = [1, 4, 4, 4], steps = [1, 1, 1, 1]} : f32[1,4,4,4]
          %b = slice(%p) {starts = [0, 0, 0, 0], sizes = [1, 4, 4, 4], steps = [1, 1, 1, 1]} : f32[1,4,4,4]
          %y = max(%a, %b) : f32[1,4,4,4]
          return(%y)
        }"""
    assert compiled(parse_module(text), "tflite", tmp_path / "m.tflite") is None
    with pytest.raises(CompileError, match="WGSL"):
        DeviceRunner(tmp_path / "m.tflite", "gpu")


CASES = {
    "relu": "%r = relu(%d) : f32[1,8,8,4]",
    "sigmoid": "%r = sigmoid(%d) : f32[1,8,8,4]",
    "add": "%r = add(%d, %d) : f32[1,8,8,4]",
    "mean": '%r = reduce(%d) {kind = "mean", dims = [1, 2], keepdims = true} : f32[1,1,1,4]',
    "max_pool": "%r = max_pool(%d) {kernel = [2, 2], strides = [2, 2], dilations = [1, 1], pads = [[0, 0], [0, 0]], "
    "channels_last = true} : f32[1,4,4,4]",
    "average_pool": "%r = average_pool(%d) {kernel = [4, 4], strides = [4, 4], dilations = [1, 1], "
    "pads = [[0, 0], [0, 0]], count_pads = true, channels_last = true} : f32[1,2,2,4]",
    "twice": '%r = resize(%d) {sizes = [16, 16], dims = [1, 2], mode = "linear", coordinates = "half_pixel"} '
    ": f32[1,16,16,4]",
    "exp": "%r = exp(%d) : f32[1,8,8,4]",
}
"""Operations between integers, some of which stay in floats."""


@needs("vela")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("target", ["ethos-u55", "ethos-u65", "ethos-u85"])
def test_vela_leaves_what_the_table_does_not_take(target: str, case: str, tmp_path: Path) -> None:
    result = CASES[case].rpartition(" : f32")[2]
    scale, zero = ("0.00390625", "-128") if case == "sigmoid" else ("0.05", "0")
    module = parse_module(f"""
        func @main(%x: i8[1,8,8,4] {{name = "x"}}) -> (i8{result} {{name = "y"}}) {{
          %s = const() {{value = dense<0.05> : f32[]}} : f32[]
          %z = const() {{value = dense<0> : i8[]}} : i8[]
          %t = const() {{value = dense<{scale}> : f32[]}} : f32[]
          %o = const() {{value = dense<{zero}> : i8[]}} : i8[]
          %d = dequantize(%x, %s, %z) : f32[1,8,8,4]
          {CASES[case]}
          %y = quantize(%r, %t, %o) {{dtype = "i8"}} : i8{result}
          return(%y)
        }}""")
    placed = compiled(module, target, tmp_path / "m.tflite")
    assert placed is not None
    found = run_vela(tmp_path / "m.tflite", target)
    assert sorted(op.kernel for op in placed.elsewhere) == sorted(kernel for kernel, _ in found.on_cpu)


@needs("tflm")
@pytest.mark.parametrize("sizes", [(1, 8, 8, 4), (2, 5, 5, 3)])
def test_arena(sizes: tuple[int, ...], tmp_path: Path) -> None:
    type = f"f32[{','.join(map(str, sizes))}]"
    module = parse_module(f"""
        func @main(%x: {type} {{name = "x"}}) -> ({type} {{name = "y"}}) {{
          %a = exp(%x) : {type}
          %b = sin(%a) : {type}
          %c = add(%a, %b) : {type}
          %y = mul(%c, %x) : {type}
          return(%y)
        }}""")
    placed = compiled(module, "tflite-micro", tmp_path / "m.tflite")
    assert placed is not None
    with DeviceRunner(tmp_path / "m.tflite", "tflm") as device:
        assert device.arena() == placed.arena


@pytest.mark.skipif(not MISSING["tflm"], reason="TFLite Micro is installed")
def test_what_is_missing_is_said(tmp_path: Path) -> None:
    module = parse_module(
        'func @main(%x: f32[3] {name = "x"}) -> (f32[3] {name = "y"}) {\n%y = exp(%x) : f32[3]\nreturn(%y)\n}'
    )
    assert compiled(module, "tflite-micro", tmp_path / "m.tflite") is not None
    with pytest.raises(CompileError, match="pip install tflite-micro"):
        DeviceRunner(tmp_path / "m.tflite", "tflm")
