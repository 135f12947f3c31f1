"""Trained networks quantized after training, beside Google's quantizer: how far they are from themselves in floats.

    python -m benchmarks.post_training [--peer FOLDER] [--wide] [--mode MODE ...] [NAME ...]

FOLDER holds ai-edge-quantizer (pip install --target FOLDER ai-edge-quantizer).  It quantizes the file in floats that
nhwcc wrote, with ranges over all samples and with its own moving averages.  Every file is measured on pictures that
nobody has seen; times are those of one thread, each beside the file in floats.  ``--wide`` adds integers of 16 bits,
whose kernels are slow on a CPU; ``--mode`` leaves out all others.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import interpreter
from nhwcc.compiler.options import QuantizationChoice
from nhwcc.compiler.types import Array

import nhwcc
from benchmarks import detectors, scenes
from benchmarks.digits import SEEN as SEEN_DIGITS
from benchmarks.digits import accuracy, digits
from benchmarks.measure import scratch, table
from benchmarks.pictures import CALIBRATION, HELD_BACK, crops, text_lines, word_rows
from benchmarks.zoo import model
from nhwcc.quantization.measure import measure

SEEN, HELD = 48, 24
ANY = -200.0
"""Whatever is lost is written, and measured."""

ASKED = 20.0
"""What is asked of mixed precision: an error of a tenth."""

MODES: tuple[tuple[QuantizationChoice, float | None], ...] = (
    *(("float16", ANY), ("weight-int4", ANY), ("weight-int4:32", ANY), ("weight-int8", ANY), ("dynamic-int8", ANY)),
    *(("int8", ANY), ("int8", ASKED), ("auto", None)),
)
"""Modes, and the dB that are asked for."""

WIDE: tuple[tuple[QuantizationChoice, float | None], ...] = (("int16x8", ANY),)
"""A mode whose kernels are slow on a CPU."""
ROUNDS = 5
INTEGERS = (np.int8, np.int16)


Task = Callable[[Sequence[Mapping[str, Array]], Sequence[Mapping[str, Array]]], str]
"""Says how much is kept of what a network is for."""


@dataclass(frozen=True)
class Network:
    """A trained network: what its inputs are made of, the sizes of those that are open, how many samples are held back.

    ``task`` says how much of what the network is for is kept, by outputs in floats and those of a file.
    """

    make: Callable[[tuple[str, ...], int, int], Iterator[dict[str, Array]]]
    shapes: Mapping[str, tuple[int, ...]] | None = None
    held: int = HELD
    task: Task | None = None


@dataclass(frozen=True)
class Pictures:
    """Pictures ``[1, 3, height, width]`` as a network takes them; ``make`` paints, ``order`` is that of the colours."""

    name: str
    size: tuple[int, int]
    mean: Any = 0.0
    std: Any = 1.0
    make: Callable[[tuple[str, ...], int, tuple[int, int], int], Iterator[Array]] = crops
    order: int = 1

    def __call__(self, names: tuple[str, ...], count: int, seed: int) -> Iterator[dict[str, Array]]:
        """Yield samples."""
        for picture in self.make(names, count, self.size, seed):
            numbers = ((picture - self.mean) / self.std)[..., :: self.order].transpose(2, 0, 1)[None].astype(np.float32)
            yield {self.name: np.ascontiguousarray(numbers)}


def words(_names: tuple[str, ...], count: int, seed: int) -> Iterator[dict[str, Array]]:
    """Yield rows of words."""
    for ids, mask in word_rows(count, 32, seed):
        yield {"input_ids": ids, "attention_mask": mask}


def handwritten(names: tuple[str, ...], count: int, _seed: int) -> Iterator[dict[str, Array]]:
    """Yield handwritten digits."""
    pictures, _ = digits()
    for picture in (pictures if names is CALIBRATION else pictures[SEEN_DIGITS:])[:count]:
        yield {"input.1": picture[None]}


def told_apart(_want: Sequence[Mapping[str, Array]], got: Sequence[Mapping[str, Array]]) -> str:
    """Say how many digits are told apart."""
    return f"{accuracy(got, digits()[1][SEEN_DIGITS:]):.2f} % right"


IMAGENET: dict[str, Any] = {"mean": np.asarray([0.485, 0.456, 0.406]), "std": np.asarray([0.229, 0.224, 0.225])}
HALVES: dict[str, Any] = {"mean": 0.5, "std": 0.5}
NETWORKS = {
    "mobilenet_v2": Network(Pictures("input.1", (224, 224), **IMAGENET)),
    "efficientnet_lite0": Network(Pictures("input.1", (224, 224), **IMAGENET)),
    "ppocr_orientation": Network(Pictures("x", (224, 224), **IMAGENET), {"x": (1, 3, 224, 224)}),
    "u2netp": Network(Pictures("input.1", (320, 320), **IMAGENET)),
    "ppocr_det": Network(Pictures("x", (320, 320), **IMAGENET, make=text_lines), {"x": (1, 3, 320, 320)}),
    "ppocr_rec": Network(Pictures("x", (48, 320), **HALVES, make=text_lines), {"x": (1, 3, 48, 320)}),
    "yolov8n": Network(
        Pictures("images", (320, 320), make=scenes.faces),
        {"images": (1, 3, 320, 320)},
        36,
        detectors.finding(detectors.yolov8),
    ),
    "ddddocr_det": Network(
        Pictures("images", (416, 416), std=1 / 255, make=scenes.signs, order=-1),
        task=detectors.finding(detectors.yolox),
    ),
    "picodet": Network(
        Pictures("image", (800, 608), **IMAGENET, make=scenes.pages), task=detectors.finding(detectors.picodet)
    ),
    "digits": Network(handwritten, held=597, task=told_apart),
    "minilm": Network(words, {"input_ids": (1, 32), "attention_mask": (1, 32)}),
}


@dataclass
class Setting:
    """One network: its file in floats, and what it is measured on."""

    floats: Path
    held: list[dict[str, Array]]
    want: list[dict[str, Array]]
    task: Task | None

    def row(self, title: str, file: Path) -> list[str]:
        """Measure a file beside the one in floats, in both orders."""
        got = outputs(file, self.held)
        found = measure([cut_alike(a, b) for a, b in zip(self.want, got, strict=True)], got)
        labels = [o.same_labels for o in found if o.same_labels is not None]
        task = f"{100 * min(labels):.0f} %" if labels else ""
        if self.task is not None:
            task = self.task(self.want, got)
        times = [seconds(f, self.held[0]) for f in (self.floats, file, file, self.floats)]
        ratio = min(times[1:3]) / min(times[0], times[3])
        spread = f"{found[0].sqnr:.1f}" if len(found) == 1 else f"{found[0].sqnr:.1f}..{found[-1].sqnr:.1f}"
        size = file.stat().st_size / self.floats.stat().st_size
        return [title, spread, task, f"{size:.2f}", f"{ratio:.2f}"]


class Loaded:
    """A file on one thread, called with numbers whatever its inputs and outputs are stored as."""

    def __init__(self, file: Path) -> None:
        runtime: Any = interpreter
        self._run: Any = runtime.Interpreter(str(file), num_threads=1)
        self._run.allocate_tensors()
        signature: dict[str, Any] = self._run._get_full_signature_list()
        names: dict[str, Any] = next(iter(signature.values()))
        details = {int(d["index"]): d for d in (*self._run.get_input_details(), *self._run.get_output_details())}
        self._inputs: dict[str, Any] = {name: details[int(i)] for name, i in names["inputs"].items()}
        self._outputs: dict[str, Any] = {name: details[int(i)] for name, i in names["outputs"].items()}

    def __call__(self, sample: dict[str, Array]) -> dict[str, Array]:
        """Run on a sample; the only input takes the only array, whatever it is called."""
        for name, detail in self._inputs.items():
            array = sample[name] if name in sample else next(iter(sample.values()))
            scale, zero = detail["quantization"]
            if scale and detail["dtype"] in INTEGERS:
                bounds = np.iinfo(detail["dtype"])
                array = np.clip(np.rint(array / scale) + zero, bounds.min, bounds.max).astype(detail["dtype"])
            self._run.set_tensor(detail["index"], array)
        self._run.invoke()
        return {name: self._read(detail) for name, detail in sorted(self._outputs.items())}

    def _read(self, detail: dict[str, Any]) -> Array:
        array = self._run.get_tensor(detail["index"])
        scale, zero = detail["quantization"]
        return (array.astype(np.float32) - zero) * np.float32(scale) if array.dtype in INTEGERS and scale else array

    def seconds(self) -> float:
        """Return the time of the fastest of several runs."""
        times: list[float] = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            self._run.invoke()
            times.append(time.perf_counter() - begun)
        return min(times)


def cut_alike(want: dict[str, Array], got: dict[str, Array]) -> dict[str, Array]:
    """Cut outputs as those of a file are that was made with ``--split-outputs``."""
    if set(want) == set(got):
        return want
    (whole,) = want.values()
    parts = list(got.values())
    axis = next(i for i, size in enumerate(whole.shape) if sum(p.shape[i] for p in parts) == size)
    ends = np.cumsum([p.shape[axis] for p in parts])[:-1]
    return dict(zip(got, np.split(whole, ends, axis), strict=True))


def outputs(file: Path, samples: list[dict[str, Array]]) -> list[dict[str, Array]]:
    """Run a file, whose inputs and outputs lie as in the source."""
    loaded = Loaded(file)
    return [loaded(sample) for sample in samples]


def seconds(file: Path, sample: dict[str, Array]) -> float:
    """Return how long a file takes for a sample."""
    loaded = Loaded(file)
    loaded(sample)
    return loaded.seconds()


def ours(
    name: str, network: Network, folder: Path, modes: Sequence[tuple[QuantizationChoice, float | None]]
) -> tuple[Setting, list[list[str]]]:
    """Quantize with nhwcc in several modes."""
    seen = list(network.make(CALIBRATION, SEEN, 0))
    held = list(network.make(HELD_BACK, network.held, 1))
    data = {key: np.stack([s[key] for s in seen]) for key in seen[0]}
    options: dict[str, Any] = {"shapes": network.shapes, "io_layout": "keep"}
    floats = folder / f"{name}.tflite"
    nhwcc.compile(model(name), output=floats, verify=False, **options)
    setting = Setting(floats, held, outputs(floats, held), network.task)
    rows: list[list[str]] = []
    for mode, least in modes:
        file = folder / f"{name}-{mode.replace(':', '-')}-{least}.tflite"
        begun = time.perf_counter()
        report = nhwcc.compile(
            model(name), output=file, verify=False, quantize=mode, data=data, min_sqnr=least, **options
        ).report.quantization
        assert report is not None
        title = f"nhwcc {mode}" + (
            f" ({report.chosen.mode})" if mode == "auto" else f", {least:g} dB" if least == ASKED else ""
        )
        rows.append([name, *setting.row(title, file), f"{time.perf_counter() - begun:.0f} s"])
    return setting, rows


def peers(name: str, network: Network, setting: Setting, folder: Path) -> list[list[str]]:
    """Quantize the file in floats with ai-edge-quantizer."""
    tool, calibrator, recipe, updates = (
        _untyped(f"ai_edge_quantizer.{module}") for module in ("quantizer", "calibrator", "recipe", "utils.qsv_utils")
    )
    seen = list(network.make(CALIBRATION, SEEN, 0))
    ranges: dict[str, Any] = {}
    for title, update in (("moving averages", None), ("whole ranges", updates.min_max_update)):
        given: dict[str, Any] = {} if update is None else {"qsv_update_func": update}
        manager = tool.Quantizer(str(setting.floats))
        manager.load_quantization_recipe(recipe.static_wi8_ai8())
        watch = calibrator.Calibrator(str(setting.floats), num_threads=1, **given)
        watch.calibrate({"serving_default": seen}, manager._recipe_manager)
        ranges[title] = watch.get_model_qsvs()
    jobs = [
        ("weight-int8", recipe.weight_only_wi8_afp32(), None),
        ("dynamic-int8", recipe.dynamic_wi8_afp32(), None),
        *((f"int8, {title}", recipe.static_wi8_ai8(), found) for title, found in ranges.items()),
    ]
    rows: list[list[str]] = []
    for title, rules, found in jobs:
        file = folder / f"{name}-peer-{title.replace(', ', '-').replace(' ', '-')}.tflite"
        begun = time.perf_counter()
        made = tool.Quantizer(str(setting.floats))
        made.load_quantization_recipe(rules)
        made.quantize(found).export_model(str(file), overwrite=True)
        took = time.perf_counter() - begun
        rows.append([name, *setting.row(f"ai-edge-quantizer {title}", file), f"{took:.0f} s"])
    return rows


def _untyped(module: str) -> Any:
    return import_module(module)


HEAD = ("network", "file", "dB, worst to best output", "same label, or what is kept", "size", "time", "made in")


def main() -> None:
    """Print, network after network, what every file loses, its size, its time, and how long it took to make."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--mode", action="append")
    parser.add_argument("names", nargs="*", default=list(NETWORKS))
    given = parser.parse_args()
    rows: list[list[str]] = []
    folder = scratch()
    for name in given.names:
        modes = [m for m in ((*MODES, *WIDE) if given.wide else MODES) if m[0] in (given.mode or [m[0]])]
        setting, found = ours(name, NETWORKS[name], folder, modes)
        before = len(rows)
        rows += found
        if given.peer is not None:
            sys.path.append(str(given.peer))
            rows += peers(name, NETWORKS[name], setting, folder)
        print(table(HEAD, rows[before:]), flush=True)


if __name__ == "__main__":
    main()
