"""What a network is run on: the user's data where it is given, seeded random numbers elsewhere, sizes for names."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np

from nhwcc.compiler.diagnostics import CompileError, did_you_mean, error
from nhwcc.compiler.dims import Sym, is_static, solve, substitute
from nhwcc.compiler.interpreter import random_tensor
from nhwcc.compiler.types import Array, TensorType
from nhwcc.runners import Runner

Data: TypeAlias = "Array | str | os.PathLike[str] | Mapping[str, Array | str | os.PathLike[str]]"
"""Arrays or .npy files by input name, one for the only input, or an .npz file with one array per input."""

SIZES: tuple[tuple[int, ...], ...] = ((64, 96, 128, 160), (64,), (224,), (32,), (16,), (5, 6, 7, 8), (8,), (2,), (1,))
"""What named sizes are tried with, in turn; different names get different sizes first, so that none is mistaken."""


@dataclass(frozen=True)
class Feed:
    """Inputs by name, in the source's layout, and what the named sizes are in them; maybe we chose some of these."""

    inputs: dict[str, Array]
    sizes: dict[str, int]
    is_choice: bool = False


def read_data(data: Data | None, types: Mapping[str, TensorType]) -> dict[str, Array]:
    """Return the user's arrays by input name.

    Raises:
        CompileError: L006, there is no such input; R010, a file can't be read; R002, an array doesn't fit its input.
    """
    if data is None:
        return {}
    given = data if isinstance(data, Mapping) else _unnamed(data, types)
    arrays = {name: value if isinstance(value, np.ndarray) else _read(Path(value)) for name, value in given.items()}
    for name, array in arrays.items():
        if name not in types:
            help = did_you_mean(name, types) or f"there are {', '.join(types)}"
            raise error("L006", f"there is data for {name!r}, but no such input", help=help)
        _check(name, array, types[name])
    return arrays


def _unnamed(data: Array | str | os.PathLike[str], types: Mapping[str, TensorType]) -> Mapping[str, Array | Path]:
    if not isinstance(data, np.ndarray):
        path = Path(data)
        if path.suffix.lower() == ".npz":
            return _read_all(path)
        data = _read(path)
    if len(types) != 1:
        raise error("L006", f"there are {len(types)} inputs: say which one the data is for", help=f"{', '.join(types)}")
    return {next(iter(types)): data}


def _read(path: Path) -> Array:
    try:
        array: object = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as bad:
        raise error("R010", f"can't read {path}: {bad}", help="save the data with numpy.save") from bad
    if not isinstance(array, np.ndarray):
        raise error("R010", f"{path} holds several arrays", help="give it without a name: one array per input")
    return cast(Array, array)


def _read_all(path: Path) -> dict[str, Array]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as bad:
        raise error("R010", f"can't read {path}: {bad}", help="save the data with numpy.savez") from bad


def _check(name: str, array: Array, type: TensorType) -> None:
    shape = type.shape
    sizes: dict[str, int] = {}
    fits = len(shape) == array.ndim and all(solve(d, n, sizes) for d, n in zip(shape, array.shape, strict=True))
    if not fits or array.dtype != type.dtype.numpy:
        raise error("R002", f"{name} is {type}, but the data is {array.dtype}{list(array.shape)}")


def feeds(types: Mapping[str, TensorType], data: Data | None = None, seed: int = 0) -> Iterator[Feed]:
    """Give inputs for one choice of the named sizes after the other; exactly one if no size has a name.

    Raises:
        CompileError: as :func:`read_data`.
    """
    given = read_data(data, types)
    bound = _bound(given, types)
    names = [n for n in _names(types) if n not in bound]
    tried = [bound | sizes for sizes in choices(names, types)] if names else [bound]
    for sizes in tried:
        rng = np.random.default_rng(seed)
        concrete = {name: type.with_shape(substitute(type.shape, sizes)) for name, type in types.items()}
        if all(_is_possible(type) for type in concrete.values()):
            inputs = {name: given[name] if name in given else random_tensor(t, rng) for name, t in concrete.items()}
            yield Feed(inputs, sizes, bool(names))


def _bound(given: Mapping[str, Array], types: Mapping[str, TensorType]) -> dict[str, int]:
    """The named sizes that the user's data tells."""
    sizes: dict[str, int] = {}
    for name, array in given.items():
        for d, n in zip(types[name].shape, array.shape, strict=True):
            if not solve(d, n, sizes):
                raise error("R002", f"{name} has size {n} where {d} is {substitute(d, sizes)} by other inputs")
    return sizes


def _names(types: Mapping[str, TensorType]) -> list[str]:
    dims = [d for type in types.values() for d in type.shape if isinstance(d, Sym)]
    return list(dict.fromkeys(name for d in dims for name in sorted(d.names)))


def choices(names: Sequence[str], types: Mapping[str, TensorType]) -> Iterator[dict[str, int]]:
    """Sizes for all names: 1 for batches, the others from :data:`SIZES`."""
    first = {str(type.shape[0]) for type in types.values() if type.shape}
    batch = [n for n in names if n.lower() in ("n", "b", "bs") or "batch" in n.lower() or {n} == first]
    others = [n for n in names if n not in batch]
    for sizes in SIZES if others else SIZES[-1:]:
        yield dict.fromkeys(batch, 1) | dict(zip(others, cycle(sizes)))
    if batch and others:
        yield dict.fromkeys(names, 1)


def _is_possible(type: TensorType) -> bool:
    return is_static(type.shape) and all(isinstance(d, int) and d >= 0 for d in type.shape)


def accepted(runner: Runner, candidates: Iterator[Feed]) -> tuple[Feed, dict[str, Array]]:
    """Return the first inputs on which a runner runs, with its outputs.

    Raises:
        CompileError: what the runner said about the last of them.
    """
    refused: CompileError | None = None
    for feed in candidates:
        try:
            return feed, runner.run(feed.inputs)
        except CompileError as bad:
            refused = bad
            if feed.is_choice:
                sizes = ", ".join(f"{name} = {size}" for name, size in feed.sizes.items())
                bad.diagnostics[-1].notes.append(f"tried last with {sizes}; give shapes or data to choose sizes")
    if refused is None:
        raise error("R017", "no sizes can be found for the inputs", help="give their shapes, or data")
    raise refused
