"""Opening a model: a path, bytes, or a parsed message."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...compiler.diagnostics import error, reason
from ...compiler.weights import MappedFile
from ..wire import WireError
from .model import Model, read_model
from .tensors import Store
from .wire import strip

if TYPE_CHECKING:
    from onnx import ModelProto


def open_model(source: Path | str | bytes | ModelProto) -> Model:
    """Read a model without the elements of its large tensors.

    Raises:
        CompileError: R010 the file can't be read, F010 it is no ONNX model, F011 it has no graph.
    """
    if isinstance(source, bytes):
        return read_model(_parse(source, "the bytes"), Store())
    if not isinstance(source, Path | str):
        return read_model(source, Store())
    path = Path(source)
    if not path.is_file():
        raise error("R010", f"can't read {path}: there is no such file")
    try:
        file = MappedFile(path)
        if file.size == 0:
            raise error("F010", f"{path} is empty", help="The download or the export was interrupted.")
        content = file.read(0, np.dtype(np.uint8), (file.size,)).data
    except OSError as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}") from bad
    try:
        data = strip(content)
    except WireError:
        data = content.tobytes()  # the parser says what is wrong with it
    return read_model(_parse(data, str(path)), Store(file))


def _parse(data: bytes, what: str) -> ModelProto:
    from google.protobuf.message import DecodeError
    from onnx import load_model_from_string

    try:
        return load_model_from_string(data)
    except DecodeError as bad:
        raise error(
            "F010", f"{what} can't be parsed: {bad}", help="The file is truncated, or not an ONNX model."
        ) from bad
