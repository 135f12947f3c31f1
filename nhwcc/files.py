"""Files that appear whole or not at all, and never in the place of the model."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from nhwcc.compiler.diagnostics import CompileError, error, reason
from nhwcc.compiler.placing import WRITING, place
from nhwcc.compiler.scratch import Scratch


@contextmanager
def replacing(path: Path, *, folder: bool = False) -> Generator[Path, None, None]:
    """Give a path to write to, of the same name; what was written takes the place of ``path`` if the block succeeds.

    It lies in a folder of its own on the same disk.  A link stays a link: what it points to is replaced.  Who may read
    the file stays as it was.  Files that were written beside it come to lie beside ``path``, before it is replaced
    itself; who ends the process meanwhile is kept waiting.  What is written is a ``folder`` if that is said; one of an
    earlier time is replaced as a whole.

    Raises:
        CompileError: R012, the folder is missing, not writable or full; no part of it is left.
    """
    check_writable(path, folder=folder)
    target = path.resolve()
    try:
        with Scratch(target) as scratch:
            drafts = scratch.path / WRITING
            drafts.mkdir()
            yield drafts / target.name
            place(drafts, target)
    except OSError as bad:
        raise cannot_write(path, reason(bad)) from bad


def check_writable(path: Path, *, folder: bool = False) -> None:
    """Say early what would go wrong at the end; what is written may be a ``folder``.

    Raises:
        CompileError: R012, there can be no such file.
    """
    try:
        target = path.resolve()
        if not target.parent.is_dir():
            raise cannot_write(path, f"there is no folder {path.parent}")
        if folder and target.exists() and not target.is_dir():
            raise cannot_write(path, "it is a file, but a folder is written")
        if target.is_dir() and not folder:
            raise cannot_write(path, "it is a folder", help=f"give a file in it: {path / 'NAME'}")
        if target.exists() and not target.is_file() and not folder:
            raise cannot_write(path, "it exists and is not a file")
        if not os.access(target.parent, os.W_OK):
            raise cannot_write(path, f"the folder {path.parent} is read-only")
    except OSError as bad:
        raise cannot_write(path, reason(bad)) from bad
    except RuntimeError as bad:
        raise cannot_write(path, "it is a link that leads to itself") from bad
    except ValueError as bad:
        raise cannot_write(path, "a file can't have this name") from bad


def cannot_write(path: Path, why: str, *, help: str | None = None) -> CompileError:
    """Build the error R012 about a path, with the reason that the system gives."""
    return error("R012", f"can't write {path}: {why}", help=help)


def check_not_source(output: Path, sources: Iterable[Path]) -> None:
    """Refuse to write over a file that the model is read from, also through links, or over a folder that it lies in.

    Raises:
        CompileError: R016.
    """
    for source in sources:
        if not output.exists() or not source.exists():
            continue
        if output.samefile(source) or (output.is_dir() and source.resolve().is_relative_to(output.resolve())):
            raise error("R016", f"{output} is the model itself, or holds its weights", help="choose another output")


def check_not_beside(output: Path, sources: Iterable[Path], companion: str | None = None) -> None:
    """Refuse an output whose side files could take the place of a file that the model is read from.

    These begin with its name, or end in ``companion`` in place of its suffix.

    Raises:
        CompileError: R016.
    """
    if companion is not None:
        check_not_source(output.with_suffix(companion), sources)
        return
    for source in sources:
        if source.name.startswith(f"{output.name}.") and source.parent.resolve() == output.parent.resolve():
            help = "choose another output: its own weights may come to lie there"
            raise error(
                "R016", f"{source}, which the model is read from, is called like a side file of {output}", help=help
            )


def usual_output(model: Path | str, suffix: str) -> str:
    """Return where a model is written by default: under its own name, in the current folder.

    ``suffix`` is that of the format, empty if it is a folder.

    >>> usual_output(Path("models/net.v2.onnx"), ".tflite"), usual_output(Path("net.onnx"), "")
    ('net.v2.tflite', 'net/')

    Raises:
        CompileError: R016, this would be the model itself.
    """
    path = Path(model).resolve()
    stem = path.name if path.is_dir() else path.stem
    output = Path(f"{stem}{suffix}")
    if output.exists() and path.exists() and output.samefile(path):
        help = f"say another name: -o {stem}-out{suffix or '/'}"
        raise error("R016", f"no output is given, and {output} is the model itself", help=help)
    return f"{output}{'' if suffix else '/'}"


def save_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all.

    Raises:
        CompileError: R012.
    """
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def scratch() -> Scratch:
    """Return a folder for temporary files.

    Raises:
        CompileError: R012, there is no room for one.
    """
    try:
        return Scratch()
    except OSError as bad:
        help = "set TMPDIR to a folder with some room"
        raise error("R012", f"can't write a temporary file: {reason(bad)}", help=help) from bad
