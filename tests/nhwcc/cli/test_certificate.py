"""Certificates: what they say, and that a second run writes the same bytes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import CONV, SMALL, write, write_onnx

from .conftest import Call


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_of_a_compilation(call: Call, tmp_path: Path) -> None:
    model, made, first, again = (
        write_onnx(tmp_path / "m.onnx"),
        *(tmp_path / n for n in ("m.tflite", "a.json", "b.json")),
    )
    for path in (first, again):
        assert call("compile", model, "-o", made, "--certificate", path, "--rnn", "unroll").exit_code == 0
    assert first.read_bytes() == again.read_bytes()
    said = read(first)
    assert said["reference"]["sha256"] == {"m.onnx": digest(model)}
    assert said["reference"]["runtime"].startswith("onnxruntime ")
    assert said["candidate"]["sha256"] == {"m.tflite": digest(made)}
    assert said["options"] == {"rnn": "unroll"} and said["target"] == "tflite"
    assert said["layout"]["in_file"] == said["layout"]["chosen"] + said["layout"]["lowered"]
    assert said["ok"] and said["proven"] and {o["status"] for o in said["outputs"]} == {"ok"}


def test_of_a_comparison(call: Call, tmp_path: Path) -> None:
    """With data of the user's; where numbers differ, the certificate says so."""
    model, made = write(tmp_path / "m.ir", SMALL), tmp_path / "m.tflite"
    assert call("compile", model, "-o", made).exit_code == 0
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(1, 3, 4, 2)).astype(np.float32))
    words = ("--data", tmp_path / "x.npy", "--certificate")
    for name in ("a.json", "b.json"):
        assert call("verify", model, made, *words, tmp_path / name).exit_code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    said = read(tmp_path / "a.json")
    assert said["data"]["sha256"] == {"x.npy": digest(tmp_path / "x.npy")} and said["ok"]
    other = write(tmp_path / "other.ir", SMALL.replace("relu", "tanh"))
    assert call("verify", other, made, "--certificate", tmp_path / "c.json").exit_code == 3
    assert not read(tmp_path / "c.json")["ok"]


@pytest.mark.parametrize("output", ["m.ir.tflite", "m.onnx"])
def test_weights_beside_the_file(call: Call, tmp_path: Path, output: str) -> None:
    """All files of a model are named."""
    model = write(tmp_path / "m.ir", CONV)
    assert call("opt", model, "-o", tmp_path / "n.ir").exit_code == 0
    assert (
        call("compile", tmp_path / "n.ir", "-o", tmp_path / output, "--certificate", tmp_path / "c.json").exit_code == 0
    )
    beside = {p.name for p in tmp_path.iterdir() if p.name.startswith("n.ir")}
    assert set(read(tmp_path / "c.json")["reference"]["sha256"]) == beside
