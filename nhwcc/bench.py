"""How fast files run: each in fresh processes, in turns of random order, with intervals that say what is noise."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

from nhwcc.compiler.diagnostics import error
from nhwcc.file_formats import supported
from nhwcc.files import scratch
from nhwcc.formats.tflite.reader import Summary, inspect
from nhwcc.runners.worker import Worker

STOPWATCH = ("nhwcc.backends.tflite.stopwatch", "Stopwatch")
RESAMPLED = 2000
"""How often rounds are drawn anew for an interval."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Settings:
    """How it is measured: processes per file, seconds in each, threads, and sizes of inputs that are open."""

    rounds: int = 7
    seconds: float = 0.3
    threads: int = 1
    shapes: Mapping[str, Sequence[int]] = field(default_factory=lambda: dict[str, Sequence[int]]())
    seed: int = 0


@dataclass(frozen=True)
class Interval:
    """A median over rounds, and where that of other rounds would lie in 95 of 100 cases."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class OperatorTime:
    """All operators of one kind: how many, how many of them XNNPACK runs, and the milliseconds they take alone.

    ``untimed`` is how many can't be run alone.
    """

    name: str
    count: int
    delegated: int
    milliseconds: float
    untimed: int = 0


@dataclass(frozen=True)
class Timing:
    """A file: milliseconds for a run and for loading, and how much faster than the first file it is (1 for that one).

    ``delegated`` of its ``operators`` are run by XNNPACK; ``kinds`` are these by name, the slowest first; ``each`` has
    the milliseconds of every one alone in the file's order, None where that can't be measured.
    """

    file: str
    bytes: int
    milliseconds: Interval
    loading: Interval
    faster: Interval
    operators: int
    delegated: int
    kinds: list[OperatorTime]
    each: list[float | None]


def bench(files: Sequence[Path], settings: Settings, progress: Callable[[str], None] = lambda _: None) -> list[Timing]:
    """Time files beside each other; in each round every file has a new process, in a random order.

    Raises:
        CompileError: R010, R015, a file is not a TFLite file; R002, it has no input of a name; R013 and R019, the
            runtime fails.
    """
    summaries = [_inspected(path, settings) for path in files]
    rng = np.random.default_rng(settings.seed)
    runs: list[list[float]] = [[] for _ in files]
    loads: list[list[float]] = [[] for _ in files]
    for number in range(settings.rounds):
        progress(f"round {number + 1} of {settings.rounds}")
        order: list[int] = rng.permutation(len(files)).tolist()
        for i in order:
            with _timed(files[i], settings) as worker:
                loads[i].append(1e3 * worker.call("loading"))
                runs[i].append(1e3 * median(worker.call("sample", settings.seconds)))
    progress("each operator alone")
    found: list[Timing] = []
    for i, path in enumerate(files):
        operators, each = _operators(path, summaries[i], settings)
        ratios = [math.log(a / b) for a, b in zip(runs[0], runs[i], strict=True)]
        faster = Interval(*map(math.exp, _spread(ratios, rng)))
        times = Interval(*_spread(runs[i], rng)), Interval(*_spread(loads[i], rng))
        count, delegated = sum(k.count for k in operators), sum(k.delegated for k in operators)
        found.append(Timing(str(path), path.stat().st_size, *times, faster, count, delegated, operators, each))
    return found


def _inspected(path: Path, settings: Settings) -> Summary:
    format = supported(path)
    if format.name != "tflite":
        help = f"compile it first: nhwcc compile {path} -o {path.with_suffix('.tflite').name}"
        raise error("R015", f"{path} is {format.title}; the files that are timed are .tflite", help=help)
    found = inspect(path)
    names = found.ports("inputs")
    for name in settings.shapes:
        if name not in names:
            raise error("R002", f"{path.name} has no input {name!r}", help=f"it has {', '.join(names)}")
    return found


def _timed(path: Path, settings: Settings) -> Worker:
    worker = Worker()
    worker.make(*STOPWATCH, path, settings.threads, {n: list(s) for n, s in settings.shapes.items()})
    return worker


def _operators(path: Path, summary: Summary, settings: Settings) -> tuple[list[OperatorTime], list[float | None]]:
    names = [op.name for op in summary.subgraphs[0].operators]
    with scratch() as folder, _timed(path, settings) as worker:
        delegated: set[int] = worker.call("on_delegate")
        alone: dict[int, float | None] = worker.call("alone", folder.path)
    counts, taken = Counter(names), Counter(names[i] for i in delegated)
    seconds, untimed = Counter[str](), Counter[str]()
    for i, name in enumerate(names):
        time = alone[i]
        seconds[name] += 0 if time is None else time  # pyright: ignore[reportArgumentType] -- a counter of seconds
        untimed[name] += time is None
    kinds = [OperatorTime(n, counts[n], taken[n], 1e3 * seconds[n], untimed[n]) for n in counts]
    each = [None if (time := alone[i]) is None else 1e3 * time for i in range(len(names))]
    return sorted(kinds, key=lambda k: -k.milliseconds), each


def _spread(values: Sequence[float], rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the median of rounds, and the ends of its interval by drawing as many rounds again with replacement."""
    drawn = rng.choice(np.asarray(values), (RESAMPLED, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return median(values), float(low), float(high)
