"""Pattern rewriting: a function that looks at one operation and may replace it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from .budget import TooLarge, budget
from .diagnostics import Location, Remark, at, error, is_explaining, remark
from .fold import emit
from .ir import Module, Op, Region, Value
from .printer import print_op

O = TypeVar("O", bound=Op)

WITNESSES = 100
"""So many rewrites before the limit are remembered, to say which patterns go on for ever."""


class NoMatch(Exception):
    """Says why a pattern that looked promising does not apply."""


class Rewriter:
    """What a pattern may do to the graph around the matched operation, ``root``."""

    def __init__(self, root: Op, region: Region) -> None:
        self.root = root
        self.region = region
        self.inserted: list[Op] = []

    def insert(self, op: O) -> O:
        """Insert ``op`` before the matched one.

        Raises:
            CompileError: M004, one operation becomes very many.
        """
        limit = budget().operations // 2
        if len(self.inserted) >= limit:
            help = f"the limit is {limit:,}; --max-memory raises it"
            raise self.root.fail("M004", f"{self.root.title} would be written out as too many operations", help=help)
        self.region.insert(op, before=self.root)
        self.inserted.append(op)
        return op

    def emit(self, op: Op) -> Value:
        """Insert ``op``, or the constant that it folds to, and return its only result."""
        last = self.root.before
        (value,) = emit(op, self.region, self.root)
        if value.owner is not None and self.root.before is not last:
            self.inserted.append(value.owner)
        return value

    def replace(self, *new: Op | Value) -> None:
        """Replace the results of the matched operation, one by one; operations are inserted first.

        Raises:
            CompileError: I003, a replacement has another type.
        """
        values = [self.emit(n) if isinstance(n, Op) else n for n in new]
        for old, value in zip(self.root.results, values, strict=True):
            if old.type != value.type:
                raise self.root.fail("I003", f"replacing {old.type} by {value.type}")
            old.replace_all_uses_with(value)

    @staticmethod
    def require(condition: bool, reason: str) -> None:
        """Give up with a reason unless ``condition`` holds."""
        if not condition:
            raise NoMatch(reason)


@dataclass(frozen=True)
class Pattern:
    """A named rewrite rooted at some classes of operations; ``Op`` itself stands for all.

    Where ``unless`` holds it does not apply; patterns that share this condition share one answer for an operation.
    ``nearly`` says how near an operation comes to what it is looked for, the larger the nearer, and what is in the way.
    Integers that the root gives may become others, up to so many ``steps`` away; without them, results stay the same.
    """

    name: str
    roots: tuple[type[Op], ...]
    apply: Callable[[Any, Rewriter], object]
    benefit: int = 1
    unless: Callable[[Op], bool] | None = None
    nearly: Callable[[Op], tuple[int, str | None]] | None = None
    steps: int = 0


def pattern(*roots: type[O], benefit: int = 1) -> Callable[[Callable[[O, Rewriter], object]], Pattern]:
    """Make a function a pattern; it applies if it calls ``rw.replace``, or returns what the result becomes.

    The docstring says what it does; ``rw.require`` says why it nearly did.
    """

    def wrap(fn: Callable[[O, Rewriter], object]) -> Pattern:
        return Pattern(fn.__name__.replace("_", "-"), roots, fn, benefit)

    return wrap


class Watcher(Protocol):
    """Sees all rewriting from outside: which patterns a pass has, and the module after every time that one fired."""

    def begin(self, module: Module, patterns: Sequence[Pattern]) -> None:
        """Be told that these patterns are about to be applied to a module."""
        ...

    def fired(self, module: Module, pattern: Pattern) -> None:
        """Be told that a pattern has just changed a module."""
        ...


_watchers: ContextVar[tuple[Watcher, ...]] = ContextVar("watchers", default=())


@contextmanager
def watch_rewriting(watcher: Watcher) -> Generator[None, None, None]:
    """Let ``watcher`` see what is rewritten inside this block; what it raises ends the rewriting."""
    token = _watchers.set((*_watchers.get(), watcher))
    try:
        yield
    finally:
        _watchers.reset(token)


class _Tally:
    """Which patterns fired; of the others, where each came nearest to it."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._patterns = list(patterns)
        self._fired: set[str] = set()
        self._near: dict[str, tuple[int, str, Location | None]] = {}

    def see(self, patterns: Iterable[Pattern], op: Op, fired: Pattern | None) -> None:
        """Note what patterns made of an operation."""
        if fired is not None:
            self._fired.add(fired.name)
        if op.parent is None:
            return
        for p in patterns:
            found, reason = p.nearly(op) if p.nearly is not None else (0, None)
            if p is not fired and found >= self._near.get(p.name, (0,))[0]:
                self._near[p.name] = (found, reason or "", op.location)

    def report(self) -> None:
        """Remark the patterns that never fired."""
        for p in self._patterns:
            if p.name not in self._fired:
                _, reason, location = self._near.get(p.name, (0, "", None))
                remark(Remark("idle", p.name, reason, location))


class _Worklist:
    """Operations to look at, each once until it is taken out."""

    def __init__(self, ops: Iterable[Op]) -> None:
        self._queue = deque(ops)
        self._waiting = set(self._queue)

    def add(self, op: Op | None) -> None:
        if op is not None and op not in self._waiting:
            self._waiting.add(op)
            self._queue.append(op)

    def __len__(self) -> int:
        return len(self._queue)

    def take(self) -> Op:
        op = self._queue.popleft()
        self._waiting.discard(op)
        return op


class _Rewrites:
    """Counts how often patterns fired; shortly before there are too many it remembers which, and on what."""

    def __init__(self, limit: int) -> None:
        self.done = 0
        self._limit = limit
        self._before = ""
        self._endless: dict[str, str] = {}

    def look(self, op: Op) -> None:
        """See an operation before patterns change it."""
        self._before = print_op(op) if self.done > self._limit - WITNESSES else ""

    def count(self, op: Op, fired: Pattern) -> None:
        """Count one more.

        Raises:
            CompileError: W001, with every pattern that fired again and again, and an operation that it took.
        """
        self.done += 1
        if self._before:
            self._endless.setdefault(fired.name, self._before)
        if self.done > self._limit:
            names = list(self._endless)
            what = f"{names[0]} fires on what it makes" if len(names) == 1 else f"{' and '.join(names)} undo each other"
            shown = "\n".join(f"{name}: {text}" for name, text in self._endless.items())
            help = "each rewrite must bring a network nearer to a form on which none fires: drop one, or guard it"
            with at(op.location):
                raise error("W001", f"rewriting does not come to an end: {what}", excerpt=shown, help=help)


def rewrite(module: Module, patterns: Iterable[Pattern]) -> int:
    """Apply patterns greedily until none fires; return how often one did.

    Raises:
        CompileError: W001, the patterns undo each other for ever.
    """
    ordered = sorted(patterns, key=lambda p: -p.benefit)
    watchers = _watchers.get()
    for watcher in watchers:
        watcher.begin(module, ordered)
    index: dict[type[Op], list[Pattern]] = {}
    work = _Worklist(module.walk())
    rewrites = _Rewrites(1000 + 20 * len(work))
    tally = _Tally(ordered) if is_explaining() else None
    while work:
        op = work.take()
        kind = type(op)
        if kind not in index:
            index[kind] = [p for p in ordered if kind in p.roots or Op in p.roots]
        if op.parent is None or not index[kind]:
            continue
        rewrites.look(op)
        with at(op.location):
            last = _first(index[kind], op, work)
        if tally is not None:
            tally.see(index[kind], op, last)
        if last is not None:
            for watcher in watchers:
                watcher.fired(module, last)
            rewrites.count(op, last)
    if tally is not None:
        tally.report()
    return rewrites.done


def _first(patterns: Iterable[Pattern], op: Op, work: _Worklist) -> Pattern | None:
    """Apply the first pattern that fires, and return it."""
    answers: dict[Callable[[Op], bool], bool] = {}
    for p in patterns:
        if p.unless is not None:
            if p.unless not in answers:
                answers[p.unless] = p.unless(op)
            if answers[p.unless]:
                continue
        if _apply(p, op, work):
            return p
    return None


def _apply(p: Pattern, op: Op, work: _Worklist) -> bool:
    """Try one pattern on one operation; on success queue what it may have made possible."""
    assert op.parent is not None
    rewriter = Rewriter(op, op.parent)
    users = [user for r in op.results for user in r.users]
    try:
        made = p.apply(op, rewriter)
        if isinstance(made, Op | Value) and not op.is_unused:
            rewriter.replace(made)
    except (NoMatch, TooLarge) as bad:
        reason = bad.diagnostics[0].message if isinstance(bad, TooLarge) else str(bad)
        remark(Remark("missed", p.name, reason, op.location))
        _discard(rewriter)
        return False
    if not users or not op.is_unused:
        _discard(rewriter)
        return False
    erased = erase_dead(op, released=work.add, replaced=True)
    for new in rewriter.inserted:
        new.location = _origin(new, erased)
        work.add(new)
    for user in users:
        work.add(user)
    remark(Remark("fired", p.name, "", op.location))
    return True


def _origin(new: Op, erased: list[Op]) -> Location | None:
    """Return where a new operation stems from: first of all from what it continues, an erased one of the same class.

    Of a convolution that takes over an activation this is the convolution, although the activation was the root.
    """
    own = [e.location for e in erased if type(e) is type(new)]
    return Location.fuse([*own[:1], new.location, *(e.location for e in erased if e.spec.operands)])


def why_not(p: Pattern, op: Op) -> str | None:
    """Return the reason for which a pattern does not apply to an operation, None if it gives none; changes nothing."""
    assert op.parent is not None
    rewriter = Rewriter(op, op.parent)
    try:
        made = p.apply(op, rewriter)
        if isinstance(made, Op | Value) and not op.is_unused:
            rewriter.replace(made)
    except NoMatch as reason:
        return str(reason)
    except TooLarge as bad:
        return bad.diagnostics[0].message
    finally:
        _discard(rewriter)
    return None


def _discard(rewriter: Rewriter) -> None:
    """Take back what a pattern inserted before it gave up."""
    for op in reversed(rewriter.inserted):
        if op.parent is not None and op.is_unused:
            op.parent.erase(op)


def erase_dead(*ops: Op, released: Callable[[Op], None] | None = None, replaced: bool = False) -> list[Op]:
    """Erase removable operations without uses and whatever only they needed; return what was erased.

    ``released`` is called with each operation that lost a user.  Operations that were ``replaced`` go whatever else
    they may do: their replacements do it.
    """
    erased: list[Op] = []
    work = list(ops)
    while work:
        op = work.pop()
        may_go = op.spec.is_removable or (replaced and op in ops)
        if op.parent is None or not may_go or not op.is_unused:
            continue
        producers = [v.owner for v in op.operands if v is not None and v.owner is not None]
        op.parent.erase(op)
        erased.append(op)
        work += producers
        if released is not None:
            for producer in producers:
                released(producer)
    return erased
