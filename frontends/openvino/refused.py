"""Operations that OpenVINO has, but that are not read, and why."""

from __future__ import annotations

_STRINGS = "reads or gives strings, which only exist as constants here"
_IMAGES = "converts images of video, which belongs before the network"

REFUSED = {
    "BGRtoNV12": _IMAGES,
    "BinaryConvolution": "has no numbers to compare with: OpenVINO's own kernel gives others from run to run",
    "CTCLoss": "is of training",
    "GroupedMatMul": "multiplies groups whose sizes data decide",
    "NMSRotated": "compares boxes that are rotated",
    "RGBtoNV12": _IMAGES,
    "SparseFillEmptyRows": "gives rows in a number that data decide",
    "StringTensorPack": _STRINGS,
    "StringTensorUnpack": _STRINGS,
}
"""Why each is not read, as a message goes on after its name."""
