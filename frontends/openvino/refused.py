"""Operations that OpenVINO has, but that are not read, and why."""

from __future__ import annotations

_STRINGS = "reads or gives strings, which only exist as constants here"

REFUSED = {
    "CTCLoss": "is of training",
    "StringTensorPack": _STRINGS,
    "StringTensorUnpack": _STRINGS,
}
"""What is said of each."""
