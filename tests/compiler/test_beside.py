"""Files beside a model: nothing else is read, whatever a model or a link says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from nhwcc.compiler.beside import NotBesideError, file_beside
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.parser import parse_module, read_module
from nhwcc.frontends.onnx import import_onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.external_data_helper import set_external_data

TEXT = """weights NAME
func @main(%x: f32[20]) -> (f32[20] {name = "y"}) {
  %w = const() {value = @@w0 : f32[20]} : f32[20]
  %y = add(%x, %w) : f32[20]
  return(%y)
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for models; beside it lies a file that is none of theirs."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "models" / "sub").mkdir(parents=True)
    (tmp_path / "models" / "weights").write_text("w")
    (tmp_path / "models" / "sub" / "weights").write_text("w")
    return tmp_path / "models"


def test_files_of_the_model(folder: Path) -> None:
    (folder / "link").symlink_to("sub/weights")
    for name in ("weights", "sub/weights", "./weights", "sub\\weights", "link"):
        assert file_beside(folder / "m.onnx", name).read_text() == "w"


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../secret", "sub/../../secret", "/etc/passwd", "..\\secret", "C:\\secret", "C:secret", "a\0b"],
)
def test_other_places(folder: Path, name: str) -> None:
    with pytest.raises(NotBesideError, match="outside of the model's folder"):
        file_beside(folder / "m.onnx", name)


def test_links_to_other_places(folder: Path) -> None:
    (folder / "link").symlink_to("../secret")
    (folder / "parent").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    for name in ("link", "parent/secret"):
        with pytest.raises(NotBesideError, match=r"is a link to .*secret, outside") as caught:
            file_beside(folder / "m.onnx", name)
        assert "model hubs" in caught.value.help
    with pytest.raises(NotBesideError, match="missing"):
        file_beside(folder / "m.onnx", "loop")


def test_what_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for name in ("pipe", "sub", "nothing"):
        with pytest.raises(NotBesideError, match="missing"):
            file_beside(folder / "m.onnx", name)


def test_caches_of_hubs(tmp_path: Path) -> None:
    """Model and weights are links into one folder of files that are named by their checksums."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name, blob in (("m.onnx", "aa"), ("m.onnx_data", "bb")):
        (blobs / blob).write_bytes(b"")
        (snapshot / name).symlink_to(f"../../blobs/{blob}")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [20])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [20])],
        [numpy_helper.from_array(np.arange(20, dtype=np.float32), "w")],
    )
    model = helper.make_model(graph)
    (blobs / "bb").write_bytes(graph.initializer[0].raw_data)
    set_external_data(model.graph.initializer[0], "m.onnx_data")
    model.graph.initializer[0].ClearField("raw_data")
    (blobs / "aa").write_bytes(model.SerializeToString())
    assert import_onnx(snapshot / "m.onnx").main.args
    (snapshot / "m.onnx").unlink()
    (snapshot / "m.onnx").write_bytes((blobs / "aa").read_bytes())
    with pytest.raises(CompileError, match=r"F017.*is a link(.|\n)*Put a copy"):
        import_onnx(snapshot / "m.onnx")


def test_side_files_of_a_text(folder: Path) -> None:
    for name in ('"../secret"', '"/etc/passwd"', '"."', '"pipe"'):
        (folder / "m.ir").write_text(TEXT.replace("NAME", name))
        with pytest.raises(CompileError, match=r"R010.*m.ir: the weights can't be read"):
            read_module(folder / "m.ir")


def test_a_text_without_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets nothing that lies in the current one."""
    monkeypatch.chdir(folder)
    with pytest.raises(CompileError, match=r"R010.*in no folder"):
        parse_module(TEXT.replace("NAME", '"weights"'))
