"""PyTorch's own samples of its operators (OpInfo), run in a process that may end.

Forward samples in f32 and i64 of every operator with a public function, through the frontend and the reference
interpreter, and through TFLite.  Samples whose result PyTorch itself leaves uninitialised are left out, and those that
it draws at random, unless two draws happen to agree: then shapes are compared.
"""

from __future__ import annotations

import signal
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import ml_dtypes
import numpy as np
import torch
from nhwcc.backends.registry import find_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.interpreter import run
from nhwcc.compiler.ir import Module
from nhwcc.compiler.opdef import Draws
from nhwcc.compiler.types import Array, DType
from nhwcc.compiler.verify import verify
from nhwcc.frontends.torch import import_torch, to_array
from torch import nn
from torch.utils import _pytree as pytree

from nhwcc.instruments import run_passes
from nhwcc.numerics import compare
from nhwcc.options import TOLERANCE, CompileOptions
from nhwcc.pipelines import build_pipeline, register_passes
from nhwcc.runners.worker import Worker
from nhwcc.targets import open_runner, start_runtime

DTYPES = (torch.float32, torch.int64)
LIMIT = 3
"""So many samples are taken per element type, at equal distances from the first to the last."""

SECONDS = 240
"""After so long a sample counts as a crash."""

UNINITIALISED = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"}
"""Operators whose result is whatever stood in memory."""

TIED = {"kthvalue", "median", "mode", "nanmedian", "topk"}
"""Operators that give the positions of elements and may choose among equal ones: their samples get different ones."""

Status = Literal["right", "refused", "failed", "wrong", "crash"]
"""Refused by a code, failed in the target's runtime, wrong numbers, and all else."""

BAD: tuple[Status, ...] = ("crash", "wrong", "failed")
"""What must not happen, the worst first."""

RUNTIME_CODES = ("R013", "R019")
"""What went wrong after a compiler that claimed success."""

seed: Callable[[int], object] = getattr(torch.random, "manual_seed")  # noqa: B009 -- its type is only partly known


@dataclass
class Tally:
    """How the samples of one operator came out at one stage; ``why`` is the first thing that went wrong.

    ``first`` counts only the first sample of each element type, which every run tries.
    """

    counts: Counter[str] = field(default_factory=lambda: Counter[str]())
    first: Counter[str] = field(default_factory=lambda: Counter[str]())
    codes: Counter[str] = field(default_factory=lambda: Counter[str]())
    why: str = ""

    def add(self, status: Status, why: str = "", code: str = "", *, first: bool = False) -> None:
        """Count a sample."""
        worse = status in BAD and not any(self.counts[s] for s in BAD)
        self.counts[status] += 1
        self.first[status] += first
        if code:
            self.codes[code] += 1
        if worse or not self.why:
            self.why = why

    @property
    def verdict(self) -> str:
        """How the operator came out: right if samples are, and none is worse than refused."""
        return _verdict(self.counts)

    @property
    def first_verdict(self) -> str:
        """How the first samples came out."""
        return _verdict(self.first)


def _verdict(counts: Counter[str]) -> str:
    return next((status for status in (*BAD, "right", "refused") if counts[status]), "no samples")


@dataclass
class Row:
    """An operator, and how it came out in the IR and in TFLite."""

    operator: str
    ir: Tally = field(default_factory=Tally)
    tflite: Tally = field(default_factory=Tally)

    def as_json(self) -> dict[str, Any]:
        """Return what :meth:`of_json` takes."""
        return {"operator": self.operator, "ir": vars(self.ir), "tflite": vars(self.tflite)}

    @staticmethod
    def of_json(found: dict[str, Any]) -> Row:
        """Read what :meth:`as_json` returned."""
        ir, tflite = (
            Tally(Counter(f["counts"]), Counter(f["first"]), Counter(f["codes"]), f["why"])
            for f in (found["ir"], found["tflite"])
        )
        return Row(found["operator"], ir, tflite)


class Sample(nn.Module):
    """An operator with everything bound that is no tensor."""

    def __init__(self, function: Any, args: Any) -> None:
        super().__init__()
        self.function = function
        self.leaves, self.spec = pytree.tree_flatten(args)

    def tensors(self) -> list[torch.Tensor]:
        """The inputs."""
        return [v for v in self.leaves if isinstance(v, torch.Tensor)]

    def break_ties(self) -> None:
        """Give the first input different integers, if it has integers."""
        first = self.leaves[0]
        if not first.is_floating_point():
            self.leaves[0] = torch.randperm(first.numel()).reshape(first.shape).to(first.dtype)

    def forward(self, *tensors: torch.Tensor) -> Any:
        """Call the operator with other tensors."""
        given = iter(tensors)
        leaves = [next(given) if isinstance(v, torch.Tensor) else v for v in self.leaves]
        args, kwargs = pytree.tree_unflatten(leaves, self.spec)
        return self.function(*args, **kwargs)

    def results(self, number: int) -> list[Array] | None:
        """What PyTorch gives after its generator was seeded; None if it is nothing that could be compared."""
        seed(number)
        try:
            with torch.no_grad():
                found = pytree.tree_leaves(self(*(t.clone() for t in self.tensors())))
        except (RuntimeError, NotImplementedError, ValueError, TypeError, AssertionError):
            return None  # not on this processor
        plain = [v for v in found if v is not None]
        if not plain or not all(map(_is_comparable, plain)):
            return None
        return [to_array(v).copy() if isinstance(v, torch.Tensor) else np.asarray(v) for v in plain]

    def expected(self) -> list[Array] | None:
        """What PyTorch gives; None if it is random, or nothing that could be compared."""
        first, second = self.results(0), self.results(1)
        if first is None or second is None:
            return None
        is_same = all(a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True))
        return first if is_same else None


def _is_comparable(value: object) -> bool:
    return _is_plain(value) if isinstance(value, torch.Tensor) else isinstance(value, bool | int | float)


def _is_plain(tensor: torch.Tensor) -> bool:
    return tensor.layout == torch.strided and not tensor.is_complex() and not tensor.is_quantized


def samples(op: Any, limit: int) -> Iterator[tuple[bool, Sample]]:
    """Yield some samples per element type, and whether each is the first one."""
    for dtype in _element_types(op):
        seed(0)
        given = op.sample_inputs("cpu", dtype, requires_grad=False)
        for number, sample in enumerate(spread(list(given), limit)):
            module = Sample(op.op, ((sample.input, *sample.args), dict(sample.kwargs)))
            if op.name in TIED:
                module.break_ties()
            if module.tensors() and all(_is_plain(t) for t in module.tensors()):
                yield number == 0, module


def spread(given: Sequence[Any], limit: int) -> list[Any]:
    """Take some at equal distances, the first and the last one among them; the plainest samples stand first."""
    count = min(limit, len(given))
    return [given[i * (len(given) - 1) // max(count - 1, 1)] for i in range(count)]


def _element_types(op: Any) -> list[torch.dtype]:
    return [dtype for dtype in DTYPES if dtype in op.supported_dtypes("cpu")]


def draws(module: Module) -> bool:
    """Whether running a module draws random numbers: which ones is up to whatever runs it."""
    return any(op.spec.has(Draws) for op in module.walk())


def judge(want: list[Array], got: list[Array], *, drawn: bool) -> tuple[Status, str]:
    """Compare outputs; of what was ``drawn`` the shapes only."""
    if len(want) != len(got):
        return "wrong", f"{len(got)} outputs, not {len(want)}"
    for a, b in zip(want, got, strict=True):
        if drawn and a.shape == b.shape:
            continue
        difference = compare(a, b, max(TOLERANCE, _rounding(a)))
        if not difference.ok:
            return "wrong", difference.note
    return "right", ""


def _rounding(array: Array) -> float:
    """What a result of few digits has lost; one that is carried in a wider type has not."""
    finfo: Any = ml_dtypes.finfo
    return float(finfo(array.dtype).eps) / 2 if DType.of(array.dtype).is_float else 0.0


def _attempt(tally: Tally, work: Callable[[], tuple[Status, str]], *, first: bool) -> bool:
    """Count how work comes out; say whether it is right."""
    try:
        status, why = work()
    except CompileError as bad:
        found = bad.diagnostics[0]
        status = "failed" if found.code in RUNTIME_CODES else "refused"
        said = _last_line(found.excerpt) if status == "failed" else ""
        tally.add(status, f"{found.code}: {found.message} {said}", found.code, first=first)
        return False
    except Exception as bad:  # noqa: BLE001 -- a crash is a result here
        tally.add("crash", f"{type(bad).__name__}: {bad}", first=first)
        return False
    tally.add(status, why, first=first)
    return status == "right"


def _last_line(text: str | None) -> str:
    return (text or "").strip().rpartition("\n")[2]


class Suite:
    """All operators; lives in a process of its own, with another one for the target's runtime."""

    def __init__(self) -> None:
        from torch.testing._internal.common_methods_invocations import op_db

        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        register_passes()
        self._operators = {title(op): op for op in op_db if op.name not in UNINITIALISED and _element_types(op)}
        self._target = find_target("tflite")
        self._passes = build_pipeline(CompileOptions(), self._target.pipeline)
        self._runtime = start_runtime(self._target)

    def names(self) -> list[str]:
        """The names of all operators."""
        return list(self._operators)

    def run(self, name: str, limit: int) -> Row:
        """Run the samples of one operator."""
        row = Row(name)
        for first, sample in samples(self._operators[name], limit):
            signal.alarm(SECONDS)
            want = sample.expected()
            if want is not None:
                self._run(sample, want, row, first=first)
        signal.alarm(0)
        return row

    def _run(self, sample: Sample, want: list[Array], row: Row, *, first: bool) -> None:
        inputs = [to_array(t) for t in sample.tensors()]
        imported: list[Module] = []

        def interpret() -> tuple[Status, str]:
            module = import_torch(sample, tuple(sample.tensors()))
            verify(module)
            imported.append(module)
            return judge(want, run(module.main, inputs), drawn=draws(module))

        if _attempt(row.ir, interpret, first=first) and any(a.size for a in want):
            _attempt(row.tflite, lambda: self._compile(imported[0], inputs, want), first=first)
            if row.tflite.codes["R019"]:
                self._runtime.close()
                self._runtime = start_runtime(self._target)

    def _compile(self, module: Module, inputs: list[Array], want: list[Array]) -> tuple[Status, str]:
        names, drawn = [port.name for port in module.main.outputs], draws(module)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "m.tflite"
            run_passes(module, self._passes)
            self._target.emit(module, path)
            runner = open_runner(self._target, path, self._runtime)
            got = runner.run(dict(zip(runner.inputs, inputs, strict=True)))
            return judge(want, [got[name] for name in names], drawn=drawn)


def title(op: Any) -> str:
    """Return an operator's name with its variant."""
    return f"{op.name} ({op.variant_test_name})" if op.variant_test_name else str(op.name)


class Judge:
    """Runs operators one by one, starting a new process after a crash."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def names(self) -> list[str]:
        """The names of all operators."""
        return self._suite().call("names")

    def run(self, names: Iterable[str], limit: int = LIMIT) -> Iterator[Row]:
        """Run operators."""
        for name in names:
            try:
                yield self._suite().call("run", name, limit)
            except CompileError as bad:
                self.close()
                row = Row(name)
                row.ir.add("crash", f"{bad.diagnostics[0].message}: {bad.diagnostics[0].excerpt or ''}", first=True)
                yield row

    def _suite(self) -> Worker:
        if self._worker is None:
            self._worker = Worker(__name__)
            self._worker.make(__name__, "Suite")
        return self._worker
