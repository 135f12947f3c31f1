"""nhwcc compile --quantize and nhwcc calibrate: files, reports, refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from models import CONV, write
from nhwcc.backends.tflite.runtime import TfliteModel
from nhwcc.formats.tflite.reader import inspect

from nhwcc.cli import cli

RNG = np.random.default_rng(0)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "conv.ir", CONV)
    np.save(tmp_path / "x.npy", RNG.standard_normal((80, 3, 8, 6)).astype(np.float32))

    def run(*args: object) -> Result:
        result = CliRunner().invoke(cli, [str(a) for a in args], prog_name="nhwcc")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def report(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)["report"]


class TestIntegers:
    def test_report_and_file(self, call: Callable[..., Result], tmp_path: Path) -> None:
        found = report(call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--json"))
        quantized = found["quantization"]
        assert (quantized["chosen"]["mode"], quantized["samples"], quantized["held"]) == ("int8", 80, 10)
        tried = [(t["candidate"]["method"], t["candidate"]["corrects_bias"]) for t in quantized["trials"]]
        assert {("minmax", True), ("percentile", True), ("mse", True)} < set(tried)
        corrections = [(t["candidate"]["equalization"], t["candidate"]["rounds_together"]) for t in quantized["trials"]]
        assert sum(together for _, together in corrections) == 1
        assert len(tried) == 5 and {e for e, _ in corrections} == {0.0}  # no channels between two convolutions
        (chosen,) = (t for t in quantized["trials"] if t["candidate"] == quantized["chosen"])
        assert chosen["sqnr"] == max(t["sqnr"] for t in quantized["trials"]) and quantized["seconds_after"] > 0
        assert {o["name"] for o in quantized["outputs"]} == {"map", "scores"}
        assert all(o["sqnr"] > 20 for o in quantized["outputs"])
        assert found["verification"]["tolerance"] == 1e-4  # of the network in floats
        assert found["ops_after"]["QUANTIZE"] == 1 and found["ops_after"]["CONV_2D"] == 1
        assert len(inspect(tmp_path / "q.tflite").subgraphs[0].operators) == sum(found["ops_after"].values())

    def test_channels_are_equalized_where_it_helps(self, call: Callable[..., Result], tmp_path: Path) -> None:
        """Of two convolutions the second one reads channels of very different ranges, and all count alike."""
        ranges = np.array([30.0, 1.0, 0.1, 3.0], np.float32)
        first = (RNG.standard_normal((4, 1, 1, 3)) * ranges[:, None, None, None]).astype(np.float32)
        last = (RNG.standard_normal((2, 1, 1, 4)) / ranges).astype(np.float32)
        settings = "strides = [1, 1], dilations = [1, 1], pads = [[0, 0], [0, 0]], channels_last = true"
        text = f"""func @main(%x: f32[1,8,6,3]) -> (f32[1,8,6,2]) {{
          %a = const() {{value = dense<{first.tolist()}> : f32[4,1,1,3]}} : f32[4,1,1,3]
          %b = const() {{value = dense<{last.tolist()}> : f32[2,1,1,4]}} : f32[2,1,1,4]
          %p = conv(%x, %a, none) {{{settings}, activation = "relu"}} : f32[1,8,6,4]
          %y = conv(%p, %b, none) {{{settings}}} : f32[1,8,6,2]
          return(%y)
        }}"""
        write(tmp_path / "uneven.ir", text)
        np.save(tmp_path / "even.npy", RNG.standard_normal((40, 8, 6, 3)).astype(np.float32))
        said = ("compile", "uneven.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "even.npy", "--json")
        found = report(call(*said))["quantization"]
        best = {e: max(t["sqnr"] for t in found["trials"] if t["candidate"]["equalization"] == e) for e in (0.0, 0.5)}
        assert best[0.5] > best[0.0] + 6 and found["chosen"]["equalization"] >= 0.5
        assert all(o["sqnr"] > best[0.0] + 6 for o in found["outputs"])  # on samples that nobody has seen

    def test_kernels_are_chosen_after_quantization(self, call: Callable[..., Result], tmp_path: Path) -> None:
        large = """func @main(%x: f32[1,9,9,8]) -> (f32[1,9,9,8]) {
          %w = const() {value = dense<0.02> : f32[]} : f32[]
          %f = broadcast_to(%w) {shape = [8, 7, 7, 1]} : f32[8,7,7,1]
          %y = conv(%x, %f, none) {strides = [1, 1], dilations = [1, 1], pads = [[3, 3], [3, 3]], groups = 8,
                                   channels_last = true} : f32[1,9,9,8]
          return(%y)
        }"""
        write(tmp_path / "large.ir", large)
        assert report(call("compile", "large.ir", "-o", "f.tflite", "--json"))["ops_after"]["DEPTHWISE_CONV_2D"] == 3
        sizes = report(call("compile", "large.ir", "-o", "s.tflite", "--json", "--optimize", "size"))
        assert sizes["ops_after"] == {"DEPTHWISE_CONV_2D": 1}
        found = report(call("compile", "large.ir", "-o", "q.tflite", "--quantize", "int8", "--json"))
        assert found["ops_after"]["DEPTHWISE_CONV_2D"] == 1
        passes = [p["name"].partition("{")[0] for p in found["passes"]]
        assert passes.index("quantize") < passes.index("choose-kernels") == len(passes) - 1

    def test_in_words(self, call: Callable[..., Result]) -> None:
        said = call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy").stdout
        assert "quantized   int8" in said and "10 held back of 80 samples" in said and " dB, worst channel" in said
        assert "at least 10 dB are asked for" in said and "warning" not in said

    def test_random_samples_are_said(self, call: Callable[..., Result]) -> None:
        said = call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8").stdout
        assert "warning     calibrated on random inputs" in said

    def test_one_sample_is_said(self, call: Callable[..., Result], tmp_path: Path) -> None:
        np.save(tmp_path / "one.npy", RNG.standard_normal((1, 3, 8, 6)).astype(np.float32))
        said = call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "one.npy").stdout
        assert "warning     1 sample of data: none is held back" in said

    def test_nothing_is_written_below_the_limit(self, call: Callable[..., Result], tmp_path: Path) -> None:
        (tmp_path / "q.tflite").write_text("old")
        result = call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--min-sqnr", 80)
        assert result.exit_code == 1 and "error[Q004]" in result.stderr and "nothing in the network" in result.stderr
        assert "lower --min-sqnr" in result.stderr and "--keep-float" not in result.stderr
        assert (tmp_path / "q.tflite").read_text() == "old"

    def test_a_metric(self, call: Callable[..., Result]) -> None:
        args = ("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--metric", "cosine")
        said = call(*args).stdout
        assert "cosine 0.99" in said and ", kept 0.99" in said and "at least 10 dB" in said
        said = call(*args, "--max-error", "5%").stdout
        assert "at least 0.95 is asked for" in said and "dB are asked for" not in said

    def test_a_metric_is_asked_before_samples_are_counted(self, call: Callable[..., Result], tmp_path: Path) -> None:
        (tmp_path / "own.py").write_text("def nan(want, got):\n    return float('nan') if len(got) == 1 else 1.0\n")
        args = ("--quantize", "int8", "--data", "x.npy", "--metric", "own.py:nan")
        result = call("compile", "conv.ir", "-o", "q.tflite", *args)
        assert "error[L010]: the metric nan gives nan" in result.stderr, result.output

    def test_kept_in_floats(self, call: Callable[..., Result]) -> None:
        args = ("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--json")
        found = report(call(*args, "--keep-float", "reduce"))
        assert found["ops_after"]["QUANTIZE"] == 1 and found["ops_after"]["DEQUANTIZE"] == 1
        assert "in floats: 1 reduce" in found["quantization"]["notes"][-1]

    def test_what_keeps_all_in_floats_is_said(self, call: Callable[..., Result]) -> None:
        result = call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--keep-float", "*")
        assert "error[Q004]" in result.stderr and "leave out one of '*'" in result.stderr
        assert "--min-sqnr" not in result.stderr

    @pytest.mark.parametrize(("pattern", "advice"), [("redcue", "did you mean 'reduce'?"), ("x*", "conv")])
    def test_what_is_not_there_can_not_be_kept(self, call: Callable[..., Result], pattern: str, advice: str) -> None:
        result = call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--keep-float", pattern)
        assert result.exit_code == 1 and "error[Q006]" in result.stderr and advice in result.stderr


MOVES = """func @main(%x: f32[1,3,4,2], %z: f32[2]) -> (f32[1,24], f32[2]) {
  %t = transpose(%x) {perm = [0, 2, 3, 1]} : f32[1,4,2,3]
  %y = reshape(%t) {shape = [1, 24]} : f32[1,24]
  %w = neg(%z) : f32[2]
  return(%y, %w)
}"""


class TestInterface:
    def test_integers_that_are_only_moved_have_no_scale(self, call: Callable[..., Result], tmp_path: Path) -> None:
        write(tmp_path / "moves.ir", MOVES)
        args = ("compile", "moves.ir", "-o", "q.tflite", "--quantize", "int8", "--min-sqnr", "1")
        result = call(*args, "--io-dtype", "int8")
        assert "error[Q007]: nothing computes with x" in result.stderr and "--io-dtype x=float32" in result.stderr
        found = report(call(*args, "--io-dtype", "int8", "--io-dtype", "x=float32", "--json"))
        assert [p["type"][:3] for p in found["inputs"]] == ["f32", "i8["]

    def test_integers_around_floats_of_16_bits_are_calibrated(self, call: Callable[..., Result]) -> None:
        result = call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "float16", "--io-dtype", "int8")
        assert result.exit_code == 0 and "calibrated on random inputs" in result.stdout, result.output

    def test_integers_in_and_out(self, call: Callable[..., Result], tmp_path: Path) -> None:
        args = ("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--io-dtype")
        found = report(call(*args, "int8", "--json"))
        assert {p["type"][:2] for p in (*found["inputs"], *found["outputs"])} == {"i8"}
        assert not {"QUANTIZE", "DEQUANTIZE"} & set(found["ops_after"])
        assert all(o["sqnr"] > 20 for o in found["quantization"]["outputs"])
        model = TfliteModel(tmp_path / "q.tflite")
        image = np.load(tmp_path / "x.npy")[:1].transpose(0, 2, 3, 1)
        port = model.inputs["image"]
        given = np.clip(np.rint(image / port.scale) + port.zero, -128, 127).astype(np.int8)
        scores = model.outputs["scores"]
        numbers = (model.run({"image": given})["scores"].astype(np.float32) - scores.zero) * scores.scale
        call("compile", "conv.ir", "-o", "f.tflite", "--quiet")
        want = TfliteModel(tmp_path / "f.tflite").run({"image": np.ascontiguousarray(image)})["scores"]
        assert np.abs(numbers - want).max() < 4 * scores.scale

    def test_by_name(self, call: Callable[..., Result]) -> None:
        args = ("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--json")
        found = report(call(*args, "--io-dtype", "image=uint8", "--io-dtype", "scores=int8"))
        assert found["inputs"][0]["type"].startswith("u8")
        assert [p["type"][:3] for p in found["outputs"]] == ["f32", "i8["]
        assert all(o["sqnr"] > 20 for o in found["quantization"]["outputs"])

    @pytest.mark.parametrize(
        ("args", "words"),
        [
            (("--quantize", "int8", "--io-dtype", "int4"), "choose of float32, int8, uint8, int16"),
            (("--quantize", "int8", "--io-dtype", "picture=int8"), "no such input or output"),
            (("--io-dtype", "int8"), "add --quantize"),
        ],
    )
    def test_refusals(self, call: Callable[..., Result], args: tuple[str, ...], words: str) -> None:
        result = call("compile", "conv.ir", "-o", "q.tflite", *args)
        assert result.exit_code == 1 and words in result.stderr, result.output

    @pytest.mark.parametrize("mode", ["float16", "int8"])
    def test_ranges_of_random_inputs_are_warned_of(self, call: Callable[..., Result], mode: str) -> None:
        args = ("compile", "conv.ir", "-o", "q.tflite", "--quantize", mode, "--io-dtype", "int8", "--json")
        found = report(call(*args))
        assert found["inputs"][0]["type"].startswith("i8")
        assert any("calibrated on random inputs" in text for text in found["warnings"])


SMALL = RNG.uniform(0.005, 0.01, (2, 3, 1, 1)).round(4)
ATTRIBUTES = "dilations = [1, 1], groups = 1, strides = [1, 1]"
JOINED = f"""func @main(%image: f32[1,3,8,6]) -> (f32[1,5,8,6] {{name = "found"}}) {{
  %w = const() {{value = dense<{RNG.standard_normal((3, 3, 3, 3)).round(2).tolist()}> : f32[3,3,3,3]}} : f32[3,3,3,3]
  %boxes = conv(%image, %w, none) {{{ATTRIBUTES}, pads = [[1, 1], [1, 1]]}} : f32[1,3,8,6]
  %v = const() {{value = dense<{SMALL.tolist()}> : f32[2,3,1,1]}} : f32[2,3,1,1]
  %scores = conv(%image, %v, none) {{{ATTRIBUTES}, pads = [[0, 0], [0, 0]]}} : f32[1,2,8,6]
  %y = concat(%boxes, %scores) {{axis = 1}} : f32[1,5,8,6]
  return(%y)
}}
"""
"""A small and a large part in one output."""


class TestJoinedOutputs:
    ARGS = ("compile", "joined.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy")

    @pytest.fixture(autouse=True)
    def joined(self, call: Callable[..., Result], tmp_path: Path) -> None:
        write(tmp_path / "joined.ir", JOINED)

    def test_parts_are_measured(self, call: Callable[..., Result]) -> None:
        found = report(call(*self.ARGS, "--json"))
        assert {o["name"] for o in found["quantization"]["outputs"]} == {"found[:, 0:3]", "found[:, 3:5]"}
        assert all(o["sqnr"] > 30 for o in found["quantization"]["outputs"])

    def test_parts_as_outputs(self, call: Callable[..., Result], tmp_path: Path) -> None:
        more = ("--split-outputs", "--io-dtype", "found_1=int8", "--io-layout", "keep", "--json")
        found = report(call(*self.ARGS, *more))
        assert [p["type"] for p in found["outputs"]] == ["f32[1,3,8,6]", "i8[1,2,8,6]"]
        assert found["quantization"]["notes"][:2] == ["found_0 is found[:, 0:3]", "found_1 is found[:, 3:5]"]
        assert all(o["sqnr"] > 30 for o in found["quantization"]["outputs"])
        call("compile", "joined.ir", "-o", "f.tflite", "--io-layout", "keep", "--quiet")
        image = np.load(tmp_path / "x.npy")[:1]
        model = TfliteModel(tmp_path / "q.tflite")
        got, port = model.run({"image": image}), model.outputs["found_1"]
        want = TfliteModel(tmp_path / "f.tflite").run({"image": image})["found"]
        scores = (got["found_1"].astype(np.float32) - port.zero) * port.scale
        assert np.abs(got["found_0"] - want[:, :3]).max() < 0.02 * np.abs(want).max()
        assert np.abs(scores - want[:, 3:]).max() < 0.02 * np.abs(want[:, 3:]).max()

    @pytest.mark.parametrize(
        ("args", "code", "words"),
        [
            (("--io-dtype", "int8"), "Q005", "found joins found[:, 3:5] from -"),
            (("--split-outputs", "--io-dtype", "found_2=int8"), "L006", "did you mean 'found_1'"),
            (("--io-dtype", "found_1=int8"), "L006", "no such input or output"),
        ],
    )
    def test_refusals(self, call: Callable[..., Result], args: tuple[str, ...], code: str, words: str) -> None:
        result = call(*self.ARGS, *args)
        assert result.exit_code == 1 and f"error[{code}]" in result.stderr and words in result.stderr, result.output

    def test_nothing_to_split(self, call: Callable[..., Result]) -> None:
        said = call("compile", "conv.ir", *self.ARGS[2:], "--split-outputs").stdout
        assert "warning     no output is joined" in said


WIDE = f"""func @main(%x: f32[1,64]) -> (f32[1,32] {{name = "y"}}) {{
  %w = const() {{value = dense<{RNG.standard_normal((32, 64)).round(3).tolist()}> : f32[32,64]}} : f32[32,64]
  %n = mul(%x, %x) : f32[1,64]
  %y = linear(%n, %w, none) : f32[1,32]
  return(%y)
}}
"""
"""A matrix product whose weight is large enough to be stored in fewer bits."""


@pytest.mark.parametrize("mode", ["float16", "weight-int4", "weight-int8", "dynamic-int8"])
def test_weights_only(call: Callable[..., Result], mode: str, tmp_path: Path) -> None:
    write(tmp_path / "wide.ir", WIDE)
    found = report(call("compile", "wide.ir", "-o", "q.tflite", "--quantize", mode, "--json"))
    assert found["quantization"]["chosen"]["mode"] == mode and found["warnings"] == []
    TfliteModel(tmp_path / "q.tflite").resize({})


def test_blocks_of_weights_are_told_of(call: Callable[..., Result], tmp_path: Path) -> None:
    """Once, however often a file was tried: reference kernels give zeros."""
    write(tmp_path / "wide.ir", WIDE)
    found = report(call("compile", "wide.ir", "-o", "q.tflite", "--quantize", "weight-int4:32", "--json"))
    assert len(found["warnings"]) == 1 and "reference kernels" in str(found["warnings"])
    assert call("compile", "wide.ir", "-o", "q.tflite", "--quantize", "weight-int4:33").exit_code == 2


class TestCalibrate:
    def test_parts_are_joined(self, call: Callable[..., Result], tmp_path: Path) -> None:
        x = np.load(tmp_path / "x.npy")
        for name, part in (("a", x[:5]), ("b", x[5:])):
            np.save(tmp_path / f"{name}.npy", part)
            said = call("calibrate", "conv.ir", "--data", f"{name}.npy", "-o", f"{name}.json").stdout
            assert f"statistics of {len(part)} samples" in said
        assert call("calibrate", "conv.ir", "--data", "x.npy", "-o", "all.json", "--quiet").stdout == ""
        common = ("compile", "conv.ir", "--quantize", "int8", "--data", "x.npy")
        assert call(*common, "-o", "1.tflite", "--calibration", "a.json", "--calibration", "b.json").exit_code == 0
        assert call(*common, "-o", "2.tflite", "--calibration", "all.json").exit_code == 0
        one, two = (TfliteModel(tmp_path / f"{i}.tflite") for i in (1, 2))
        image = np.ascontiguousarray(x[:1].transpose(0, 2, 3, 1))
        assert np.array_equal(one.run({"image": image})["map"], two.run({"image": image})["map"])

    def test_needs_samples(self, call: Callable[..., Result]) -> None:
        result = call("calibrate", "conv.ir", "-o", "s.json")
        assert result.exit_code == 2 and "give samples" in result.stderr

    def test_the_model_is_not_written_over(self, call: Callable[..., Result], tmp_path: Path) -> None:
        result = call("calibrate", "conv.ir", "--data", "x.npy", "-o", "conv.ir")
        assert result.exit_code == 1 and (tmp_path / "conv.ir").read_text() == CONV

    def test_another_model_s(self, call: Callable[..., Result], tmp_path: Path) -> None:
        call("calibrate", "conv.ir", "--data", "x.npy", "-o", "s.json")
        write(tmp_path / "other.ir", CONV.replace("%image", "%other"))
        result = call("compile", "other.ir", "-o", "q.tflite", "--quantize", "int8", "--calibration", "s.json")
        assert result.exit_code == 1 and "error[Q002]" in result.stderr and not (tmp_path / "q.tflite").exists()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("-o", "q.tflite", "--images", "crop=3"), "L007", "add --quantize"),
        (("-o", "q.tflite", "--min-sqnr", "3"), "L007", "add --quantize"),
        (("-o", "q.tflite", "--split-outputs"), "L007", "add --quantize"),
        (("-o", "q.tflite", "--metric", "top1"), "L007", "add --quantize"),
        (("-o", "q.tflite", "--max-error", "1%"), "L007", "add --quantize"),
        (("-o", "q.tflite", "--quantize", "int8", "--metric", "topp1"), "L004", "did you mean 'top1'"),
        (("-o", "q.tflite", "--quantize", "int8", "--max-error", "2"), "L004", "not a share"),
        (("-o", "q.tflite", "--quantize", "int8", "--min-sqnr", "nan"), "L004", "not a distance"),
        (
            ("-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--max-error", "0.001%"),
            "Q004",
            "nothing in the network",
        ),
        (("-o", "q.tflite", "--quantize", "int8", "--images", "crap=3"), "L004", "did you mean 'crop'"),
        (("-o", "q.tflite", "--quantize", "int8", "--calibration", "no.json"), "R010", "no such file"),
        (("-o", "q.tflite", "--quantize", "int8", "--calibration", "conv.ir"), "R010", "holds no statistics"),
        (("-o", "q.tflite", "--quantize", "int8", "--data", "gone.py:f"), "R010", "no such file"),
        (("-o", "q.tflite", "--quantize", "int8", "--data", "gone.npy"), "R010", "no such file"),
        (("-o", "q.onnx", "--quantize", "int8"), "Q003", "ONNX"),
        (("-o", "q.tflite", "--quantize", "int8", "--data", "."), "R010", "holds no pictures"),
    ],
)
def test_refusals(call: Callable[..., Result], args: tuple[str, ...], code: str, words: str, tmp_path: Path) -> None:
    before = sorted(p.name for p in tmp_path.iterdir())
    result = call("compile", "conv.ir", *args)
    assert result.exit_code == 1 and f"error[{code}]" in result.stderr and words in result.stderr, result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == before


class TestVerify:
    """What was quantized can be compared with the source once more."""

    @pytest.mark.parametrize("more", [(), ("--io-dtype", "int8")])
    def test_in_decibels(self, call: Callable[..., Result], more: tuple[str, ...]) -> None:
        args = ("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--quiet")
        assert call(*args, *more).exit_code == 0
        result = call("verify", "conv.ir", "q.tflite")
        assert result.exit_code == 0 and "a quantized file against" in result.stdout and "dB, worst" in result.stdout
        found = report(call("verify", "conv.ir", "q.tflite", "--json"))
        assert all(o["sqnr"] > 15 for o in found["decibels"]["outputs"])

    def test_integers_at_the_ends(self, call: Callable[..., Result], tmp_path: Path) -> None:
        """Numbers far beyond what calibration has seen are clamped, which is said."""
        call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--quiet")
        x = np.load(tmp_path / "x.npy")[:1]
        for name, factor, least in (("near", 1, 0.0), ("far", 20, 0.3)):
            np.save(tmp_path / f"{name}.npy", factor * x)
            args = ("verify", "conv.ir", "q.tflite", "--data", f"{name}.npy", "--min-sqnr", -99)
            clamped = report(call(*args, "--json"))["decibels"]["clamped"]
            assert bool(clamped) == bool(least) and all(c["share"] > least for c in clamped[:1])
        assert "of the integers of" in call(*args).stdout and "QUANTIZE" in {c["kind"] for c in clamped}

    def test_below_the_limit(self, call: Callable[..., Result]) -> None:
        call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--quiet")
        result = call("verify", "conv.ir", "q.tflite", "--min-sqnr", 90)
        assert result.exit_code == 3 and "error[R020]" in result.stderr and "at least 90 dB" in result.stderr

    def test_another_network(self, call: Callable[..., Result], tmp_path: Path) -> None:
        call("compile", "conv.ir", "-o", "q.tflite", "--quantize", "int8", "--data", "x.npy", "--quiet")
        write(tmp_path / "other.ir", CONV.replace("0.3", "-3.3"))
        assert call("verify", "other.ir", "q.tflite").exit_code == 3
