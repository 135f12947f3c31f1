"""What Keras raises where it can't load, trace or run a model: whatever the code below it does."""

# TensorFlow has no types
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingImports=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import struct
import zipfile
import zlib

STANDARD = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What Python's own libraries and numpy's raise."""


def refusals() -> tuple[type[Exception], ...]:
    """Return all of them, with those of TensorFlow, which has been imported."""
    import tensorflow as tf

    return (*STANDARD, tf.errors.OpError)


def first_line(bad: Exception) -> str:
    """Return the first line of what an exception says; of a silent one its class."""
    return next((line.strip() for line in str(bad).splitlines() if line.strip()), type(bad).__name__)
