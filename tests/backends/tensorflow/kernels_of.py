"""What TensorFlow itself says of its operators: ``python -m tests.backends.tensorflow.kernels_of`` writes the table.

Names of operators are read from the table that is there; ``NAME ...`` adds some.
"""

# TensorFlow has no types
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportMissingModuleSource=false

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from nhwcc.backends.tensorflow.operators import TABLE, operators
from nhwcc.formats.tensorflow.tensors import DTYPES


def line(name: str) -> str:
    """Return the operator's parameters, and the types that its kernels for processors take."""
    found = _library("op_def_registry").get(name)
    kernels = [k for k in _library("kernels").get_registered_kernels_for_op(name).kernel if k.device_type == "CPU"]
    inputs, outputs = (", ".join(map(_parameter, side)) for side in (found.input_arg, found.output_arg))
    types = (_types(a, kernels) for a in found.attr if a.type == "type")
    return "; ".join((f"{name}({inputs}) -> ({outputs})", *filter(None, types)))


def _library(name: str) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import_module("tensorflow")
    return import_module(f"tensorflow.python.framework.{name}")


def _parameter(arg: Any) -> str:
    kind = arg.type_attr or (f"{arg.type_list_attr}[]" if arg.type_list_attr else DTYPES[arg.type].value)
    return f"{arg.name}: {f'{arg.number_attr}*' if arg.number_attr else ''}{kind}"


def _types(attribute: Any, kernels: list[Any]) -> str:
    """Return the types that some kernel takes; nothing where every kernel takes any."""
    declared = set(attribute.allowed_values.list.type)
    taken: set[int] = set()
    for kernel in kernels:
        stated = [set(c.allowed_values.list.type) for c in kernel.constraint if c.name == attribute.name]
        if not stated and not declared:
            return ""
        taken |= stated[0] & (declared or stated[0]) if stated else declared
    names = [dtype.value for number, dtype in DTYPES.items() if number in taken]
    return f"{attribute.name} = {' '.join(names)}"


def main() -> None:
    """Write the table."""
    names = sorted({*operators(), *sys.argv[1:]})
    Path(str(TABLE)).write_text("".join(f"{line(name)}\n" for name in names), encoding="utf-8")


if __name__ == "__main__":
    main()
