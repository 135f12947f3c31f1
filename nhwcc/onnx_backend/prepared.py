"""What both backends share: a model that is compiled as generally as it can be, and the functions of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper
from onnx.backend.base import Backend, BackendRep, namedtupledict

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import Array, DType
from nhwcc.frontends.onnx import import_onnx

OPEN = ("F004", "F020")
"""Refusals that more knowledge about the inputs may lift."""

MAX_ATTEMPTS = 8
"""How often a model is imported again because it asks for the elements of one more input."""


class Executable(Protocol):
    """A compiled model."""

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return the outputs by name."""
        ...


class Prepared(BackendRep):
    """A compiled model; inputs go in by position, outputs come back by position.

    What the model needs to know about its inputs while it is compiled, such as the target of a Reshape, is taken from
    the first inputs; it is compiled anew when these change.  ``specialized`` names such inputs.
    """

    def __init__(self, model: ModelProto, build: Callable[[Module], Executable]) -> None:
        constants = {t.name for t in model.graph.initializer}
        self._model = model
        self._build = build
        self._names = [i.name for i in model.graph.input if i.name not in constants]
        self._outputs = [o.name for o in model.graph.output]
        self._dtypes: list[DType] = []
        self._values: dict[str, Array] = {}
        self._shapes: dict[str, tuple[int, ...]] | None = None
        self._ready: Executable | None = None
        try:
            self._compile()
        except CompileError as bad:
            if not _is_open(bad):
                raise

    @property
    def specialized(self) -> tuple[str, ...]:
        """The inputs whose elements were compiled in."""
        return tuple(self._values)

    def run(self, inputs: Sequence[Array] | Mapping[str, Array], **_: Any) -> tuple[Any, ...]:
        """Run on inputs by position or by name.

        Raises:
            CompileError: the model is refused, or the inputs don't fit.
        """
        given = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(self._names, inputs, strict=False))
        given = {name: np.asarray(array) for name, array in given.items()}
        if self._ready is None or not self._fits(given):
            self._specialize(given)
        out = self._execute(given)
        arrays = [out[name].astype(t.numpy, copy=False) for name, t in zip(self._outputs, self._dtypes, strict=True)]
        return namedtupledict("Outputs", self._outputs)(*arrays)

    def _execute(self, given: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run what is compiled; sizes of zero, which named sizes can't have, are compiled for."""
        assert self._ready is not None
        open_inputs = {name: array for name, array in given.items() if name not in self._values}
        try:
            return self._ready.run(open_inputs)
        except CompileError as bad:
            if self._shapes is not None or all(d.code != "R002" for d in bad.diagnostics):
                raise
        self._specialize(given)
        return self._ready.run(open_inputs)

    def _fits(self, given: Mapping[str, Array]) -> bool:
        """Say whether what was compiled is for these inputs."""
        same_shapes = self._shapes is None or self._shapes == _shapes(given)
        return same_shapes and all(np.array_equal(array, given[name]) for name, array in self._values.items())

    def _specialize(self, given: Mapping[str, Array]) -> None:
        self._shapes, self._values = _shapes(given), {n: given[n] for n in self._values}
        for _ in range(MAX_ATTEMPTS):
            try:
                return self._compile()
            except CompileError as bad:
                asked = {name for d in bad.diagnostics for name in d.inputs} & given.keys() - self._values.keys()
                if not asked:
                    raise
                self._values |= {name: given[name] for name in asked}
        raise error("F004", "the model asks for the elements of too many inputs while it is compiled")

    def _compile(self) -> None:
        shapes = {name: shape for name, shape in (self._shapes or {}).items() if name not in self._values}
        module = import_onnx(self._model, shapes=shapes, values=self._values)
        self._dtypes = [v.type.dtype for v in module.main.returns]
        self._ready = self._build(module)


def _shapes(given: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
    return {name: array.shape for name, array in given.items()}


def _is_open(bad: CompileError) -> bool:
    return all(d.code in OPEN for d in bad.diagnostics)


class NhwccBackend(Backend):
    """The protocol, for whatever a subclass builds of a module."""

    build: ClassVar[Callable[[Module], Executable]]

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **_: Any) -> Prepared:
        """Compile a model.

        Raises:
            CompileError: it is refused; R017, there is no such device.
        """
        if not cls.supports_device(device):
            raise error("R017", f"there is no device {device!r}", help="Everything runs on the CPU.")
        return Prepared(model, cls.build)

    @classmethod
    def run_model(cls, model: ModelProto, inputs: Any, device: str = "CPU", **kwargs: Any) -> tuple[Any, ...]:
        """Compile a model and run it once."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(
        cls,
        node: NodeProto,
        inputs: Any,
        device: str = "CPU",
        outputs_info: Sequence[tuple[Any, tuple[int, ...]]] | None = None,  # noqa: ARG003 -- of the protocol
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Run one operator; ``opset_version`` says of which version, by default the newest."""
        version = kwargs.pop("opset_version", None)
        names = [name for name in node.input if name]
        arrays = dict(zip(names, map(np.asarray, inputs), strict=False))
        graph = helper.make_graph(
            [node],
            "node",
            [helper.make_tensor_value_info(n, _number(a), a.shape) for n, a in arrays.items()],
            [helper.make_empty_tensor_value_info(name) for name in node.output if name],
        )
        opsets = None if version is None else [helper.make_opsetid(node.domain, version)]
        return cls.run_model(helper.make_model(graph, opset_imports=opsets), list(arrays.values()), device, **kwargs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Say whether models can run there: on the processor only."""
        return device == "CPU"


def _number(array: Array) -> int:
    tensor: TensorProto = numpy_helper.from_array(array)
    return tensor.data_type
