"""Since which release of the runtime a version of a builtin can be run."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from ...compiler.types import DType, TensorType


@cache
def releases() -> dict[tuple[str, int], str]:
    """Read the table: builtin and version to release."""
    text = files("nhwcc.backends.tflite").joinpath("op_versions.csv").read_text(encoding="utf-8")
    return {(row["op"], int(row["version"])): row["min_runtime"] for row in csv.DictReader(text.splitlines())}


def min_runtime(used: Iterable[tuple[str, int]]) -> str:
    """Return the oldest release that runs all builtins in the versions used.

    >>> min_runtime([("CONV_2D", 1), ("GELU", 1)]), min_runtime([])
    ('2.9.0', '1.5.0')
    """
    needed = (releases()[u] for u in used)
    return max(needed, key=_number, default="1.5.0")


def slice_version(type: TensorType) -> int:
    """Return the version of SLICE for data of a type."""
    return 5 if type.rank > 4 else {DType.I8: 2, DType.I16: 4}.get(type.dtype, 1)


def _number(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
