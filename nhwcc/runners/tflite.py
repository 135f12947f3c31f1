"""The TFLite runtime as a runner, in a process of its own: some of its kernels abort instead of reporting."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nhwcc.backends.common.carriers import CARRIERS
from nhwcc.compiler.dims import Dim, is_static, parse_dim, symbol
from nhwcc.compiler.ops.shape import inverse
from nhwcc.compiler.types import Array, DType, TensorType
from nhwcc.files import scratch
from nhwcc.formats.tflite.entry import begin_with
from nhwcc.formats.tflite.reader import inspect
from nhwcc.runners import Traced, batches
from nhwcc.runners.worker import InWorker, Worker

if TYPE_CHECKING:
    from nhwcc.backends.tflite.runtime import TfliteModel
    from nhwcc.backends.tflite.saturation import Saturation
    from nhwcc.backends.tflite.signature_model import SignatureModel
    from nhwcc.passes.quantization.rounding import ProductsByName
    from nhwcc.passes.quantization.statistics import Calibration

KEPT_BYTES = 256 << 20
"""How many bytes of tensors inside the runtime keeps in a run."""

QUANTIZED = ("INT8", "UINT8", "INT16", "INT4", "FLOAT16")
"""Element types of quantized files, in the schema's words."""

RUNTIME = ("nhwcc.backends.tflite.runtime", "TfliteModel")

SIGNED = ("nhwcc.backends.tflite.signature_model", "SignatureModel")


def start() -> Worker:
    """Start the runtime's process; it is ready when a file is."""
    return Worker("ai_edge_litert.interpreter", RUNTIME[0])


def open_file(path: Path, worker: Worker, *, fast: bool) -> TfliteRunner:
    """Open a TFLite file in the process of a worker, and return its runner."""
    return TfliteRunner(path, worker, fast=fast)


def observe(path: Path, names: Sequence[str]) -> TfliteObserver:
    """Open a file in a process of its own to see what its tensors hold."""
    return TfliteObserver(path, names)


def round_weights(path: Path, products: ProductsByName, samples: int) -> TfliteRounder:
    """Open a file to see what its weights are multiplied with, in so many samples."""
    return TfliteRounder(path, products, samples)


def in_process(path: Path) -> TfliteModel:
    """Load a TFLite file into this process, where a crash of the runtime would end it."""
    from nhwcc.backends.tflite.runtime import TfliteModel

    return TfliteModel(path)


def open_signature(path: Path, key: str, worker: Worker) -> SignatureRunner:
    """Return what calls a signature of a file by its key, in the process of a worker."""
    return SignatureRunner(path, key, worker)


def signature_in_process(path: Path, key: str) -> SignatureModel:
    """Load a TFLite file into this process, of which one signature is called."""
    from nhwcc.backends.tflite.signature_model import SignatureModel

    return SignatureModel(path, key)


class TfliteRunner(InWorker):
    """Runs a .tflite file; layouts are those that the file's metadata states, else the file's own.

    ``fast`` uses XNNPACK, which makes a second copy of the weights in the form that its kernels like.  ``types`` say
    which sizes inputs have where these are not the file's own, ``signature`` which one runs in place of the first one,
    ``model`` the class that runs it.
    """

    def __init__(
        self,
        path: Path,
        worker: Worker | None = None,
        *,
        fast: bool = True,
        types: Mapping[str, TensorType] | None = None,
        signature: str | None = None,
        model: tuple[str, str] = RUNTIME,
    ) -> None:
        first = next(iter(inspect(path).signatures), None)
        if signature is None and first is not None and first.subgraph:
            signature = first.key
        if signature is not None:
            self._scratch = scratch()
            begin_with(path, signature, copy := self._scratch.path / path.name)
            path = copy
        self.path = path
        self._types = types
        self._summary = inspect(path)
        self._worker = worker or start()
        self._fast = fast
        self._load(model)
        self._inputs: Mapping[str, Any] = self._worker.call("inputs")
        self._outputs: Mapping[str, Any] = self._worker.call("outputs")

    def _load(self, model: tuple[str, str]) -> None:
        if model == RUNTIME:
            self._worker.make(*model, self.path, delegate=self._fast)
        else:
            self._worker.make(*model, self.path)

    @property
    def title(self) -> str:
        """The runtime with its version."""
        return f"the TFLite runtime (ai-edge-litert {version('ai-edge-litert')})"

    @property
    def inputs(self) -> dict[str, TensorType]:
        """The types of the inputs, in the source's layout."""
        if self._types is not None:
            return dict(self._types)
        return {name: self._type(name, port) for name, port in self._inputs.items()}

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the outputs."""
        return tuple(self._outputs)

    @property
    def states_layout(self) -> bool:
        """Whether the file says in which layout it has its inputs and outputs; else they count as the source's."""
        return self._summary.layout is not None

    @property
    def is_quantized(self) -> bool:
        """Whether tensors are integers of at most 16 bits, or numbers of 16 bits, besides inputs and outputs."""
        kinds = {tensor.dtype for graph in self._summary.subgraphs for tensor in graph.tensors}
        return not kinds.isdisjoint(QUANTIZED)

    def allocate(self) -> None:
        """Let the runtime prepare the file as it is, unless sizes are open: it is prepared again with those of a run.

        A network may take no sizes as small as those that the file states.

        Raises:
            CompileError: R013, it refuses; R019, it ends its process.
        """
        if not self._fast or all(is_static(t.shape) for t in self.inputs.values()):
            self._worker.call("resize", {})

    def first(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """No input is known to be a state."""
        return {}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on inputs and to outputs in the source's layout."""
        return self._call(self._worker, inputs)

    def seconds(self, inputs: Mapping[str, Array], runs: int) -> float:
        """Return how long the fastest of several runs takes in the runtime itself.

        Raises:
            CompileError: as :meth:`run`.
        """
        self._worker.call("run", self._stored(inputs))
        return self._worker.call("seconds", runs)

    def numbers(self, results: Mapping[str, Array]) -> dict[str, Array]:
        """Return outputs as numbers where they are integers that stand for these."""
        found = dict(results)
        for name, port in self._outputs.items():
            if port.scale and port.dtype.kind in "iu":
                found[name] = (found[name].astype(np.float32) - port.zero) * np.float32(port.scale)
        return found

    def saturated(self, samples: Iterable[Mapping[str, Array]]) -> list[Saturation]:
        """Count the integers at the ends of their range, tensor by tensor, those with most of them first."""
        with start() as worker:
            worker.make("nhwcc.backends.tflite.saturation", "Ends", self.path)
            return worker.call("count", [self._stored(sample) for sample in samples])

    def run_otherwise(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run without the XNNPACK delegate."""
        with start() as worker:
            worker.make(*RUNTIME, self.path, delegate=False)
            return self._call(worker, inputs)

    def _call(self, worker: Worker, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run; a file with variables twice: of ours, what a call leaves there must not show in the next one.

        Others go on from there; they are run as in a first call.
        """
        stored = self._stored(inputs)
        if any(tensor.is_variable for graph in self._summary.subgraphs for tensor in graph.tensors):
            worker.call("run", stored)
            if not self.states_layout:
                worker.call("reset")
        return self._back(worker.call("run", stored))

    def trace(self, inputs: Mapping[str, Array], only: Collection[str] | None = None) -> Iterator[Traced]:
        """Run without the XNNPACK delegate, which fuses operations away, as often as memory asks for."""
        graph, stored = self._summary.subgraphs[0], self._stored(inputs)
        kinds = {n: op.name for op in graph.operators for n in op.outputs}
        names = {n: graph.tensors[n].name for n in kinds}
        wanted = [n for n, name in names.items() if name and (only is None or name in only)]
        with start() as worker:
            worker.make(*RUNTIME, self.path, delegate=False)
            worker.call("run", stored)
            sizes: Mapping[int, int] = worker.call("sizes")
            for batch in batches(wanted, lambda n: sizes.get(n, 0), KEPT_BYTES):
                worker.make(*RUNTIME, self.path, delegate=False, inside=batch)
                worker.call("run", stored)
                for n in batch:
                    array: Array | None = worker.call("tensor", n)
                    if array is not None:
                        yield Traced(names[n], kinds[n], array)

    def stored(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Return inputs in the layout and the element types of the file, quantized where it is."""
        return self._stored(inputs)

    def _layout(self, side: str, name: str) -> Mapping[str, Any]:
        return (self._summary.layout or {}).get(side, {}).get(name, {})

    def _type(self, name: str, port: Any) -> TensorType:
        dtype = DType.of(port.dtype)
        declared: Sequence[int | str] | None = self._layout("inputs", name).get("shape")
        if declared is not None:
            return TensorType(dtype, tuple(d if isinstance(d, int) else parse_dim(d) for d in declared))
        shape: tuple[Dim, ...] = tuple(d if d >= 0 else symbol(f"d{i}") for i, d in enumerate(port.shape))
        return TensorType(dtype, shape)

    def _stored(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        stored: dict[str, Array] = {}
        for name, port in self._inputs.items():
            if name in inputs:
                array = inputs[name].transpose(self._layout("inputs", name).get("perm") or range(inputs[name].ndim))
                stored[name] = _fitted(_counted(array, port), port.dtype)
        return stored

    def _back(self, results: Mapping[str, Array]) -> dict[str, Array]:
        out: dict[str, Array] = {}
        for name, array in results.items():
            perm: Sequence[int] = self._layout("outputs", name).get("perm") or range(array.ndim)
            out[name] = array.transpose(inverse(tuple(perm)))
        return out


class SignatureRunner(TfliteRunner):
    """Calls a signature of a file by its key, as applications do."""

    def __init__(self, path: Path, key: str, worker: Worker) -> None:
        self._key = key
        super().__init__(path, worker)
        others = (s for s in self._summary.signatures if s.key != key)
        self._summary = replace(self._summary, signatures=(self._summary.signature(key), *others))

    def _load(self, model: tuple[str, str]) -> None:
        del model
        self._worker.make(*SIGNED, self.path, self._key)


class TfliteObserver:
    """Runs a file on samples; the runtime's process keeps statistics of some tensors by their names."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._runner = TfliteRunner(path)
        self._worker = start()
        self._worker.make("nhwcc.backends.tflite.observer", "Observer", path, list(names))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()
        self._runner.close()

    def see(self, inputs: Mapping[str, Array]) -> None:
        """Run on one sample, in the source's layout.

        Raises:
            CompileError: as :meth:`TfliteRunner.run`.
        """
        self._worker.call("see", self._runner.stored(inputs))

    def statistics(self) -> Calibration:
        """Return the range and the distribution that were seen of each tensor, by name."""
        return self._worker.call("statistics")


class TfliteRounder:
    """Runs a file on samples; the runtime's process sees what weights are multiplied with, and rounds these."""

    def __init__(self, path: Path, products: ProductsByName, samples: int) -> None:
        self._runner = TfliteRunner(path)
        self._worker = start()
        self._worker.make("nhwcc.backends.tflite.rounder", "Rounder", path, products, samples)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.close()
        self._runner.close()

    def see(self, inputs: Mapping[str, Array]) -> None:
        """Run on one sample, in the source's layout.

        Raises:
            CompileError: as :meth:`TfliteRunner.run`.
        """
        self._worker.call("see", self._runner.stored(inputs))

    def rounded(self) -> dict[str, Array]:
        """Return the integers of each weight, i8, by the names of what the operations compute."""
        return self._worker.call("rounded")


def _counted(array: Array, port: Any) -> Array:
    """Return the integers that stand for numbers, where the file takes such and was given numbers."""
    if array.dtype != np.float32 or port.dtype.kind not in "iu" or not port.scale:
        return array
    bounds = np.iinfo(port.dtype)
    return np.clip(np.rint(array / port.scale) + port.zero, bounds.min, bounds.max).astype(port.dtype)


def _fitted(array: Array, dtype: np.dtype[Any]) -> Array:
    """Give numbers the type that the file has if no value is lost: the runtime compares types exactly."""
    carrier = CARRIERS.get(DType.of(array.dtype))
    if carrier is not None and carrier.numpy == dtype:
        return array.astype(dtype)
    if array.dtype != dtype and array.dtype.kind in "iu" and dtype.kind in "iu":
        narrow = array.astype(dtype)
        return narrow if (narrow == array).all() else array
    return array
