"""Files of PyTorch: programs, scripts and weights; and modules by the name of their class."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pickle
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch
from torch import nn
from torch.export import ExportedProgram

from ...compiler.budget import check_expansion
from ...compiler.diagnostics import did_you_mean, error
from .refusals import REFUSALS, first_lines

NESTED = ("state_dict", "model_state_dict", "model", "ema", "params", "net", "weights")
"""Where training scripts put the weights in a checkpoint."""

USE_MODULE = "Name the class, too: --module package.module:Class --weights FILE."


def open_program(path: Path, *, unsafe: bool = False) -> ExportedProgram | nn.Module:
    """Read a file that holds a network: an exported program, a script, or with ``unsafe`` a pickled module.

    Raises:
        CompileError: R010 it can't be read; F035 it holds weights only; F038 reading it would run its code.
    """
    names = _members(path)
    if any(n.endswith(("archive_format", "serialized_exported_program.json")) or "/models/" in n for n in names):
        return _reading(path, partial(_program, path))
    if any("/code/" in n for n in names):
        return _reading(path, partial(_script, path))
    found = _unpickled(path, unsafe=unsafe)
    if isinstance(found, nn.Module):
        return found.eval()
    raise error("F035", f"{path} holds weights, but no network", help=USE_MODULE)


def _program(path: Path) -> ExportedProgram:
    with zipfile.ZipFile(path) as archive:
        texts = (archive.read(n) for n in archive.namelist() if n.endswith(".json"))
        if any(b"quantized_decomposed" in text for text in texts):
            importlib.import_module("torch.ao.quantization.fx._decomposed")  # which registers these operators
    return torch.export.load(path)


def _script(path: Path) -> nn.Module:
    load: Any = getattr(torch.jit, "load")  # noqa: B009 -- its type is only partly known
    return load(str(path), map_location="cpu").eval()


def _members(path: Path) -> list[str]:
    if not zipfile.is_zipfile(path):
        return []
    with zipfile.ZipFile(path) as archive:
        members = [(member.filename, member.file_size) for member in archive.infolist()]
    check_expansion(str(path), members, path.stat().st_size)
    return [name for name, _ in members]


def _reading(path: Path, read: Any) -> Any:
    try:
        return read()
    except (*REFUSALS, EOFError, OSError, zipfile.BadZipFile) as bad:
        help = "If the file is damaged, as by an interrupted download, get it again."
        raise error("R010", f"PyTorch can't read {path}: {first_lines(bad)}", help=help) from bad


def _unpickled(path: Path, *, unsafe: bool) -> Any:
    """Read a pickled file, without running code that is in it unless told so."""
    _members(path)
    try:
        return _reading(path, lambda: torch.load(path, map_location="cpu", weights_only=not unsafe, mmap=_maps(path)))
    except pickle.UnpicklingError as bad:
        if unsafe:
            raise error("R010", f"PyTorch can't read {path}: {' '.join(str(bad).split())}") from bad
        raise error(
            "F038",
            f"{path} is pickled with classes of its own; to read it would run code that is in it",
            help="If you trust it, say --unsafe-load. Better: save model.state_dict(), or torch.export.save a program.",
        ) from bad


def _maps(path: Path) -> bool:
    return zipfile.is_zipfile(path)


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
            raise error("F036", f"{self.name} gives a {type(made).__name__}, which is no torch.nn.Module")
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
        sys.path[:0] = [str(p) for p in (*self.path, Path.cwd())]
        try:
            if place.endswith(".py"):
                return _from_file(Path(place))
            return importlib.import_module(place)
        except (ImportError, OSError, SyntaxError) as bad:
            help = "Say where it is with --python-path."
            raise error("F036", f"can't import {place}: {bad}", help=help) from bad
        finally:
            del sys.path[: len(self.path) + 1]

    def _make(self, factory: Any) -> Any:
        args, kwargs = _arguments(self.arguments)
        try:
            return factory(*args, **kwargs) if callable(factory) and not isinstance(factory, nn.Module) else factory
        except (TypeError, ValueError, RuntimeError, AttributeError, KeyError, OSError) as bad:
            raise error(
                "F036", f"{self.name}({self.arguments}) fails: {bad}", help="Give --args 'VALUE, NAME=VALUE'."
            ) from bad


def _from_file(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
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
        raise error("F036", f"{text!r} are no arguments", help="Write literals as in Python: 64, classes=10.") from bad


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
