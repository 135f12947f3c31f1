"""Well-formed files of every format that is read: what is damaged then.

python -m benchmarks.fuzzing.seeds FOLDER [--small]
"""

from __future__ import annotations

import subprocess
import sys
import warnings
import zipfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
LARGEST = 20_000
"""Bytes of the largest model of ONNX's suite that is taken."""

ZOO = """
[defaults]
targets = ["tflite", "onnx"]
memory = "4GB"
seconds = 20

[[models]]
name = "conv"
path = "conv.onnx"
shapes = { n = "1" }
options = ["--tolerance", "0.001"]
expect = { status = "ok", transposes = 2, error = 0.1 }

[[models]]
name = "constant"
path = "000.ir"
targets = ["tflite"]
"""


def write_seeds(folder: Path, *, small: bool) -> None:
    """Write all seeds, or those that take no time."""
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    _write_ir(folder, small=small)
    _write_onnx(folder)
    _write_data(folder)
    _write_openvino(folder)
    if not small:
        _write_tensorflow(folder)
        _write_suite(folder)
        _write_torch(folder)
    (folder / "complete").touch()


def _write_ir(folder: Path, *, small: bool) -> None:
    """Write operations, whole networks of them from the passes' tests, TFLite files, and rules."""
    import nhwcc

    texts = [t for t in (ROOT / "docs" / "operations.ir").read_text().split("\n\n") if t.startswith("func @")]
    cases = [] if small else sorted((ROOT / "tests" / "passes").glob("*.ir"))
    for case in cases:
        parts = case.read_text().split("// -----\n")
        texts += [part.partition("// becomes\n")[0] for part in parts if "expect-error" not in part]
    for i, text in enumerate(texts):
        path = folder / f"{i:03}.ir"
        path.write_text(text)
        if i % (20 if small else 3) == 0 and "custom(" not in text:
            with suppress(nhwcc.CompileError):  # not all that passes are tested with can be run
                nhwcc.compile(path, path.with_suffix(".tflite"), verify=False)
    for path in (*ROOT.glob("passes/*.rules"), *ROOT.glob("passes/lowerings/*.rules")):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "channel_norm.py").write_bytes((ROOT / "examples" / "channel_norm.py").read_bytes())


def _write_onnx(folder: Path) -> None:
    """Write networks: of convolutions, with external data, of an own operator, with control flow and a function."""
    save_model: Any = import_module("onnx").save
    from onnx import TensorProto, helper, numpy_helper

    def save(name: str, nodes: list[Any], shape: list[Any], constants: dict[str, Any], **fields: Any) -> None:
        value = helper.make_tensor_value_info
        tensors = [numpy_helper.from_array(np.asarray(a), n) for n, a in constants.items()]
        ports = [value("x", TensorProto.FLOAT, shape)], [value("y", TensorProto.FLOAT, None)]
        sets = [helper.make_opsetid("", 18), helper.make_opsetid("com.acme", 1)]
        model = helper.make_model(helper.make_graph(nodes, "g", *ports, tensors), opset_imports=sets, **fields)
        size = 0 if name == "external" else 1 << 30
        save_model(
            model,
            folder / f"{name}.onnx",
            save_as_external_data=size == 0,
            location="external.bin",
            size_threshold=size,
        )

    n, rng = helper.make_node, np.random.default_rng(0)
    w, b = rng.standard_normal((4, 3, 3, 3)).astype(np.float32), np.ones(4, np.float32)
    convolution = [
        n("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        n("BatchNormalization", ["c", "b", "b", "b", "b"], ["d"]),
        n("Relu", ["d"], ["r"]),
        n("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        n("Reshape", ["p", "shape"], ["y"]),
    ]
    save("conv", convolution, ["n", 3, 8, 8], {"w": w, "b": b, "shape": np.asarray([0, -1])})
    matrices = [n("Gemm", ["x", "m", "b"], ["g"], transB=1), n("Softmax", ["g"], ["y"], axis=-1)]
    save("external", matrices, [2, 8], {"m": np.ones((4, 8), np.float32), "b": b})
    save("own", [n("ChannelNorm", ["x", "s"], ["y"], domain="com.acme")], [1, 4, 2], {"s": b})
    body = [n("Mul", ["a", "a"], ["s"]), n("Add", ["s", "a"], ["o"])]
    own = helper.make_function("com.acme", "Twice", ["a"], ["o"], body, [helper.make_opsetid("", 18)])
    branch = [
        helper.make_graph(
            [n(op, ["x"], ["z"])], op, [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, [2, 3])]
        )
        for op in ("Neg", "Abs")
    ]
    control = [
        n("If", ["c"], ["i"], then_branch=branch[0], else_branch=branch[1]),
        n("Twice", ["i"], ["t"], domain="com.acme"),
        n("Gather", ["t", "k"], ["y"], axis=1),
    ]
    save("control", control, [2, 3], {"c": np.asarray(True), "k": np.asarray([0, 2])}, functions=[own])


def _compiled(folder: Path, suffix: str, step: int) -> None:
    """Write operations, and the networks of ONNX, in a format of ours: one of ``step``."""
    import nhwcc

    for i, path in enumerate((*sorted(folder.glob("*.ir")), folder / "conv.onnx", folder / "control.onnx")):
        if i % step == 0 or path.suffix == ".onnx":
            with suppress(nhwcc.CompileError):  # not all formats have all operations
                nhwcc.compile(path, f"{folder / path.stem}{suffix}", verify=False)


def _write_openvino(folder: Path) -> None:
    """Write networks for OpenVINO, each with its weights into a folder."""
    _compiled(folder, ".xml", 4)
    for path in folder.glob("*.xml"):
        place = path.with_suffix(".ov")
        place.mkdir()
        path.with_suffix(".bin").rename(place / "model.bin")
        path.rename(place / "model.xml")


def _write_tensorflow(folder: Path) -> None:
    """Write graphs, SavedModels with variables, and models of Keras."""
    import nhwcc

    _compiled(folder, ".pb", 3)
    _write_texts(folder)
    _compiled(folder, ".saved/", 8)
    _compiled(folder, ".keras", 8)
    _compiled(folder, ".h5", 8)
    for name in ("conv", "control"):
        with suppress(nhwcc.CompileError):
            nhwcc.compile(folder / f"{name}.onnx", f"{folder / name}-trained.saved/", verify=False, variables=True)


def _write_texts(folder: Path) -> None:
    """Write every fourth graph as text, too."""
    from google.protobuf import text_format
    from tensorflow.core.framework.graph_pb2 import GraphDef  # pyright: ignore[reportMissingImports]

    for path in sorted(folder.glob("*.pb"))[::4]:
        graph: Any = GraphDef.FromString(path.read_bytes())  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        path.with_suffix(".pbtxt").write_text(text_format.MessageToString(graph))


def _write_data(folder: Path) -> None:
    """Write inputs for a network of one convolution, the ranges that it has on them, and a list of networks."""
    given = {"x": np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)}
    save: Any = np.savez
    save(folder / "data.npz", **given)
    np.save(folder / "data.npy", given["x"])
    command = [sys.executable, "-m", "nhwcc", "calibrate", "conv.onnx", "--data", "data.npz", "-o", "statistics.json"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "zoo.toml").write_text(ZOO)


def _write_suite(folder: Path) -> None:
    """Write the small models of the suite in the installed onnx package."""
    from onnx.backend.test.case.node import collect_testcases

    cases: Any = collect_testcases(None)  # pyright: ignore[reportArgumentType]
    for case in cases:
        data = b"" if case.model is None else case.model.SerializeToString()
        if 0 < len(data) < LARGEST:
            (folder / f"{case.name}.onnx").write_bytes(data)


def _write_torch(folder: Path) -> None:
    """Write programs, scripts, weights in the new and the old format."""
    import torch
    from torch import nn

    network: Any = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5)
    ).eval()
    given = (torch.zeros(1, 3, 8, 8),)
    torch.export.save(torch.export.export(network, given), folder / "program.pt2")
    jit: Any = torch.jit
    jit.save(jit.trace(network, given), folder / "traced.pt")
    jit.save(jit.script(network), folder / "scripted.pt")
    torch.save(network.state_dict(), folder / "weights.pth")
    torch.save(network.state_dict(), folder / "old.pth", _use_new_zipfile_serialization=False)
    torch.save({"model": network.state_dict(), "epoch": 3}, folder / "checkpoint.pth")
    (folder / "network.txt").write_text(
        "from torch import nn\n\ndef network():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 5))\n"
    )
    assert zipfile.is_zipfile(folder / "program.pt2")


if __name__ == "__main__":
    write_seeds(Path(sys.argv[1]), small="--small" in sys.argv)
