"""ONNX's own conformance suite: every case in a process that may end, and what came of it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any, Literal, Self

import numpy as np
from onnx import ModelProto

from nhwcc.compiler.diagnostics import CompileError
from nhwcc.onnx_backend.prepared import NhwccBackend, Prepared
from nhwcc.runners.worker import Worker

BACKENDS = {
    "interpreter": "InterpreterBackend",
    "tflite": "TfliteBackend",
    "onnx": "OnnxBackend",
    "tensorflow": "TensorflowBackend",
    "openvino": "OpenvinoBackend",
    "keras": "KerasBackend",
    "tfjs": "TfjsBackend",
}
"""By module name: the class with the protocol."""

Status = Literal["pass", "refused", "failed", "wrong", "crash"]
"""Refused by the compiler with a code, failed in the runtime, wrong numbers, and all else."""

RUNTIME_CODES = ("R013", "R018", "R019")
"""What went wrong after a compiler that claimed success."""


@dataclass(frozen=True)
class Outcome:
    """What came of a case: codes of a refusal, and the first line of what was said.

    ``compiled_in`` are inputs whose elements had to be known while compiling.  A case that passes with a message
    passes by less than the suite's own tolerance; of one that is random, only shapes and types were compared.
    """

    case: str
    operator: str
    status: Status
    codes: tuple[str, ...] = ()
    message: str = ""
    compiled_in: tuple[str, ...] = ()
    is_random: bool = False

    @property
    def is_model(self) -> bool:
        """Whether the case is one of the small models instead of one operator."""
        return not self.case.startswith("NodeModel/")


class Suite:
    """All cases of the installed onnx package for one backend; lives in a process of its own."""

    def __init__(self, backend: str) -> None:
        self._lenient: list[float] = []
        self._prepared: list[Prepared] = []
        from onnx.backend.test import BackendTest

        lenient, prepared = self._lenient, self._prepared

        class Cases(BackendTest):
            @classmethod
            def assert_similar_outputs(
                cls, ref_outputs: Any, outputs: Any, rtol: float, atol: float, model_dir: str | None = None
            ) -> None:
                want, got = _flat(ref_outputs), _flat(outputs)
                if prepared[-1].draws:
                    assert [(w.dtype, w.shape) for w in want] == [(g.dtype, g.shape) for g in got]
                    return
                try:
                    super().assert_similar_outputs(want, got, rtol, atol, model_dir)
                except AssertionError:
                    super().assert_similar_outputs(want, got, rtol, max(atol, _noise(want)), model_dir)
                    lenient.append(max(atol, _noise(want)))

        self._folder = TemporaryDirectory(prefix="nhwcc-onnx-")
        os.environ["ONNX_MODELS"] = self._folder.name  # where the suite keeps what it computes for the large models
        warnings.simplefilter("ignore")
        base: type[NhwccBackend] = getattr(import_module(f"nhwcc.onnx_backend.{backend}"), BACKENDS[backend])

        class Watched(base):
            @classmethod
            def prepare(cls, model: ModelProto, device: str = "CPU", **kwargs: Any) -> Prepared:
                prepared.append(super().prepare(model, device, **kwargs))
                return prepared[-1]

        self._test: Any = Cases(Watched)

    @cached_property
    def _items(self) -> dict[str, Any]:
        items: dict[str, dict[str, Any]] = self._test._test_items
        return {
            f"{kind}/{name.removesuffix('_cpu')}": item
            for kind, named in sorted(items.items())
            for name, item in sorted(named.items())
            if name.endswith("_cpu")
        }

    def names(self) -> list[str]:
        """Return the names of all cases, ``Kind/test_name``, sorted."""
        return list(self._items)

    def run(self, case: str) -> Outcome:
        """Run a case and classify how it ended; any unexpected exception ends the process."""
        item = self._items[case]
        self._lenient.clear()
        self._prepared.clear()
        outcome = self._judge(lambda: item.func(None))
        if self._lenient and outcome[0] == "pass":
            outcome = (*outcome[:2], f"within {max(self._lenient):.1g}, one rounding step of the largest number")
        model = item.proto[0]
        operator = model.graph.node[-1].op_type if model is not None and model.graph.node else "?"
        compiled_in = tuple(name for prepared in self._prepared for name in prepared.specialized)
        is_random = any(prepared.draws for prepared in self._prepared)
        return Outcome(case, operator, *outcome, compiled_in, is_random)

    @staticmethod
    def _judge(run: Callable[[], object]) -> tuple[Status, tuple[str, ...], str]:
        try:
            run()
        except CompileError as bad:
            codes = tuple(sorted({d.code for d in bad.diagnostics}))
            status: Status = "failed" if set(codes) & set(RUNTIME_CODES) else "refused"
            return status, codes, bad.diagnostics[0].message
        except AssertionError as bad:
            return "wrong", (), " ".join(str(bad).split())[:200]
        return "pass", (), ""


def _noise(values: list[Any]) -> float:
    """Return one rounding step of the largest number: some expected zeros are the noise of numpy's own sums."""
    floats = [v for v in values if v.dtype == np.float32 and v.size]
    return max((float(np.spacing(np.abs(v[np.isfinite(v)]).max(initial=0))) for v in floats), default=0.0)


def _flat(values: Any) -> list[Any]:
    """Put the items of sequences beside the other values: the suite can't compare a sequence of scalars."""
    return [item for value in values for item in (_flat(value) if isinstance(value, list | tuple) else [value])]


class Judge:
    """Runs cases one by one, starting a new process after a crash."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._worker: Worker | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process in which the cases run, if there is one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def names(self) -> list[str]:
        """Return the names of all cases of the suite."""
        return self._suite().call("names")

    def run(self, cases: Iterable[str]) -> Iterator[Outcome]:
        """Run the cases in order, and yield how each ended; a crash counts as an outcome, too."""
        for case in cases:
            try:
                yield self._suite().call("run", case)
            except CompileError as bad:
                self.close()
                yield Outcome(case, "?", "crash", (), (bad.diagnostics[0].excerpt or str(bad)).splitlines()[-1])

    def _suite(self) -> Worker:
        if self._worker is None:
            self._worker = Worker(__name__)
            self._worker.make(__name__, "Suite", self._backend)
        return self._worker
