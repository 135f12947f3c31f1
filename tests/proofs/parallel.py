"""The same function for many items, in processes that share what was loaded before they were forked."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_shared: dict[str, Any] = {}


def parallel(fn: Callable[..., Result], items: Sequence[Item], workers: int, *context: object) -> list[Result]:
    """Return ``fn(item, *context)`` for all items, in their order; the context is not copied, and may be anything."""
    if workers == 1:
        return [fn(item, *context) for item in items]
    _shared.update(fn=fn, context=context)
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return pool.map(_call, items, chunksize=1)


def _call(item: object) -> Any:
    return _shared["fn"](item, *_shared["context"])
