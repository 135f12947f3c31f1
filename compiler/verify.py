"""The verifier: is the IR well-formed? Run after every pass in tests, and by ``--verify-each``."""

from __future__ import annotations

from .diagnostics import CompileError, Diagnostic, counted
from .ir import Func, Module, Op, Region, Use, Value


def verify(module: Module) -> None:
    """Check structure, use lists, dominance, stated types and what operations themselves demand.

    Raises:
        CompileError: everything that is wrong, in one error; codes V001 to V007.
    """
    problems = [d for func in module.funcs.values() for d in _verify_func(func)]
    if problems:
        raise CompileError(*problems)


def _verify_func(func: Func) -> list[Diagnostic]:
    found = _Verifier()
    found.region(func.body, set())
    if found.problems:
        return found.problems
    if len(func.inputs) != len(func.args) or len(func.outputs) != len(func.returns):
        stated = f"{counted(len(func.inputs), 'input')} and {counted(len(func.outputs), 'output')}"
        text = f"@{func.name} describes {stated}, but has {len(func.args)} and {len(func.returns)}"
        found.problems.append(Diagnostic("error", "V007", text))
    for port, value in zip((*func.inputs, *func.outputs), (*func.args, *func.returns), strict=False):
        if port.perm is not None and sorted(port.perm) != list(range(value.type.rank)):
            found.problems.append(
                Diagnostic(
                    "error",
                    "V007",
                    f"@{func.name}: {port.name} has {value.type}, its axes can't lie as {list(port.perm)}",
                )
            )
    return found.problems


class _Verifier:
    def __init__(self) -> None:
        self.problems: list[Diagnostic] = []

    def region(self, region: Region, visible: set[Value]) -> None:
        """Check one region; ``visible`` values are defined outside of it."""
        visible = visible | set(region.args)
        for op in region.ops:
            self._op(op, region, visible)
            for nested in op.regions:
                self.region(nested, visible)
            visible.update(op.results)
        last = region.ops.last
        if last is None or not last.spec.is_terminator:
            self.problems.append(Diagnostic("error", "V001", "a region does not end in a return"))

    def _op(self, op: Op, region: Region, visible: set[Value]) -> None:
        if op.parent is not region:
            self._report(op, "V002", "the operation does not know the region it is in")
        if op.spec.is_terminator and op is not region.ops.last:
            self._report(op, "V001", "a return stands before the end of its region")
        for slot, value in enumerate(op.operands):
            if value is None:
                continue
            if value not in visible:
                self._report(op, "V003", f"operand {slot} is not defined before it is used")
            if not value.has_use(Use(op, slot)):
                self._report(op, "V004", f"operand {slot} does not list this use")
        for result in op.results:
            if result.owner is not op or any(u.op.operands[u.slot] is not result for u in result.uses):
                self._report(op, "V004", "a result's use list is wrong")
        self._types(op)

    def _types(self, op: Op) -> None:
        try:
            inferred = tuple(op.spec.infer(op))
            if inferred != tuple(r.type for r in op.results):
                self._report(op, "V005", f"result types should be {', '.join(map(str, inferred))}")
            if op.spec.verify is not None:
                op.spec.verify(op)
        except CompileError as bad:
            self.problems += bad.diagnostics
        except ValueError as bad:
            self._report(op, "V006", str(bad))

    def _report(self, op: Op, code: str, message: str) -> None:
        self.problems += op.fail(code, message).diagnostics
