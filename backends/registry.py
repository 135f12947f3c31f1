"""All targets: one row each; what a target needs is imported when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..compiler.diagnostics import did_you_mean, error
from ..compiler.plugins import discover_plugins

if TYPE_CHECKING:
    from .common.target import Target


@dataclass(frozen=True)
class Entry:
    """How the files of a target end, or how the folders end or are called that it writes, and what gives it."""

    suffixes: tuple[str, ...]
    load: Callable[[], Target]
    folders: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether the target writes folders, which are recognized by their names, instead of files."""
        return bool(self.folders)


def _in_package(name: str, target: str = "TARGET") -> Callable[[], Target]:
    """Return what loads a target that a package of this folder declares in its module ``target``."""
    return lambda: cast("Target", getattr(import_module(f"{__package__}.{name}.target"), target))


TARGETS: dict[str, Entry] = {
    "tflite": Entry((".tflite", ".lite"), _in_package("tflite")),
    "onnx": Entry((".onnx",), _in_package("onnx")),
    "saved_model": Entry((), _in_package("tensorflow", "SAVED_MODEL"), ("saved_model",)),
    "tfjs": Entry((), _in_package("tfjs"), ("tfjs", "tfjs_model", "web_model", "model_web")),
    "tensorflow": Entry((".pb",), _in_package("tensorflow", "GRAPH")),
    "openvino": Entry((".xml",), _in_package("openvino")),
    "keras": Entry((".keras",), _in_package("keras", "KERAS")),
    "coreml": Entry((".mlpackage",), _in_package("coreml"), ("model.mlpackage",)),
    "h5": Entry((".h5", ".hdf5"), _in_package("keras", "HDF5")),
}
"""Targets by the name that users say; the first one is meant where nothing says another."""

DEVICES: dict[str, Entry] = {
    "tflite-gpu": Entry((), _in_package("tflite.devices", "GPU")),
    "tflite-micro": Entry((), _in_package("tflite.devices", "MICRO")),
    "ethos-u55": Entry((), _in_package("tflite.devices", "ETHOS_U55")),
    "ethos-u65": Entry((), _in_package("tflite.devices", "ETHOS_U65")),
    "ethos-u85": Entry((), _in_package("tflite.devices", "ETHOS_U85")),
    "edgetpu": Entry((), _in_package("tflite.devices", "EDGETPU")),
}
"""Targets whose files are those of the first one in a form that suits a device; only their name chooses them."""


PLUGINS = "nhwcc.targets"
"""The entry point group under which installed distributions bring targets."""


def register_target(target: Target, suffixes: tuple[str, ...] | None = None) -> Target:
    """Make a target known under its name and the suffixes of its files, by default its own one; return it.

    Raises:
        TypeError: there is a target of this name or with such files already.
    """
    own = (target.suffix,) if suffixes is None else suffixes
    for name, entry in (TARGETS | DEVICES).items():
        if name == target.name or set(own) & set(entry.suffixes):
            raise TypeError(f"target {target.name!r} has the name, or the files, of the target {name!r}")
    TARGETS[target.name] = Entry(own, lambda: target, (target.name,) if target.artifact == "folder" else ())
    return target


def find_target(name: str, version: int | None = None) -> Target:
    """Return a target by its name; of one whose format has versions, the one that goes up to ``version``.

    Raises:
        CompileError: L008, there is no such target; L012, it has no such version.
    """
    known = TARGETS | DEVICES
    if name not in known and discover_plugins(PLUGINS):
        known = TARGETS | DEVICES
    if name not in known:
        help = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise error("L008", f"no target named {name!r}", help=help)
    target = known[name].load()
    if version is None:
        return target
    if target.at is None:
        raise error("L012", f"{target.title} has no versions to choose from", help="leave --opset out")
    return target.at(version)


def target_of_file(path: str | os.PathLike[str] | None) -> str:
    """Return the name of the target whose files are called like ``path``, of the first target if none's are.

    What is called after a target that writes folders, or ends as its folders do, is one of them. Others that end in a
    slash, or are folders already, are those of the first such target.
    """
    if path is None:
        return next(iter(TARGETS))
    text = os.fspath(path)
    known, suffix = Path(text), Path(text).suffix.lower()
    is_folder = text.endswith(("/", os.sep)) or (known.is_dir() and not suffix)
    ending = _with_suffix(suffix)
    called = target_of_folder(known.name) or (ending if ending and writes_folder(ending) else None)
    folders = (name for name, entry in TARGETS.items() if entry.is_folder and is_folder)
    found = called or next(folders, None) or ending
    if found is None and suffix and discover_plugins(PLUGINS):
        found = _with_suffix(suffix)
    return found or next(iter(TARGETS))


def _with_suffix(suffix: str) -> str | None:
    return next((name for name, entry in TARGETS.items() if suffix in entry.suffixes), None)


def target_of_folder(name: str) -> str | None:
    """Return the target whose folders are called so."""
    return next((target for target, entry in TARGETS.items() if name.lower() in entry.folders), None)


def suffix_of(name: str | None) -> str:
    """Return how files of a target end, of the first target if none is named; empty if it writes folders.

    Raises:
        CompileError: L008, there is no such target.
    """
    if name is None or name in TARGETS:
        return next(iter(TARGETS[name or next(iter(TARGETS))].suffixes), "")
    return find_target(name).suffix


def suffixes_of(name: str) -> tuple[str, ...]:
    """Return all ends that files or folders of a target may have."""
    return TARGETS[name].suffixes


def writes_folder(name: str) -> bool:
    """Say whether what a target writes is a folder; there need not be such a target."""
    return name in TARGETS and TARGETS[name].is_folder


def folder_of(name: str) -> str:
    """Return how the folders of a target that writes such are called first."""
    return TARGETS[name].folders[0]
