"""Budgets: what a model may cost, checked before the work is done.

A few hundred bytes can ask for a tensor of a terabyte, for a million operations or for a loop without an end.  Whoever
is about to make such a thing asks here first; real models stay far below the limits, which their user can raise.
The budget is ambient, like the location of what is being built: :func:`limited` sets it, :func:`budget` returns it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from .diagnostics import CompileError, error

MAX_ELEMENTS = (1 << 31) - 1
"""Elements of a tensor: kernels count them in 32 bits."""

ADDRESSED = 1 << 63
"""Bits that an array may have, also an empty one: numpy multiplies all sizes but zeros."""

MAX_RANK = 64
"""Axes of a tensor: numpy has no more."""

EXPANSION = 16
"""How many times the bytes of its source a constant may have: 2-bit integers as f32."""

OPERATION_BYTES = 1 << 18
"""Memory that compiling an operation takes, rounded up: the operation, its place, and what passes know about it."""

CALL_SECONDS = 1e-6
"""What running the smallest operation takes at least, in any runtime."""

MAX_DEPTH = 64
"""Regions inside of regions, calls of functions inside of functions, parentheses inside of parentheses."""


class TooLarge(CompileError):
    """M001 of an operation: a pattern that would need it does not apply."""


class _Element(Protocol):
    @property
    def bits(self) -> int: ...


class Sized(Protocol):
    """The type of a tensor, as far as its memory depends on it."""

    @property
    def shape(self) -> Sequence[object]:
        """The sizes of its axes, which may be symbolic."""
        ...

    @property
    def dtype(self) -> _Element:
        """The type of its elements, which says their bytes."""
        ...


@dataclass(frozen=True)
class Budget:
    """How much a model may cost.

    ``memory`` is in bytes, for a tensor, for all tensors that a run of the network holds at a time, for what an archive
    expands to, and for all operations.  ``growth`` is how many bytes constants may have that the model does not hold
    but computes; the file that is written is larger than the model's by this at most.  ``seconds`` is for verification.
    """

    memory: int = 16 << 30
    growth: int = 512 << 20
    seconds: float = 1800.0

    def __post_init__(self) -> None:
        if not 0 < self.seconds < math.inf or min(self.memory, self.growth) < 0:
            text = f"no work fits {self.memory} and {self.growth} bytes, {self.seconds:g} s"
            raise error("L004", text, help="limits are whole numbers of bytes, and seconds that end")

    @property
    def operations(self) -> int:
        """How many operations a network may have, as follows from ``memory``."""
        return self.memory // OPERATION_BYTES


@dataclass
class _Spent:
    """What of a budget is used up: nodes of what was written out, operations for them, bytes of their constants."""

    nodes: int = 0
    operations: int = 0
    growth: int = 0


_budget: ContextVar[Budget] = ContextVar("budget", default=Budget())  # noqa: B039 -- it is frozen
_spent: ContextVar[_Spent | None] = ContextVar("spent", default=None)
_deadline: ContextVar[float] = ContextVar("deadline", default=math.inf)


def budget() -> Budget:
    """Return the limits of the compilation that runs in this context."""
    return _budget.get()


@contextmanager
def limited(limits: Budget | None = None) -> Generator[None, None, None]:
    """Let limits hold inside this block, those that hold already if none are given; count from zero.

    Raises:
        CompileError: M005 or R024, in place of Python's errors about nesting and memory.
    """
    tokens = _budget.set(limits or _budget.get()), _spent.set(_Spent())
    try:
        yield
    except (MemoryError, RecursionError) as bad:
        raise exhausted(bad) from bad
    finally:
        _budget.reset(tokens[0])
        _spent.reset(tokens[1])


def exhausted(bad: MemoryError | RecursionError) -> CompileError:
    """Return the error that says what Python means, at the present place."""
    if isinstance(bad, RecursionError):
        refused = error("M005", "the model is nested too deeply", help="flatten it")
    else:
        help = "look for a size that is not meant; smaller inputs (--shape) take less"
        refused = error("R024", str(bad) or "the machine has no more memory", help=help)
    refused.diagnostics[0].notes += getattr(bad, "__notes__", [])
    return refused


def too_large(shape: Sequence[object], bits: int) -> str | None:
    """Say why no tensor of a shape may be, None if it may; named sizes count as one.

    >>> too_large((1 << 20, 1 << 20), 32)
    '1,099,511,627,776 elements, of which a tensor has at most 2,147,483,647'
    >>> too_large((0, 1 << 62), 32)
    'rows of 4,611,686,018,427,387,904 elements, which no array has'
    """
    size = math.prod(d for d in shape if isinstance(d, int))
    if size == 0 or len(shape) > MAX_RANK:
        return unheard_of(shape, bits)
    if size > MAX_ELEMENTS:
        return f"{size:,} elements, of which a tensor has at most {MAX_ELEMENTS:,}"
    taken, limit = size * bits // 8, _budget.get().memory
    if taken > limit:
        return f"{in_bytes(taken)}, more than the limit of {in_bytes(limit)}; --max-memory raises it"
    return None


def unheard_of(shape: Sequence[object], bits: int) -> str | None:
    """Say why numpy has no array of a shape, whatever the limits are; None if it may have.

    >>> unheard_of([1] * 65, 32), unheard_of([2, 3], 32)
    ('65 axes, of which a tensor has at most 64', None)
    """
    if len(shape) > MAX_RANK:
        return f"{len(shape):,} axes, of which a tensor has at most {MAX_RANK}"
    rows = math.prod(d for d in shape if isinstance(d, int) and d > 0)
    is_empty = 0 in shape and rows * bits > ADDRESSED
    return f"rows of {rows:,} elements, which no array has" if is_empty else None


def check_size(what: str, type: Sized) -> None:
    """Refuse a tensor that is given, such as an input.

    Raises:
        CompileError: M001, it is too large.
    """
    problem = too_large(type.shape, type.dtype.bits)
    if problem is not None:
        raise error("M001", f"{what} would have {problem}")


def reserve(*shape: int, bits: int = 64, what: str = "a constant") -> None:
    """Count a constant that is about to be computed.

    Raises:
        CompileError: M001, it is too large; M002, together with those before it.
    """
    problem = too_large(shape, bits)
    if problem is not None:
        raise error("M001", f"{what} would have {problem}")
    spent, limit = _spent.get() or _Spent(), _budget.get().growth
    spent.growth += math.prod(shape) * bits // 8
    if spent.growth > limit:
        text = f"{what} of shape {list(shape)} makes what is computed for the network {in_bytes(spent.growth)} large"
        raise error("M002", text, help=f"the limit is {in_bytes(limit)}; --max-growth raises it")


def count_operations(operations: int, nodes: int = 0) -> None:
    """Count operations that are imported, or nodes of a function or loop that are about to be written out.

    Raises:
        CompileError: M004, there are too many.
    """
    spent, limit = _spent.get(), _budget.get().operations
    if spent is None:
        return
    spent.operations += operations
    spent.nodes += nodes
    if max(spent.operations, spent.nodes) > limit:
        text = f"the network grows to more than {limit:,} operations"
        raise error("M004", text, help="loops and functions are written out; --max-memory raises the limit")


def check_operations(count: int, what: str) -> None:
    """Refuse to write something out as too many operations.

    Raises:
        CompileError: M004.
    """
    limit = _budget.get().operations // 2
    if count > limit:
        help = f"the limit is {limit:,}; --max-memory raises it"
        raise error("M004", f"{what} would be written out as {count:,} operations", help=help)


def check_depth(depth: int, what: str) -> None:
    """Refuse what is nested too deeply.

    Raises:
        CompileError: M005.
    """
    if depth > MAX_DEPTH:
        raise error("M005", f"{what} are nested more than {MAX_DEPTH} deep", help="flatten them")


def check_expansion(name: str, members: Iterable[tuple[str, int]], held: int) -> None:
    """Refuse an archive that expands to too much: its ``members`` with their sizes, and how many bytes it has itself.

    Raises:
        CompileError: M006.
    """
    limits = _budget.get()
    total = 0
    for member, size in members:
        total += size
        if total > min(limits.memory, EXPANSION * held + limits.growth):
            text = f"{name} has {in_bytes(held)} and expands to {in_bytes(total)} or more, with {member!r}"
            raise error("M006", text, help="if that is meant, raise the limits: --max-growth and --max-memory")


@contextmanager
def timed() -> Generator[None, None, None]:
    """Let what runs inside this block end in time; nested blocks share the time of the outermost."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + _budget.get().seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining() -> float:
    """Return how many seconds are left; infinite if nothing is timed."""
    return max(_deadline.get() - time.monotonic(), 0.0)


def check_time(what: str) -> None:
    """Refuse to go on when time is up.

    Raises:
        CompileError: M003.
    """
    if time.monotonic() > _deadline.get():
        raise out_of_time(what)


def out_of_time(what: str) -> CompileError:
    """Return the error that something took too long."""
    help = "--max-seconds gives more time; smaller inputs (--shape, --data) take less, --no-verify none"
    return error("M003", f"{what} takes more than {_budget.get().seconds:g} s", help=help)


@contextmanager
def watched(what: str, stop: Callable[[], object]) -> Generator[None, None, None]:
    """Call ``stop`` from another thread when time is up; what ends the block then is the error that says so.

    Raises:
        CompileError: M003.
    """
    left = remaining()
    if left == math.inf:
        yield
        return
    timer = threading.Timer(min(left, threading.TIMEOUT_MAX), stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    except CompileError as bad:
        if remaining() > 0:
            raise
        raise out_of_time(what) from bad
    finally:
        timer.cancel()


def in_bytes(size: int) -> str:
    """Return a number of bytes as people write it.

    >>> in_bytes(16 << 30), in_bytes(5 << 40), in_bytes(1000)
    ('16.0 GB', '5.0 TB', '1000 bytes')
    """
    if size < 1 << 10:
        return f"{size} bytes"
    power = min((size.bit_length() - 1) // 10, 6)
    return f"{size / (1 << 10 * power):,.1f} {'KMGTPE'[power - 1]}B"


def parse_bytes(text: str) -> int:
    """Read a number of bytes: ``512MB``, ``16GB`` or a plain number.

    >>> parse_bytes("16GB") == 16 << 30, parse_bytes("1.5 k"), parse_bytes("7")
    (True, 1536, 7)

    Raises:
        ValueError: it is none.
    """
    number = text.strip().upper().removesuffix("B")
    power = "KMGTPE".find(number[-1:]) + 1 if number else 0
    size = float(number[:-1] if power else number)
    if not 0 <= size < math.inf:
        raise ValueError(f"{text} is not a number of bytes")
    return int(size * (1 << 10 * power))
