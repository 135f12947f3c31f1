"""Samples to calibrate on: arrays, archives, folders of pictures, functions of the user's; one at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from nhwcc.compiler.diagnostics import counted, error, reason
from nhwcc.compiler.dims import is_static, solve, substitute
from nhwcc.compiler.interpreter import random_tensor
from nhwcc.compiler.plugins import load_function
from nhwcc.compiler.types import Array, TensorType
from nhwcc.data import Data, fitted, read_arrays
from nhwcc.quantization.images import ImageFormat, image_samples, pictures

Sample = dict[str, Array]
"""Inputs by name, in the source's layout."""

RANDOM = 8
"""How many random samples are made where nobody gave any."""

OPEN = 2
"""The size of open dimensions of random samples that say nothing else."""


@dataclass(frozen=True)
class Samples:
    """Where samples come from, and how to get them, as often as somebody asks."""

    title: str
    get: Callable[[], Iterable[Sample]]
    is_random: bool = False

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.get())


def samples_of(data: Data | None, types: Mapping[str, TensorType], images: ImageFormat, seed: int) -> Samples:
    """Return the samples that data holds; random ones without data.

    Raises:
        CompileError: L006, Q001, R002, R010, the data is of no use; L010, a user's function fails.
    """
    if data is None:
        return Samples(f"random inputs, seed {seed}", lambda: _random(types, seed), is_random=True)
    if isinstance(data, str | os.PathLike):
        text, path = os.fspath(data), Path(data)
        file, colon, function = text.rpartition(":")
        if colon and file.endswith(".py"):
            make = load_function(Path(file), function, 0)
            return Samples(f"what {function} gives", lambda: _proper(_given(make(), function, types)))
        if path.is_dir():
            found = pictures(path)
            name = _only(types)
            samples_in = partial(image_samples, found, name, types[name], images)
            return Samples(counted(len(found), "picture"), lambda: _proper(samples_in()))
    arrays = read_arrays(data, types)
    samples = list(_proper(_cut(arrays, types)))
    return Samples(counted(len(samples), "sample"), lambda: samples)


def _only(types: Mapping[str, TensorType]) -> str:
    if len(types) != 1:
        help = "save arrays of all of them: numpy.savez('x.npz', NAME=array)"
        raise error("L006", f"pictures are one input, but there are {', '.join(types)}", help=help)
    return next(iter(types))


def _random(types: Mapping[str, TensorType], seed: int) -> Iterator[Sample]:
    rng = np.random.default_rng(seed)
    for _ in range(RANDOM):
        yield {name: random_tensor(_closed(t), rng) for name, t in types.items()}


def _closed(type: TensorType) -> TensorType:
    """Give open sizes a number."""
    if is_static(type.shape):
        return type
    names = {n: OPEN for d in type.shape if not isinstance(d, int) for n in d.names}
    return type.with_shape(substitute(type.shape, names))


def _proper(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield samples, of which there must be one at least, if their numbers are some.

    Raises:
        CompileError: Q001, there are no samples; R002, one of them holds NaN.
    """
    number = 0
    for number, sample in enumerate(samples, 1):
        for name, array in sample.items():
            if array.dtype.kind == "f" and np.isnan(array).any():
                raise error("R002", f"sample {number} of the data holds NaN for {name}", help="leave it out")
        yield sample
    if number == 0:
        raise error("Q001", "the data holds no samples", help="give some of what the network will see: a few dozen")


def _given(made: object, function: str, types: Mapping[str, TensorType]) -> Iterator[Sample]:
    """Yield what a user's function gives: samples one by one, or arrays of all of them as files hold them."""
    arrays = cast("Mapping[str, object]", made if isinstance(made, Mapping) else {"": made})
    if all(isinstance(array, np.ndarray) for array in arrays.values()):
        return _cut(read_arrays(cast(Data, made), types), types)
    if isinstance(made, Mapping) or not isinstance(made, Iterable):
        help = "let it yield arrays, or dictionaries of arrays by input name"
        kind = type(cast(object, made)).__name__
        raise error("L010", f"{function} gives a value of type {kind} in place of samples", help=help)
    return _checked(cast("Iterable[object]", made), types)


def _checked(given: Iterable[object], types: Mapping[str, TensorType]) -> Iterator[Sample]:
    """Yield what a user's function gives one by one: arrays by name, or one for the only input."""
    for item in given:
        sample = cast("Mapping[str, Any]", item) if isinstance(item, Mapping) else {_only(types): item}
        arrays = {str(name): _array(array) for name, array in sample.items()}
        missing = [name for name in types if name not in arrays]
        if missing:
            found = f"it has {', '.join(arrays)}; " if arrays else ""
            help = f"{found}give arrays by the inputs' names"
            raise error("R002", f"a sample lacks {', '.join(missing)}", help=help)
        arrays = {name: fitted(arrays[name], type) for name, type in types.items()}
        for name, type in types.items():
            if not _fits(arrays[name].shape, type) or arrays[name].dtype != type.dtype.numpy:
                found = f"{arrays[name].dtype}{list(arrays[name].shape)}"
                raise error("R002", f"{name} is {type}, but a sample has {found}")
        yield arrays


def _array(given: Any) -> Array:
    try:
        return np.asarray(given)
    except (ValueError, TypeError, RuntimeError) as bad:
        help = "let the function yield arrays, or dictionaries of arrays by input name"
        raise error("R002", f"a sample is not an array of numbers: {reason(bad)}", help=help) from bad


def _cut(arrays: Mapping[str, Array], types: Mapping[str, TensorType]) -> Iterator[Sample]:
    """Cut arrays along the first axis into samples: as long as the input's, or one row each where that is open."""
    missing = [name for name in types if name not in arrays]
    if missing:
        help = "numpy.savez('x.npz', NAME=array) saves several arrays"
        raise error("R002", f"there is no data for {', '.join(missing)}", help=help)
    parts = {name: _parts(name, arrays[name], type) for name, type in types.items()}
    count = max(map(len, parts.values()), default=0)
    for name, found in parts.items():
        if len(found) not in (1, count):
            raise error("R002", f"there are {counted(count, 'sample')}, but {counted(len(found), 'sample')} of {name}")
    for i in range(count):
        yield {name: found[i % len(found)] for name, found in parts.items()}


def _parts(name: str, array: Array, type: TensorType) -> list[Array]:
    shape, array = type.shape, fitted(array, type)
    if array.dtype != type.dtype.numpy:
        help = f"array.astype({str(type.dtype.numpy)!r}) converts it"
        raise error("R002", f"{name} is {type}, but the data is {array.dtype}{list(array.shape)}", help=help)
    if array.ndim == len(shape) + 1 and (not len(array) or _fits(array.shape[1:], type)):
        return list(array)
    step = shape[0] if shape and isinstance(shape[0], int) else 1
    if array.ndim == len(shape) and shape and step and len(array) % step == 0:
        parts = [array[i : i + step] for i in range(0, len(array), step)]
        if all(_fits(part.shape, type) for part in parts):
            return parts
    if array.ndim == len(shape) == 0:
        return [array]
    help = "samples lie along the first axis: [N, ...], or [N, 1, ...]"
    raise error("R002", f"{name} is {type}, but the data is {array.dtype}{list(array.shape)}", help=help)


def _fits(shape: tuple[int, ...], type: TensorType) -> bool:
    sizes: dict[str, int] = {}
    return len(shape) == type.rank and all(solve(d, n, sizes) for d, n in zip(type.shape, shape, strict=True))
