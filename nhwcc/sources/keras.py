"""Models of Keras as sources: Keras itself makes a SavedModel of them."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nhwcc.compiler.budget import check_expansion
from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.core import Const
from nhwcc.compiler.scratch import Scratch
from nhwcc.contents import Content
from nhwcc.cut import Cut
from nhwcc.files import scratch
from nhwcc.formats.keras.config import CONFIG
from nhwcc.formats.keras.refusals import first_line
from nhwcc.runners import Runner
from nhwcc.runners.keras_file import written_file
from nhwcc.runners.tensorflow import is_available
from nhwcc.runners.worker import Worker
from nhwcc.sources.call import Call
from nhwcc.sources.tensorflow import TensorflowSource

if TYPE_CHECKING:
    from nhwcc.frontends.tensorflow import Program

EXPORT = ("nhwcc.runners.keras_export", "KerasExport")


class KerasSource(TensorflowSource):
    """A file of Keras (.keras, .h5), its bytes, or a model in memory.

    It is traced by Keras once, in a process of its own where it is a file, into a temporary folder.
    """

    def __init__(self, given: Path | bytes | object, call: Call) -> None:
        self.model = given
        self.unsafe_load = call.unsafe_load
        self._folder: Scratch | None = None
        super().__init__(b"", call)

    @property
    def title(self) -> str:
        """The path, or that it is a model of Keras."""
        return str(self.model) if isinstance(self.model, Path) else "a Keras model"

    def _read(self, cut: Cut) -> Program:
        """Trace the model, and read the part that is wanted.

        Raises:
            CompileError: R017, TensorFlow is not installed; F038, the file holds code; R018, Keras can't load or trace
                the model; R010 or F...
        """
        self._trace()
        program = super()._read(cut)
        for op in program.module.walk():
            if isinstance(op, Const) and op.value.source is not None:
                op.value.source.read(0, np.dtype(np.uint8), (1,))  # what is mapped outlives the folder
        return program

    def files(self, module: Module) -> list[Path]:
        """The file; weights lie in the temporary folder."""
        return [self.model] if isinstance(self.model, Path) else []

    def _opened(self, program: Program, stack: ExitStack) -> Runner:
        """Return Keras for a file that says in which layout it has its inputs and outputs, else TensorFlow."""
        path = _named(self.model, self.given.parent) if isinstance(self.model, Path) else None
        own = None if path is None else written_file(path, stack)
        return super()._opened(program, stack) if own is None else own

    def _trace(self) -> None:
        if self._folder is not None:
            return
        if isinstance(self.model, Path | bytes):
            check_file(self.model)
        if not is_available():
            raise error("R017", "models of Keras need TensorFlow", help="pip install 'nhwcc[tensorflow]'")
        folder = scratch()
        self.given = folder.path / "saved_model"
        model: Any = self.model
        if isinstance(model, Path | bytes):
            with Worker(EXPORT[0]) as worker:
                worker.make(*EXPORT)
                path = _named(model, folder.path)
                check_expansion(self.title, worker.call("contents", path), path.stat().st_size)
                worker.call("save", path, self.given, self.unsafe_load)
        else:
            from nhwcc.runners.keras_export import save

            save(model, self.given)
        self._folder = folder


def check_file(model: Path | bytes) -> None:
    """Refuse what is damaged, holds weights alone or expands to too much, before Keras is imported to say so.

    Raises:
        CompileError: R010, it is damaged or incomplete; F035, it holds no network; M006, it expands to too much.
    """
    data = model if isinstance(model, bytes) else model.read_bytes()
    try:
        if data.startswith(b"\x89HDF"):
            is_network = b"model_config" in _whole(data)
        else:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                check_expansion(_title(model), [(e.filename, e.file_size) for e in archive.infolist()], len(data))
                is_network = isinstance(json.loads(archive.read(CONFIG)), dict)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RecursionError) as bad:
        help = "Save or download it again."
        raise error("R010", f"{_title(model)} is damaged or incomplete: {first_line(bad)}", help=help) from bad
    if not is_network:
        help = "Save the whole model, by model.save('model.keras'), not its weights alone."
        raise error("F035", f"{_title(model)} holds weights, but no network", help=help)


def _whole(data: bytes) -> bytes:
    """Return the content of a file in HDF5.

    Raises:
        ValueError: it ends before the end that its first block states.
    """
    place = 28 if data[8:9] in (b"\x02", b"\x03") else 40
    end = int.from_bytes(data[place : place + 8], "little")
    if len(data) < max(end, 48):
        raise ValueError(f"it has {len(data)} bytes of {max(end, 48)}")
    return data


def _title(model: Path | bytes) -> str:
    return str(model) if isinstance(model, Path) else "the model"


def _named(model: Path | bytes, folder: Path) -> Path:
    """Return the model under a name that tells Keras its format."""
    head = model[:4] if isinstance(model, bytes) else Content.of(model).head[:4]
    suffix = ".h5" if head == b"\x89HDF" else ".keras"
    if isinstance(model, Path) and model.suffix == suffix:
        return model.resolve()
    path = folder / f"model{suffix}"
    if isinstance(model, bytes):
        path.write_bytes(model)
    else:
        path.symlink_to(model.resolve())
    return path
