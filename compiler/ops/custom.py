"""Custom operators. The IR carries them without knowing what they compute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ir import Op, Value
from ..opdef import op
from ..types import TensorType


@op("custom")
class Custom(Op):
    """An operator of which only the name is known: it is neither folded nor merged, and keeps the source's layout.

    ``code`` is its name with its domain, ``types`` are those of its results as the source states them, ``options``
    what the source calls attributes: numbers, strings, booleans, tensors, and lists of them.
    """

    inputs: tuple[Value | None, ...]
    code: str
    types: tuple[TensorType, ...]
    options: Mapping[str, Any] = {}

    @property
    def title(self) -> str:
        """Name the operator, not only that it is some custom one."""
        return f"the custom operator {self.code}"

    def infer(self) -> tuple[TensorType, ...]:
        """Believe what is stated."""
        return self.types
