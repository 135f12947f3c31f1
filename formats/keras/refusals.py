"""What Keras raises where it can't load, trace or run a model: whatever the code below it does."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingImports=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from ..refusals import STANDARD, first_line


def refusals() -> tuple[type[Exception], ...]:
    """Return all of them, with those of TensorFlow, which has been imported."""
    import tensorflow as tf

    return (*STANDARD, tf.errors.OpError)


__all__ = ["STANDARD", "first_line", "refusals"]
