"""Code of users: files that declare passes, operations, handlers and lowerings; and what is said when it fails."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from .diagnostics import CompileError, counted, did_you_mean, error, reason

_LOADED: set[Path] = set()
"""Files that have registered what they have: names can be taken only once."""

_DISCOVERED: set[str] = set()
"""Entry point groups whose modules have been imported."""

PREFIX = "nhwcc_user_"
"""How the modules of loaded files begin."""

HELP = "correct it there; docs/custom-ops.md and docs/writing-passes.md say what may be declared"


def load_file(path: Path) -> None:
    """Run a Python file that registers something; once, however often it is asked for.

    Raises:
        CompileError: R010, it can't be read; L010, it fails.
    """
    try:
        there, exists = path.is_file(), path.exists()
    except OSError as bad:
        raise error("R010", f"can't load {path}: {bad.strerror}") from bad
    if path.resolve() in _LOADED:
        return
    name = f"{PREFIX}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not there:
        raise error("R010", f"can't load {path}: {'it is not a Python file' if exists else 'there is no such file'}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    _LOADED.add(path.resolve())
    try:
        spec.loader.exec_module(module)
    except Exception as bad:
        refused = _blame(bad) or error("L010", f"{path} fails when it is loaded: {_said(bad)}", help=HELP)
        _LOADED.discard(path.resolve())
        raise refused from bad


def load_function(path: Path, name: str, arguments: int) -> Callable[..., Any]:
    """Return a function of a user's Python file that takes so many arguments; run it where :func:`blaming` holds.

    Raises:
        CompileError: R010, there is no such file, or no such function in it; L010, the file fails, or the function
            takes another number of arguments.
    """
    load_file(path)
    found = getattr(sys.modules[f"{PREFIX}{path.stem}"], name, None)
    if not callable(found):
        known = [n for n, value in vars(sys.modules[f"{PREFIX}{path.stem}"]).items() if callable(value)]
        raise error("R010", f"{path} has no function {name!r}", help=did_you_mean(name, known) or HELP)
    if not _takes(found, arguments):
        given = counted(arguments, "argument") if arguments else "no arguments"
        raise error("L010", f"{name} of {path} can't be called with {given}: it is {name}{inspect.signature(found)}")
    return found


def _takes(function: Callable[..., Any], count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # what is written in C may not say what it takes
        return True
    return True


def discover_plugins(group: str = "nhwcc.passes") -> bool:
    """Import what installed distributions offer under an entry point group, once; say whether there was anything new.

    Raises:
        CompileError: L010, one of them fails.
    """
    if group in _DISCOVERED:
        return False
    _DISCOVERED.add(group)
    found = entry_points(group=group)
    for entry in found:
        try:
            entry.load()
        except Exception as bad:
            owner = entry.dist.name if entry.dist else "a distribution"
            help = f"correct or uninstall {owner}"
            raise error("L010", f"the plug-in {entry.value} of {owner} fails: {_said(bad)}", help=help) from bad
    return bool(found)


def is_loaded(function: object) -> bool:
    """Say whether a function or class comes from a file of the user."""
    return str(getattr(function, "__module__", "")).startswith(PREFIX)


@contextmanager
def blaming() -> Generator[None, None, None]:
    """Replace exceptions that arise outside of nhwcc by an error that says where; all else passes through.

    That is what loaded files do, and unexpected errors of the system about a file, such as that its
    name is too long.

    Raises:
        CompileError: L010, with the line in the loaded file; R010, with the file.
    """
    try:
        yield
    except CompileError:
        raise
    except Exception as bad:
        blamed = _blame(bad)
        if blamed is None and isinstance(bad, OSError) and bad.filename is not None:
            blamed = error("R010", f"can't use {bad.filename}: {reason(bad)}")
        if blamed is None:
            raise
        raise blamed from bad


def _blame(bad: Exception) -> CompileError | None:
    """Return the error that says in which line of a loaded file an exception arose, None if in none."""
    if isinstance(bad, SyntaxError) and bad.filename and Path(bad.filename).resolve() in _LOADED:
        place = f"{bad.filename}:{bad.lineno}"
        return error("L010", f"{place}: {_said(bad)}", excerpt=(bad.text or "").strip() or None, help=HELP)
    frames = [f for f in traceback.extract_tb(bad.__traceback__) if Path(f.filename).resolve() in _LOADED]
    if not frames:
        return None
    last = frames[-1]
    where = "when it is loaded" if last.name == "<module>" else f"in {last.name}"
    return error("L010", f"{last.filename}:{last.lineno}: fails {where}: {_said(bad)}", excerpt=last.line, help=HELP)


def _said(bad: Exception) -> str:
    return f"{type(bad).__name__}: {bad.msg if isinstance(bad, SyntaxError) else bad}"
