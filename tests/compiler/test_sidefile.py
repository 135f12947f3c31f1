"""Side files: weights beside a text, written once, mapped when read, refused when broken."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import static
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.parser import parse_module, read_module
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.sidefile import SideFile, read_side_file
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.compiler.weights import Weight

STORABLE = [d for d in DType if d is not DType.STRING]


def module_with(*weights: Weight) -> Module:
    """A function that returns constants."""
    module = parse_module("func @main() -> () {\nreturn()\n}")
    body = module.main.body
    for weight in weights:
        body.insert(Const(weight), before=body.terminator)
    return module


def constants(module: Module) -> list[Weight]:
    return [op.value for op in module.walk() if isinstance(op, Const)]


def save(module: Module, path: Path) -> None:
    side = SideFile()
    name = path.with_suffix(".safetensors").name
    text = print_module(module, sink=side, side_files=[name])
    side.write(path.with_name(name))
    path.write_text(text)


def ramp(dtype: DType, shape: tuple[int, ...]) -> Array:
    count = int(np.prod(shape))
    values = np.arange(count) % (2 if dtype is DType.BOOL else 7)
    return values.reshape(shape).astype(dtype.numpy)


@pytest.mark.parametrize("dtype", STORABLE)
def test_every_type_comes_back(dtype: DType, tmp_path: Path) -> None:
    array = ramp(dtype, (5, 7))
    save(module_with(Weight.of(array)), tmp_path / "m.ir")
    (weight,) = constants(read_module(tmp_path / "m.ir"))
    assert weight.type == TensorType(dtype, (5, 7))
    assert weight.array().dtype == dtype.numpy
    np.testing.assert_array_equal(weight.array().astype(np.complex64), array.astype(np.complex64))


def test_offsets_of_many_weights(tmp_path: Path) -> None:
    arrays = [ramp(d, (n, 17)) for n, d in enumerate((DType.I8, DType.F64, DType.BOOL, DType.F32, DType.BF16), 1)]
    save(module_with(*map(Weight.of, arrays)), tmp_path / "m.ir")
    for got, want in zip(constants(read_module(tmp_path / "m.ir")), arrays, strict=True):
        np.testing.assert_array_equal(got.array(), want)


def test_one_weight_is_written_once(tmp_path: Path) -> None:
    weight = Weight.of(ramp(DType.F32, (100, 100)))
    save(module_with(weight, weight, weight), tmp_path / "m.ir")
    assert (tmp_path / "m.safetensors").stat().st_size < 1.1 * weight.nbytes


def test_later_files_hold_only_what_is_new(tmp_path: Path) -> None:
    side, module = SideFile(), module_with(Weight.of(ramp(DType.F32, (10, 10))))
    print_module(module, sink=side)
    side.write(tmp_path / "0.safetensors")
    body = module.main.body
    body.insert(Const(Weight.of(ramp(DType.F32, (5, 5)))), before=body.terminator)
    text = print_module(module, sink=side, side_files=["0.safetensors", "1.safetensors"])
    side.write(tmp_path / "1.safetensors")
    (tmp_path / "m.ir").write_text(text)
    assert len(read_side_file(tmp_path / "1.safetensors")) == 1
    assert [static(w.type.shape) for w in constants(read_module(tmp_path / "m.ir"))] == [(10, 10), (5, 5)]


def test_lazy_weights_are_computed_when_they_are_written(tmp_path: Path) -> None:
    array = ramp(DType.F32, (200, 300))
    weight = Weight.of(array).derive(TensorType(DType.F32, (300, 200)), np.transpose)
    save(module_with(weight), tmp_path / "m.ir")
    (again,) = constants(read_module(tmp_path / "m.ir"))
    np.testing.assert_array_equal(again.array(), array.T)


def test_empty_weights_and_scalars(tmp_path: Path) -> None:
    side = SideFile()
    keys = [side.add(Weight.of(np.zeros(shape, np.float32))) for shape in ((0, 3), ())]
    side.write(tmp_path / "w.safetensors")
    read = read_side_file(tmp_path / "w.safetensors")
    assert [read[k].array().shape for k in keys] == [(0, 3), ()]


def test_only_empty_weights(tmp_path: Path) -> None:
    """A mapping of nothing: the file has a header only."""
    side = SideFile()
    key = side.add(Weight.of(np.zeros((0, 3), np.float32)))
    side.write(tmp_path / "w.safetensors")
    assert read_side_file(tmp_path / "w.safetensors")[key].array().shape == (0, 3)


def test_texts_stay_in_the_text(tmp_path: Path) -> None:
    array = np.asarray([f'"{i}" \u00e4\n' for i in range(40)], object).reshape(4, 10)
    save(module_with(Weight.of(array)), tmp_path / "m.ir")
    (weight,) = constants(read_module(tmp_path / "m.ir"))
    np.testing.assert_array_equal(weight.array(), array)


def test_strings_can_not_be_stored(tmp_path: Path) -> None:
    side = SideFile()
    side.add(Weight.of(np.asarray(["a"] * 20, object)))
    with pytest.raises(CompileError) as caught:
        side.write(tmp_path / "w.safetensors")
    assert caught.value.diagnostics[0].code == "R011"
    assert not (tmp_path / "w.safetensors").exists()


def header(entries: dict[str, object], data: bytes = b"") -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01",
        struct.pack("<Q", 1 << 60),
        struct.pack("<Q", 5) + b"{nope",
        header({"w0": {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]}}),
        header({"w0": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),
        header({"w0": {"dtype": "F32", "shape": [1]}}),
        header({"w0": {"dtype": "F32", "shape": [3], "data_offsets": [0, 4]}}, b"abcd"),
        header({"w0": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, b"abcd"),
        header({"w0": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]}}, b"abcd"),
        header({"w0": ["F32"]}, b"abcd"),
        header({"w0": {"dtype": "F32", "shape": "x", "data_offsets": [0, 4]}}, b"abcd"),
        struct.pack("<Q", 2) + b"[]",
    ],
)
def test_broken_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(CompileError) as caught:
        read_side_file(path)
    assert caught.value.diagnostics[0].code == "R010"


def test_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / "m.ir").write_text('weights "gone.safetensors"\nfunc @main() -> () {\nreturn()\n}')
    with pytest.raises(CompileError) as caught:
        read_module(tmp_path / "m.ir")
    assert caught.value.diagnostics[0].code == "R010"


def test_nothing_is_read_before_it_is_needed(tmp_path: Path) -> None:
    save(module_with(Weight.of(ramp(DType.F32, (9, 9)))), tmp_path / "m.ir")
    (weight,) = constants(read_module(tmp_path / "m.ir"))
    assert weight.source is not None and weight.source._map is None
    assert weight.array().sum() == ramp(DType.F32, (9, 9)).sum()
    weight.source.release()
    assert weight.array().sum() == ramp(DType.F32, (9, 9)).sum(), "released pages are read again"
