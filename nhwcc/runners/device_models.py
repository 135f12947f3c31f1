"""Files on the runtimes of devices: TFLite Micro's interpreter and LiteRT's GPU accelerator.

Both may end the process instead of reporting: they are made in processes of their own.
"""

# the runtimes' Python interfaces are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingImports=false

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from nhwcc.backends.tflite.devices.arena import arena
from nhwcc.backends.tflite.runtime import Port
from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.types import Array
from nhwcc.formats.tflite.constants import element_type
from nhwcc.formats.tflite.contents import read_contents
from nhwcc.formats.tflite.reader import read_signature

SPARE = 1 << 20
"""Bytes that an interpreter is given beyond what tensors need: for what it remembers of operators."""


class DeviceModel:
    """What files on devices have in common: their sizes are fixed, inputs and outputs are known by their place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._contents = read_contents(path)
        graph, signature = self._contents.graphs[0], read_signature(path)
        self.inputs = self._ports(graph.inputs, signature.inputs)
        self.outputs = self._ports(graph.outputs, signature.outputs)
        self._order = {port.tensor: place for place, port in enumerate(map(self._port_of(""), graph.inputs))}
        self._results = {tensor: place for place, tensor in enumerate(graph.outputs)}

    def _ports(self, tensors: Sequence[int], names: Mapping[str, int]) -> dict[str, Port]:
        graph = self._contents.graphs[0]
        chosen = names or {graph.tensors[t].info.name: t for t in tensors}
        return {name: self._port_of(name)(tensor) for name, tensor in chosen.items()}

    def _port_of(self, name: str) -> Callable[[int], Port]:
        def port(number: int) -> Port:
            tensor = self._contents.graphs[0].tensors[number]
            found = tensor.quantization
            scale, zero = (
                (found.scales[0], found.zeros[0]) if found is not None and len(found.scales) == 1 else (0.0, 0)
            )
            return Port(name, number, tensor.info.shape, np.dtype(element_type(tensor).numpy), scale, zero)

        return port

    def resize(self, shapes: Mapping[str, Sequence[int]]) -> None:
        """Check that sizes are those of the file: devices know no others.

        Raises:
            CompileError: R002, they are not.
        """
        for name, shape in shapes.items():
            if tuple(shape) != self.inputs[name].shape:
                text = f"{self.path.name}: {name} has the shape {list(self.inputs[name].shape)}, not {list(shape)}"
                raise error("R002", text, help="compile with --shape: devices have fixed sizes")

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays by input name, and return the results by output name.

        Raises:
            CompileError: R002, an array has another shape; R013, the runtime fails.
        """
        self.resize({name: array.shape for name, array in inputs.items() if name in self.inputs})
        given = {self._order[port.tensor]: inputs[name].astype(port.dtype) for name, port in self.inputs.items()}
        try:
            results = self._run([given[place] for place in range(len(given))])
        except (RuntimeError, ValueError) as bad:
            raise self._refused(bad, "") from bad
        return {n: results[self._results[p.tensor]].reshape(p.shape) for n, p in self.outputs.items()}

    def _run(self, arrays: list[Array]) -> list[Array]:
        """Run on arrays in the file's order."""
        raise NotImplementedError

    def _refused(self, bad: Exception, said: str) -> CompileError:
        reasons = [line for line in said.splitlines() if _REASON.match(line)] or [" ".join(str(bad).split())[:300]]
        return error("R013", f"{self.title} refuses {self.path.name}: {'; '.join(reasons[:5])}")

    @property
    def title(self) -> str:
        """The name of the device's runtime, as messages call it."""
        raise NotImplementedError


_REASON = re.compile(r"(?!INFO|WARNING|ERROR|I0|W0|E0)(?:[A-Z][A-Z0-9_]+: |Node |Didn't find|Failed to )")
"""How lines begin that say why a runtime refuses a file."""


class MicroModel(DeviceModel):
    """A file in the interpreter of TFLite Micro.

    Raises:
        CompileError: R013, it refuses the file; R017, it is not installed.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            from tflite_micro.python.tflite_micro import runtime
        except ImportError as bad:
            help = "pip install tflite-micro"
            raise error("R017", "TFLite Micro's interpreter is not installed", help=help) from bad
        needed = arena(self._contents.graphs[0])
        if needed is None:
            raise error("R013", f"{path.name} has open sizes", help="compile with --shape: devices have fixed sizes")
        room = 2 * needed + SPARE + (1 << 12) * len(self._contents.graphs[0].operators)
        with _said() as said:
            try:
                self._interpreter: Any = runtime.Interpreter.from_file(str(path), arena_size=room)
            except (RuntimeError, ValueError) as bad:
                raise self._refused(bad, said()) from bad

    @property
    def title(self) -> str:
        """The name of the runtime in messages."""
        return "TFLite Micro"

    def arena(self) -> int | None:
        """Return the bytes of the arena that computed tensors take, as the interpreter says."""
        with _said() as said:
            self._interpreter.print_allocations()
            found = re.search(r"head (\d+) bytes", said())
        return int(found[1]) if found else None

    def _run(self, arrays: list[Array]) -> list[Array]:
        for place, array in enumerate(arrays):
            self._interpreter.set_input(np.asarray(array, order="C"), place)
        self._interpreter.invoke()
        return [np.asarray(self._interpreter.get_output(place)) for place in range(len(self._results))]


class GpuModel(DeviceModel):
    """A file on LiteRT's GPU accelerator, in 32 bits; what it leaves runs on the processor.

    Raises:
        CompileError: R013, it fails; R017, LiteRT has no accelerator here.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            from ai_edge_litert.hardware_accelerator import HardwareAccelerator
        except ImportError as bad:
            help = "pip install 'ai-edge-litert>=2.3'"
            raise error("R017", "LiteRT's GPU accelerator is not installed", help=help) from bad
        self._beside = 0
        with _said() as said:
            try:
                self._model: Any = self._compiled(HardwareAccelerator.GPU)
            except RuntimeError as bad:
                if "GPU delegate" not in said() and "on the GPU" not in said():
                    help = "a driver for Vulkan must be there; benchmarks/software_vulkan.sh fetches one in software"
                    raise error("R017", "LiteRT finds no GPU", help=help) from bad
                left = _LEFT.search(said())
                if left is None:
                    raise self._refused(bad, said()) from bad
                self._beside = int(left[1])
                self._model = self._compiled(HardwareAccelerator.GPU | HardwareAccelerator.CPU)
            self._check(said())
        self._inputs, self._outputs = self._model.create_input_buffers(0), self._model.create_output_buffers(0)

    def _compiled(self, accelerators: Any) -> Any:
        from ai_edge_litert.compiled_model import CompiledModel
        from ai_edge_litert.options import GpuOptions, Options

        options = Options(hardware_accelerators=accelerators, gpu_options=GpuOptions(enforce_f32=True))
        return CompiledModel.from_file(str(self.path), options=options)

    @property
    def title(self) -> str:
        """The name of the runtime in messages."""
        return "LiteRT's GPU accelerator"

    def _check(self, said: str) -> None:
        """Refuse a file whose kernels the driver does not take: the accelerator goes on, and all outputs are zero."""
        if (found := _INVALID.search(said)) is not None:
            raise self._refused(RuntimeError(found[1]), "")

    def beside(self) -> int:
        """Return how many operators the accelerator leaves to the processor."""
        return self._beside

    def _run(self, arrays: list[Array]) -> list[Array]:
        for buffer, array in zip(self._inputs, arrays, strict=True):
            buffer.write(np.asarray(array, order="C"))
        with _said() as said:
            self._model.run_by_index(0, self._inputs, self._outputs)
            self._check(said())
        ports = {port.tensor: port for port in self.outputs.values()}
        places = {place: ports[tensor] for tensor, place in self._results.items()}
        read = zip(range(len(self._outputs)), self._outputs, strict=True)
        return [buffer.read(int(np.prod(places[i].shape)), places[i].dtype.type) for i, buffer in read]


_INVALID = re.compile(r"Validation error: (.*)")
"""What the driver says of a kernel that it can't compile."""

_LEFT = re.compile(r"operations will run on the GPU, and (?:the remaining|all) (\d+) operations will run on the CPU")
"""What the accelerator says when it takes a part of a network, or nothing of it."""


@contextmanager
def _said() -> Generator[Callable[[], str]]:
    """Collect what a library writes to the process' standard error; it is written there afterwards."""
    with tempfile.TemporaryFile() as log:
        own = os.dup(2)
        os.dup2(log.fileno(), 2)

        def so_far() -> str:
            log.seek(0)
            return log.read().decode("utf-8", "replace")

        try:
            yield so_far
        finally:
            os.dup2(own, 2)
            os.close(own)
            os.write(2, so_far().encode())
