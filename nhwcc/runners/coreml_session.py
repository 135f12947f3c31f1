"""A package of Core ML that was loaded: what runs in a process of its own."""

# coremltools has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingImports=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nhwcc.compiler.diagnostics import error
from nhwcc.compiler.types import Array
from nhwcc.formats.coreml.install import load
from nhwcc.formats.layout import KEY
from nhwcc.formats.refusals import STANDARD, first_line

HELP = "compile on a Mac, where the package is run and compared"
APPLE = "Darwin"


class CoremlSession:
    """A package as coremltools loads it; elsewhere than on a Mac its program is read and typed, and can't be run."""

    def __init__(self, path: Path) -> None:
        ct = load()
        self.version: str = ct.__version__
        self._is_apple = platform.system() == APPLE
        try:
            self._model: Any = ct.models.MLModel(str(path), skip_model_load=not self._is_apple)
            self.program: Any = _typed(self._model)
        except STANDARD as bad:
            raise error("R018", f"Core ML refuses the package: {first_line(bad)}") from bad

    def said(self) -> str:
        """Return what the package says of its inputs and outputs; empty if somebody else has written it."""
        return self._model.user_defined_metadata.get(KEY, "")

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Return outputs by their names.

        Raises:
            CompileError: R018, Core ML refuses the inputs; R028, there is no Core ML on this system.
        """
        if not self._is_apple:
            text = (
                f"packages of Core ML run on Apple's systems only: on {platform.system()} coremltools reads and types"
            )
            raise error("R028", f"{text} the program, and computes nothing", help=HELP)
        try:
            found = self._model.predict(dict(inputs))
        except STANDARD as bad:
            raise error("R018", f"Core ML refuses the inputs: {first_line(bad)}") from bad
        return [np.asarray(found[name]) for name in outputs]

    def tensors(self) -> dict[str, str]:
        """Return nothing: only outputs can be asked for."""
        return {}


def _typed(model: Any) -> Any:
    """Read the program of a model as coremltools builds it, with all types inferred again."""
    from coremltools.converters.mil.frontend.milproto.load import load as read

    spec: Any = model.get_spec()
    return read(spec, spec.specificationVersion, model.weights_dir)
