"""An example of every operation: written in ``operations.ir``, or derived from the declaration if it is elementwise."""

from __future__ import annotations

from pathlib import Path

from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.ir import Func, Module, Op, Port, Region, Value
from nhwcc.compiler.opdef import OPS, Elementwise
from nhwcc.compiler.operands import Elements
from nhwcc.compiler.ops.core import Return
from nhwcc.compiler.parser import read_module
from nhwcc.compiler.types import DType, parse_type


def samples() -> dict[str, Func]:
    """Return a function for every operation that has an example, by the operation's name."""
    written = read_module(Path(__file__).with_name("operations.ir")).funcs
    derived = {name: _derive(cls) for name, cls in OPS.items() if cls.spec.has(Elementwise) and name not in written}
    return {name: func for name, func in (written | derived).items() if name in OPS}


def sample_op(func: Func) -> Op:
    """Return the operation that an example is about."""
    return next(op for op in func.walk() if op.spec.name == func.name)


def module_of(func: Func) -> Module:
    """Return a module with one function."""
    return Module(func)


def _derive(cls: type[Op]) -> Func:
    """Apply an elementwise operation to operands that broadcast."""
    args = [
        Value(
            parse_type("f32[batch,4,3]" if i == 0 else "f32[3]").with_dtype(_dtype(cls.spec.elements.get(name))),
            name=name,
        )
        for i, name in enumerate(cls.spec.operands)
    ]
    region = Region(args)
    op = region.insert(cls.spec.build(cls, args, {}))
    op.result.name = "y"
    region.insert(Return(op.results))
    return Func(cls.spec.name, region, [Port(a.name or "") for a in args], [Port("")])


def _dtype(elements: Elements | None) -> DType:
    """An element type that an operand takes."""
    return next(t for t in (DType.F32, DType.I32, DType.BOOL) if elements is None or t in elements)
