"""Runners: one way to run a model, whatever runs it. Names and layouts are always those of the source."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from nhwcc.compiler.types import Array, TensorType

T = TypeVar("T")


@dataclass(frozen=True)
class Traced:
    """A value inside of a network: its name, what computed it, and its elements in whatever layout it has there."""

    name: str
    kind: str
    array: Array


def batches(items: Iterable[T], size: Callable[[T], int], limit: int) -> Iterator[list[T]]:
    """Cut a sequence into parts that end where they reach ``limit`` bytes.

    >>> list(batches([3, 1, 5, 2], lambda x: x, 4))
    [[3, 1], [5], [2]]
    """
    batch: list[T] = []
    total = 0
    for item in items:
        batch.append(item)
        total += size(item)
        if total >= limit:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


class Runner(Protocol):
    """Something that runs a network on inputs in the source's layout and gives outputs in the source's layout."""

    @property
    def title(self) -> str:
        """The name and the version of what runs the network, for reports."""
        ...

    @property
    def inputs(self) -> Mapping[str, TensorType]:
        """The types of the inputs by name; sizes may be symbolic."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs, in the order of the network's results."""
        ...

    def first(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return what those of the inputs that are states are in a first call, on others of these sizes."""
        ...

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs by name.

        Raises:
            CompileError: what runs refuses the model or the inputs.
        """
        ...

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array] | None:
        """Return the outputs as computed another way, with other rounding; None if there is only one way.

        Raises:
            CompileError: as :meth:`run`.
        """
        ...

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run and give every value inside that has a name, or those called like one of ``only``, as they are computed.

        Raises:
            CompileError: as :meth:`run`.
        """
        ...
