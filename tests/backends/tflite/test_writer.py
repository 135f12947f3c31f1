"""Files: the same bytes every time, weights once and aligned, minimal versions, nothing half-written."""

from __future__ import annotations

import mmap
import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from nhwcc.backends.tflite import emit
from nhwcc.backends.tflite.names import Names
from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.backends.tflite.versions import min_runtime
from nhwcc.compiler.budget import Budget, limited
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.types import DType
from nhwcc.compiler.weights import Weight
from nhwcc.formats.tflite.schema import unpack
from nhwcc.formats.tflite.writer import chunks

from .conftest import single
from .files import adding, looking_up, normal, written

NET = """
func @main(%x: f32[n,8,8,3] {name = "serving/x:0"}) -> (f32[n,8,8,4] {name = "out"}) {
  %w = const() {value = dense<[1.0, 2.0, 3.0, 4.0]> : f32[4]} : f32[4]
  %filters = broadcast_to(%w) {shape = [3, 3, 3, 4]} : f32[3,3,3,4]
  %turned = transpose(%filters) {perm = [3, 0, 1, 2]} : f32[4,3,3,3]
  %y = conv(%x, %turned, %w) {strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]], channels_last = true}
     : f32[n,8,8,4]
  return(%y)
}"""


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    weights = [normal(300, 200, seed=i) for i in range(3)]
    for name in "ab":
        emit(adding(*weights), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_are_aligned_and_whole(tmp_path: Path) -> None:
    weights = [normal(7, 11, seed=1), normal(3, seed=2), normal(50, 1001, seed=3), np.arange(5, dtype=np.int64)]
    emit(adding(*weights), tmp_path / "m.tflite")
    data = (tmp_path / "m.tflite").read_bytes()
    places = [data.index(w.tobytes()) for w in weights]
    assert [p % 16 for p in places] == [0] * 4
    assert len(data) < sum(w.nbytes for w in weights) + 3000


def test_equal_weights_are_stored_once(tmp_path: Path) -> None:
    small, large = normal(10, seed=9), normal(300, 400)
    twice = emit(adding(small, small.copy(), large, large.copy()), tmp_path / "twice.tflite")
    once = emit(adding(small, small + 1, large), tmp_path / "once.tflite")
    assert twice.bytes - once.bytes < 400
    data = (tmp_path / "twice.tflite").read_bytes()
    assert data.count(large.tobytes()) == data.count(small.tobytes()) == 1


def test_weights_that_differ_in_one_element_are_both_stored(tmp_path: Path) -> None:
    first = normal(300, 400)
    second = first.copy()
    second[123, 77] += 1
    emit(adding(first, second), tmp_path / "m.tflite")
    data = (tmp_path / "m.tflite").read_bytes()
    assert first.tobytes() in data and second.tobytes() in data


def test_transposed_weights_are_written_in_their_own_order(tmp_path: Path) -> None:
    turned = normal(300, 70, 40).transpose(2, 0, 1)
    emit(adding(turned), tmp_path / "m.tflite")
    assert turned.tobytes() in (tmp_path / "m.tflite").read_bytes()


@pytest.mark.parametrize("limit", [1, 8, 60, 480, 1 << 20])
def test_pieces_of_arrays_are_their_bytes(limit: int) -> None:
    arrays = [normal(6, 5, 4), normal(6, 5, 4).T, normal(6, 5, 4)[:, ::2], normal(7), normal(1)[0], normal(0, 3)]
    for array in arrays:
        assert b"".join(bytes(c) for c in chunks(np.asarray(array), limit)) == np.asarray(array).tobytes()


def test_names_and_open_sizes(tmp_path: Path) -> None:
    summary = written(NET, tmp_path / "m.tflite")
    (signature,) = summary.signatures
    (graph,) = summary.subgraphs
    assert signature.key == "serving_default"
    assert signature.inputs == {"serving/x:0": graph.inputs[0]} and signature.outputs == {"out": graph.outputs[0]}
    assert graph.tensors[graph.inputs[0]].shape == (-1, 8, 8, 3)
    assert [str(graph.tensors[t]) for t in graph.outputs] == ["float32[?,8,8,4]"]


def test_layout_is_stored(tmp_path: Path) -> None:
    text = NET.replace("[n,8,8,3]", "[n,3,8,8]").replace("[n,8,8,4]", "[n,4,8,8]").replace(", channels_last = true", "")
    summary = written(text, tmp_path / "m.tflite", "propagate-layout,legalize")
    assert summary.layout == {
        "inputs": {"serving/x:0": {"perm": [0, 2, 3, 1], "order": "NHWC", "shape": ["n", 3, 8, 8]}},
        "outputs": {"out": {"perm": [0, 2, 3, 1], "order": "NHWC", "shape": ["n", 4, 8, 8]}},
    }


def test_metadata_of_others_is_kept(tmp_path: Path) -> None:
    emitted = emit(adding(normal(3)), tmp_path / "m.tflite", metadata={"mine": b"abc"})
    from nhwcc.formats.tflite.reader import inspect

    assert inspect(emitted.path).metadata["mine"] == b"abc"


_UPSAMPLING: dict[str, Any] = {  # of a transposed convolution
    "strides": (2, 2),
    "dilations": (1, 1),
    "pads": ((0, 0), (0, 0)),
    "output_pads": (0, 0),
    "channels_last": True,
}

VERSIONS: list[tuple[list[str], dict[str, Any], str, int]] = [
    (["add", "f32[3]", "f32[3]"], {}, "ADD", 1),
    (["add", "i64[3]", "i64[3]"], {}, "ADD", 4),
    (["sub", "f32[2,3,2,3,2]", "f32[1,3,1,3,1]"], {}, "SUB", 3),
    (["mul", "i64[3]", "i64[3]"], {}, "MUL", 5),
    (["abs", "i32[3]"], {}, "ABS", 5),
    (["transpose", "f32[2,3]"], {"perm": (1, 0)}, "TRANSPOSE", 1),
    (["transpose", "f32[2,3,2,3,2,3]"], {"perm": (1, 0, 3, 2, 5, 4)}, "TRANSPOSE", 6),
    (["cast", "f32[3]"], {"to": "i32"}, "CAST", 1),
    (["cast", "f32[3]"], {"to": "i8"}, "CAST", 3),
    (["concat", "f32[3]", "f32[3]"], {"axis": 0}, "CONCATENATION", 1),
    (["gelu", "f32[3]"], {}, "GELU", 1),
    (["depth_to_space", "i8[1,2,2,4]"], {"block": 2, "channels_last": True}, "DEPTH_TO_SPACE", 2),
    (["conv_transpose", "f32[1,4,4,3]", "f32[2,3,3,3]"], _UPSAMPLING, "TRANSPOSE_CONV", 1),
    (["conv_transpose", "f32[1,4,4,3]", "f32[2,3,3,3]", "f32[2]"], _UPSAMPLING, "TRANSPOSE_CONV", 3),
    (
        ["conv_transpose", "f32[1,4,4,3]", "f32[2,3,3,3]", "f32[2]"],
        {**_UPSAMPLING, "activation": "relu"},
        "TRANSPOSE_CONV",
        4,
    ),
]


@pytest.mark.parametrize(("op", "attributes", "builtin", "version"), VERSIONS)
def test_versions_are_minimal(tmp_path: Path, op: Any, attributes: Any, builtin: str, version: int) -> None:
    summary = written(single(*op, **attributes), tmp_path / "m.tflite")
    (graph,) = summary.subgraphs
    assert [(o.name, o.version) for o in graph.operators] == [(builtin, version)]
    assert summary.min_runtime == min_runtime([(builtin, version)])


POOLED = """
func @main(%x: f32[1,8,8,3] {name = "x"}) -> (f32[1,4,4,4] {name = "y"}, f32[1,3,8,8] {name = "x/transpose/perm"}) {
  %w = const() {value = dense<0.5> : f32[]} : f32[]
  %filters = broadcast_to(%w) {shape = [4, 3, 3, 3]} : f32[4,3,3,3]
  %pooled = average_pool(%x) {kernel = [3, 3], strides = [1, 1], dilations = [1, 1], pads = [[1, 1], [1, 1]],
                              count_pads = true, channels_last = true} : f32[1,8,8,3]
  %y = conv(%pooled, %filters) {strides = [2, 2], dilations = [1, 1], pads = [[0, 1], [0, 1]], channels_last = true}
     : f32[1,4,4,4]
  %"x/transpose/perm" = transpose(%x) {perm = [0, 3, 1, 2]} : f32[1,3,8,8]
  return(%y, %"x/transpose/perm")
}"""


def test_tensors_are_named_after_what_they_are_for(tmp_path: Path) -> None:
    (graph,) = written(POOLED, tmp_path / "m.tflite").subgraphs
    names = [[graph.tensors[t].name for t in (*op.inputs, *op.outputs)] for op in graph.operators]
    assert names == [
        ["x", "pad/paddings", "pad"],
        ["pad", "pooled"],
        ["pooled", "filters", "y/bias", "y"],
        ["x", "x/transpose/perm/perm", "x/transpose/perm"],
    ]


NESTED = """
func @main(%x: f32[3] {name = "x"}) -> (f32[3] {name = "x/axis"}) {
  %"x/axis" = relu(%x) : f32[3]
  return(%"x/axis")
}"""


def test_no_tensor_is_called_as_a_value_of_the_source() -> None:
    module = parse_module(NESTED)
    names = Names(module.main.body)
    assert [names.made("x/axis"), names.of_source("x/axis"), names.made("x/axis"), names.made("x")] == [
        "x/axis_1",
        "x/axis",
        "x/axis_2",
        "x_1",
    ]


def test_oldest_runtime(tmp_path: Path) -> None:
    assert written(single("add", "f32[3]", "f32[3]"), tmp_path / "a").min_runtime == "1.5.0"
    assert written(single("gelu", "f32[3]"), tmp_path / "b").min_runtime == "2.9.0"


BEYOND = (1 << 29) + 100
"""Elements of four bytes: more than a flatbuffer holds."""


def test_more_than_two_gigabytes(tmp_path: Path) -> None:
    """The table is a hole in the file, so the test needs neither memory nor room on the disk."""
    module = looking_up(Weight.splat(0, DType.F32, (BEYOND // 2, 2)))
    path = tmp_path / "m.tflite"
    with limited(Budget(growth=1 << 32)):
        assert written(module, path).bytes > 4 * BEYOND
    with path.open("r+b") as file:
        file.seek(end_of_table(file) - 8)
        file.write(np.asarray([1.5, 2.5], np.float32).tobytes())
    rows = TfliteModel(path, delegate=False).run({"places": np.asarray([0, BEYOND // 2 - 1, 7], np.int32)})
    np.testing.assert_array_equal(rows["rows"], [[0, 0], [1.5, 2.5], [0, 0]])
    assert path.stat().st_blocks * 512 < 1 << 20


def end_of_table(file: BinaryIO) -> int:
    """Where the largest buffer of a file ends, found by its 64-bit offset."""
    model = unpack(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    offset, size = max(((b.Offset(), b.Size()) for b in buffers), key=lambda place: place[1])
    assert offset % 16 == 0 and size > 4 * BEYOND - 8
    return offset + size


@contextmanager
def room(limit: int) -> Generator[None]:
    """A disk on which no file may have more than ``limit`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("weight", [normal(1 << 19), Weight.splat(0, DType.F32, (1 << 19,))], ids=["dense", "zeros"])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, weight: Any) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(b"before")
    with room(1 << 20), pytest.raises(CompileError) as caught:
        emit(adding(weight), path)
    assert [d.code for d in caught.value.diagnostics] == ["R012"] and "m.tflite" in str(caught.value)
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        emit(adding(normal(3)), tmp_path / "no" / "m.tflite")
    assert caught.value.diagnostics[0].code == "R012" and "no such file" in str(caught.value)


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").mkdir()
    with pytest.raises(CompileError) as caught:
        emit(adding(normal(3)), tmp_path / "m.tflite")
    assert caught.value.diagnostics[0].code == "R012"
    assert [p.name for p in tmp_path.iterdir()] == ["m.tflite"]
