"""Saving models of Keras as SavedModels, by Keras itself."""

# Keras has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingImports=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from nhwcc.compiler.diagnostics import CompileError, error

REFUSALS = (ValueError, TypeError, KeyError, AttributeError, OSError, ImportError, NotImplementedError, RuntimeError)
"""What Keras and TensorFlow raise where a model can't be loaded or traced."""


class KerasExport:
    """Loads files of Keras in a process of its own."""

    def __init__(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
        os.environ["KERAS_BACKEND"] = "tensorflow"

    def save(self, source: Path, folder: Path, unsafe: bool) -> None:
        """Load a file, and save the model; code in the file is run if it is ``unsafe`` to be.

        Raises:
            CompileError: F038, the file holds code; R018, Keras refuses it.
        """
        import keras

        if not unsafe and source.suffix == ".h5" and _LAMBDA.search(source.read_bytes()):
            help = "Load it in Python and give the model, or --unsafe-load (unsafe_load=True) if you trust the file."
            raise error("F038", f"{source.name} holds functions of Python, in Lambda layers", help=help)
        try:
            model = keras.saving.load_model(source, compile=False, safe_mode=not unsafe)
        except REFUSALS as bad:
            raise _refused("load the file", bad) from bad
        save(model, folder)


_LAMBDA = re.compile(rb'"class_name":\s*"Lambda"')
"""What the file of a model with code in it says; older versions of Keras run it whatever they are told."""


def save(model: Any, folder: Path) -> None:
    """Save a model of Keras as a SavedModel.

    Raises:
        CompileError: R018, Keras refuses to trace it.
    """
    try:
        model.export(str(folder), verbose=False)
    except REFUSALS as bad:
        raise _refused("save the model as a SavedModel", bad) from bad


def _refused(what: str, bad: Exception) -> CompileError:
    said = next((line.strip() for line in str(bad).splitlines() if line.strip()), type(bad).__name__)
    help = (
        "Load it in Python where its own layers are, and give the model, or the folder that model.export(...) writes."
    )
    return error("R018", f"Keras can't {what}: {said}", help=help)
