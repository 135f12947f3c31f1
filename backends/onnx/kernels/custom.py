"""The row for custom operators, which keep their name and domain."""

from __future__ import annotations

from ....compiler.ops.custom import Custom
from ..table import ANY_DOMAIN, Call, emits


@emits(Custom, ANY_DOMAIN)
def custom(op: Custom) -> Call:
    """The operator of its domain, as the source has it."""
    domain, _, name = op.code.rpartition(".")
    return Call(op.inputs, dict(op.options), domain=domain or "custom", operator=name)
