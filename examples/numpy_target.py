"""A target in one file: networks become Python scripts that need nothing but numpy."""

from __future__ import annotations

import runpy
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from nhwcc.backends.common.table import Condition, Row, Table
from nhwcc.backends.common.target import Emitted, Target
from nhwcc.backends.registry import register_target
from nhwcc.compiler.ir import Module, Op, Value
from nhwcc.compiler.lowering import Limits
from nhwcc.compiler.ops import activation, arith, linear, logic, reduce, shape
from nhwcc.compiler.ops.core import Const, Return
from nhwcc.compiler.types import parse_type
from nhwcc.passes.lowerings import LOWERINGS

from nhwcc.runners.function_file import FunctionFile, no_process

TABLE: Table[str] = Table("NumPy", "function")

FORMULAS: dict[type[Op], str] = {
    arith.Add: "{0} + {1}",
    arith.Sub: "{0} - {1}",
    arith.Mul: "{0} * {1}",
    arith.Div: "{0} / {1}",
    arith.Max: "np.maximum({0}, {1})",
    arith.Min: "np.minimum({0}, {1})",
    arith.Exp: "np.exp({0})",
    arith.Log: "np.log({0})",
    arith.Sqrt: "np.sqrt({0})",
    activation.Tanh: "np.tanh({0})",
    activation.Sigmoid: "1 / (1 + np.exp(-{0}))",
    activation.Relu: "np.maximum({0}, 0)",
    logic.Select: "np.where({0}, {1}, {2})",
    shape.Transpose: "{0}.transpose({perm})",
}


def _not_plain(op: Op) -> str | None:
    """Rows are for operations as they are by default: no fused activation, no transposed operand."""
    optional = {n: a.default for n, a in op.spec.attributes.items() if not a.is_required}
    changed = [name for name, default in optional.items() if op.attributes[name] != default]
    return f"{op.spec.name} with {', '.join(changed)}" if changed else None


PLAIN = Condition("as it is by default", _not_plain)
for kind, formula in FORMULAS.items():
    elements = {field: "f32" for field in kind.spec.operands if field != "condition"}
    TABLE.emits(kind, kind.spec.name, dtypes=elements, when=(PLAIN,))(lambda op, formula=formula: formula)


@TABLE.emits(linear.Linear, "linear", dtypes={"x": "f32", "w": "f32"}, when=(PLAIN,))
def _linear(op: linear.Linear) -> str:
    return "{0} @ {1}.T" if op.bias is None else "{0} @ {1}.T + {2}"


@TABLE.emits(linear.MatMul, "matmul", dtypes={"a": "f32", "b": "f32"})
def _matmul(op: linear.MatMul) -> str:
    a, b = (f"{{{i}}}{'.swapaxes(-1, -2)' * t}" for i, t in enumerate((op.transpose_a, op.transpose_b)))
    return f"{a} @ {b}"


@TABLE.emits(reduce.Reduce, "reduce", dtypes="f32")
def _reduce(op: reduce.Reduce) -> str:
    function = {"product": "prod"}.get(op.kind, op.kind)
    return f"np.{function}({{0}}, {op.dims}, keepdims={op.keepdims})"


def _is_open(op: shape.Reshape) -> str | None:
    open_sizes = [size for size in op.shape if not isinstance(size, int)]
    return "several open sizes" if len(open_sizes) > 1 else None


@TABLE.emits(shape.Reshape, "reshape", dtypes="f32", when=(Condition("at most one open size", _is_open),))
def _reshape(op: shape.Reshape) -> str:
    return f"{{0}}.reshape({tuple(size if isinstance(size, int) else -1 for size in op.shape)})"


SCRIPT = """import numpy as np

INPUTS, OUTPUTS = {inputs!r}, {outputs!r}
weights = np.load(__file__ + ".npz")


def main(inputs):
    {body}
"""


def emit(module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
    """Write a script, and its weights beside it.

    Raises:
        CompileError: B001, an operation is not legal.
    """
    del metadata  # a script has no place for it
    func = module.main
    names = {value: f"x{number}" for number, value in enumerate(func.args)}
    ports = dict(zip((port.name for port in func.inputs), func.args, strict=True))
    lines = [f"{names[value]} = inputs[{name!r}]" for name, value in ports.items()]
    weights, counts = dict[str, Any](), Counter[str]()
    for op in func.ops:
        if isinstance(op, Return):
            continue
        name = names[op.result] = f"v{len(names)}"
        if isinstance(op, Const):
            weights[name] = op.value.array()
        else:
            counts[op.spec.name] += 1
        lines.append(f"{name} = {_expression(op, names)}")
    results = {port.name: names[value] for port, value in zip(func.outputs, func.returns, strict=True)}
    lines.append(f"return {{{', '.join(f'{name!r}: {value}' for name, value in results.items())}}}")
    inputs = {name: str(value.type) for name, value in ports.items()}
    path.write_text(SCRIPT.format(inputs=inputs, outputs=tuple(results), body="\n    ".join(lines)), encoding="utf-8")
    beside = path.with_name(f"{path.name}.npz")
    np.savez(beside, **weights)
    return Emitted(path, counts, path.stat().st_size + beside.stat().st_size, "numpy")


def _expression(op: Op, names: Mapping[Value, str]) -> str:
    if isinstance(op, Const):
        return f"weights[{names[op.result]!r}]"
    row = TABLE.legal(op)
    if not isinstance(row, Row):
        raise op.fail("B001", row[0])
    return row.call(op).format(*(names[v] for v in op.operands if v is not None), **op.attributes)


def start() -> AbstractContextManager[None]:
    """Scripts run in this process."""
    return no_process()


def open_file(path: Path, worker: object, *, fast: bool) -> FunctionFile:
    """Return what runs a script; a target's ``runner`` is the module that has these two functions."""
    del worker, fast
    names = runpy.run_path(str(path))
    types = {name: parse_type(text) for name, text in names["INPUTS"].items()}
    return FunctionFile(f"numpy {np.__version__}", types, names["OUTPUTS"], names["main"])


NUMPY = register_target(
    Target(
        name="numpy",
        title="NumPy",
        suffix=".py",
        table=TABLE,
        lowerings=(LOWERINGS,),
        limits=Limits(rank=32, product_rank=32, broadcast_rank=32),
        channels="last",
        pipeline="canonicalize,fold-constants,cse,dce,fuse-patterns,fuse-batch-norm,propagate-layout{io-layout=keep},"
        "canonicalize,legalize{target=numpy},cse,dce",
        emit=emit,
        runner=__name__,
        artifact="pair",
    )
)
