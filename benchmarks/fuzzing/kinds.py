"""The formats that are damaged: which seeds, how, and which commands read the result."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from benchmarks.fuzzing import archives, damage, flatbuffer, hdf5, markup, protobuf, tokens

Damage = Callable[[Random, bytes], bytes]
Command = tuple[str, ...]

OUT = "out.tflite"
PAGE = "out.html"
COMPILE: Command = ("compile", "{file}", "-o", OUT, "--json")
FAST: Command = (*COMPILE, "--no-verify")
PAGED: Command = (*FAST, "--report", PAGE)
INSPECT: Command = ("inspect", "{file}", "--json")
DRAW: Command = (*INSPECT, "--draw", "out.svg", "--ops")
REDUCE: Command = ("reduce", "{file}", "-o", "out.ir", "--json", "--max-seconds", "20")
NETWORK: Command = ("compile", "-o", OUT, "--json", "--module", "network.py:network", "--shape", "input=1,3,8,8")
DEVICES = ("tflite-gpu", "tflite-micro", "ethos-u55", "ethos-u85", "edgetpu")


def written(output: str, *options: str) -> Command:
    """Return the command that writes another format, without running it."""
    return ("compile", "{file}", "-o", output, "--json", "--no-verify", *options)


TARGETS = tuple(written(f"out{suffix}") for suffix in (".onnx", ".xml", ".pb", "/", ".keras", ".h5"))
"""One command for every format that is written, but for TFLite's."""
FOR_DEVICES = tuple(written(OUT, "--target", name) for name in DEVICES)
CHECKS = tuple(("check", "{file}", "--target", name, "--ops", "--json") for name in DEVICES)
OPTIONS = (written(OUT, "--optimize", "size", "--state", "io"), written(OUT, "--rnn", "while"))
ANY = (*TARGETS, *FOR_DEVICES, *CHECKS, *OPTIONS, PAGED, PAGED, DRAW, REDUCE)
"""What is done with a network of any format."""


@dataclass(frozen=True)
class Kind:
    """One format; ``share`` is how often it is chosen, ``beside`` are seeds that lie beside the file.

    A seed may lie in a folder, which is copied whole; ``model`` is then what the commands are given of it, the folder
    itself if that is empty.
    """

    name: str
    seeds: str
    damage: Damage
    commands: tuple[Command, ...]
    share: int
    beside: tuple[str, ...] = ()
    model: str = ""

    @cache  # noqa: B019 -- kinds stay as long as the program
    def paths(self, folder: Path) -> list[Path]:
        """Return its seeds in a folder."""
        return sorted(folder.glob(self.seeds))

    def place(self, rng: Random, seeds: Path, folder: Path) -> str:
        """Write a damaged seed into a folder, with what lies beside it, and return what the commands are given."""
        seed = rng.choice(self.paths(seeds))
        part = seed.relative_to(seeds)
        outermost = part.parts[:1]
        for name in self.beside:
            if (seeds / name).exists():
                shutil.copy(seeds / name, folder / (name if name != "network.txt" else "network.py"))
        if part.name not in outermost:
            shutil.copytree(seeds.joinpath(*outermost), folder.joinpath(*outermost))
        (folder / part).write_bytes(self.damage(rng, seed.read_bytes()))
        return str(Path(*outermost, self.model))


KINDS = (
    Kind("onnx", "*.onnx", protobuf.damaged, (*[COMPILE, FAST, INSPECT] * 5, *ANY), 120, ("external.bin",)),
    Kind(
        "tflite",
        "*.tflite",
        flatbuffer.damaged,
        (
            *[COMPILE, FAST, INSPECT, ("verify", "{file}", "{file}", "--json")] * 4,
            ("bench", "{file}", "--rounds", "1", "--seconds", "0.01", "--json"),
            *ANY,
        ),
        80,
    ),
    Kind("ir", "*.ir", tokens.damaged, (*[COMPILE, FAST, ("opt", "{file}", "--json")] * 5, *ANY), 60),
    Kind(
        "rules",
        "*.rules",
        tokens.damaged,
        (
            ("opt", "000.ir", "--rules", "{file}", "--json"),
            ("compile", "conv.onnx", "-o", OUT, "--rules", "{file}", "--json"),
        ),
        18,
        ("000.ir", "conv.onnx"),
    ),
    Kind(
        "op library",
        "channel_norm.py",
        tokens.damaged,
        (("compile", "own.onnx", "-o", OUT, "--op-library", "{file}", "--json"),),
        10,
        ("own.onnx",),
    ),
    Kind(
        "npz",
        "data.np[yz]",
        archives.damaged,
        (
            ("compile", "conv.onnx", "-o", OUT, "--data", "{file}", "--json"),
            ("compile", "conv.onnx", "-o", OUT, "--data", "{file}", "--quantize", "int8", "--json"),
            ("calibrate", "conv.onnx", "-o", "out.json", "--data", "{file}", "--json"),
        ),
        12,
        ("conv.onnx",),
    ),
    Kind(
        "statistics",
        "statistics.json",
        tokens.damaged,
        (("compile", "conv.onnx", "-o", OUT, "--quantize", "int8", "--calibration", "{file}", "--json"),),
        6,
        ("conv.onnx",),
    ),
    Kind(
        "external data",
        "external.bin",
        damage.data,
        (("compile", "external.onnx", "-o", OUT, "--json"),),
        4,
        ("external.onnx",),
    ),
    Kind("pt2", "*.pt2", archives.damaged, (FAST, FAST, PAGED, *TARGETS), 8),
    Kind("script", "*.pt", archives.damaged, ((*FAST, "--shape", "input=1,3,8,8"),), 6),
    Kind("pth", "*.pth", archives.damaged, (FAST, (*NETWORK, "--weights", "{file}")), 8, ("network.txt",)),
    Kind("openvino", "*.ov/model.xml", markup.damaged, (*[COMPILE, FAST] * 5, INSPECT, *ANY), 40, (), "model.xml"),
    Kind("openvino's weights", "*.ov/model.bin", damage.data, (COMPILE, FAST), 4, (), "model.xml"),
    Kind("graph", "*.pb", protobuf.damaged_graph, (*[COMPILE, FAST] * 3, *[FAST, INSPECT] * 5, *ANY), 30),
    Kind("graph as text", "*.pbtxt", tokens.damaged, (*[COMPILE, FAST] * 3, INSPECT), 12),
    Kind("saved model", "*.saved/saved_model.pb", protobuf.damaged_saved_model, (COMPILE, *[FAST] * 6, INSPECT), 20),
    Kind("variables", "*.saved/variables/variables.*", damage.data, (FAST, INSPECT), 6),
    Kind("keras", "*.keras", archives.damaged, (*[FAST] * 4, INSPECT, PAGED, COMPILE), 14),
    Kind("h5", "*.h5", hdf5.damaged, (*[FAST] * 4, INSPECT, PAGED, COMPILE), 12),
    Kind(
        "zoo",
        "zoo.toml",
        tokens.damaged,
        (("zoo", "run", "{file}", "--cache", "out.cache", "--page", PAGE, "--json"),),
        6,
        ("conv.onnx", "000.ir"),
    ),
)
"""What is damaged. Those whose seeds are not in a folder are left out."""
