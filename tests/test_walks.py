"""Pages as walks: every command and every snippet, in order, in a fresh folder; what a page shows as a file is written.

A block says which file it is (```` ```python title="my_pass.py"````), and replaces one of this name; other blocks
of Python run in one session per page. A command behind which ``# fails`` stands must fail.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import runpy
import shlex
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from local import LocalWorker
from nhwcc.backends.registry import TARGETS
from nhwcc.compiler.pipeline import PASSES
from onnx_models import model, node
from torch import nn

from nhwcc.cli import cli
from nhwcc.file_formats import FORMATS
from nhwcc.pipelines import register_passes

ROOT = Path(__file__).parents[1]
SETUP = {"make", "pip", "python3", "source", "eval", "_NHWCC_COMPLETE=fish_source", "xxd", "vela", "edgetpu_compiler"}
"""Programs that set the reader's machine up, or are a device's own: these are not run."""

PREPARED = 0.8
"""What the pictures of the reader are filled with."""


class Block(NamedTuple):
    """A fenced block: its language, the file that it is, if it is one, and its text."""

    language: str
    file: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    fenced = re.compile(r'^```(\w+)(?: title="(\S+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)
    found = fenced.findall(page.read_text(encoding="utf-8"))
    return (Block(*block) for block in found)


class Walk:
    """A reader who does what a page says."""

    def __init__(self, page: Path) -> None:
        self.page = page
        self.names: dict[str, Any] = {}
        self.ran: list[str] = []

    def go(self) -> None:
        for block in blocks(self.page):
            if block.file and (ROOT / "examples" / block.file).exists():
                assert block.text in Path(block.file).read_text(encoding="utf-8"), block.text
            elif block.file:
                Path(block.file).write_text(block.text, encoding="utf-8")
            elif block.language == "sh":
                for line in block.text.replace("\\\n", "").splitlines():
                    self.command(line)
            elif block.language == "python":
                exec(compile(block.text, self.page.name, "exec"), self.names)
                self.ran.append("python")

    def command(self, line: str) -> None:
        program, *words = shlex.split(line, comments=True) or [""]
        fails = line.partition("# ")[2].startswith("fails")
        if program == "nhwcc":
            words += ["--rounds", "1", "--seconds", "0.01"] if words[:1] == ["bench"] else []
            done = CliRunner().invoke(cli, words)
            if "--on" in words and "error[R017]" in done.output:
                warnings.warn(f"not run, for want of a device's own tool: {line}", stacklevel=1)
                return
            assert (done.exit_code != 0) == fails, f"{line}: {done.output}"
        elif program == "pytest":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                ended = pytest.main(["-p", "no:cacheprovider", "--rootdir", ".", *words])
            assert ended == int(fails), f"{line}: {printed.getvalue()}"
        elif program == "python3" and Path(words[0]).exists():
            run_script(words)
        else:
            assert not program or program in SETUP, line
            return
        self.ran.append(line)


def run_script(words: list[str]) -> None:
    """Run a script as ``python3`` would, but here, where PyTorch is imported already."""
    threads, arguments = torch.get_num_threads(), sys.argv
    try:
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")
    finally:
        sys.argv = arguments
        torch.set_num_threads(threads)


def image_model(name: str = "image", result: str = "fused", sizes: tuple[int | str, ...] = (1, 3, 320, 320)) -> None:
    """Write a small network under the names that pages use."""
    weights = np.random.default_rng(0).normal(size=(40, 3, 3, 3)).astype(np.float32)
    nodes = [
        node("AveragePool", name, "p", kernel_shape=[8, 8], strides=[8, 8]),
        node("Conv", "p w", "c", pads=[1, 1, 1, 1]),
        node("Sigmoid", "c", "s"),
        node("Mul", "c s", result),
    ]
    proto = model(nodes, {name: sizes}, [result], {"w": weights})
    Path("model.onnx").write_bytes(proto.SerializeToString())


def readers_files(walk: Walk) -> None:
    """Write what the first steps take for given: a model, one of PyTorch, a TFLite file of others, pictures."""
    from PIL import Image

    image_model()
    program = torch.export.export(nn.Conv2d(3, 4, 3).eval(), (torch.rand(1, 3, 8, 8),))
    torch.export.save(program, "model.pt2")
    assert CliRunner().invoke(cli, ["compile", "model.pt2", "-o", "theirs.tflite"]).exit_code == 0
    Path("pictures").mkdir()
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 255, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(f"pictures/{number}.png")
    walk.names["image"] = np.full((1, 320, 320, 3), PREPARED, np.float32)


def open_model(walk: Walk) -> None:
    image_model("x", "y", (1, 3, "height", "width"))


def clamps(walk: Walk) -> None:
    """Write a network to which the rules of the page apply, as ONNX and as IR."""
    image_model("x", "y", (1, 3, 32, 32))
    assert CliRunner().invoke(cli, ["opt", "model.onnx", "-o", "model.ir"]).exit_code == 0


def small_model(walk: Walk) -> None:
    image_model("x", "y", (1, 3, 32, 32))


def named_model(walk: Walk) -> None:
    image_model()


def device_files(walk: Walk) -> None:
    """Write a network, samples for it, and a TFLite file of others."""
    image_model("x", "y", (1, 3, 32, 32))
    np.save("samples.npy", np.random.default_rng(0).normal(size=(8, 3, 32, 32)).astype(np.float32))
    assert CliRunner().invoke(cli, ["compile", "model.onnx", "-o", "others.tflite"]).exit_code == 0


def with_keras(walk: Walk) -> None:
    """The page makes its models with Keras."""
    pytest.importorskip("tensorflow", reason="TensorFlow runs what the page makes")


def tflite_file(walk: Walk) -> None:
    """Write a TFLite file, and samples for it."""
    image_model("x", "y", (1, 3, 32, 32))
    done = CliRunner().invoke(cli, ["compile", "model.onnx", "-o", "model.tflite", "--io-layout", "keep"])
    assert done.exit_code == 0
    np.save("samples.npy", np.random.default_rng(0).normal(size=(8, 3, 32, 32)).astype(np.float32))


def example(*names: str) -> Callable[[Walk], None]:
    """Return what copies examples, of which a page shows parts, and writes networks that they are for."""

    def setup(walk: Walk) -> None:
        for name in names:
            shutil.copy(ROOT / "examples" / name, name)
        first = {"weights": [[1, 2], [3, 4], [5, 6]], "bias": [0, 1, 2], "activation": "relu"}
        layers = [first, {"weights": [[1, -1, 2]]}]
        Path("model.dense").write_text(json.dumps({"layers": layers}), encoding="utf-8")
        weights = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
        nodes = [node("MatMul", "x w", "h"), node("Sigmoid", "h", "g"), node("Softmax", "g", "y", axis=-1)]
        proto = model(nodes, {"x": ("batch", 8)}, ["y"], {"w": weights})
        Path("model.onnx").write_bytes(proto.SerializeToString())

    return setup


def nothing(walk: Walk) -> None:
    """The page itself makes all that it needs."""


WALKS: dict[str, Callable[[Walk], None]] = {
    "README.md": readers_files,
    "docs/getting-started.md": readers_files,
    "docs/tutorial-phone.md": nothing,
    "docs/tutorial-pass.md": nothing,
    "docs/cli.md": open_model,
    "docs/api.md": small_model,
    "docs/writing-passes.md": clamps,
    "docs/pytorch.md": nothing,
    "docs/from-onnx2tf.md": named_model,
    "docs/from-litert-torch.md": nothing,
    "docs/from-tinynn.md": nothing,
    "docs/from-onnxsim.md": open_model,
    "docs/from-tf2onnx.md": with_keras,
    "docs/from-keras-onnx.md": with_keras,
    "docs/from-tflite2tensorflow.md": tflite_file,
    "docs/troubleshooting.md": small_model,
    "docs/devices.md": device_files,
    "docs/writing-targets.md": example("numpy_target.py"),
    "docs/writing-frontends.md": example("dense_source.py"),
}


@pytest.fixture(autouse=True)
def local_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run files in this process, which starts sooner than others."""
    monkeypatch.setattr("nhwcc.runners.tflite.start", LocalWorker)


@pytest.fixture(autouse=True)
def own_passes() -> Iterator[None]:
    register_passes()
    known, targets, formats = dict(PASSES), dict(TARGETS), list(FORMATS)
    yield
    for registry, kept in ((PASSES, known), (TARGETS, targets)):
        for name in registry.keys() - kept.keys():
            del registry[name]
    FORMATS[:] = formats


@pytest.mark.parametrize("page", WALKS)
def test_page(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    walk = Walk(ROOT / page)
    WALKS[page](walk)
    walk.go()
    assert walk.ran
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


ELSEWHERE = {
    "docs/custom-ops.md": "tests/nhwcc/test_op_library.py runs its files",
    "docs/getting-started.ja.md": "has the commands of getting-started.md: test_translations.py",
    "docs/from-onnx-tensorflow.md": "test_docs.py, with TensorFlow",
    "docs/from-onnx2keras.md": "test_docs.py, with TensorFlow",
    "docs/keras.md": "test_docs.py, with TensorFlow",
    "docs/speed.md": "test_docs.py, one round of each",
    "docs/from-openvino2tensorflow.md": "test_docs.py",
    "docs/openvino.md": "test_docs.py",
    "docs/tensorflow.md": "test_docs.py, with TensorFlow",
    "docs/tfjs.md": "test_docs.py, with node where it is installed",
    "docs/quantization.md": "tests/nhwcc/quantization: a form of a function, which has no body",
    "docs/passes.md": "printed from the passes",
    "docs/zoo.md": "tests/nhwcc/cli/test_zoo.py reads its list, and runs such ones",
}
"""Pages with commands or Python that other tests run, and which."""


def test_every_page_is_walked() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = {str(p.relative_to(ROOT)) for p in pages if any(b.language in ("sh", "python") for b in blocks(p))}
    assert shown == WALKS.keys() | ELSEWHERE.keys()


MIGRATION = sorted((ROOT / "docs").glob("from-*.md"))


@pytest.mark.parametrize("page", MIGRATION, ids=lambda page: page.stem)
def test_what_stands_for_other_flags_exists(page: Path) -> None:
    """The last column of a table names options of ours."""
    rows = (line.split("|")[-2] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|"))
    named = {flag for cell in rows for flag in re.findall(r"(?<=[` ])--[a-z][a-z-]+", cell)}
    options = [p for command in cli.commands.values() for p in command.params]
    known = {option for p in options for option in (*p.opts, *p.secondary_opts)}
    assert named and named <= known | {"--version"}, named - known
