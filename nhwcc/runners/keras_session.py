"""A model of Keras that was loaded: what runs in a process of its own."""

# Keras has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingImports=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.types import Array
from nhwcc.formats.keras.refusals import first_line, refusals
from nhwcc.runners.libraries import quiet


class KerasSession:
    """A file as stock Keras loads it, in safe mode; what comes out is what the user of the file gets."""

    def __init__(self, path: Path) -> None:
        quiet()
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        import keras

        self._keras = cast(Any, keras)
        self._refusals = refusals()
        try:
            self._model: Any = self._keras.saving.load_model(path, compile=False, safe_mode=True)
        except self._refusals as bad:
            raise error("R018", f"Keras refuses the file: {first_line(bad)}") from bad
        self.version: str = self._keras.__version__

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Return the outputs in order, which have no names that could be asked for.

        Raises:
            CompileError: R018, Keras refuses the inputs.
        """
        del outputs
        return self._results(self._model, [*inputs.values()])

    def tensors(self) -> dict[str, str]:
        """Return the class of each layer and operation by its name."""
        return {node.name: type(node).__name__ for node in self._model.operations}

    def inner(self, names: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Return what layers and operations give; of several results the first one."""
        nodes = {node.name: node for node in self._model.operations}
        wanted: list[Any] = []
        for name in names:
            given = nodes[name].output
            wanted.append(given[0] if isinstance(given, list | tuple) else given)
        return self._results(self._keras.Model(self._model.inputs, wanted), [*inputs.values()])

    def _results(self, model: Any, inputs: Sequence[Array]) -> list[Array]:
        try:
            found: Any = model([np.asarray(array) for array in inputs], training=False)
        except self._refusals as bad:
            raise error("R018", f"Keras refuses the inputs: {first_line(bad)}") from bad
        results = found if isinstance(found, list | tuple) else [found]
        return [np.asarray(self._keras.ops.convert_to_numpy(one)) for one in results]
