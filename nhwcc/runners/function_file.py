"""Written files that are run by a function of this process: what a small target needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np

from nhwcc.compiler.types import Array, TensorType
from nhwcc.runners import Traced


@dataclass(frozen=True)
class FunctionFile:
    """A file whose network ``function`` computes: arrays by name in, arrays by name out.

    ``inputs`` are the types of its inputs as the source has them, which a file has to say.
    """

    title: str
    inputs: Mapping[str, TensorType]
    outputs: tuple[str, ...]
    function: Callable[[dict[str, Array]], Mapping[str, Any]]

    def allocate(self) -> None:
        """Do nothing: a function needs no memory to be prepared for new shapes."""

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return nothing: no input is known to be a state."""
        del inputs
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Call the function."""
        return {name: np.asarray(array) for name, array in self.function(dict(inputs)).items()}

    def run_otherwise(self, inputs: Mapping[str, Array]) -> None:
        """There is one way."""

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Give nothing: what is inside is not seen."""
        del inputs, only
        yield from ()


def no_process() -> AbstractContextManager[None]:
    """What ``start`` of a target's runner returns if files run in this process."""
    return nullcontext()
