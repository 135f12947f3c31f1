"""The formats that are damaged: which seeds, how, and which commands read the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.fuzzing import archives, damage, flatbuffer, protobuf, tokens

Damage = Callable[[Random, bytes], bytes]
Command = tuple[str, ...]

OUT = "out.tflite"
COMPILE: Command = ("compile", "{file}", "-o", OUT, "--json")
FAST: Command = (*COMPILE, "--no-verify")
TO_ONNX: Command = ("compile", "{file}", "-o", "out.onnx", "--json")
INSPECT: Command = ("inspect", "{file}", "--json")
NETWORK: Command = ("compile", "-o", OUT, "--json", "--module", "network.py:network", "--shape", "input=1,3,8,8")


@dataclass(frozen=True)
class Kind:
    """One format; ``share`` is how often it is chosen, ``beside`` are seeds that lie beside the file."""

    name: str
    seeds: str
    damage: Damage
    commands: tuple[Command, ...]
    share: int
    beside: tuple[str, ...] = ()

    def paths(self, folder: Path) -> list[Path]:
        """Return its seeds in a folder."""
        return sorted(folder.glob(self.seeds))


KINDS = (
    Kind("onnx", "*.onnx", protobuf.damaged, (COMPILE, FAST, FAST, TO_ONNX, INSPECT), 45, ("external.bin",)),
    Kind(
        "tflite",
        "*.tflite",
        flatbuffer.damaged,
        (COMPILE, FAST, FAST, TO_ONNX, INSPECT, ("verify", "{file}", "{file}", "--json")),
        25,
    ),
    Kind("ir", "*.ir", tokens.damaged, (COMPILE, FAST, FAST, ("opt", "{file}", "--json")), 20),
    Kind(
        "rules",
        "*.rules",
        tokens.damaged,
        (
            ("opt", "000.ir", "--rules", "{file}", "--json"),
            ("compile", "conv.onnx", "-o", OUT, "--rules", "{file}", "--json"),
        ),
        7,
        ("000.ir", "conv.onnx"),
    ),
    Kind(
        "op library",
        "channel_norm.py",
        tokens.damaged,
        (("compile", "own.onnx", "-o", OUT, "--op-library", "{file}", "--json"),),
        4,
        ("own.onnx",),
    ),
    Kind(
        "npz",
        "data.np[yz]",
        archives.damaged,
        (("compile", "conv.onnx", "-o", OUT, "--data", "{file}", "--json"),),
        4,
        ("conv.onnx",),
    ),
    Kind(
        "external data",
        "external.bin",
        damage.data,
        (("compile", "external.onnx", "-o", OUT, "--json"),),
        1,
        ("external.onnx",),
    ),
    Kind("pt2", "*.pt2", archives.damaged, (FAST,), 2),
    Kind("script", "*.pt", archives.damaged, ((*FAST, "--shape", "input=1,3,8,8"),), 2),
    Kind("pth", "*.pth", archives.damaged, (FAST, (*NETWORK, "--weights", "{file}")), 3, ("network.txt",)),
)
"""What is damaged. Those whose seeds are not in a folder are left out."""
