"""The files themselves: well-formed, whole or not there at all, equal constants once."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from nhwcc.compiler.budget import Budget, limited
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.types import Array, DType
from nhwcc.compiler.weights import Weight
from nhwcc.formats.openvino.model import Layer, Network, Port
from nhwcc.formats.openvino.reader import read_contents
from nhwcc.formats.openvino.weights import STORED_AS, constant_weight
from nhwcc.formats.openvino.writer import ALIGNMENT, write

import nhwcc
from nhwcc.runners.openvino_file import OpenvinoFileRunner

NETWORK = """
func @main(%x: f32[2]) -> (f32[2] {name = "y"}) {
  %c = const() {value = dense<[0.5, 2.0]> : f32[2]} : f32[2]
  %y = mul(%x, %c) : f32[2]
  return(%y)
}
"""


def network_of(*weights: Weight, name: str = "c") -> Network:
    """Constants that are results."""
    layers: dict[int, Layer] = {}
    edges: dict[tuple[int, int], tuple[int, int]] = {}
    for number, weight in enumerate(weights):
        port = Port(0, "FP32", tuple(d for d in weight.type.shape if isinstance(d, int)), (f"{name}{number}",))
        place = 2 * number
        layers[place] = Layer(place, f"{name}{number}", "Const", "opset1", outputs=(port,), weight=weight)
        layers[place + 1] = Layer(place + 1, f"r{number}", "Result", "opset1", inputs=(port,))
        edges[place + 1, 0] = (place, 0)
    return Network("main", layers, edges)


LARGE = np.arange(3000, dtype=np.float32).reshape(50, 60)


def test_equal_constants_are_stored_once_and_all_are_aligned(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    odd, again = np.asarray([1, 2, 3], np.uint8), LARGE + np.float32(0)
    size = write(network_of(*map(Weight.of, (odd, LARGE, again, LARGE.T))), path)
    contents = read_contents(path)
    layers = contents.network.of_type("Const")
    places = [int(layer.data["offset"]) for layer in layers]
    assert places == [0, ALIGNMENT, ALIGNMENT, ALIGNMENT + LARGE.nbytes + -LARGE.nbytes % ALIGNMENT]
    assert size == path.stat().st_size + path.with_suffix(".bin").stat().st_size
    for layer, want in zip(layers, (odd, LARGE, again, LARGE.T), strict=True):
        shape = tuple(int(d) for d in layer.data["shape"].split(","))
        np.testing.assert_array_equal(constant_weight(layer, contents.weights, shape).array(), want)


@pytest.mark.parametrize("dtype", [d for d in STORED_AS if d is not DType.STRING])
def test_elements_of_all_types(tmp_path: Path, dtype: DType) -> None:
    numbers = np.asarray([1, 0, 1, 1, 0], np.float32).astype(dtype.numpy)
    path = tmp_path / "model.xml"
    write(network_of(Weight.of(numbers)), path)
    contents = read_contents(path)
    (layer,) = contents.network.of_type("Const")
    assert constant_weight(layer, contents.weights, (5,)).array().tobytes() == numbers.tobytes()


@pytest.mark.parametrize("name", ["a<b>&\"c'", "x,y", "tab\there\nand there", "null\0"])
def test_any_name_is_well_formed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "model.xml"
    write(network_of(Weight.of(LARGE), name=name), path, metadata={"nhwcc/layout": '{"x": "<&>"}', "other": "1"})
    ET.parse(path)
    contents = read_contents(path)
    (layer,) = contents.network.of_type("Const")
    kept = name.replace("\0", "\ufffd")
    assert layer.name == f"{kept}0"
    assert layer.outputs[0].names == (f"{kept}0",)
    assert contents.metadata == {"nhwcc/layout": '{"x": "<&>"}', "other": "1"}


def test_files_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    def fails() -> Array:
        raise MemoryError

    path = tmp_path / "model.xml"
    path.write_bytes(b"before")
    with pytest.raises(MemoryError):
        write(network_of(Weight.of(LARGE), Weight(Weight.of(LARGE).type, fails)), path)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["model.xml"]


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(CompileError) as caught:
        write(network_of(Weight.of(LARGE)), tmp_path / "nowhere" / "model.xml")
    assert caught.value.diagnostics[0].code == "R012"


def test_what_the_source_does_not_hold_is_limited(tmp_path: Path) -> None:
    with limited(Budget(growth=1000)), pytest.raises(CompileError) as caught:
        write(network_of(Weight.splat(1, DType.F32, (1000,))), tmp_path / "model.xml")
    (found,) = caught.value.diagnostics
    assert found.code == "M002"
    assert "c0, f32[1000]" in found.message


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.xml", "b.xml"):
        write(network_of(*map(Weight.of, (LARGE, LARGE.T))), tmp_path / name)
    assert (tmp_path / "a.xml").read_bytes() == (tmp_path / "b.xml").read_bytes()
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()


def test_the_weights_of_the_model_are_not_written_over(tmp_path: Path) -> None:
    """The constants come to lie beside the output: there the model's lie."""
    given = tmp_path / "model.xml"
    (tmp_path / "net.ir").write_text(NETWORK)
    nhwcc.compile(tmp_path / "net.ir", given)
    (tmp_path / "model.bin").rename(tmp_path / "again.bin")
    with pytest.raises(CompileError) as caught:
        nhwcc.compile(given, tmp_path / "again.xml", weights=tmp_path / "again.bin")
    assert caught.value.diagnostics[0].code == "R016"


def test_both_files_are_saved(tmp_path: Path) -> None:
    (tmp_path / "net.ir").write_text(NETWORK)
    artifact = nhwcc.compile(tmp_path / "net.ir", target="openvino")
    saved = artifact.save(tmp_path / "kept.xml")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept.bin", "kept.xml", "net.ir"]
    x = np.asarray([1, -2], np.float32)
    want = artifact(x)["y"]
    with OpenvinoFileRunner(saved) as runner:
        np.testing.assert_array_equal(runner.run({"x": x})["y"], want)
