"""Putting what is finished where it belongs: all of it, by one process at a time, and the whole of what was begun.

An output may be several files, or a folder, which no system replaces at once.  So it is complete in a folder beside its
place before the first of it is moved, and whoever finds that folder without an owner moves the rest.
"""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl: Any = None

HIDDEN, PLAIN = ".nhwcc-draft-", "nhwcc-scratch-"
"""How folders are called: beside a file that is written, and among the system's temporary ones."""

WRITING, WHOLE, OLD = "writing", "whole", "old"
"""How a folder of drafts is called before and after all are complete, and where a folder goes that is replaced."""

PROOF = "proof"
"""The file in a folder of drafts that says that a process of ours, on this system since it started, has filled it."""

BOOT = Path("/proc/sys/kernel/random/boot_id")
"""A random number that Linux has until it starts again; whoever packs an archive elsewhere does not know it."""

_INTERRUPTIONS = ("SIGINT", "SIGTERM", "SIGHUP")


def place(drafts: Path, target: Path) -> None:
    """Put files and folders beside ``target``, and last the one of its name, which refers to the others.

    Each keeps the mode and the owner of the one that it replaces, else of the ``target`` that was there: who may not
    read a network is not given its weights.

    Raises:
        OSError: one can't be put there.
    """
    whole = drafts.with_name(WHOLE)
    with _alone(target.parent), uninterrupted():
        model = _stated(target)
        for draft in drafts.iterdir():
            _keep_permissions(target.with_name(draft.name), draft, model)
        (drafts.parent / PROOF).write_text(_proof(drafts.parent))
        drafts.rename(whole)
        for written in sorted(whole.iterdir(), key=lambda p: p.name == target.name):
            _replace(target.with_name(written.name), written)


def finish(folder: Path) -> None:
    """Put what a killed process had begun to put beside its folder, but for what is older than what is there.

    A link is not followed: no process of ours makes one here.  A folder that came with strangers' files has no proof of
    who has filled it: nothing is replaced then.
    """
    whole = folder / WHOLE
    if not whole.is_dir() or whole.is_symlink() or (folder / OLD).is_symlink():
        return
    may_replace = _is_proven(folder)
    with _alone(folder.parent):
        for written in whole.iterdir():
            target = folder.with_name(written.name)
            is_older = may_replace and _is_older(target, written)
            if is_older or not os.path.lexists(target):
                _replace(target, written)


def _is_older(target: Path, written: Path) -> bool:
    return os.path.lexists(target) and target.lstat().st_mtime_ns < written.lstat().st_mtime_ns


def _proof(folder: Path) -> str:
    """Return what only a process on this system can know of a folder; nothing where the system has no such secret."""
    try:
        boot = BOOT.read_text()
    except OSError:
        return ""
    own = folder.lstat()
    return hashlib.sha256(f"{boot} {own.st_dev} {own.st_ino}".encode()).hexdigest()


def _is_proven(folder: Path) -> bool:
    proof, file = _proof(folder), folder / PROOF
    if not proof or file.is_symlink() or not file.is_file():
        return False
    with file.open("rb") as stored:
        return stored.read(len(proof) + 1) == proof.encode()


def _replace(target: Path, written: Path) -> None:
    """Put a file or folder where an old one may be."""
    if not (written.is_dir() and target.exists()):
        written.replace(target)
        return
    old = written.parent.with_name(OLD)
    old.mkdir(exist_ok=True)
    kept = target.rename(old / target.name)
    try:
        written.rename(target)
    except OSError:
        kept.rename(target)
        raise


def _keep_permissions(old: Path, new: Path, model: os.stat_result | None) -> None:
    """Give what is new the mode of what it replaces, and its owner where the system lets us; so in folders."""
    there = _stated(old)
    stated = there or model
    for entry in new.iterdir() if new.is_dir() else ():
        _keep_permissions(old / entry.name, entry, None)
    if stated is None or stat.S_ISDIR(stated.st_mode) != new.is_dir():
        return
    own = new.stat()
    if hasattr(os, "chown") and (stated.st_uid, stated.st_gid) != (own.st_uid, own.st_gid):
        with suppress(PermissionError):
            os.chown(new, stated.st_uid, stated.st_gid)
    new.chmod(stat.S_IMODE(stated.st_mode))


def _stated(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextmanager
def _alone(folder: Path) -> Generator[None, None, None]:
    """Let no other process put anything into a folder, where its file system has locks; ours are locked already."""
    if fcntl is None or folder.name.startswith((HIDDEN, PLAIN)):
        yield
        return
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


@contextmanager
def uninterrupted() -> Generator[None, None, None]:
    """Put off what would interrupt this block until it is over: Python's handlers of signals raise where they come."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, Any]] = []
    numbers = [getattr(signal, name) for name in _INTERRUPTIONS if hasattr(signal, name)]
    handlers: dict[int, Any] = {number: signal.getsignal(number) for number in numbers}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in handlers:
        signal.signal(number, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in came:
            handlers[number](number, frame)
