"""Looking inside of a file: a copy of it that gives more than its outputs.

The runtime overwrites a tensor as soon as nothing reads it any more; all that it keeps on request are many times what
it needs to run.
"""

# the schema's generated views are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportPrivateUsage=false

from __future__ import annotations

import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

from ...formats.tflite.reader import opened

OUTPUTS = 8
"""Where the schema has the outputs among the fields of a subgraph."""

REACH = 1 << 32
"""Bytes that an offset of the format spans."""


def give_too(path: Path, tensors: Sequence[int], copy: Path) -> bool:
    """Copy a file so that its main subgraph gives some tensors after its outputs; False if it is too large for that.

    Raises:
        CompileError: R010, it is no TFLite file.
    """
    with opened(path) as (data, model):
        subgraph = model.Subgraphs(0)
        table = subgraph._tab
        place = table.Pos + table.Offset(OUTPUTS)
        given = [int(subgraph.Outputs(i)) for i in range(subgraph.OutputsLength())]
        end = len(data) + -len(data) % 4
    if end - place >= REACH:
        return False
    numbers = [*given, *(t for t in tensors if t not in given)]
    shutil.copyfile(path, copy)
    with copy.open("r+b") as file:
        file.seek(place)
        file.write(struct.pack("<I", end - place))
        file.seek(end)
        file.write(struct.pack(f"<I{len(numbers)}i", len(numbers), *numbers))
    return True
