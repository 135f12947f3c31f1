"""Files that appear whole or not at all, and never in the place of the model."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from nhwcc.compiler.diagnostics import CompileError, error, reason


@contextmanager
def replacing(path: Path) -> Generator[Path, None, None]:
    """Give a path to write to, of the same name; what was written takes the place of ``path`` if the block succeeds.

    It lies in a folder of its own on the same disk.  A link stays a link: what it points to is replaced.

    Raises:
        CompileError: R012, the folder is missing, not writable or full; nothing is left behind.
    """
    check_writable(path)
    target = path.resolve()
    try:
        folder = Path(tempfile.mkdtemp(prefix=".nhwcc-", dir=target.parent))
    except OSError as bad:
        raise cannot_write(path, reason(bad)) from bad
    try:
        draft = folder / target.name
        yield draft
        draft.replace(target)
    except OSError as bad:
        raise cannot_write(path, reason(bad)) from bad
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_writable(path: Path) -> None:
    """Say early what would go wrong at the end.

    Raises:
        CompileError: R012, there can be no such file.
    """
    target = path.resolve()
    if not target.parent.is_dir():
        raise cannot_write(path, f"there is no folder {path.parent}")
    if target.is_dir():
        raise cannot_write(path, "it is a folder", help=f"give a file in it: {path / 'NAME'}")
    if target.exists() and not target.is_file():
        raise cannot_write(path, "it exists and is not a file")
    if not os.access(target.parent, os.W_OK):
        raise cannot_write(path, f"the folder {path.parent} is read-only")


def cannot_write(path: Path, why: str, *, help: str | None = None) -> CompileError:
    """Build the error."""
    return error("R012", f"can't write {path}: {why}", help=help)


def check_not_source(output: Path, sources: Iterable[Path]) -> None:
    """Refuse to write over a file that the model is read from, also through links.

    Raises:
        CompileError: R016.
    """
    for source in sources:
        if output.exists() and source.exists() and output.samefile(source):
            raise error("R016", f"{output} is the model itself, or holds its weights", help="choose another output")


def save_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all.

    Raises:
        CompileError: R012.
    """
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")
