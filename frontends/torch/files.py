"""Files of PyTorch: programs that can be run."""

from __future__ import annotations

from pathlib import Path

import torch
from torch.export import ExportedProgram


def open_program(path: Path) -> ExportedProgram:
    """Read a ``.pt2`` file."""
    return torch.export.load(path)
