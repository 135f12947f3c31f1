"""Networks with open sizes, against their sources at several sizes: what is refused, what follows, what is computed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from agreement import agrees
from nhwcc.compiler.diagnostics import CompileError, collect_remarks
from onnx import ModelProto
from onnx_models import model, node

import nhwcc
from nhwcc.render import render_report

RNG = np.random.default_rng(0)


def ints(*values: int) -> Any:
    return np.asarray(values, np.int64)


def numbers(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def refusal(proto: ModelProto) -> Any:
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(proto, verify=False)
    (only,) = caught.value.diagnostics
    return only


class TestSqueeze:
    def test_of_all_axes_is_refused_where_a_size_may_be_one(self) -> None:
        only = refusal(model([node("Squeeze", "x", "y")], {"x": ("batch", 3, 1)}, ["y"]))
        assert only.code == "F004" and "batch" in only.message and "--shape batch=1" in only.help

    def test_of_all_axes_where_none_may_be(self) -> None:
        nodes = [node("Concat", "x x", "c", axis=0), node("Squeeze", "c", "y")]
        agrees(model(nodes, {"x": ("n", 1, 3)}, ["y"]), {"x": numbers(1, 1, 3)}, {"x": numbers(4, 1, 3)})

    @pytest.mark.parametrize(("after", "shape"), [("Gemm", "f32[batch,4]"), ("Concat", "f32[7]")])
    def test_what_comes_after_decides(self, after: str, shape: str) -> None:
        """A product takes matrices, a sequence of three vectors: only one answer is possible for each."""
        last = node("Gemm", "s w", "y") if after == "Gemm" else node("Concat", "s v", "y", axis=0)
        constants = {"w": numbers(3, 4), "v": numbers(4)}
        with collect_remarks() as remarks:
            report = nhwcc.compile(
                model([node("Squeeze", "x", "s"), last], {"x": ("batch", 3, 1)}, ["y"], constants), verify=False
            ).report
        assert [p.type for p in report.outputs] == [shape]
        assert any("'the Squeeze' is taken to be" in r.text for r in (*remarks, *report.remarks))


def test_an_if_that_asks_for_a_size_names_it() -> None:
    from onnx import helper

    def branch(op: str, *inputs: str) -> Any:
        return helper.make_graph(
            [helper.make_node(op, inputs, ["o"])], "branch", [], [helper.make_empty_tensor_value_info("o")]
        )

    nodes = [
        node("Shape", "x", "s", start=0, end=1),
        node("Equal", "s one", "c"),
        node("If", "c", "y", then_branch=branch("Squeeze", "x", "zero"), else_branch=branch("Relu", "x")),
    ]
    only = refusal(model(nodes, {"x": ("batch", 3)}, ["y"], {"one": ints(1), "zero": ints(0)}))
    assert only.code == "F004" and "--shape batch=1" in only.help


def test_what_a_network_demands_is_in_the_report() -> None:
    nodes = [
        node("Shape", "z", "s", start=2),
        node("Concat", "p s", "t", axis=0),
        node("Reshape", "x t", "r"),
        node("Softmax", "r", "y", axis=1),
    ]
    proto = model(nodes, {"x": (1, 8, "h", "w"), "z": (1, 1, "h2", "w2")}, ["y"], {"p": ints(8)})
    report = nhwcc.compile(proto, verify=False).report
    assert "h2*w2 = h*w, because reshape 'the Reshape' needs" in render_report(report)
    (said,) = report.to_dict()["sizes"]
    assert (said["size"], said["value"]) == ("h2*w2", "h*w")
    agrees(proto, *({"x": numbers(1, 8, h, w), "z": numbers(1, 1, h, w)} for h, w in ((3, 4), (1, 5))))


def test_equal_parts_of_an_open_size() -> None:
    proto = model([node("Split", "x", "a b", axis=1), node("Sub", "a b", "y")], {"x": (2, "n")}, ["y"], version=13)
    assert [p.type for p in nhwcc.compile(proto, verify=False).report.inputs] == ["f32[2,2*n_2]"]
    agrees(proto, {"x": numbers(2, 2)}, {"x": numbers(2, 10)})


def padded(*lack: Any, mode: str = "constant") -> ModelProto:
    """Zeros, or what is mirrored, behind the second axis."""
    known = {"two": ints(2), "six": ints(6), "five": ints(5), "zeros": ints(0, 0, 0)}
    nodes = [
        node("Shape", "x", "n", start=1, end=2),
        *lack,
        node("Concat", "zeros p", "ps", axis=0),
        node("Pad", "x ps", "y", mode=mode),
    ]
    return model(nodes, {"x": (2, "n")}, ["y"], known)


class TestSigns:
    def test_up_to_a_multiple(self) -> None:
        lack = [
            node("Add", "n five", "a"),
            node("Div", "a six", "b"),
            node("Mul", "b six", "c"),
            node("Sub", "c n", "p"),
        ]
        agrees(padded(*lack), *({"x": numbers(2, n)} for n in (1, 5, 6, 7)))

    @pytest.mark.parametrize("mode", ["constant", "edge"])
    def test_a_padding_or_a_cut(self, mode: str) -> None:
        agrees(padded(node("Sub", "six n", "p"), mode=mode), *({"x": numbers(2, n)} for n in (1, 5, 6, 9)))

    def test_a_slice_that_may_count_from_the_end(self) -> None:
        nodes = [
            node("Shape", "x", "n", start=1, end=2),
            node("Sub", "n four", "a"),
            node("Slice", "x a far one", "y"),
        ]
        proto = model(nodes, {"x": (2, "n")}, ["y"], {"four": ints(4), "far": ints(2**62), "one": ints(1)})
        agrees(proto, *({"x": numbers(2, n)} for n in (1, 2, 3, 4, 5, 9)))


@pytest.mark.parametrize(("start", "step"), [(0.0, 1.0), (0.5, 1.0), (0.0, 0.5), (2.0, 3.0)])
def test_ranges_in_floats(start: float, step: float) -> None:
    nodes = [
        node("Shape", "x", "s", start=1),
        node("Cast", "s", "f", to=1),
        node("Squeeze", "f", "n"),
        node("Range", "a n d", "y"),
    ]
    constants = {"a": np.float32(start), "d": np.float32(step)}
    proto = model([*nodes, node("Relu", "x", "z")], {"x": (1, "n")}, ["y", "z"], constants)
    agrees(proto, *({"x": numbers(1, n)} for n in (3, 4, 9)))


def test_a_range_in_steps_that_are_no_ratio() -> None:
    nodes = [
        node("Shape", "x", "s"),
        node("Cast", "s", "f", to=1),
        node("Squeeze", "f", "n"),
        node("Range", "a n d", "y"),
    ]
    only = refusal(model(nodes, {"x": ("n",)}, ["y"], {"a": np.float32(0), "d": np.float32(0.1)}))
    assert only.code == "F004" and "steps of 0.1" in only.message


@pytest.mark.parametrize("windowed", [True, False])
def test_frames_of_an_open_length(windowed: bool) -> None:
    constants = {"step": np.int64(6), "size": np.int64(16), "w": np.hanning(16).astype(np.float32)}
    nodes = [node("STFT", f"x step {'w' if windowed else '_'} size", "y")]
    proto = model(nodes, {"x": (2, "n", 1)}, ["y"], constants)
    agrees(proto, *({"x": numbers(2, n, 1)} for n in (16, 17, 64)), tolerance=1e-4)


NEAREST = [("asymmetric", "floor"), ("half_pixel", "round_prefer_floor"), ("pytorch_half_pixel", "round_prefer_ceil")]


@pytest.mark.parametrize("ratio", [0.5, 1.5])
@pytest.mark.parametrize(
    ("mode", "places", "rule"),
    [
        *(("nearest", *names) for names in (*NEAREST, ("align_corners", "ceil"))),
        *(("linear", names, "floor") for names in ("half_pixel", "asymmetric", "pytorch_half_pixel", "align_corners")),
    ],
)
def test_resizing_by_fractions(ratio: float, mode: str, places: str, rule: str) -> None:
    known = {"scales": np.asarray([1, 1, ratio, ratio], np.float32)}
    names = {"mode": mode, "coordinate_transformation_mode": places, "nearest_mode": rule}
    proto = model([node("Resize", "x _ scales", "y", **names)], {"x": (1, 2, "h", "w")}, ["y"], known)
    agrees(proto, *({"x": numbers(1, 2, h, w)} for h, w in ((4, 5), (6, 2), (9, 7))))


def test_resizing_to_a_size_of_its_own() -> None:
    """As large as another tensor, whatever that is."""
    nodes = [
        node("Shape", "z", "s", start=2),
        node("Concat", "p s", "t", axis=0),
        node("Resize", "x _ _ t", "y", mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
    ]
    proto = model(nodes, {"x": (1, 2, "h", "w"), "z": (1, 1, "u", "v")}, ["y"], {"p": ints(1, 2)})
    sizes = ((4, 5, 7, 3), (3, 3, 1, 6), (8, 2, 4, 4))
    agrees(proto, *({"x": numbers(1, 2, h, w), "z": numbers(1, 1, u, v)} for h, w, u, v in sizes))


def test_random_networks() -> None:
    """A sample of ``benchmarks/open_sizes.py``: no file is wrong, none of these networks is refused."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.open_sizes", "--source", "onnx", "--count", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| onnx | 20 | 20 |" in done.stdout, done.stdout
