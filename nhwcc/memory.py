"""The peak memory of this process, as the operating system counts it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_memory() -> int | None:
    """Return the most bytes that this process has held; None where the system does not tell.

    Linux counts in ``getrusage`` what the process held from which ours was started: its own status does not.
    """
    if STATUS.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", STATUS.read_text(encoding="ascii", errors="replace"))
        return int(found[1]) * 1024 if found else None
    try:
        import resource
    except ImportError:
        return None  # Windows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
