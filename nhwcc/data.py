"""The user's data: arrays in memory and in files, by the names of the inputs that they are for."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import TypeAlias, cast

import numpy as np

from nhwcc.compiler.budget import check_expansion
from nhwcc.compiler.diagnostics import counted, did_you_mean, error, reason
from nhwcc.compiler.dims import solve
from nhwcc.compiler.regular import regular
from nhwcc.compiler.types import Array, TensorType

Data: TypeAlias = "Array | str | os.PathLike[str] | Mapping[str, Array | str | os.PathLike[str]]"
"""Arrays or .npy files by input name, one for the only input, or an .npz file with one array per input."""

NPY = "numpy.save writes such files: numpy.save('x.npy', array)"
NPZ = "numpy.savez writes such files: numpy.savez('x.npz', NAME=array)"


def read_data(data: Data | None, types: Mapping[str, TensorType]) -> dict[str, Array]:
    """Return the user's arrays by input name.

    Raises:
        CompileError: L006, there is no such input; R010, a file can't be read; R002, an array doesn't fit its input.
    """
    found = {} if data is None else read_arrays(data, types)
    arrays = {name: fitted(array, types[name]) for name, array in found.items()}
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


def fitted(array: Array, type: TensorType) -> Array:
    """Return integers in as many bits as an input has where all of them fit: files for devices have none of 64.

    >>> from nhwcc.compiler.types import parse_type
    >>> fitted(np.asarray([3, -1]), parse_type("i32[2]")).dtype
    dtype('int32')
    """
    dtype = type.dtype.numpy
    if array.dtype.kind != "i" or dtype.kind != "i" or not array.size:
        return array
    low, high = type.dtype.bounds
    return array.astype(dtype) if low <= array.min() and array.max() <= high else array


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
        # mapping looks at the file's size first
        found: object = np.load(regular(path), allow_pickle=False, mmap_mode="r")
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
        with zipfile.ZipFile(regular(path)) as archive:
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
        is_many = array.ndim == len(shape) and array.shape[1:] == shape[1:]
        help = "Give one sample, such as array[:1]; many are for --quantize and nhwcc calibrate." if is_many else None
        raise error("R002", f"{name} is {type}, but the data is {array.dtype}{list(array.shape)}", help=help)
