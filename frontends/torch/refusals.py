"""The exceptions that running or exporting a model can raise: the model's own and PyTorch's."""

from __future__ import annotations

from torch._dynamo.exc import TorchDynamoException
from torch._export.verifier import SpecViolationError

from ...compiler.diagnostics import reason

REFUSALS = (
    SpecViolationError,
    TorchDynamoException,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What running a model without data can raise: the model's own errors and PyTorch's, which have no common base."""


def first_lines(bad: BaseException) -> str:
    """Return the first three lines of an error's message as one, or the name of its class."""
    said = reason(bad) if isinstance(bad, ValueError | RecursionError) else str(bad)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(lines[:3]) if lines else type(bad).__name__
