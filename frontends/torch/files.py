"""Files of PyTorch: programs, scripts and weights; and modules by the name of their class."""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import logging
import pickle
import sys
import zipfile
import zlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch
from torch import nn
from torch.export import ExportedProgram

from ...compiler.diagnostics import did_you_mean, error
from . import programs, scripts
from .archives import opened, rebuilt
from .programs import GRAPHS, TRUST, is_program
from .refusals import REFUSALS, first_lines
from .scripts import is_script

NESTED = ("state_dict", "model_state_dict", "model", "ema", "params", "net", "weights")
"""Where training scripts put the weights in a checkpoint."""

MODULE_PREFIX = "nhwcc_module_"
"""How the names of modules begin that files of the user become."""

USE_MODULE = "Name the class, too: --module package.module:Class --weights FILE."


def open_program(path: Path, *, unsafe: bool = False) -> ExportedProgram | nn.Module:
    """Read a file that holds a network: an exported program, a script, or with ``unsafe`` a pickled module.

    Raises:
        CompileError: R010 it can't be read; F035 it holds weights only; F038 reading it would run its code.
    """
    if zipfile.is_zipfile(path):
        found = _reading(path, partial(_from_archive, path, unsafe=unsafe))
        if found is not None:
            return found
    found = _unpickled(path, unsafe=unsafe)
    if isinstance(found, nn.Module):
        return found.eval()
    raise error("F035", f"{path} holds weights, but no network", help=USE_MODULE)


def _from_archive(path: Path, *, unsafe: bool) -> ExportedProgram | nn.Module | None:
    """Read the program or script in an archive; None if it holds neither."""
    with opened(path) as archive:
        if is_program(archive):
            records, load = programs.harmless, _program
        elif is_script(archive):
            records, load = scripts.harmless, _script
        else:
            return None
        if is_program(archive) and any(b"quantized_decomposed" in archive.read(n) for n in archive if n in GRAPHS):
            importlib.import_module("torch.ao.quantization.fx._decomposed")  # which registers these operators
        if unsafe:
            return load(str(path))
        with rebuilt(path, archive, records(path, archive)) as file:
            return load(file)


def _program(file: Any) -> ExportedProgram:
    return torch.export.load(file)


def _script(file: Any) -> nn.Module:
    load: Any = getattr(torch.jit, "load")  # noqa: B009 -- its type is only partly known
    return load(file, map_location="cpu").eval()


def _reading(path: Path, read: Any) -> Any:
    said: list[str] = []
    try:
        with _listening(said):
            return read()
    except (*REFUSALS, EOFError, OSError, SyntaxError, zipfile.BadZipFile, zlib.error) as bad:
        help = "If the file is damaged, as by an interrupted download, get it again."
        why = said[-1] if said and "warnings above" in str(bad) else first_lines(bad)
        raise error("R010", f"PyTorch can't read {path}: {why}", help=help) from bad


@contextmanager
def _listening(said: list[str]) -> Generator[None, None, None]:
    """Collect the last line of what PyTorch would print about a file: whole tracebacks, where it then refuses it."""

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.extend(record.getMessage().strip().splitlines()[-1:])

    loggers = [logging.getLogger(name) for name in ("torch", "torch.export")]
    before = [logger.handlers for logger in loggers]
    for logger in loggers:
        logger.handlers = [Listener()]
    try:
        yield
    finally:
        for logger, handlers in zip(loggers, before, strict=True):
            logger.handlers = handlers


def _unpickled(path: Path, *, unsafe: bool) -> Any:
    """Read a pickled file, without running code that is in it unless told so."""

    def load() -> Any:
        is_archive = zipfile.is_zipfile(path)
        if is_archive:
            with opened(path):  # which looks at its records first
                pass
        return torch.load(path, map_location="cpu", weights_only=not unsafe, mmap=is_archive)

    try:
        return _reading(path, load)
    except pickle.UnpicklingError as bad:
        if unsafe:
            raise error("R010", f"PyTorch can't read {path}: {' '.join(str(bad).split())}") from bad
        raise error(
            "F038",
            f"{path} is pickled with classes of its own; to read it would run code that is in it",
            help=f"{TRUST} Better: save model.state_dict(), or a program with torch.export.save.",
        ) from bad


@dataclass(frozen=True)
class ModuleSpec:
    """A network by name: ``package.module:Class`` or ``file.py:function``, what it is called with, and its weights.

    ``arguments`` are written as in Python: ``64, classes=10``.  Modules are looked for in ``path``, too.  ``unsafe``
    allows code in the file with weights.
    """

    name: str
    arguments: str = ""
    weights: Path | None = None
    path: Sequence[Path] = ()
    unsafe: bool = False

    def load(self) -> nn.Module:
        """Make the network, in evaluation mode.

        Raises:
            CompileError: F036, it can't be made; F037, the weights are not its own; F038, R010.
        """
        made = self._make(self._factory())
        if not isinstance(made, nn.Module):
            raise error("F036", f"{self.name} gives a {type(made).__name__}, which is not a torch.nn.Module")
        if self.weights is not None:
            _fill(made, self.weights, state_dict(self.weights, unsafe=self.unsafe))
        return made.eval()

    def _factory(self) -> Any:
        place, separator, name = self.name.rpartition(":")
        if not separator or not place or not name:
            raise error("F036", f"{self.name!r} names no class", help="Write package.module:Class or file.py:Class.")
        found: Any = self._import(place)
        for part in name.split("."):
            if not hasattr(found, part):
                help = did_you_mean(part, dir(found))
                raise error("F036", f"{place} has no {part!r}", help=help)
            found = getattr(found, part)
        return found

    def _import(self, place: str) -> ModuleType:
        folders = [str(p) for p in (*self.path, Path.cwd())]
        sys.path += folders  # after all others: a json.py that lies there is not Python's
        try:
            if place.endswith(".py"):
                return _from_file(Path(place))
            _import_first(place.partition(".")[0], folders)
            return importlib.import_module(place)
        except (ImportError, OSError, SyntaxError) as bad:
            help = "Say where it is with --python-path."
            raise error("F036", f"can't import {place}: {bad}", help=help) from bad
        finally:
            for folder in folders:
                sys.path.remove(folder)

    def _make(self, factory: Any) -> Any:
        args, kwargs = _arguments(self.arguments)
        try:
            return factory(*args, **kwargs) if callable(factory) and not isinstance(factory, nn.Module) else factory
        except (TypeError, ValueError, RuntimeError, AttributeError, KeyError, OSError) as bad:
            raise error(
                "F036", f"{self.name}({self.arguments}) fails: {bad}", help="Give --args 'VALUE, NAME=VALUE'."
            ) from bad


def _import_first(name: str, folders: list[str]) -> None:
    """Import the module that was asked for from folders where it is looked for before anywhere else."""
    spec = (
        None
        if name in sys.modules or name in sys.stdlib_module_names
        else importlib.machinery.PathFinder.find_spec(name, folders)
    )
    if spec is not None:
        _executed(spec)


def _from_file(path: Path) -> ModuleType:
    """Run a file, as a module with a name that no other has: it may be called types.py."""
    spec = importlib.util.spec_from_file_location(f"{MODULE_PREFIX}{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    return _executed(spec)


def _executed(spec: importlib.machinery.ModuleSpec) -> ModuleType:
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    assert spec.loader is not None
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


def _arguments(text: str) -> tuple[list[Any], dict[str, Any]]:
    """Read arguments written as in Python; they are literals, no code is run."""
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            raise ValueError("more than one call")
        args = [ast.literal_eval(a) for a in call.args]
        return args, {k.arg: ast.literal_eval(k.value) for k in call.keywords if k.arg is not None}
    except (SyntaxError, ValueError) as bad:
        raise error("F036", f"{text!r} are not arguments", help="Write literals as in Python: 64, classes=10.") from bad


def state_dict(path: Path, *, unsafe: bool = False) -> Mapping[str, torch.Tensor]:
    """Read the weights in a file, wherever a training script has put them in it.

    Raises:
        CompileError: R010, F038; F037, there are none.
    """
    if not path.is_file():
        raise error("R010", f"can't read {path}: there is no such file")
    found: Any = _unpickled(path, unsafe=unsafe)
    if isinstance(found, nn.Module):
        return found.state_dict()
    while isinstance(found, Mapping):
        tensors = cast(Mapping[str, Any], found)
        if tensors and all(isinstance(v, torch.Tensor) for v in tensors.values()):
            return {k.removeprefix("module."): v for k, v in tensors.items()}
        found = next((tensors[k] for k in NESTED if k in tensors), None)
        found = found.state_dict() if isinstance(found, nn.Module) else found
    raise error("F037", f"{path} holds no weights by name", help="Save model.state_dict().")


def _fill(module: nn.Module, path: Path, weights: Mapping[str, torch.Tensor]) -> None:
    own = module.state_dict()
    missing = [k for k in own if k not in weights and not k.endswith("num_batches_tracked")]
    other = [k for k in weights if k not in own]
    shapes = [k for k, v in weights.items() if k in own and own[k].shape != v.shape]
    if missing or other or shapes:
        parts = [("lacks", missing), ("has besides", other), ("has in other shapes", shapes)]
        text = "; ".join(f"{what} {_some(keys)}" for what, keys in parts if keys)
        help = "Is it another network, or made with other arguments (--args)?"
        raise error("F037", f"{path} does not hold the weights of {type(module).__name__}: it {text}", help=help)
    module.load_state_dict(weights, strict=False, assign=True)


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
