"""Operators that are known and not read, each with the reason that the error message gives."""

from __future__ import annotations

from .functionalize.names import CONTROL

_TEXTS = "reads or gives strings, which only exist as constants here"
_TABLE = "looks something up in a table that is filled when the network is loaded"
_RAGGED = "belongs to ragged tensors, whose rows have different lengths"
_SPARSE = "belongs to sparse tensors"
_FILES = "reads or decodes a file"
_FRAMES = "belongs to control flow of version 1, in a form that is neither a loop nor a branch of two sides"

FAMILIES = {
    "Ragged": _RAGGED,
    "Sparse": _SPARSE,
    "String": _TEXTS,
    "Regex": _TEXTS,
    "LookupTable": _TABLE,
    "HashTable": _TABLE,
    "MutableHashTable": _TABLE,
    "InitializeTable": _TABLE,
    "Decode": _FILES,
    "Encode": _FILES,
    "Iterator": "reads a data set",
    "PyFunc": "calls a function of Python",
    "EagerPyFunc": "calls a function of Python",
    "TPU": "runs on Google's own devices",
}
"""What is said of operators whose names begin so."""

REFUSED = {
    "AsString": _TEXTS,
    "DynamicPartition": "makes parts whose sizes depend on data",
    "ReadFile": _FILES,
    "ReduceJoin": _TEXTS,
    "StaticRegexFullMatch": _TEXTS,
    "StaticRegexReplace": _TEXTS,
    "Substr": _TEXTS,
    "UnicodeDecodeWithOffsets": _TEXTS,
    "UnicodeTranscode": _TEXTS,
}
"""Why each is not read, as a message goes on after its name."""


def why_refused(op: str) -> str | None:
    """Return why an operator is not read; None if there is no reason but that it has no handler."""
    if op in CONTROL:
        return _FRAMES
    if op in REFUSED:
        return REFUSED[op]
    return next((why for start, why in FAMILIES.items() if op.startswith(start)), None)
