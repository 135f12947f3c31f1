"""Runs ``torch.export`` on modules, and translates its errors into those of the compiler, with what helps."""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeAlias, cast

import torch
from torch import fx, nn
from torch._dynamo.exc import UserError
from torch.export import ExportedProgram
from torch.export.dynamic_shapes import Dim, refine_dynamic_shapes_from_suggested_fixes
from torch.export.graph_signature import ConstantArgument, InputKind, InputSpec, OutputKind, TensorArgument
from torch.utils import _pytree as pytree

from ...compiler.diagnostics import Remark, error, remark
from .decompose import readable
from .names import output_names
from .opaque_rnn import whole_layers
from .pytree_nodes import children, is_holder, know_holders, spread
from .refusals import REFUSALS, first_lines
from .state import assignments_as_writes

DynamicShapes: TypeAlias = "Mapping[str, Any] | Sequence[Any] | None"
"""Which sizes stay open, in the form that torch.export takes."""

ROUNDS = 3
"""How often PyTorch's suggestions about the ranges of sizes are followed."""


@dataclass(frozen=True)
class Exported:
    """A program, what it was made of, and for each of its inputs how the user calls its open sizes, by axis.

    ``inputs`` are the inputs' names where the program has lost them.  With ``keeps_state``, tensors of the module that
    running it overwrites are inputs after the user's and outputs after the module's; overwritten inputs are outputs.
    """

    program: ExportedProgram
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    sizes: Sequence[Mapping[int, str]] = ()
    inputs: Sequence[str] | None = None
    keeps_state: bool = False

    @staticmethod
    def of(program: ExportedProgram) -> Exported:
        """Return a program that was exported elsewhere, with the module that it makes of itself and its examples."""
        args, kwargs = program.example_inputs or ((), {})
        return Exported(program, program.module(), tuple(args), dict(kwargs))

    @cached_property
    def readable(self) -> ExportedProgram:
        """The program in operators that have handlers, as far as possible.

        Raises:
            CompileError: F030, PyTorch can't write it so.
        """
        return readable(self.program)

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The module's tensors that running it overwrites, in the order of the graph's inputs."""
        kinds = (OutputKind.BUFFER_MUTATION, OutputKind.PARAMETER_MUTATION)
        changed = {s.target for s in self.readable.graph_signature.output_specs if s.kind in kinds}
        inputs = self.readable.graph_signature.input_specs
        return tuple(s.target for s in inputs if s.target in changed and s.target is not None)

    @property
    def begin(self) -> list[torch.Tensor]:
        """What the tensors among the inputs are now that the module itself has: none unless it keeps states."""
        specs = [s for s in self.readable.graph_signature.input_specs if s.target in self.states]
        return [constant(self.readable, s) for s in specs] if self.keeps_state else []

    @cached_property
    def overwritten(self) -> tuple[int, ...]:
        """Which of the tensors that the user gives are overwritten, and not returned under their names."""
        specs = self.readable.graph_signature.output_specs
        own = [s.arg.name for s in specs if s.kind is OutputKind.USER_OUTPUT]
        returned = set(zip(output_names(self.readable), own, strict=True))
        mutations = [s for s in specs if s.kind is OutputKind.USER_INPUT_MUTATION]
        changed = {s.target for s in mutations if (s.target, s.arg.name) not in returned}
        given = [s.arg.name for s in self.readable.graph_signature.input_specs if _is_given(s)]
        return tuple(i for i, name in enumerate(given) if name in changed)

    def size(self, input: int, axis: int) -> str | None:
        """Return the name of an input's size, None if it has none."""
        return self.sizes[input].get(axis) if input < len(self.sizes) else None

    def call(self, tensors: Sequence[torch.Tensor]) -> list[Any]:
        """Run the module on other tensors in the place of the example ones; return its outputs in the graph's order."""
        leaves, spec = pytree.tree_flatten((self.args, self.kwargs))
        given = iter(tensors)
        args, kwargs = pytree.tree_unflatten([next(given) if _is_tensor(v) else v for v in leaves], spec)
        if not self.keeps_state:
            return [v for v in pytree.tree_leaves(self.module(*args, **kwargs)) if v is not None]
        state = dict(zip(self.states, given, strict=True))
        found = torch.func.functional_call(self.module, state, args, kwargs)  # which puts into ``state`` what is new
        outputs = [v for v in pytree.tree_leaves(found) if v is not None]
        return [*outputs, *(tensors[i] for i in self.overwritten), *state.values()]

    def out_of_range(self, tensors: Sequence[torch.Tensor]) -> str | None:
        """Say which size of an input is one for which the program does not hold; None if there is none.

        PyTorch states a range that begins with 2 for every open size; smaller ones are right all the same.
        """
        ranges = cast(dict[Any, Any], self.program.range_constraints)  # pyright: ignore[reportUnknownMemberType]
        stated = [self._meta(spec) for spec in self.program.graph_signature.input_specs if _is_given(spec)]
        for tensor, type in zip(tensors, stated, strict=not self.keeps_state):
            for size, declared in zip(tensor.shape, type.shape, strict=True):
                allowed = ranges.get(getattr(getattr(declared, "node", None), "expr", None))
                if allowed is not None and not allowed.lower <= max(size, 2) <= max(allowed.upper, 2):
                    return (
                        f"{size} is not among the sizes for which it was exported, {allowed.lower} to {allowed.upper}"
                    )
        return None

    def _meta(self, spec: InputSpec) -> torch.Tensor:
        """Return PyTorch's description of an input."""
        return next(
            n.meta["val"] for n in self.program.graph.nodes if n.op == "placeholder" and n.name == spec.arg.name
        )

    def trace(
        self, tensors: Sequence[torch.Tensor], only: Collection[str] | None = None
    ) -> Iterator[tuple[str, str, torch.Tensor]]:
        """Run the graph node by node; yield what each node, or each of ``only``, is called, does and gives."""
        specs = self.program.graph_signature.input_specs
        users = iter(tensors)
        count = sum(map(_is_given, specs))
        state = dict(zip(self.states, tensors[count:], strict=self.keeps_state))
        inputs = [
            next(users) if _is_given(s) else state[s.target] if s.target in state else constant(self.program, s)
            for s in specs
        ]
        seen: list[tuple[str, str, torch.Tensor]] = []

        class Tracer(fx.Interpreter):
            def run_node(self, n: fx.Node) -> Any:
                """Keep a copy: it may be overwritten later."""
                found = super().run_node(n)
                wanted = only is None or n.name in only
                if wanted and isinstance(found, torch.Tensor) and n.op == "call_function":
                    seen.append((n.name, str(n.target), found.clone()))
                return found

        Tracer(self.program.graph_module).run(*inputs)
        yield from seen


def _is_tensor(value: object) -> bool:
    return isinstance(value, torch.Tensor)


def _is_given(spec: InputSpec) -> bool:
    return spec.kind is InputKind.USER_INPUT and isinstance(spec.arg, TensorArgument)


def constant(program: ExportedProgram, spec: InputSpec) -> Any:
    """Return an input that the user does not give: one of the model's tensors, or a number."""
    if isinstance(spec.arg, ConstantArgument):
        return spec.arg.value
    target = cast(str, spec.target)
    found = program.state_dict.get(target)
    return program.constants[target] if found is None else found


def export(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None, dynamic_shapes: DynamicShapes
) -> Exported:
    """Export a module as it runs on ``args`` and ``kwargs``.

    Raises:
        CompileError: F030, PyTorch can't.
    """
    named = _ordered(model, kwargs or {})
    know_holders((args, named))
    dynamic_shapes = _spread(model, args, named, dynamic_shapes)
    try:
        if isinstance(model, torch.jit.ScriptModule):
            given = (*args, *named.values())
            return Exported(_converted(model, given), model, given, {}, inputs=list(parameters(model)))
        program = _export(model, tuple(args), named, dynamic_shapes)
        sizes = list(_size_names(model, args, named, dynamic_shapes))
        return Exported(program, model, tuple(args), named, sizes)
    except REFUSALS as bad:
        raise error(
            "F030",
            f"torch.export can't export {type(model).__name__}: {first_lines(bad)}",
            excerpt=_user_line(bad),
            help=_advice(str(bad)),
        ) from bad


def _spread(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: DynamicShapes) -> DynamicShapes:
    """Return which sizes stay open, for objects as for the tensors that they hold."""
    if not isinstance(shapes, Mapping):
        return shapes
    bound = _bound(model, args, kwargs)
    return {
        name: spread(bound[name], axes) if isinstance(axes, Mapping) and is_holder(bound.get(name)) else axes
        for name, axes in shapes.items()
    }


def _apart(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Put a tensor of its own at each place if one stands at several: PyTorch would take these for one input."""
    leaves, spec = pytree.tree_flatten((args, kwargs))
    tensors = [leaf for leaf in leaves if _is_tensor(leaf)]
    if len(set(map(id, tensors))) == len(tensors):
        return args, kwargs
    return pytree.tree_unflatten([leaf.clone() if _is_tensor(leaf) else leaf for leaf in leaves], spec)


def _export(model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], shapes: DynamicShapes) -> ExportedProgram:
    """Export; where PyTorch says that open sizes hold in a range only, or depend on each other, take them so."""
    given = shapes
    args, kwargs = _apart(args, kwargs)
    with warnings.catch_warnings(), torch.no_grad(), assignments_as_writes(model), whole_layers():
        warnings.simplefilter("ignore")
        for round in range(ROUNDS + 1):
            try:
                program = torch.export.export(model, args, kwargs, dynamic_shapes=cast(Any, shapes), strict=False)
            except UserError as bad:
                refined = _refined(str(bad), shapes)
                if refined is None or round == ROUNDS:
                    raise
                shapes = refined
            else:
                _say_refined(given, shapes)
                return program
    raise AssertionError("the last round returns or raises")


def _say_refined(given: DynamicShapes, taken: DynamicShapes) -> None:
    """Say which open sizes are not what they were asked to be."""
    before, after = ([d for d in pytree.tree_leaves(shapes) if _is_size(d)] for shapes in (given, taken))
    shown = dict(zip(map(_shown, before), map(_shown, after), strict=False))
    changed = [f"{b} for {a}" for a, b in shown.items() if a != b]
    if changed:
        facts: dict[str, int] = {}
        for asked, found in zip(before, after, strict=False):
            least, most = _range(_root(found))
            facts |= {f"{_root(asked).__name__} from": least, f"{_root(asked).__name__} to": most}
        text = f"PyTorch leaves sizes open only so far: {'; '.join(changed)}"
        remark(Remark("warning", "import", text, facts=facts))


def _shown(size: Any) -> str:
    """Return a size with its range, if it has one."""
    least, most = _range(size)
    below = f" from {least}" if least > 2 else ""
    return f"{size.__name__}{below}" + (f" to {most}" if most < _ENDLESS else "")


_ENDLESS = 1 << 31
"""No size is as large."""


def _is_size(leaf: object) -> bool:
    return isinstance(leaf, Dim)


def _root(size: Any) -> Any:
    """Return the size of which another one is a multiple, after which that is named."""
    return getattr(size, "root", size)


def _range(size: Any) -> tuple[int, int]:
    """Return the smallest and the largest size; what PyTorch takes no number for has no limits."""
    return getattr(size, "min", 0), min(getattr(size, "max", _MOST), _MOST)


_MOST = (1 << 63) - 1


def _converted(model: torch.jit.ScriptModule, args: tuple[Any, ...]) -> ExportedProgram:
    """Turn a script into a program."""
    from torch._export.converter import TS2EPConverter

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = TS2EPConverter(model, args).convert()  # which leaves all sizes open that it can
        return torch.export.export(program.module(), args, strict=False)


def _refined(message: str, shapes: DynamicShapes) -> DynamicShapes:
    """Return the sizes with narrower ranges after PyTorch's complaint that they are too wide; None if it has another.

    It suggests ranges and relations for some of its complaints; for others, sizes start at twice as many.
    """
    text, _, rest = message.partition("Suggested fixes:")
    if shapes is None or "specialized" in text or re.search(r"= \d+$", rest, re.MULTILINE):
        return None  # a size that must be a number can't be open
    if rest:
        suggested = f"Suggested fixes:{rest.partition(_END)[0]}"
        return refine_dynamic_shapes_from_suggested_fixes(suggested, cast(Any, shapes))
    names = set(re.findall(r"Not all values of (\w+) =", text))
    return cast(DynamicShapes, pytree.tree_map(partial(_narrower, names), shapes)) if names else None


def _narrower(names: set[str], size: Any) -> Any:
    if not isinstance(size, Dim) or size.__name__ not in names:
        return size
    narrower: Any = size
    return Dim(narrower.__name__, min=max(2 * narrower.min, 4), max=narrower.max)


_END = "\n\n"
"""What ends PyTorch's list of suggestions."""


def parameters(model: nn.Module) -> dict[str, bool]:
    """Return the names of the inputs that a module takes, and whether it must be given them."""
    if isinstance(model, torch.jit.ScriptModule):
        script: Any = model
        arguments = script.forward.schema.arguments[1:]
        return {a.name: not a.has_default_value() for a in arguments}
    found = inspect.signature(model.forward).parameters.values()
    return {p.name: p.default is p.empty for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def _bound(model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments by the names of the parameters; Python does not know those of scripts."""
    if isinstance(model, torch.jit.ScriptModule):
        return dict(zip(parameters(model), args, strict=False)) | dict(kwargs)
    return inspect.signature(model.forward).bind(*args, **kwargs).arguments


def _ordered(model: nn.Module, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return arguments in the order of the module's parameters, which is that of the program's inputs."""
    order = [name for name in parameters(model) if name in kwargs]
    return {name: kwargs[name] for name in (*order, *(k for k in kwargs if k not in order))}


def _user_line(bad: BaseException) -> str | None:
    """The innermost line of Python outside of PyTorch and of this file that an error passed through."""
    found: str | None = None
    trace = bad.__traceback__
    own = (str(inspect.getsourcefile(torch)).removesuffix("__init__.py"), __file__)
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(own) and "torch/export" not in code.co_filename:
            found = f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return found


def _advice(text: str) -> str:
    if "onstraint" in text or "specialized" in text:
        return "Leave fewer sizes open, or give the relation between them that the message suggests."
    if "data-dependent" in text or "DataDependent" in text:
        return "Replace Python's if on data by torch.where or torch.cond, and sizes that depend on data by fixed ones."
    return "torch.export.draft_export(model, args) lists everything that is in the way."


def _size_names(
    model: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], shapes: DynamicShapes
) -> Iterator[dict[int, str]]:
    """Yield for every tensor among the arguments the names of its sizes."""
    bound = _bound(model, args, kwargs)
    if shapes is None:
        shapes = {}
    given = shapes if isinstance(shapes, Mapping) else dict(zip(bound, shapes, strict=False))
    for name, value in bound.items():
        yield from _leaves(value, given.get(name))


def _leaves(value: Any, shapes: Any) -> Iterator[dict[int, str]]:
    """Yield for every leaf of an argument the names in what stands at its place in the shapes."""
    if isinstance(value, Mapping):
        inner = cast(Mapping[Any, Any], shapes if isinstance(shapes, Mapping) else {})
        for key, item in cast(Mapping[Any, Any], value).items():
            yield from _leaves(item, inner.get(key))
    elif isinstance(value, list | tuple):
        items = cast(Sequence[Any], value)
        many = cast(Sequence[Any], shapes if isinstance(shapes, list | tuple) else [None] * len(items))
        for item, shape in zip(items, many, strict=True):
            yield from _leaves(item, shape)
    elif (parts := children(value)) is not None:
        yield from _leaves(parts, shapes)
    else:
        axes = cast(Mapping[int, Any], shapes if isinstance(shapes, Mapping) else dict(enumerate(shapes or ())))
        yield {axis: d.__name__ for axis, d in axes.items() if isinstance(d, Dim)}
