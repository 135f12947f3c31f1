"""Bad input, from the command line and in processes of their own: one clear error, nothing written, nothing harmed."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from models import onnx_model, write_onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper

from .conftest import Call, as_json, environment, process

Change = Callable[[ModelProto], None]


def cycle(model: ModelProto) -> None:
    model.graph.node[0].input[0] = "map"


def dangling(model: ModelProto) -> None:
    model.graph.node[1].input[0] = "nowhere"


def no_output(model: ModelProto) -> None:
    model.graph.output[0].name = "nowhere"


def twice(model: ModelProto) -> None:
    model.graph.node.append(model.graph.node[1])


def short_weights(model: ModelProto) -> None:
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]


def missing_data(model: ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")


def data_outside(model: ModelProto) -> None:
    missing_data(model)
    model.graph.initializer[0].external_data[0].value = "../../weights.bin"


def unknown_operator(model: ModelProto) -> None:
    model.graph.node[1].op_type = "Relus"


def unknown_type(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = 99


def impossible_shape(model: ModelProto) -> None:
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(np.ones((4, 5, 1, 1), np.float32), "w"))


def no_rank(model: ModelProto) -> None:
    model.graph.input[0].type.tensor_type.ClearField("shape")


def future(model: ModelProto) -> None:
    model.opset_import[0].version = 999


DAMAGE: dict[Change, tuple[str, str]] = {
    cycle: ("F013", "relu1"),
    dangling: ("F014", "nowhere"),
    no_output: ("F014", "nowhere"),
    twice: ("F015", "map"),
    short_weights: ("F", "w"),
    missing_data: ("F", "weights.bin"),
    data_outside: ("F", "weights.bin"),
    unknown_operator: ("F001", "Is it Relu?"),
    unknown_type: ("F", "image"),
    impossible_shape: ("T001", "conv1"),
    no_rank: ("F020", "image"),
    future: ("F012", "999"),
}
"""What is done to a model, how its code begins, and what the message names."""


@pytest.mark.parametrize("change", DAMAGE, ids=lambda change: change.__name__)
def test_damaged_models(change: Change, call: Call, tmp_path: Path) -> None:
    model = onnx_model()
    change(model)
    path = write_onnx(tmp_path / "m.onnx", model)
    code, named = DAMAGE[change]
    (tmp_path / "out.tflite").write_text("old")
    looks = () if change is unknown_operator else (("inspect", path),)
    for command in (("compile", path, "-o", tmp_path / "out.tflite"), *looks, ("opt", path)):
        result = call(*command)
        assert result.exit_code == 1 and "Traceback" not in result.output, result.output
        assert f"error[{code}" in result.stderr and named in result.stderr and "I000" not in result.stderr
        assert result.stderr.count("error[") == 1 and result.stdout == ""
    assert (tmp_path / "out.tflite").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.onnx", "out.tflite"]


def test_a_file_that_ends_early(call: Call, tmp_path: Path) -> None:
    """Wherever it is cut: an error, or the file was whole."""
    whole = onnx_model().SerializeToString()
    for length in range(1, len(whole), 7):
        path = tmp_path / "m.onnx"
        path.write_bytes(whole[:length])
        result = call("inspect", path)
        assert result.exit_code == 1 and "error[" in result.stderr and "I000" not in result.stderr, (
            length,
            result.output,
        )


def test_rubbish_by_the_name_of_a_model(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    rng = np.random.default_rng(0)
    for size in (1, 10, 1000):
        path.write_bytes(rng.bytes(size))
        result = call("compile", path, "-o", tmp_path / "o.tflite")
        assert result.exit_code == 1 and "error[" in result.stderr and "I000" not in result.stderr, result.output


def test_all_unsupported_operators_in_one_report(call: Call, tmp_path: Path) -> None:
    model = onnx_model()
    model.graph.node[0].op_type, model.graph.node[1].op_type = "StringConcat", "ImageDecoder"
    answer = as_json(call("compile", write_onnx(tmp_path / "m.onnx", model), "-o", tmp_path / "o.tflite", "--json"))
    assert [d["code"] for d in answer["diagnostics"]] == ["F001", "F001"]
    assert [d["location"]["node"] for d in answer["diagnostics"]] == ["conv1", "relu1"]
    assert all(d["help"] for d in answer["diagnostics"])


def test_an_element_type_that_the_target_lacks(call: Call, tmp_path: Path) -> None:
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT8E4M3FN, [2])
    y = helper.make_tensor_value_info("y", TensorProto.BOOL, [2])
    graph = helper.make_graph([helper.make_node("IsNaN", ["x"], ["y"], "most")], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    result = call("compile", write_onnx(tmp_path / "m.onnx", model), "-o", tmp_path / "o.tflite")
    assert result.exit_code == 1 and "error[B001]: " in result.stderr and 'node "most"' in result.stderr
    assert "f8e4m3fn" in result.stderr and not (tmp_path / "o.tflite").exists()


class TestOutput:
    """The model is good, the place of the output is not."""

    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        return write_onnx(tmp_path / "m.onnx")

    def test_a_device(self, model: Path, call: Call) -> None:
        for device in ("/dev/full", "/dev/null"):
            result = call("compile", model, "-o", device)
            assert (
                result.exit_code == 1
                and "error[R012]" in result.stderr
                and "it exists and is not a file" in result.stderr
            )
            assert Path(device).is_char_device()

    def test_a_folder_that_is_read_only(self, model: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever is root may write everywhere, so the question is answered for him."""

        def access(_path: object, mode: int) -> bool:
            return mode != os.W_OK

        monkeypatch.setattr("os.access", access)
        result = call("compile", model, "-o", model.parent / "o.tflite")
        assert result.exit_code == 1 and "error[R012]" in result.stderr and "read-only" in result.stderr

    @pytest.mark.parametrize("limit", [0, 100, 1000])
    def test_a_limit_on_the_size_of_files(self, model: Path, limit: int) -> None:
        """As if the disk were full after so many bytes: what was there stays, nothing is left."""
        output = model.with_name("o.tflite")
        output.write_text("old")

        def limited() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        command = [sys.executable, "-B", "-m", "nhwcc", "compile", str(model), "-o", str(output)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment(), preexec_fn=limited, check=False
        )
        assert done.returncode == 1 and "error[R012]" in done.stderr and "Traceback" not in done.stderr, done.stderr
        assert output.read_text() == "old" and sorted(p.name for p in model.parent.iterdir()) == ["m.onnx", "o.tflite"]

    def test_a_full_standard_output(self, model: Path) -> None:
        with Path("/dev/full").open("w") as full:
            command = [sys.executable, "-m", "nhwcc", "inspect", str(model)]
            done = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment(), check=False
            )
        assert done.returncode != 0 and "Traceback" not in done.stderr and "No space left" in done.stderr

    def test_a_reader_that_has_gone(self, model: Path) -> None:
        command = f"{sys.executable} -m nhwcc inspect --ops {model} | true"
        done = subprocess.run(command, shell=True, stderr=subprocess.PIPE, text=True, env=environment(), check=False)
        assert "Traceback" not in done.stderr

    @pytest.mark.usefixtures("heard")
    def test_interrupted_while_verifying(self, model: Path, tmp_path: Path) -> None:
        """Between writing and success: the draft goes, the old file stays, no process survives."""
        slow = tmp_path / "slow.py"
        slow.write_text(
            "import time, nhwcc.driver as d\nfrom pathlib import Path\n"
            f"def verify(*_):\n    Path({str(tmp_path / 'started')!r}).touch()\n    time.sleep(60)\n"
            "d.verify = verify\n"
        )
        output = tmp_path / "o.tflite"
        output.write_text("old")
        command = [sys.executable, "-m", "nhwcc", "compile", str(model), "-o", str(output), "--load", str(slow)]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment())
        deadline = time.monotonic() + 60
        while not (tmp_path / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)
        assert running.returncode == 130 and said.endswith("interrupted\n") and output.read_text() == "old"
        assert not list(tmp_path.glob(".nhwcc*")) and children
        assert not any(Path(f"/proc/{child}/cmdline").exists() for child in children)


class TestFlagsWithOnnx:
    """Every flag that looks inside, end to end."""

    @pytest.fixture
    def model(self, tmp_path: Path) -> Path:
        return write_onnx(tmp_path / "m.onnx")

    def test_check_each_and_explain(self, call: Call, model: Path, tmp_path: Path) -> None:
        result = call("compile", model, "-o", tmp_path / "o.tflite", "--check-each", "--verify-each", "--explain")
        assert result.exit_code == 0, result.output
        assert "fired:" in result.stdout and "propagate-layout: " in result.stdout

    def test_dumps(self, call: Call, model: Path, tmp_path: Path) -> None:
        flags = ("--dump-ir", tmp_path / "ir", "--dump-graph", tmp_path / "graph")
        assert call("compile", model, "-o", tmp_path / "o.tflite", *flags).exit_code == 0
        texts = sorted((tmp_path / "ir").glob("*.ir"))
        assert [t.name for t in texts][:2] == ["00-import.ir", "01-canonicalize.ir"] and len(texts) > 5
        assert len(list((tmp_path / "graph").glob("*.svg"))) == len(texts)
        for text in texts:  # what was dumped is a model again
            assert call("verify", model, text).exit_code == 0
        again = call("compile", texts[0], "-o", tmp_path / "again.tflite", "--quiet")
        assert again.exit_code == 0, again.output
        assert call("verify", tmp_path / "o.tflite", tmp_path / "again.tflite").exit_code == 0

    def test_json(self, call: Call, model: Path, tmp_path: Path) -> None:
        report = as_json(call("compile", model, "-o", tmp_path / "o.tflite", "--json"))["report"]
        assert report["verification"]["reference"].startswith("onnxruntime")
        assert report["transposes_after"] == 0 and report["ops_before"]["conv"] == 1

    def test_inspecting_each_format(self, call: Call, model: Path, tmp_path: Path) -> None:
        call("compile", model, "-o", tmp_path / "o.tflite", "--dump-ir", tmp_path / "ir")
        for path in (model, tmp_path / "o.tflite", tmp_path / "ir" / "00-import.ir"):
            report = as_json(call("inspect", path, "--json"))["report"]
            assert report["macs"] == 4 * 4 * 3 * 3 and [p["name"] for p in report["outputs"]] == ["map", "scores"]

    def test_comparing_inside(self, call: Call, model: Path, tmp_path: Path) -> None:
        call("compile", model, "-o", tmp_path / "o.tflite")
        result = call("verify", model, tmp_path / "o.tflite", "--per-op")
        assert result.exit_code == 0 and "CONV_2D" in result.stdout

    def test_cutting(self, call: Call, model: Path, tmp_path: Path) -> None:
        result = call("compile", model, "-o", tmp_path / "o.tflite", "--outputs", "c", "--shape", "image=2,3,8,6")
        assert result.exit_code == 0 and "against onnxruntime" in result.stdout and "f32[2,4,3,4]" in result.stdout
        result = call("compile", model, "-o", tmp_path / "p.tflite", "--outputs", "cc")
        assert result.exit_code == 1 and "Did you mean 'c'?" in result.stderr and not (tmp_path / "p.tflite").exists()

    def test_open_sizes(self, call: Call, model: Path, tmp_path: Path) -> None:
        result = call("compile", model, "-o", tmp_path / "o.tflite", "--shape", "image=1,3,h,w")
        assert result.exit_code == 0 and "h = " in result.stdout
        assert call("verify", model, tmp_path / "o.tflite").exit_code == 0


def test_opening_what_is_no_model_at_all() -> None:
    done = process("inspect", "/proc/self/mem")
    assert done.returncode == 1 and "error[R010]" in done.stderr and "Traceback" not in done.stderr


LONG = "a" * 300


@pytest.mark.parametrize(
    "command",
    [
        ("inspect", LONG),
        ("compile", f"{LONG}.onnx", "-o", "o.tflite"),
        ("compile", "MODEL", "-o", f"{LONG}.tflite"),
        ("compile", "MODEL", "-o", "o.tflite", "--data", f"{LONG}.npz"),
        ("compile", "MODEL", "-o", "o.tflite", "--op-library", f"{LONG}.py"),
        ("opt", "MODEL", "--rules", LONG),
        ("opt", "MODEL", "-o", f"{LONG}.ir"),
    ],
)
def test_names_that_are_too_long(call: Call, tmp_path: Path, command: tuple[str, ...]) -> None:
    """Asking the system whether there is such a file fails, too."""
    model = write_onnx(tmp_path / "m.onnx")
    result = call(*(model if part == "MODEL" else tmp_path / part if LONG in part else part for part in command))
    assert result.exit_code == 1 and "File name too long" in result.stderr, result.output
    assert "[R010]" in result.stderr or "[R012]" in result.stderr
