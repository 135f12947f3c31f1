"""Control flow: operations with regions. The regions may read values defined outside of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..ir import Op, Region, Value
from ..opdef import Pure, op
from ..types import Array, TensorType

Body = Callable[..., list[Array]]


@op("if", Pure)
class If(Op):
    """Run one of two regions without arguments; its returns are the results."""

    condition: Value
    then: Region
    otherwise: Region

    def infer(self) -> tuple[TensorType, ...]:
        """Both regions return the same types."""
        first = tuple(v.type for v in self.then.returns)
        second = tuple(v.type for v in self.otherwise.returns)
        if first != second:
            raise ValueError(
                f"one branch returns ({', '.join(map(str, first))}), the other ({', '.join(map(str, second))})"
            )
        return first

    @staticmethod
    def evaluate(condition: Array, *, then: Body, otherwise: Body) -> tuple[Array, ...]:
        """Run the chosen one."""
        return tuple(then() if condition.item() else otherwise())


@op("while", Pure)
class While(Op):
    """Run ``body`` while ``condition`` returns true; both take the carried values, the body returns the next ones."""

    values: tuple[Value, ...]
    condition: Region
    body: Region

    def infer(self) -> tuple[TensorType, ...]:
        """The carried values keep their types."""
        carried = tuple(v.type for v in self.values)
        for name, types in (
            ("condition takes", [a.type for a in self.condition.args]),
            ("body takes", [a.type for a in self.body.args]),
            ("body returns", [v.type for v in self.body.returns]),
        ):
            if tuple(types) != carried:
                raise ValueError(
                    f"the {name} ({', '.join(map(str, types))}), but carried are ({', '.join(map(str, carried))})"
                )
        return carried

    @staticmethod
    def evaluate(*values: Array, condition: Body, body: Body) -> tuple[Array, ...]:
        """Iterate."""
        carried: Sequence[Array] = values
        while condition(*carried)[0].item():
            carried = body(*carried)
        return tuple(carried)
