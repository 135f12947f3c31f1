"""Folders for what is not finished: they vanish with their owner, and those of a process that was killed with the next.

The owner holds a lock on its folder, which the system takes from a process however it ends.  A folder whose lock is
free has therefore no owner, also where the number of a process says nothing: in another container, or after a restart.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from .placing import HIDDEN, PLAIN, finish, uninterrupted

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, folders of killed processes stay
    fcntl: Any = None


class Scratch:
    """A folder that is there until it is closed, garbage, or its process ends.

    It lies beside a file that is to be written, else where the system keeps temporary files.  Making one removes those
    in the same place whose owner has ended.

    Raises:
        OSError: there can be no such folder.
    """

    def __init__(self, beside: Path | None = None) -> None:
        place, prefix = (Path(tempfile.gettempdir()), PLAIN) if beside is None else (beside.parent, HIDDEN)
        sweep(place, prefix)
        with uninterrupted():  # else there could be a folder that nobody knows to remove
            self.path, lock = _locked(place, prefix)
            self._remove = weakref.finalize(self, _remove, self.path, lock)

    def close(self) -> None:
        """Remove the folder and what is in it."""
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def sweep(place: Path, prefix: str) -> None:
    """Remove folders whose owners ended without removing them."""
    if fcntl is None:
        return
    with suppress(OSError):
        for entry in os.scandir(place):
            is_ours = entry.name.startswith(prefix) and entry.is_dir(follow_symlinks=False)
            if is_ours and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                _sweep(Path(entry.path))


def _sweep(folder: Path) -> None:
    """Remove one folder if its lock is free, once what is complete in it lies in its place."""
    with suppress(OSError):
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            finish(folder)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _locked(place: Path, prefix: str) -> tuple[Path, int | None]:
    """Make a folder and lock it; again if it was swept in between."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        if fcntl is None:
            return folder, None
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        except OSError:  # a file system without such locks: nobody can take the folder for one without an owner
            return folder, lock
        if os.fstat(lock).st_nlink > 0 and folder.is_dir():
            return folder, lock
        os.close(lock)


def _remove(folder: Path, lock: int | None) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        if folder.exists():
            shutil.rmtree(folder, ignore_errors=True)  # whoever ends us may have interrupted the first time
        if lock is not None:
            os.close(lock)
