"""The page of examples/web in a browser: a picture in, the network's mask out."""

from __future__ import annotations

import json
import queue
import shutil
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nhwcc.compiler.types import Array
from onnx_models import model, node
from PIL import Image

import nhwcc
from nhwcc.runners.tfjs import MISSING, find_library
from nhwcc.sources import source_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "web"

SIZE = 32

MEAN, DEVIATION = (np.asarray(v, np.float32) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
"""What pictures are scaled by, as in ``segment.js``."""

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

PATIENCE = 240
"""Seconds that a browser may take on a machine that does other things, too."""

WATCH = """<!DOCTYPE html><iframe src="/web/index.html?picture=/picture.png" width="900" height="600"></iframe><script>
const frame = document.querySelector('iframe');
setInterval(() => {
  const page = frame.contentDocument;
  const state = page && page.body && page.body.dataset.state;
  if (!state) return;
  const mask = page.getElementById('mask');
  const pixels = state === 'done' ? [...mask.getContext('2d').getImageData(0, 0, mask.width, mask.height).data] : [];
  fetch('/result', {method: 'POST', body: JSON.stringify({state, said: page.getElementById('said').value, pixels})});
}, 200);
</script>"""
"""A page around the page, which tells what came of it."""


class Site(SimpleHTTPRequestHandler):
    """Files of the example, of TensorFlow.js and of the test; what is posted goes to a queue."""

    def __init__(self, *args: Any, folder: Path, library: Path, told: queue.Queue[Any]) -> None:
        self.roots = {
            "/web/node_modules/@tensorflow/tfjs/": library,
            "/web/web_model/": folder / "web_model",
            "/web/": EXAMPLE,
            "/": folder,
        }
        self.told = told
        super().__init__(*args)

    def translate_path(self, path: str) -> str:
        """Return the file of an address."""
        plain = path.partition("?")[0]
        start = next(start for start in self.roots if plain.startswith(start))
        return str(self.roots[start] / plain.removeprefix(start))

    def do_POST(self) -> None:
        """Keep what is told."""
        self.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(folder: Path, library: Path) -> Generator[tuple[str, queue.Queue[Any]], None, None]:
    """Serve on a free port; give the address, and what is posted there."""
    told: queue.Queue[Any] = queue.Queue()
    handler = partial(Site, folder=folder, library=library, told=told)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", told
        server.shutdown()


def browse(folder: Path) -> dict[str, Any]:
    """Open the page in a browser without a window, and return what it shows."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    library = find_library()
    if browser is None or library is None:
        pytest.skip(MISSING if library is None else "Chromium is not installed (apt-get install chromium)")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--no-first-run"]
    (folder / "watch.html").write_text(WATCH)
    with served(folder, library) as (address, told):
        command = [browser, *flags, f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0"]
        process = subprocess.Popen([*command, f"{address}/watch.html"], stderr=subprocess.DEVNULL)
        try:
            return told.get(timeout=PATIENCE)
        finally:
            process.kill()
            process.wait()


def picture(folder: Path, size: int) -> Array:
    """Write a picture of the network's own size, and return what the page makes of it."""
    pixels = np.random.default_rng(0).integers(0, 255, (size, size, 3), np.uint8)
    Image.fromarray(pixels).save(folder / "picture.png")
    scaled = pixels.astype(np.float32) / np.float32(pixels.max())
    normal = (scaled - MEAN) / DEVIATION
    return normal.transpose(2, 0, 1)[None]


def check(folder: Path, path: Path, image: Array) -> None:
    """Compare the mask with what the runtime of the source gives."""
    found = browse(folder)
    assert found["state"] == "done", found["said"]
    size = image.shape[-1]
    shown: np.ndarray[Any, np.dtype[np.int64]] = np.asarray(found["pixels"], np.int64).reshape(size, size, 4)[:, :, 0]
    wanted = first_output(path, image)
    scaled: Array = (wanted - wanted.min()) / (wanted.max() - wanted.min())
    assert wanted.std() > 0.01 and np.abs(shown - np.round(255 * scaled)).max() <= 2, found["said"]


def first_output(path: Path, image: Array) -> Array:
    """Return the first output of a model's own runtime, as an image."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        runner = source_of(path).open(stack)
        (name,) = runner.inputs
        return runner.run({name: image})[runner.outputs[0]].reshape(image.shape[-2:])


def test_a_small_network(tmp_path: Path) -> None:
    """Of the kinds of operations that U²-Net has: dilated convolutions, poolings, sizes doubled, parts joined."""
    random = np.random.default_rng(0)
    shapes = {"a": (4, 3, 3, 3), "b": (4, 4, 3, 3), "c": (1, 8, 1, 1)}
    weights = {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    weights |= {"scales": np.asarray([1, 1, 2, 2], np.float32), "none": np.empty(0, np.float32)}
    nodes = [
        node("Conv", "image a", "wide", pads=[1, 1, 1, 1]),
        node("MaxPool", "wide", "small", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "small b", "far", pads=[2, 2, 2, 2], dilations=[2, 2]),
        node("Relu", "far", "positive"),
        node("Resize", "positive none scales", "large", mode="linear"),
        node("Concat", "wide large", "both", axis=1),
        node("Conv", "both c", "sum"),
        node("Sigmoid", "sum", "mask"),
    ]
    path = tmp_path / "model.onnx"
    path.write_bytes(model(nodes, {"image": (1, 3, SIZE, SIZE)}, ["mask"], weights).SerializeToString())
    nhwcc.compile(path, tmp_path / "web_model", verify=False)
    check(tmp_path, path, picture(tmp_path, SIZE))


@pytest.mark.long
def test_u2net(tmp_path: Path) -> None:
    """The network of the example, with random weights, on a small picture."""
    import torch
    from torch.onnx import export  # pyright: ignore[reportUnknownVariableType]

    from examples.u2netp import seeded

    path = tmp_path / "model.onnx"
    export(seeded(), (torch.rand(1, 3, 64, 64),), path, dynamo=True)
    nhwcc.compile(path, tmp_path / "web_model", verify=False)
    check(tmp_path, path, picture(tmp_path, 64))


def test_the_readme_names_what_there_is() -> None:
    """The model that is fetched is the one that is compiled, and the page looks for what is written."""
    from examples.trained import MODELS

    text = (EXAMPLE / "README.md").read_text()
    source = MODELS["u2netp"]
    assert "python -m examples.trained u2netp" in text
    assert f".cache/models/{source.package}-{source.version}/{source.file} -o examples/web/web_model/" in text
    assert "'web_model/model.json'" in (EXAMPLE / "page.js").read_text()
    assert json.loads((EXAMPLE / "package.json").read_text())["dependencies"] == {"@tensorflow/tfjs": "4.22.0"}
    assert "tfjs@4.22.0" in MISSING
