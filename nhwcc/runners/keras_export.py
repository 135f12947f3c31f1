"""Saving models of Keras as SavedModels, by Keras itself."""

# Keras has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingImports=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.formats.keras.config import arrays, code_in, read_config
from nhwcc.formats.keras.refusals import STANDARD, first_line, refusals
from nhwcc.runners.libraries import load_keras, quiet

FREE, COPIES = 2 << 30, 6
"""Bytes that loading and tracing a model may take, and how many times those of its arrays."""


class KerasExport:
    """Loads files of Keras in a process of its own."""

    def __init__(self) -> None:
        quiet()
        os.environ["KERAS_BACKEND"] = "tensorflow"

    def contents(self, source: Path) -> list[tuple[str, int]]:
        """Return names and bytes of the arrays in a file.

        Raises:
            CompileError: R010, it is damaged.
        """
        with _reading(source):
            return list(arrays(source))

    def save(self, source: Path, folder: Path, unsafe: bool) -> None:
        """Load a file, and save the model; code in the file is run if it is ``unsafe`` to be.

        Raises:
            CompileError: F035, the file holds no network; F038, it holds code; R010, it is damaged; R018, Keras
                refuses it.
        """
        with _reading(source):
            config = read_config(source)
        if not isinstance(config, dict):
            help = "Save the whole model, by model.save('model.keras'), not its weights alone."
            raise error("F035", f"{source.name} holds weights, but no network", help=help)
        code = None if unsafe else code_in(config)
        if code is not None:
            help = "Load it in Python and give the model, or --unsafe-load (unsafe_load=True) if you trust the file."
            raise error("F038", f"{source.name} holds {code}", help=help)
        with _reading(source):
            stored = sum(size for _, size in arrays(source))
        keras = import_module("keras") if unsafe else load_keras()  # code in the file may need what we leave out
        _limit(stored)
        try:
            model = keras.saving.load_model(source, compile=False, safe_mode=not unsafe)
        except refusals() as bad:
            raise _refused("load the file", bad) from bad
        save(model, folder)


def _limit(stored: int) -> None:
    """Limit what this process may take more than now, where the system can: a layer may state a size that is no file's.

    Keras makes random weights before it reads those that are ``stored``, and TensorFlow copies them.
    """
    if sys.platform == "linux":
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[5])
        most = pages * resource.getpagesize() + FREE + COPIES * stored
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (most if hard < 0 else min(most, hard), hard))


@contextmanager
def _reading(source: Path) -> Generator[None, None, None]:
    """Blame the file for what Python's libraries and h5py raise."""
    try:
        yield
    except STANDARD as bad:
        text = f"{source.name} is damaged or incomplete: {first_line(bad)}"
        raise error("R010", text, help="Save or download it again.") from bad


def save(model: Any, folder: Path) -> None:
    """Save a model of Keras as a SavedModel.

    Raises:
        CompileError: R018, Keras refuses to trace it.
    """
    try:
        model.export(str(folder), verbose=False)
    except refusals() as bad:
        raise _refused("save the model as a SavedModel", bad) from bad


def _refused(what: str, bad: Exception) -> CompileError:
    help = (
        "Load it in Python where its own layers are, and give the model, or the folder that model.export(...) writes."
    )
    return error("R018", f"Keras can't {what}: {first_line(bad)}", help=help)
