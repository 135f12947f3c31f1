"""Control flow: operations with regions. The regions may read values defined outside of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..diagnostics import counted
from ..dims import Dim, Sym
from ..ir import Op, Region, Value
from ..opdef import Pure, op
from ..operands import Truth
from ..types import Array, DType, TensorType

Body = Callable[..., list[Array]]


@op("if", Pure)
class If(Op):
    """Run one of two regions without arguments; its returns are the results.

    Where the regions return other sizes, ``sizes`` names those of the results, in their order.
    """

    condition: Truth
    then: Region
    otherwise: Region
    sizes: tuple[Dim, ...] = ()

    def infer(self) -> tuple[TensorType, ...]:
        """Both regions return the same element types and numbers of axes."""
        _check_truth(self.condition.type)
        if self.then.args or self.otherwise.args:
            raise ValueError("a branch takes arguments, but none are given to it")
        first = tuple(v.type for v in self.then.returns)
        second = tuple(v.type for v in self.otherwise.returns)
        if [(t.dtype, t.rank) for t in first] != [(t.dtype, t.rank) for t in second]:
            raise ValueError(
                f"one branch returns ({', '.join(map(str, first))}), the other ({', '.join(map(str, second))})"
            )
        differing = differing_sizes(first, second)
        if len(differing) != len(self.sizes):
            raise ValueError(f"branches differ in {counted(len(differing), 'size')}, but {len(self.sizes)} are named")
        named = dict(zip(differing, self.sizes, strict=True))
        return tuple(
            t.with_shape([named.get((i, axis), d) for axis, d in enumerate(t.shape)]) for i, t in enumerate(first)
        )

    @staticmethod
    def evaluate(condition: Array, *, then: Body, otherwise: Body, sizes: tuple[Dim, ...]) -> tuple[Array, ...]:
        """Run the chosen one."""
        return tuple(then() if condition.item() else otherwise())


def _check_truth(type: TensorType) -> None:
    if type.dtype is not DType.BOOL or type.size != 1:
        raise ValueError(f"a condition is one truth value, not {type}")


def differing_sizes(first: Sequence[TensorType], second: Sequence[TensorType]) -> list[tuple[int, int]]:
    """Return in which axes of which tensors two lists of the same ranks differ."""
    pairs = enumerate(zip(first, second, strict=True))
    return [(i, axis) for i, (a, b) in pairs for axis in range(a.rank) if a.shape[axis] != b.shape[axis]]


def _changing_sizes(carried: Sequence[TensorType], taken: Sequence[TensorType]) -> list[tuple[int, int]]:
    """Return for which axes of which values regions have a name of their own."""
    if [(t.dtype, t.rank) for t in carried] != [(t.dtype, t.rank) for t in taken]:
        return []
    own = differing_sizes(carried, taken)
    names = [taken[i].shape[axis] for i, axis in own]
    return own if all(isinstance(d, Sym) and d.expr.is_Symbol for d in names) else []


def _with_sizes(
    types: Sequence[TensorType], places: Sequence[tuple[int, int]], like: Sequence[TensorType]
) -> tuple[TensorType, ...]:
    """Return types with the sizes of others at some places, where the ranks allow that."""
    if [t.rank for t in types] != [t.rank for t in like]:
        return tuple(types)
    return tuple(
        t.with_shape([like[i].shape[a] if (i, a) in places else d for a, d in enumerate(t.shape)])
        for i, t in enumerate(types)
    )


@op("while", Pure)
class While(Op):
    """Run ``body`` while ``condition`` returns true; both take the carried values, the body returns the next ones.

    Where a round may return another size than it takes, the regions have a name of their own for what they take, such
    as ``u1`` for values that grow from ``n`` to ``u1 + 1``, and ``sizes`` names those of the results, in their order.
    """

    values: tuple[Value, ...]
    condition: Region
    body: Region
    sizes: tuple[Dim, ...] = ()

    def infer(self) -> tuple[TensorType, ...]:
        """The carried values keep their types, but for sizes that rounds change."""
        carried = tuple(v.type for v in self.values)
        if len(self.condition.returns) != 1:
            raise ValueError(f"the condition returns {len(self.condition.returns)} values instead of one")
        _check_truth(self.condition.returns[0].type)
        taken = tuple(a.type for a in self.body.args)
        changing = _changing_sizes(carried, taken)
        for name, found, wanted in (
            ("condition takes", [a.type for a in self.condition.args], taken),
            ("body takes", _with_sizes(taken, changing, carried), carried),
            ("body returns", _with_sizes([v.type for v in self.body.returns], changing, carried), carried),
        ):
            if tuple(found) != wanted:
                raise ValueError(
                    f"the {name} ({', '.join(map(str, found))}), but carried are ({', '.join(map(str, wanted))})"
                )
        if len(changing) != len(self.sizes):
            text = f"rounds change {counted(len(changing), 'size')}, but {len(self.sizes)} are named"
            raise ValueError(text)
        named = dict(zip(changing, self.sizes, strict=True))
        return tuple(
            t.with_shape([named.get((i, axis), d) for axis, d in enumerate(t.shape)]) for i, t in enumerate(carried)
        )

    @staticmethod
    def evaluate(*values: Array, condition: Body, body: Body, sizes: tuple[Dim, ...]) -> tuple[Array, ...]:
        """Iterate."""
        carried: Sequence[Array] = values
        while condition(*carried)[0].item():
            carried = body(*carried)
        return tuple(carried)
