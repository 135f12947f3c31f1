"""What a network is run on: the user's data where it is given, seeded random numbers elsewhere, sizes for names."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tokenize import TokenError
from typing import TypeAlias, cast

import numpy as np

from nhwcc.compiler.budget import check_expansion
from nhwcc.compiler.diagnostics import CompileError, counted, did_you_mean, error, reason
from nhwcc.compiler.dims import Sym, solve, substitute
from nhwcc.compiler.interpreter import random_tensor
from nhwcc.compiler.types import Array, TensorType
from nhwcc.runners import Runner
from nhwcc.sizes import choices, variations

Data: TypeAlias = "Array | str | os.PathLike[str] | Mapping[str, Array | str | os.PathLike[str]]"
"""Arrays or .npy files by input name, one for the only input, or an .npz file with one array per input."""

NPY = "numpy.save writes such files: numpy.save('x.npy', array)"
NPZ = "numpy.savez writes such files: numpy.savez('x.npz', NAME=array)"

RUNS = 3
"""How many different sizes a network is run with, if it takes as many."""

LARGEST = 1 << 24
"""Elements of the largest input that we make up: a network that takes no smaller one is given shapes by its user."""

BOUNDS = (4, 2)
"""Random integers stay below the first of these; below the second where that says more: masks are 0 or 1."""


@dataclass(frozen=True)
class Feed:
    """Inputs by name, in the source's layout, and what the named sizes are in them; maybe we chose some of these.

    ``drawn`` are those that nobody gave.
    """

    inputs: dict[str, Array]
    sizes: dict[str, int]
    is_choice: bool = False
    drawn: frozenset[str] = frozenset()

    def starting(self, first: Mapping[str, Array]) -> Feed:
        """Return the inputs with states as they are in a first call, unless the user gave others."""
        states = {name: array for name, array in first.items() if name in self.drawn}
        return replace(self, inputs=self.inputs | states)


def read_data(data: Data | None, types: Mapping[str, TensorType]) -> dict[str, Array]:
    """Return the user's arrays by input name.

    Raises:
        CompileError: L006, there is no such input; R010, a file can't be read; R002, an array doesn't fit its input.
    """
    arrays = {} if data is None else read_arrays(data, types)
    for name, array in arrays.items():
        _check(name, array, types[name])
    return arrays


def read_arrays(data: Data, types: Mapping[str, TensorType]) -> dict[str, Array]:
    """Return the user's arrays by input name, whatever their shapes.

    Raises:
        CompileError: L006, there is no such input; R010, a file can't be read.
    """
    given = data if isinstance(data, Mapping) else _unnamed(data, types)
    arrays = {name: value if isinstance(value, np.ndarray) else _read(Path(value)) for name, value in given.items()}
    for name in arrays:
        if name not in types:
            help = did_you_mean(name, types) or f"there are {', '.join(types)}"
            raise error("L006", f"there is data for {name!r}, but no such input", help=help)
    return arrays


def _unnamed(data: Array | str | os.PathLike[str], types: Mapping[str, TensorType]) -> Mapping[str, Array | Path]:
    if not isinstance(data, np.ndarray):
        path = Path(data)
        if path.suffix.lower() == ".npz":
            return _read_all(path)
        data = _read(path)
    if len(types) != 1:
        raise error(
            "L006",
            f"there are {counted(len(types), 'input')}: say which one the data is for",
            help=f"{', '.join(types)}",
        )
    return {next(iter(types)): data}


def _read(path: Path) -> Array:
    try:
        found: object = np.load(path, allow_pickle=False, mmap_mode="r")  # which looks at the file's size first
        array = np.array(cast(Array, found)) if isinstance(found, np.ndarray) else None
    except OSError as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}", help=NPY) from bad
    except (ValueError, EOFError, OverflowError, TokenError) as bad:
        raise error("R010", f"can't read {path}: it does not hold an array of numbers", help=NPY) from bad
    if array is None:
        raise error("R010", f"{path} holds several arrays", help="give it without a name: one array per input")
    return array


def _read_all(path: Path) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [(member.filename, member.file_size) for member in archive.infolist()]
        check_expansion(str(path), members, path.stat().st_size)
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, object] = {name: file[name] for name in file.files}
    except OSError as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}", help=NPZ) from bad
    except (ValueError, EOFError, OverflowError, MemoryError, TokenError, zipfile.BadZipFile) as bad:
        raise error("R010", f"can't read {path}: it does not hold arrays of numbers by name", help=NPZ) from bad
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise error("R010", f"can't read {path}: {name!r} in it is not an array", help=NPZ)
    return cast(dict[str, Array], arrays)


def _check(name: str, array: Array, type: TensorType) -> None:
    shape = type.shape
    sizes: dict[str, int] = {}
    fits = len(shape) == array.ndim and all(solve(d, n, sizes) for d, n in zip(shape, array.shape, strict=True))
    if not fits or array.dtype != type.dtype.numpy:
        raise error("R002", f"{name} is {type}, but the data is {array.dtype}{list(array.shape)}")


def feeds(types: Mapping[str, TensorType], data: Data | None = None, seed: int = 0) -> Iterator[Feed]:
    """Give inputs for one choice of the named sizes after the other; of one choice only if no size has a name.

    Raises:
        CompileError: as :func:`read_data`.
    """
    given = read_data(data, types)
    bound = _bound(given, types)
    names = [n for n in _names(types) if n not in bound]
    for sizes in choices(names, types) if names else [{}]:
        yield from _filled(types, given, bound | sizes, seed, bool(names))


def more_feeds(
    types: Mapping[str, TensorType], first: Feed, number: int, data: Data | None = None, seed: int = 0
) -> Iterator[Feed]:
    """Give inputs for the run with this number, 1 or more, whose sizes are others than those of the first run.

    Raises:
        CompileError: as :func:`read_data`.
    """
    given = read_data(data, types)
    bound = _bound(given, types)
    names = [n for n in _names(types) if n not in bound]
    for sizes in variations(names, types, first.sizes, number):
        yield from _filled(types, given, bound | sizes, seed + number, True)


def _filled(
    types: Mapping[str, TensorType], given: Mapping[str, Array], sizes: dict[str, int], seed: int, is_choice: bool
) -> Iterator[Feed]:
    """Give inputs of these sizes, if these are possible: first with larger random integers, then with smaller ones."""
    concrete = {name: type.with_shape(substitute(type.shape, sizes)) for name, type in types.items()}
    largest = LARGEST if is_choice else math.inf
    if not all(_is_possible(type, largest) for name, type in concrete.items() if name not in given):
        return
    has_integers = any(type.dtype.is_int for name, type in types.items() if name not in given)
    for bound in BOUNDS if has_integers else BOUNDS[:1]:
        rng = np.random.default_rng(seed)
        made = {name: given[name] if name in given else random_tensor(t, rng, bound) for name, t in concrete.items()}
        yield Feed(made, sizes, is_choice, frozenset(made.keys() - given.keys()))


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


def _is_possible(type: TensorType, largest: float) -> bool:
    size = type.size
    return all(isinstance(d, int) and d >= 0 for d in type.shape) and isinstance(size, int) and size <= largest


def accepted(runner: Runner, candidates: Iterable[Feed]) -> tuple[Feed, dict[str, Array]]:
    """Return the first inputs on which a runner runs, with its outputs; of several of the same sizes, the most telling.

    Raises:
        CompileError: what the runner said about the last of them.
    """
    refused: CompileError | None = None
    found: tuple[Feed, dict[str, Array]] | None = None
    for feed in candidates:
        if found is not None and found[0].sizes != feed.sizes:
            break
        try:
            results = runner.run(feed.inputs)
        except CompileError as bad:
            refused = _tried(bad, feed)
            continue
        if all(map(_tells, results.values())):
            return feed, results
        found = found or (feed, results)
    if found is not None:
        return found
    raise refused or error("R017", "no sizes can be found for the inputs", help="give their shapes, or data")


def _tried(bad: CompileError, feed: Feed) -> CompileError:
    """Say in an error which sizes we chose."""
    if feed.is_choice:
        sizes = ", ".join(f"{name} = {size}" for name, size in feed.sizes.items())
        bad.diagnostics[-1].notes.append(f"tried last with {sizes}; give shapes or data to choose sizes")
    return bad


def _tells(result: Array) -> bool:
    """Whether some element of a result is a number."""
    return result.dtype.kind not in "fc" or result.size == 0 or bool(np.isfinite(result).any())


def runs(runner: Runner, data: Data | None = None, seed: int = 0) -> Iterator[tuple[Feed, dict[str, Array]]]:
    """Run with as many different choices of the named sizes as :data:`RUNS` says, or as the runner accepts.

    The first run begins with the states of a first call, the others with random ones: two if no size has a name.

    Raises:
        CompileError: what the runner said about the last of those that were tried first.
    """
    starting = (feed.starting(runner.first(feed.inputs)) for feed in feeds(runner.inputs, data, seed))
    first, results = accepted(runner, starting)
    yield first, results
    seen = [first.sizes] if first.is_choice else []
    goes_on = not first.drawn.isdisjoint(runner.first(first.inputs))
    for number in range(1, RUNS if first.is_choice else 2 if goes_on else 1):
        others = (f for f in more_feeds(runner.inputs, first, number, data, seed) if f.sizes not in seen)
        try:
            feed, results = accepted(runner, others)
        except CompileError:
            return  # it takes no other sizes
        seen.append(feed.sizes)
        yield feed, results
