"""Samples: what data may be, how it is cut, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.dims import symbol
from nhwcc.compiler.plugins import blaming
from nhwcc.compiler.types import DType, TensorType
from PIL import Image

from nhwcc.data import Data
from nhwcc.quantization.images import ImageFormat
from nhwcc.quantization.samples import Samples, samples_of

X = TensorType(DType.F32, (1, 3, 4, 6))
LAST = TensorType(DType.F32, (1, 4, 6, 3))
OPEN = TensorType(DType.F32, (symbol("n"), 5))
PLAIN = ImageFormat()


def samples(data: Data | None, images: ImageFormat = PLAIN, **types: TensorType) -> Samples:
    return samples_of(data, types or {"x": X}, images, 0)


class TestArrays:
    @pytest.mark.parametrize("shape", [(7, 3, 4, 6), (7, 1, 3, 4, 6)])
    def test_along_the_first_axis(self, shape: tuple[int, ...], tmp_path: Path) -> None:
        array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        np.save(tmp_path / "x.npy", array)
        for data in (array, tmp_path / "x.npy"):
            found = list(samples(data))
            assert len(found) == 7 and all(s["x"].shape == (1, 3, 4, 6) for s in found)
            assert np.array_equal(np.concatenate([s["x"] for s in found]).reshape(-1), array.reshape(-1))

    def test_an_open_batch(self) -> None:
        assert [s["x"].shape for s in samples(np.zeros((4, 5), np.float32), x=OPEN)] == [(1, 5)] * 4

    def test_several_inputs(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "d.npz", x=np.zeros((4, 5), np.float32), k=np.arange(4, dtype=np.int64))
        found = list(samples(tmp_path / "d.npz", x=OPEN, k=TensorType(DType.I64, (1,))))
        assert [s["k"].tolist() for s in found] == [[0], [1], [2], [3]]

    def test_wide_integers_for_narrow_inputs(self) -> None:
        """Inputs of 64 bits have 32 in files for devices; what does not fit is refused as ever."""
        narrow = TensorType(DType.I32, (1,))
        assert [s["k"].dtype for s in samples(np.asarray([5, -7]), k=narrow)] == [np.int32] * 2
        with pytest.raises(CompileError, match="the data is int64"):
            list(samples(np.asarray([1 << 40]), k=narrow))

    def test_one_for_all(self) -> None:
        data = {"x": np.zeros((4, 5), np.float32), "k": np.asarray([3])}
        assert [s["k"].tolist() for s in samples(data, x=OPEN, k=TensorType(DType.I64, (1,)))] == [[3]] * 4

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (np.zeros((2, 4, 6, 3), np.float32), "R002"),
            (np.zeros((2, 3, 4, 6)), "R002"),
            ({"y": np.zeros((2, 3, 4, 6), np.float32)}, "L006"),
            (np.full((2, 3, 4, 6), np.nan, np.float32), "R002.*sample 1 .* NaN for x"),
            (np.zeros((0, 3, 4, 6), np.float32), "Q001"),
            ("nothing.npy", "R010"),
        ],
    )
    def test_what_does_not_fit(self, data: Data, code: str) -> None:
        with pytest.raises(CompileError, match=code):
            list(samples(data))

    def test_other_numbers_of_samples(self) -> None:
        with pytest.raises(CompileError, match="2 samples"):
            list(samples({"x": np.zeros((2, 5), np.float32), "k": np.zeros((3, 5), np.float32)}, x=OPEN, k=OPEN))

    def test_an_input_without_data(self) -> None:
        with pytest.raises(CompileError, match="no data for k"):
            list(samples({"x": np.zeros((2, 5), np.float32)}, x=OPEN, k=OPEN))


def test_random_ones() -> None:
    found = samples(None, x=OPEN)
    assert found.is_random and all(s["x"].shape == (2, 5) for s in found)
    again, once = (next(iter(found))["x"] for _ in range(2))
    assert np.array_equal(again, once)


class TestFunctions:
    def write(self, folder: Path, body: str) -> str:
        (folder / "gen.py").write_text(f"import numpy as np\ndef samples():\n    {body}\n")
        return f"{folder / 'gen.py'}:samples"

    def test_arrays_and_names(self, tmp_path: Path) -> None:
        body = "yield np.zeros((1, 3, 4, 6), np.float32); yield {'x': np.ones((1, 3, 4, 6), np.float32)}"
        assert [s["x"].mean() for s in samples(self.write(tmp_path, body))] == [0, 1]

    @pytest.mark.parametrize("body", ["return {}", "return {{'x': {}}}", "return list({})", "return iter({}[:, None])"])
    def test_all_at_once(self, body: str, tmp_path: Path) -> None:
        body = body.format("np.arange(144, dtype=np.float32).reshape(2, 3, 4, 6)")
        is_row = "list" in body
        type = TensorType(DType.F32, (3, 4, 6)) if is_row else X
        assert [s["x"].ravel()[0] for s in samples(self.write(tmp_path, body), x=type)] == [0, 72]

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ("yield np.zeros((3, 4, 6), np.float32)", "R002"),
            ("yield {'y': 3}", "R002(?s:.*)it has y"),
            ("yield 1 / 0", "L010"),
            ("yield [[1, 2], [3]]", "R002.*not an array of numbers"),
            ("yield ('x', np.zeros((1, 3, 4, 6), np.float32))", "R002.*not an array of numbers"),
            ("yield np.full((1, 3, 4, 6), np.nan, np.float32)", "R002.*NaN"),
            ("return 3", "L010.*type int"),
            ("pass", "L010.*type NoneType"),
            ("return {'x': 3}", "L010.*type dict"),
            ("return iter(())", "Q001"),
            ("return {'x': np.zeros((2, 3, 4, 5), np.float32)}", "R002"),
        ],
    )
    def test_what_fails(self, body: str, code: str, tmp_path: Path) -> None:
        with pytest.raises(CompileError, match=code), blaming():
            list(samples(self.write(tmp_path, body)))

    def test_no_such_function(self, tmp_path: Path) -> None:
        name = self.write(tmp_path, "yield 1")
        with pytest.raises(CompileError, match="did you mean 'samples'"):
            samples(name[:-1])

    def test_arguments(self, tmp_path: Path) -> None:
        (tmp_path / "gen.py").write_text("def samples(count):\n    yield count\n")
        with pytest.raises(CompileError, match=r"L010.*samples\(count\)"):
            samples(f"{tmp_path / 'gen.py'}:samples")


class TestPictures:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        picture = np.zeros((8, 12, 3), np.uint8)
        picture[:, :6] = (255, 0, 51)
        Image.fromarray(picture).save(tmp_path / "a.png")
        Image.fromarray(picture[:, ::-1]).save(tmp_path / "b.jpg", quality=100, subsampling=0)
        (tmp_path / "notes.txt").write_text("no picture")
        return tmp_path

    @pytest.mark.parametrize("type", [X, LAST])
    def test_the_layout_is_the_input_s(self, folder: Path, type: TensorType) -> None:
        found = list(samples(folder, x=type))
        assert len(found) == 2 and all(s["x"].shape == type.shape and s["x"].dtype == np.float32 for s in found)
        first = found[0]["x"] if type is LAST else found[0]["x"].transpose(0, 2, 3, 1)
        assert np.allclose(first[0, 0, 0], [1, 0, 0.2], atol=1e-6) and np.allclose(first[0, 0, 5], 0, atol=1e-6)

    def test_numbers(self, folder: Path) -> None:
        format = ImageFormat.parse("mean=0.5/0.25/0.1,std=0.5,scale=255,order=bgr")
        pixel = next(iter(samples(folder, format)))["x"][0, :, 0, 0]
        assert np.allclose(pixel, [(0.2 - 0.5) / 0.5, (0 - 0.25) / 0.5, (1 - 0.1) / 0.5], atol=1e-6)

    def test_crops_of_the_middle(self, folder: Path) -> None:
        type = TensorType(DType.F32, (1, 3, 4, 4))
        pixels = next(iter(samples(folder, ImageFormat.parse("resize=8,crop=4"), x=type)))["x"][0, 0, 0]
        assert pixels.tolist() == [1, 1, 0, 0]

    def test_grey(self, folder: Path) -> None:
        type = TensorType(DType.F32, (1, 1, 4, 6))
        assert next(iter(samples(folder, x=type)))["x"].shape == (1, 1, 4, 6)

    def test_open_sizes(self, folder: Path) -> None:
        type = TensorType(DType.F32, (symbol("n"), 3, symbol("h"), symbol("w")))
        assert next(iter(samples(folder, ImageFormat.parse("crop=4"), x=type)))["x"].shape == (1, 3, 4, 4)
        with pytest.raises(CompileError, match="--images crop"):
            list(samples(folder, x=type))

    def test_what_is_no_picture(self, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(CompileError, match="which is not a picture"):
            list(samples(folder, x=OPEN))
        with pytest.raises(CompileError, match="pictures are one input"):
            list(samples(folder, x=X, y=X))
        (tmp_path / "empty").mkdir()
        with pytest.raises(CompileError, match="holds no pictures"):
            samples(tmp_path / "empty")
        (folder / "c.png").write_text("damaged")
        with pytest.raises(CompileError, match="R010"):
            list(samples(folder))

    @pytest.mark.parametrize("name", ["a.png", "b.jpg"])
    def test_half_a_picture(self, folder: Path, name: str) -> None:
        """Its size stands at the beginning, and says nothing of what is missing."""
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) * 2 // 3])
        with pytest.raises(CompileError, match=rf"R010.*{name}"):
            list(samples(folder))

    def test_numbers_of_other_channels(self, folder: Path) -> None:
        with pytest.raises(CompileError, match=r"L004.*2 numbers as std of pictures with 3 channels"):
            list(samples(folder, ImageFormat.parse("mean=1,std=1/2")))

    @pytest.mark.parametrize(
        "text",
        ["mean", "size=3", "mean=a", "order=xyz", "crop=1.5", "crop=0", "resize=-3", "std=0", "scale=0", "mean=nan"],
    )
    def test_words_that_say_nothing(self, text: str) -> None:
        with pytest.raises(CompileError, match="L004"):
            ImageFormat.parse(text)
