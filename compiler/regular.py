"""Files that end: reading a pipe would wait for its writer, reading a device may never end."""

from __future__ import annotations

import errno
import stat
from pathlib import Path


def regular(path: Path) -> Path:
    """Return a path, also of a folder, unless it leads to a pipe, a socket or a device.

    Raises:
        OSError: it does, or there is nothing.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is a pipe or a device: save it to a file first", str(path))
    return path


__all__ = ["regular"]
