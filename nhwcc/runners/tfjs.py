"""TensorFlow.js by node: where it is, and a model in a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from weakref import finalize

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.types import Array
from nhwcc.formats.tfjs.reader import read_graph_model
from nhwcc.runners.tensorflow import TensorflowRunner

PACKAGE, WASM = "@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm"
"""TensorFlow.js, and what makes it many times as fast where it is there, too."""

SESSION = ("nhwcc.runners.tfjs", "TfjsSession")

SCRIPT = Path(__file__).with_name("tfjs_session.js")

MISSING = "node and TensorFlow.js are not installed (npm install -g @tensorflow/tfjs@4.22.0, or NODE_PATH says where)"

MEMORY = 8192
"""Megabytes that JavaScript may take."""

TYPES = {"f": "float32", "i": "int32", "u": "int32", "b": "bool"}
"""What TensorFlow.js calls element types, by the kind that numpy says they are of."""


def find_node() -> str | None:
    """Return the path of the program ``node``, or None without one."""
    return shutil.which("node")


def find_library(package: str = PACKAGE) -> Path | None:
    """Return the folder of TensorFlow.js or another package: where NODE_PATH says, else among node's global packages.

    What lies in the current folder is not looked at: it would be code of whoever has sent a model.
    """
    node = find_node()
    if node is None:
        return None
    named = [Path(place) for place in os.environ.get("NODE_PATH", "").split(os.pathsep) if place]
    own = Path(node).parent.parent
    places = (*named, own / "lib" / "node_modules", Path(node).resolve().parent.parent / "lib" / "node_modules")
    return next((found for place in places if (found := place.absolute() / package).is_dir()), None)


def is_available() -> bool:
    """Return whether node and the package of TensorFlow.js are installed."""
    return find_library() is not None


class Node:
    """A process of node with TensorFlow.js, which may hold several models."""

    def __init__(self) -> None:
        node, library = find_node(), find_library()
        if node is None or library is None:
            raise error("R017", MISSING)
        ends, self._alive = os.pipe()
        wasm = find_library(WASM)
        command = [node, f"--max-old-space-size={MEMORY}", str(SCRIPT), str(library), str(ends), str(wasm or "")]
        self._process = subprocess.Popen(  # noqa: S603 -- our own script
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(ends,)
        )
        os.close(ends)
        self._count = 0
        self._forgotten: list[int] = []

    def load(self, folder: Path) -> tuple[int, str]:
        """Load a model; return its number and the version of what runs it.

        Raises:
            CompileError: as :meth:`ask`.
        """
        self._count += 1
        said = {"kind": "load", "folder": str(folder.absolute()), "number": self._count, "forget": self._forgotten}
        self._forgotten = []
        return self._count, self.ask("model", said)[0]["version"]

    def forget(self, number: int) -> None:
        """Let a model go when the next one comes: this may be called in the middle of something."""
        self._forgotten.append(number)

    def ask(self, what: str, said: Mapping[str, Any], *parts: bytes) -> tuple[dict[str, Any], memoryview]:
        """Send a request with the bytes of tensors; return the answer with its own.

        Raises:
            CompileError: R018, TensorFlow.js refuses ``what``; R019, the process ended.
        """
        to = self._process.stdin
        assert to is not None
        text = json.dumps(said).encode()
        try:
            for piece in (len(text).to_bytes(4, "little"), text, *parts):
                to.write(piece)
            to.flush()
        except OSError:
            raise self._ended() from None
        answer: dict[str, Any] = json.loads(self._read(int.from_bytes(self._read(4), "little")))
        if "error" in answer:
            raise error("R018", f"TensorFlow.js refuses the {what}: {_first_line(answer['error'])}")
        return answer, memoryview(self._read(sum(tensor["size"] for tensor in answer.get("tensors", ()))))

    def _read(self, size: int) -> bytes:
        back = self._process.stdout
        assert back is not None
        found = back.read(size)
        if len(found) < size:
            raise self._ended()
        return found

    def _ended(self) -> CompileError:
        return error("R019", f"node ended its process (exit code {self._process.wait()})")


@cache
def _node() -> Node:
    """Return the process that runs all models of this one: it takes a second to begin, and ends with us."""
    return Node()


class TfjsSession:
    """A graph model in node: tensors go in and come out by the names of nodes."""

    def __init__(self, place: Path, tags: Sequence[str] = ()) -> None:
        del tags
        folder = self._folder = place if place.is_dir() else place.parent
        self._node = _node()
        self._number, self.version = self._node.load(folder)
        finalize(self, self._node.forget, self._number)

    def tensors(self) -> dict[str, str]:
        """Return the operator of each node of the graph itself."""
        return {node.name: node.op for node in read_graph_model(self._folder).graph.nodes}

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Return results of nodes, given those of others.

        Raises:
            CompileError: R018, TensorFlow.js refuses them.
        """
        pairs = [_told(name, array) for name, array in inputs.items()]
        said = {"kind": "run", "number": self._number, "outputs": list(outputs), "tensors": [told for told, _ in pairs]}
        answer, content = self._node.ask("inputs", said, *(elements for _, elements in pairs))
        found: list[Array] = []
        for told in answer["tensors"]:
            found.append(_array(told, content[: told["size"]]))
            content = content[told["size"] :]
        return found


NUMBERS = {"i": np.int32, "u": np.int32, "f": np.float32}
"""The numbers that TensorFlow.js computes with, by their kind."""


class TfjsRunner(TensorflowRunner):
    """Runs what was imported of a graph model by TensorFlow.js, under the names that the import gave."""

    title_of_runtime = "TensorFlow.js"
    session = SESSION


def _told(name: str, array: Array) -> tuple[dict[str, Any], bytes]:
    """Return what is said of a tensor, and its bytes."""
    said: dict[str, Any] = {"name": name, "shape": list(array.shape), "size": 0, "dtype": "string"}
    if array.dtype.kind not in TYPES:
        return said | {"strings": [str(text) for text in array.reshape(-1)]}, b""
    _check_held(name, array)
    content = np.ascontiguousarray(array, NUMBERS.get(array.dtype.kind)).tobytes()
    return said | {"dtype": TYPES[array.dtype.kind], "size": len(content)}, content


def _check_held(name: str, array: Array) -> None:
    """Refuse numbers that would become infinite.

    Raises:
        CompileError: R018, floats of 64 bits are too large for 32.
    """
    if array.dtype == np.float64:
        largest = float(np.abs(array[np.isfinite(array)]).max(initial=0))
        if largest > np.finfo(np.float32).max:
            text = f"TensorFlow.js refuses the inputs: {name!r} holds {largest:.3g}, and its floats have 32 bits"
            raise error("R018", text)


def _array(said: Mapping[str, Any], content: memoryview) -> Array:
    shape = tuple(said["shape"])
    if said["dtype"] == "string":
        strings = np.empty(len(said["strings"]), object)
        strings[:] = said["strings"]
        return strings.reshape(shape)
    return np.frombuffer(content, {"bool": np.bool_}.get(said["dtype"], said["dtype"])).reshape(shape)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "an error without a text"
