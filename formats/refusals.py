"""What libraries raise where they can't load, build or run a model, whatever the code below them does."""

from __future__ import annotations

import struct
import zipfile
import zlib

from ..compiler.diagnostics import reason

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


def first_line(bad: Exception) -> str:
    """Return the first line of what an exception says; of a silent one its class."""
    return next((line.strip() for line in reason(bad).splitlines() if line.strip()), type(bad).__name__)
