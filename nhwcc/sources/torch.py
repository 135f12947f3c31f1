"""PyTorch models as sources: modules with example inputs, and files of programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhwcc.compiler.budget import check_size
from nhwcc.compiler.diagnostics import CompileError, Remark, did_you_mean, error, remark
from nhwcc.compiler.dims import Dim, Sym, parse_dim, static, substitute, symbol
from nhwcc.compiler.ir import Module
from nhwcc.compiler.types import DType, TensorType
from nhwcc.compiler.workload import check_run
from nhwcc.cut import Cut
from nhwcc.feeds import LARGEST
from nhwcc.named import NamedModule, require_torch
from nhwcc.shapes import Given
from nhwcc.sizes import choices
from nhwcc.sources.call import Call
from nhwcc.sources.torch_script import ScriptSource, is_script

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram

    from nhwcc.frontends.torch.export import Exported
    from nhwcc.runners import Runner
    from nhwcc.sources import Source


def torch_source(given: nn.Module | NamedModule | ExportedProgram | Path | bytes, call: Call) -> Source:
    """Return what reads a model of PyTorch: in a process of its own if it is a script, which may end it."""
    if isinstance(given, Path) and is_script(given):
        return ScriptSource(given, call)
    return TorchSource(given, call)


class TorchSource:
    """A module, its name, an exported program, or the file of one."""

    def __init__(self, given: nn.Module | NamedModule | ExportedProgram | Path | bytes, call: Call) -> None:
        if isinstance(given, bytes):
            raise error("R015", "a PyTorch file can't be read from bytes", help="give its path")
        self.given = given
        self.call = call
        self.shapes: Mapping[str, Given] = {}

    @property
    def title(self) -> str:
        """The path, or the class of the module."""
        if isinstance(self.given, Path):
            return str(self.given)
        return f"PyTorch's {self.given.title if isinstance(self.given, NamedModule) else type(self.given).__name__}"

    def load(self, cut: Cut) -> Module:
        """Export the model and read what comes out.

        Raises:
            CompileError: L007, the cut does not apply; and what the frontend finds (F...).
        """
        require_torch()
        from nhwcc.frontends.torch import read

        self.shapes, rest = self._sort(cut.shapes)
        return cut.of(read(self.exported, allow_custom_ops=cut.allow_custom_ops), rest)

    def _sort(self, shapes: Mapping[str, Given]) -> tuple[Mapping[str, Given], Mapping[str, Given]]:
        """Tell shapes that the model is exported with from what is chosen afterwards."""
        from torch import nn

        from nhwcc.frontends.torch import parameters

        if not isinstance(self.model, nn.Module) or not self.call.is_empty:
            return {}, shapes
        taken = parameters(self.model)
        rest = {name: given for name, given in shapes.items() if isinstance(given.sizes, int) and name not in taken}
        return {name: given for name, given in shapes.items() if name not in rest}, rest

    @cached_property
    def model(self) -> nn.Module | ExportedProgram:
        """What was given, read if it is a file, made if it is a name."""
        from nhwcc.frontends.torch import open_program

        if isinstance(self.given, NamedModule):
            return self.given.load()
        return open_program(self.given, unsafe=self.call.unsafe_load) if isinstance(self.given, Path) else self.given

    @cached_property
    def exported(self) -> Exported:
        """Export the module if it is one, and return the exported program."""
        return replace(self._export(), keeps_state=self.call.state == "io")

    def _export(self) -> Exported:
        from torch import nn

        from nhwcc.frontends.torch import Exported, export

        model = self.model
        if not isinstance(model, nn.Module):
            if not self.call.is_empty:
                help = "export the module again, on other inputs"
                raise error("L007", "inputs can't be chosen for an exported program: it has its own", help=help)
            return Exported.of(model)
        if not self.call.is_empty:
            return export(model, self.call.args, self.call.kwargs, self.call.dynamic_shapes)
        refused: CompileError | None = None
        for kwargs, dynamic in _examples(model, self.shapes):
            try:
                return export(model, (), kwargs, dynamic)
            except CompileError as bad:
                refused = refused or bad
        assert refused is not None
        if any(shape.dtype is None for shape in self.shapes.values()):
            first = next(name for name, shape in self.shapes.items() if shape.dtype is None)
            refused.diagnostics[0].notes.append(
                f"inputs were f32; where they are indices, say --shape {first}=i64:1,16"
            )
        raise refused

    def files(self, module: Module) -> list[Path]:
        """The file that the model is read from."""
        return [self.given] if isinstance(self.given, Path) else []

    def runner(self, cut: Cut, types: Mapping[str, TensorType], outputs: Sequence[str], stack: ExitStack) -> Runner:
        """Return what runs the model: PyTorch if it is whole, else the reference interpreter."""
        from nhwcc.runners.torch import TorchRunner

        if cut.inputs or cut.outputs:
            from nhwcc.runners.reference import ReferenceRunner

            remark(Remark("warning", "verify", "verified against the reference interpreter: PyTorch runs whole models"))
            return ReferenceRunner(self.load(cut))
        return TorchRunner(self.exported, types, outputs)

    def open(self, stack: ExitStack) -> Runner:
        """Return PyTorch, once it is known what a run costs."""
        from nhwcc.runners.bounded import Bounded

        func = self.load(Cut()).main
        check_run(func)
        types = {port.name: arg.type for port, arg in zip(func.inputs, func.args, strict=True)}
        return Bounded(self.runner(Cut(), types, [port.name for port in func.outputs], stack), func)


def _examples(model: nn.Module, shapes: Mapping[str, Given]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Make example inputs of the given shapes, with several choices of the sizes that are left open.

    Raises:
        CompileError: F019, the module takes no such input, or no shape is given for one that it needs.
    """
    import torch
    from torch.export import Dim as OpenSize

    from nhwcc.frontends.torch import TORCH_DTYPES, parameters

    taken = parameters(model)
    for name in shapes:
        if name not in taken:
            help = did_you_mean(name, taken) or f"it takes {', '.join(taken)}"
            raise error("F019", f"{type(model).__name__} takes no input {name!r}", help=help)
        if (dtype := shapes[name].dtype) and dtype not in TORCH_DTYPES:
            text = f"PyTorch has no tensors of {dtype}, which the shape given for {name!r} asks for"
            raise error("F019", text, help=f"There are {', '.join(TORCH_DTYPES)}.")
    missing = [name for name, is_needed in taken.items() if is_needed and name not in shapes]
    if missing or not shapes:
        what = ", ".join(missing) or "inputs"
        first = missing[0] if missing else "x"
        help = f"give args=(...), or shapes={{{first!r}: (1, 3, 224, 224)}}, or --shape {first}=1,3,224,224"
        raise error("F019", f"{type(model).__name__} needs {what}, but no shape is given", help=help)
    types = {n: TensorType(s.dtype or DType.F32, tuple(map(_size, s.shape))) for n, s in shapes.items()}
    dims = {name: OpenSize(name) for t in types.values() for d in t.shape if isinstance(d, Sym) for name in d.names}
    dynamic = {
        n: {i: _open_size(n, d, dims) for i, d in enumerate(t.shape) if isinstance(d, Sym)} for n, t in types.items()
    }
    for number, sizes in enumerate(choices(list(dims), types) if dims else [{}]):
        open_sizes = {name: max(size, 2) for name, size in sizes.items()}  # PyTorch takes a size of one for a fixed one
        concrete = {n: static(substitute(t.shape, open_sizes)) for n, t in types.items()}
        if number and any(prod(s) > LARGEST for s in concrete.values()):
            continue
        for n, s in concrete.items():
            check_size(f"the input {n!r}", types[n].with_shape(tuple(s)))
        yield {n: torch.zeros(s, dtype=TORCH_DTYPES[types[n].dtype]) for n, s in concrete.items()}, dynamic


def _size(size: int | str) -> Dim:
    return parse_dim(size) if isinstance(size, str) else size


def _open_size(input: str, size: Sym, dims: Mapping[str, Any]) -> Any:
    """Return PyTorch's form of a size that stays open: one of its names, times a number, plus a number.

    Raises:
        CompileError: F019, it is another formula.
    """
    name = next(iter(sorted(size.names)))
    rest = substitute(size, {name: 0})
    slope = substitute(size, {name: 1}) - rest
    if not (isinstance(rest, int) and isinstance(slope, int) and slope > 0 and size == symbol(name) * slope + rest):
        text = f"PyTorch can't leave the size {size} of {input!r} open"
        help = "A size is a name, or a number times a name plus a number: 32*h, h+1."
        raise error("F019", text, help=help)
    return dims[name] if (slope, rest) == (1, 0) else slope * dims[name] + rest
