"""What both backends share: a model that is compiled as generally as it can be, and the functions of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from onnx.backend.base import Backend, BackendRep, namedtupledict

from nhwcc.compiler.diagnostics import CompileError, error
from nhwcc.compiler.ir import Func, Module, Value
from nhwcc.compiler.opdef import Draws
from nhwcc.compiler.ops.bound import BindSizes
from nhwcc.compiler.ops.control import If
from nhwcc.compiler.ops.shape import ShapeOf
from nhwcc.compiler.types import Array, DType
from nhwcc.frontends.onnx import import_onnx
from nhwcc.frontends.onnx.lists import item_name
from nhwcc.size_domains import sized_inputs

OPEN = ("F004", "F020")
"""Refusals that more knowledge about the inputs may lift."""

MAX_ATTEMPTS = 8
"""How often a model is imported again because it asks for the elements of one more input."""


class Executable(Protocol):
    """A compiled model, which runs on arrays in the source's layout."""

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run on inputs by name, and return the outputs by name."""
        ...


Given = Array | list[Array] | None
"""What an input can be given: a tensor, a sequence of tensors, or nothing where it is optional."""


class Prepared(BackendRep):
    """A compiled model; inputs go in by position, outputs come back by position.

    What the model needs to know about its inputs while it is compiled, such as the target of a Reshape or the length of
    a sequence, is taken from the inputs; it is compiled anew when these change.  ``specialized`` names such inputs.
    """

    def __init__(self, model: ModelProto, build: Callable[[Module], Executable]) -> None:
        constants = {t.name for t in model.graph.initializer}
        self._model = model
        self._build = build
        self._names = [i.name for i in model.graph.input if i.name not in constants]
        self._outputs = {o.name: _is_sequence(o) for o in model.graph.output}
        self._dtypes: dict[str, DType] = {}
        self._values: dict[str, Array] = {}
        self._fixed: _Sizes | None = None
        self._ready: Executable | None = None
        self.draws = False
        """Whether it draws random numbers, which nobody can compare."""
        try:
            self._compile()
        except CompileError as bad:
            if not _is_open(bad):
                raise

    @property
    def specialized(self) -> tuple[str, ...]:
        """The inputs whose values were compiled in as constants, such as the axes of a sum."""
        return tuple(self._values)

    def run(self, inputs: Sequence[Any] | Mapping[str, Any], **_: Any) -> tuple[Any, ...]:
        """Run on inputs by position or by name.

        Raises:
            CompileError: the model is refused, or the inputs don't fit.
        """
        pairs = inputs.items() if isinstance(inputs, Mapping) else zip(self._names, inputs, strict=False)
        given: dict[str, Given] = dict(pairs)
        lengths = {n: None if v is None else len(v) for n, v in given.items() if v is None or isinstance(v, list)}
        arrays = _flatten(given)
        fixed = _Sizes({name: array.shape for name, array in arrays.items()}, lengths)
        if self._ready is None or not self._fits(fixed, arrays):
            self._specialize(fixed, arrays)
        return self._collect(self._execute(fixed, arrays))

    def _collect(self, out: Mapping[str, Array]) -> tuple[Any, ...]:
        """Return the outputs in their order and types; of sequences the items."""
        arrays = {name: out[name].astype(t.numpy, copy=False) for name, t in self._dtypes.items()}
        results: list[Any] = []
        for name, is_sequence in self._outputs.items():
            items = [arrays[key] for i in range(len(arrays)) if (key := item_name(name, i)) in arrays]
            results.append(items if is_sequence else arrays.get(name))
        return namedtupledict("Outputs", list(self._outputs))(*results)

    def _execute(self, fixed: _Sizes, arrays: Mapping[str, Array]) -> Mapping[str, Array]:
        """Run what is compiled; sizes of zero, which named sizes can't have, are compiled for."""
        assert self._ready is not None
        try:
            return self._ready.run(self._open(arrays))
        except CompileError as bad:
            if self._fixed is not None or all(d.code != "R002" for d in bad.diagnostics):
                raise
        self._specialize(fixed, arrays)
        return self._ready.run(self._open(arrays))

    def _open(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Return the inputs that were not compiled in."""
        return {name: array for name, array in arrays.items() if name not in self._values}

    def _fits(self, fixed: _Sizes, arrays: Mapping[str, Array]) -> bool:
        """Say whether what was compiled is for these inputs."""
        same_values = all(np.array_equal(array, arrays[name]) for name, array in self._values.items())
        if self._fixed is None and not all(array.size for array in arrays.values()):
            return False  # named sizes are not zero
        return self._fixed in (None, fixed) and same_values

    def _specialize(self, fixed: _Sizes, arrays: Mapping[str, Array]) -> None:
        self._fixed, self._values = fixed, {n: arrays[n] for n in self._values}
        for _ in range(MAX_ATTEMPTS):
            try:
                return self._compile()
            except CompileError as bad:
                asked = {name for d in bad.diagnostics for name in d.inputs} & arrays.keys() - self._values.keys()
                if not asked:
                    raise
                self._values |= {name: arrays[name] for name in asked}
        raise error("F004", "the model asks for the elements of too many inputs while it is compiled")

    def _compile(self) -> None:
        fixed = self._fixed or _Sizes({}, {})
        shapes = {name: shape for name, shape in fixed.shapes.items() if name not in self._values}
        module = import_onnx(self._model, shapes=shapes, values=self._values, lengths=fixed.lengths, by_standard=True)
        func = module.main
        self.draws = any(op.spec.has(Draws) for op in module.walk())
        self._dtypes = {p.name: v.type.dtype for p, v in zip(func.outputs, func.returns, strict=True)}
        # Before passes run: they replace what binds the sizes.
        asked = (*sized_inputs(func), *_deciding_inputs(func))
        try:
            self._ready = self._build(module)
        except CompileError as bad:
            bad.diagnostics[0].inputs = bad.diagnostics[0].inputs or asked
            raise


def _deciding_inputs(func: Func) -> tuple[str, ...]:
    """Return the names of the inputs that decide about branches, or about sizes as axes do: some targets must know.

    Of what sizes are computed from, these are numbers and vectors of integers; others are data.
    """
    binds = [v for op in func.walk() if isinstance(op, BindSizes) for v in op.operands if v is not None]
    taken, sizes = _behind([op.condition for op in func.walk() if isinstance(op, If)]), _behind(binds)
    sizes = {v for v in sizes if v.type.rank <= 1 and not v.type.dtype.is_float}
    return tuple(p.name for p, v in zip(func.inputs, func.args, strict=True) if v in taken or v in sizes)


def _behind(work: list[Value]) -> set[Value]:
    """Return some values and all that they are computed from; shapes are known without the elements."""
    seen: set[Value] = set()
    while work:
        value = work.pop()
        if value not in seen:
            seen.add(value)
            if value.owner is not None and not isinstance(value.owner, ShapeOf):
                work += [v for v in value.owner.operands if v is not None]
    return seen


@dataclass(frozen=True)
class _Sizes:
    """What is compiled for: the shapes of inputs, and the lengths of those that are sequences."""

    shapes: dict[str, tuple[int, ...]]
    lengths: dict[str, int | None]


def _flatten(given: Mapping[str, Given]) -> dict[str, Array]:
    """Give every item of a sequence a name of its own."""
    out: dict[str, Array] = {}
    for name, value in given.items():
        if isinstance(value, list):
            out |= {item_name(name, i): np.asarray(item) for i, item in enumerate(value)}
        elif value is not None:
            out[name] = np.asarray(value)
    return out


def _is_sequence(info: ValueInfoProto) -> bool:
    kind = info.type.optional_type.elem_type if info.type.HasField("optional_type") else info.type
    return kind.HasField("sequence_type")


def _is_open(bad: CompileError) -> bool:
    return any(d.code in OPEN or d.inputs for d in bad.diagnostics)


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
        """Compile a model and run it once, as ONNX's backend interface asks."""
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
