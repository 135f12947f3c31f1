"""The TFLite runtime, seen through one typed door.

Some kernels end the process instead of reporting an error: run files that nhwcc did not write, or wrote without
legalization, in a process of their own.
"""

# the runtime's Python interface is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...compiler.diagnostics import CompileError, error
from ...compiler.scratch import Scratch
from ...compiler.types import Array
from ...formats.tflite.reader import Signature, read_signature
from .extra_outputs import give_too

DELEGATE = "DELEGATE"
"""What the runtime calls a part of a network that a delegate runs."""

_UNRESOLVED = re.compile(r"unresolved custom op: ([^\s,]+?)\.?(?:\s|$)")
"""How the runtime says that it has no kernel."""


@dataclass(frozen=True)
class Port:
    """An input or output: its number in the file, declared sizes (-1: open), element type and scale.

    Integers stand for numbers where the scale is not 0.
    """

    name: str
    tensor: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float = 0.0
    zero: int = 0


class TfliteModel:
    """A loaded file. ``delegate`` uses XNNPACK where it can, as applications do by default.

    ``inside`` are tensors of the main subgraph that are readable after a run, too.
    """

    def __init__(
        self, path: Path, *, delegate: bool = True, inside: Sequence[int] = (), threads: int | None = None
    ) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        kind = OpResolverType.AUTO if delegate else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        self.path = path
        first = read_signature(path)
        signature = Signature() if first.subgraph else first  # what runs is the first subgraph
        try:
            self._scratch = Scratch() if inside else None
            copy = self._scratch.path / path.name if self._scratch else path
            is_copied = self._scratch is not None and give_too(path, inside, copy)
        except OSError as bad:
            raise error("R012", f"can't write a copy of {path.name}: {bad.strerror or bad}") from bad
        try:
            self._interpreter: Any = Interpreter(
                model_path=str(copy if is_copied else path),
                num_threads=threads,
                experimental_op_resolver_type=kind,
                experimental_preserve_all_tensors=bool(inside) and not is_copied,
            )
        except (ValueError, RuntimeError, OSError) as bad:
            raise self._refused(bad) from bad
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self.inputs = _ports(inputs, signature.inputs)
        self.outputs = _ports(outputs, signature.outputs)
        self._allocated: dict[str, tuple[int, ...]] = {}

    def resize(self, shapes: Mapping[str, Sequence[int]]) -> None:
        """Give inputs other sizes and prepare the memory.

        Raises:
            CompileError: R013, the runtime can't prepare the file for these sizes; R023, it lacks a kernel.
        """
        try:
            for name, shape in shapes.items():
                self._interpreter.resize_tensor_input(self.inputs[name].tensor, [int(d) for d in shape])
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as bad:
            raise self._refused(bad) from bad
        self._allocated = {name: tuple(shape) for name, shape in shapes.items()}

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run on arrays by input name, resizing if needed, and return the results by output name.

        Raises:
            CompileError: R002, an input is missing or has another type; R013, the runtime fails; R023, it lacks a
                kernel.
        """
        self._check(inputs)
        shapes = {name: inputs[name].shape for name in self.inputs}
        if shapes != self._allocated or not shapes:
            self.resize(shapes)
        try:
            for name, port in self.inputs.items():
                self._interpreter.set_tensor(port.tensor, np.ascontiguousarray(inputs[name]).reshape(shapes[name]))
            self._interpreter.invoke()
            return self._results()
        except (ValueError, RuntimeError) as bad:
            raise self._refused(bad) from bad

    def seconds(self, runs: int) -> float:
        """Run again on the inputs of the last run, and return how long the fastest of several runs took."""
        best = math.inf
        for _ in range(runs):
            begun = time.perf_counter()
            self.again()
            best = min(best, time.perf_counter() - begun)
        return best

    def again(self) -> None:
        """Run again on the inputs of the last run."""
        self._interpreter.invoke()

    def delegated(self) -> set[int]:
        """Return the numbers of the main subgraph's operators that a delegate runs, once memory is prepared.

        The runtime appends an operator for each part that a delegate took: it stands for all between its ends.
        """
        ops: list[dict[str, Any]] = self._interpreter._get_ops_details()  # pyright: ignore[reportPrivateUsage]
        writers = {int(t): op for op in ops if op["op_name"] != DELEGATE for t in op["outputs"]}
        found: set[int] = set()
        for part in ops:
            if part["op_name"] != DELEGATE:
                continue
            ends, queue = {int(t) for t in part["inputs"]}, [int(t) for t in part["outputs"]]
            while queue:
                op = writers.get(queue.pop())
                if op is not None and op["index"] not in found:
                    found.add(int(op["index"]))
                    queue += [int(t) for t in op["inputs"] if int(t) not in ends]
        return found

    def reset(self) -> None:
        """Set variables to zeros, as they are before the first call."""
        self._interpreter.reset_all_variables()

    def _results(self) -> dict[str, Array]:
        """Read the outputs; those without elements, which the interface refuses to copy, are known by their shape."""
        shapes = {int(d["index"]): tuple(map(int, d["shape"])) for d in self._interpreter.get_output_details()}
        found: dict[str, Array] = {}
        for name, port in self.outputs.items():
            shape = shapes[port.tensor]
            found[name] = np.zeros(shape, port.dtype) if 0 in shape else self._read(port.tensor)
        return found

    def _read(self, tensor: int) -> Array:
        return decoded(self._interpreter.get_tensor(tensor))

    def sizes(self) -> dict[int, int]:
        """Return how many bytes each tensor of the main subgraph had in the last run, 0 if that is not known."""
        details = self._interpreter.get_tensor_details()
        return {int(d["index"]): max(int(np.prod(d["shape"])), 0) * np.dtype(d["dtype"]).itemsize for d in details}

    def shapes(self) -> dict[int, tuple[int, ...]]:
        """Return the shapes that tensors of the main subgraph had in the last run."""
        details = self._interpreter.get_tensor_details()
        return {int(d["index"]): tuple(int(n) for n in d["shape"]) for d in details}

    def scales(self) -> dict[int, tuple[float, int]]:
        """Return the scale and the zero point of tensors of the main subgraph that have one of each."""
        found = {int(d["index"]): d["quantization"] for d in self._interpreter.get_tensor_details()}
        return {number: (float(scale), int(zero)) for number, (scale, zero) in found.items() if scale}

    def tensor(self, number: int) -> Array | None:
        """Return one of the tensors ``inside`` as the last run left it, None if nothing computed it."""
        try:
            return self._interpreter.get_tensor(number)
        except ValueError:
            return None

    def view(self, number: int) -> Array | None:
        """Return one of the tensors ``inside`` where it lies: nothing runs as long as somebody holds it."""
        try:
            return self._interpreter.tensor(number)()
        except ValueError:
            return None

    def _check(self, inputs: Mapping[str, Array]) -> None:
        for name, port in self.inputs.items():
            if name not in inputs:
                raise error("R002", f"{self.path.name}: no input {name!r} was given")
            given = inputs[name]
            fits = len(given.shape) == len(port.shape) and all(
                d in (-1, n) for d, n in zip(port.shape, given.shape, strict=True)
            )
            if not fits or given.dtype != port.dtype:
                wanted = f"{port.dtype}{list(port.shape)}"
                raise error("R002", f"{self.path.name}: {name} is {wanted}, not {given.dtype}{list(given.shape)}")

    def _refused(self, bad: Exception) -> CompileError:
        missing = _UNRESOLVED.search(str(bad))
        if missing:
            text = f"the TFLite runtime has no kernel for the custom operator {missing[1]} of {self.path.name}"
            return error("R023", text, help="run the file in the application that brings the kernel")
        return error("R013", f"the TFLite runtime refuses {self.path.name}: {' '.join(str(bad).split())}")


def decoded(array: Array) -> Array:
    """Return an array as it is, or the strings of it, of which the runtime gives the bytes."""
    if array.dtype.kind != "S" and array.dtype != object:
        return array
    texts = np.empty(array.size, object)
    texts[:] = [text.decode() for text in array.flat]
    return texts.reshape(array.shape)


def _ports(details: list[dict[str, Any]], names: Mapping[str, int]) -> dict[str, Port]:
    """Describe inputs or outputs; the signature's names count, tensors without one keep their own."""
    by_tensor = {int(d["index"]): d for d in details}
    chosen = names or {str(d["name"]): int(d["index"]) for d in details}
    return {name: port_of(name, by_tensor[tensor]) for name, tensor in chosen.items()}


def port_of(name: str, detail: dict[str, Any]) -> Port:
    """Return an input or output as the runtime describes it."""
    signature = detail["shape_signature"]
    shape = signature if len(signature) == len(detail["shape"]) else detail["shape"]
    scale, zero = detail["quantization"]
    return Port(
        name, int(detail["index"]), tuple(int(d) for d in shape), np.dtype(detail["dtype"]), float(scale), int(zero)
    )
