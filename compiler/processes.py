"""Where other processes of ours look for modules."""

from __future__ import annotations

import sys
from pathlib import Path


def search_path() -> list[str]:
    """Return where a process looks for modules: where this one does, but for the current folder.

    What lies beside a model, a json.py or a clone of this package, is not ours.
    """
    own, current = Path(__file__).resolve().parents[1], Path.cwd()
    folders = {folder: Path(folder).resolve() for folder in sys.path if folder}
    return [str(place) for place in folders.values() if place != current or place == own]
