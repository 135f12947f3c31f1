"""Node data for Model Explorer: about the operators of the file, in the form that it reads."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from models import CONV, write
from nhwcc.formats.tflite.reader import inspect

import nhwcc
from nhwcc.cli import cli
from nhwcc.model_explorer import write_overlays


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return Path(nhwcc.compile(write(tmp_path / "m.ir", CONV), tmp_path / "m.tflite", io_layout="keep").path)


def read(path: Path) -> dict[str, Any]:
    (graph,) = json.loads(path.read_text()).items()
    assert graph[0] == "main"
    return graph[1]


def test_bytes_and_transposes(made: Path, tmp_path: Path) -> None:
    paths = write_overlays(made, tmp_path / "data")
    sizes, transposes = (read(path) for path in paths)
    operators = inspect(made).main.operators
    assert set(sizes["results"]) == {str(i) for i in range(len(operators))}
    assert all(found["value"] > 0 for found in sizes["results"].values()) and len(sizes["gradient"]) == 2
    assert set(transposes["results"]) == {str(i) for i, op in enumerate(operators) if op.name == "TRANSPOSE"}
    assert transposes["results"] and "gradient" not in transposes


def test_times_without_those_that_are_not_known(made: Path, tmp_path: Path) -> None:
    count = len(inspect(made).main.operators)
    *_, path = write_overlays(made, tmp_path, milliseconds=[None, *([0.5] * (count - 1))])
    assert path.name == "m-milliseconds.json" and set(read(path)["results"]) == {str(i) for i in range(1, count)}


def test_where_operators_run(tmp_path: Path) -> None:
    model, folder = write(tmp_path / "m.ir", CONV), tmp_path / "data"
    words = ["compile", str(model), "-o", str(tmp_path / "m.tflite"), "--target", "tflite-gpu"]
    assert CliRunner().invoke(cli, [*words, "--model-explorer", str(folder)]).exit_code == 0
    found = read(folder / "m-placement.json")["results"]
    assert {value["value"] for value in found.values()} == {"device"}


@pytest.mark.parametrize(
    ("output", "folder", "said"), [("m.onnx", "data", "is not"), ("m.tflite", "m.ir", "is a file")]
)
def test_what_can_not_be(output: str, folder: str, said: str, tmp_path: Path) -> None:
    words = ["compile", str(write(tmp_path / "m.ir", CONV)), "-o", str(tmp_path / output)]
    done = CliRunner().invoke(cli, [*words, "--model-explorer", str(tmp_path / folder)])
    assert done.exit_code != 0 and said in done.output and not (tmp_path / output).exists()


def test_model_explorer_calls_operators_by_the_same_numbers(made: Path) -> None:
    name = "model_explorer.builtin_tflite_flatbuffer_adapter"
    adapter: Any = pytest.importorskip(name, reason="Model Explorer reads the file")
    converted = import_module(adapter.__name__).BuiltinTfliteFlatbufferAdapter().convert(str(made), {})
    (graph,) = json.loads(json.dumps(converted, default=vars))["graphCollections"][0]["graphs"]
    labels = {node["id"]: node["label"].upper() for node in graph["nodes"]}
    assert graph["id"] == "main"
    assert [labels[str(i)] for i in range(len(inspect(made).main.operators))] == [
        op.name for op in inspect(made).main.operators
    ]
