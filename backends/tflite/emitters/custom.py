"""Custom operators: unknown ones are kept as they are, for kernels that an application brings."""

from __future__ import annotations

from ....compiler.ops.custom import Custom
from ..table import CUSTOM, Call, CustomOptions, emits


@emits(Custom, CUSTOM, dtypes={})
def custom(op: Custom) -> Call:
    """Operands and results in the source's layout, attributes by their names."""
    return Call(op.inputs, CustomOptions(op.code, op.options))
