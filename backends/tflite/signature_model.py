"""A signature of a TFLite file, called by its key as applications do."""

# the runtime's Python interface is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.types import Array
from .runtime import TfliteModel, decoded, port_of


class SignatureModel(TfliteModel):
    """A loaded file of which one signature runs, prepared for the sizes of each call.

    Raises:
        CompileError: R013, there is no such signature, or the runtime refuses the file.
    """

    def __init__(self, path: Path, key: str, *, delegate: bool = True) -> None:
        super().__init__(path, delegate=delegate)
        try:
            self._signed: Any = self._interpreter.get_signature_runner(key)
        except (ValueError, RuntimeError) as bad:
            raise self._refused(bad) from bad
        self.inputs = {n: port_of(n, detail) for n, detail in self._signed.get_input_details().items()}
        self.outputs = {n: port_of(n, detail) for n, detail in self._signed.get_output_details().items()}

    def resize(self, shapes: Mapping[str, Sequence[int]]) -> None:
        """Do nothing: every call prepares memory for its sizes."""

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays by input name, and return the results by output name.

        Raises:
            CompileError: as :meth:`TfliteModel.run`.
        """
        self._check(inputs)
        try:
            found = self._signed(**{name: np.array(inputs[name], order="C") for name in self.inputs})
            return {name: decoded(found[name]) for name in self.outputs}
        except (ValueError, RuntimeError) as bad:
            raise self._refused(bad) from bad
