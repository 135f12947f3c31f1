"""Operators of the standard that are not read, with the reason: for errors, and for the docs."""

from __future__ import annotations

_STRINGS = "works on strings, and there are tensors of numbers only; do it before the network runs"

REFUSED = {
    "ImageDecoder": "decodes image files, and networks begin with pixels; decode before the network runs",
    "RegexFullMatch": _STRINGS,
    "StringConcat": _STRINGS,
    "StringNormalizer": _STRINGS,
    "StringSplit": _STRINGS,
}
"""By name: everything in the standard's own domain that has neither a handler nor a definition."""
