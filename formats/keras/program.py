"""A functional model of Keras as plain data: which layers and operations are called, with what, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ...compiler.types import Array, TensorType
from ...compiler.weights import Weight

LAYERS = "layers."
"""How the functions begin that are layers of Keras; those of ``keras.ops`` begin with ``ops.``."""


@dataclass(frozen=True)
class Tensor:
    """What an input or a call gives, by its number."""

    number: int


Setting: TypeAlias = "bool | int | float | str | slice | tuple[Setting, ...] | None"
"""What is fixed when a layer or an operation is made."""

Argument: TypeAlias = "Tensor | Array | Setting | tuple[Argument, ...]"
"""What it is called with: computed tensors, small constants, and lists of them."""


@dataclass(frozen=True)
class Call:
    """A call of a layer or an operation; ``settings`` are of the layer itself, or of the operation by keyword.

    ``weights`` are the layer's, in its own order. ``results`` are its tensors with the types that they must have.
    """

    function: str
    name: str
    arguments: tuple[Argument, ...]
    settings: Mapping[str, Setting]
    results: tuple[tuple[Tensor, TensorType], ...]
    weights: tuple[Weight, ...] = ()


@dataclass(frozen=True)
class Input:
    """An input; sizes that are not known are open."""

    name: str
    tensor: Tensor
    type: TensorType


@dataclass
class Program:
    """A whole model; ``layout`` is what the file says besides of its interface."""

    inputs: list[Input]
    calls: list[Call]
    outputs: list[Tensor]
    layout: bytes = field(default=b"{}")
