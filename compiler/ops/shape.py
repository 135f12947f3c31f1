"""Operations that move, cut, join or repeat data without computing with it."""

from __future__ import annotations

from typing import Annotated, Any, cast

import numpy as np

from ..attributes import OneOf
from ..axes import Axes, Axis, AxisTuple, Form, PerAxis, PerResultAxis, letters
from ..demands import demand
from ..diagnostics import counted
from ..dims import Dim, Shape, Sym, at_least, exact_div, product, static
from ..ir import Op, Value
from ..opdef import Pure, Symbolic, View, op
from ..operands import Numbers, same_elements
from ..order import Order
from ..traits import KeepsSign, Moves, NonNegative
from ..types import Array, DType, TensorType


@op("transpose", View, Symbolic, Moves, KeepsSign)
class Transpose(Op):
    """Permute the axes: axis ``i`` of the result is axis ``perm[i]`` of the operand."""

    x: Value
    perm: tuple[int, ...]

    def infer(self) -> TensorType:
        """Permute the shape."""
        if sorted(self.perm) != list(range(self.x.type.rank)):
            raise ValueError(
                f"perm {list(self.perm)} is not a permutation of {counted(self.x.type.rank, 'axis', 'axes')}"
            )
        return self.x.type.with_shape([self.x.type.shape[p] for p in self.perm])

    def copies(self) -> bool:
        """A permutation that moves nothing."""
        return self.perm == tuple(range(len(self.perm)))

    @staticmethod
    def evaluate(x: Array, *, perm: tuple[int, ...]) -> Array:
        """Permute the axes of a view."""
        return np.transpose(x, perm)

    def view(self, order: Order) -> Order | None:
        """The result's order when no byte moves."""
        return order.transposed(self.x.type.shape, self.perm)

    def view_back(self, order: Order) -> Order | None:
        """The operand's order when no byte moves."""
        return order.transposed(self.result.type.shape, inverse(self.perm))


@op("reshape", View, Symbolic, Moves, KeepsSign)
class Reshape(Op):
    """The same elements in row-major order under another shape."""

    x: Value
    shape: tuple[Dim, ...]

    def infer(self) -> TensorType:
        """The number of elements stays."""
        before = self.x.type.size
        if not demand(before, product(self.shape)):
            raise ValueError(f"{before} elements can't have shape [{','.join(map(str, self.shape))}]")
        return self.x.type.with_shape(self.shape)

    def copies(self) -> bool:
        """The same shape."""
        return True

    @staticmethod
    def evaluate(x: Array, *, shape: Shape) -> Array:
        """Reshape a view."""
        return np.reshape(x, tuple(-1 if isinstance(d, Sym) else d for d in shape))

    def view(self, order: Order) -> Order | None:
        """An order is written in terms of the row-major index, which a reshape does not change.

        None if named sizes leave open whether both sides have as many elements.
        """
        return order if self.x.type.size == self.result.type.size else None

    def view_back(self, order: Order) -> Order | None:
        """The same order."""
        return self.view(order)


@op("broadcast_to", Symbolic, Moves, KeepsSign)
class BroadcastTo(Op):
    """Repeat along axes of size one, and along new leading axes, up to ``shape``."""

    x: Value
    shape: PerResultAxis[Dim]

    def infer(self) -> TensorType:
        """The stated shape, if the operand broadcasts to it."""
        given = self.x.type.shape
        for d, e in zip(reversed(given), reversed(self.shape), strict=False):
            repeats = d == 1 or (e != 1 and isinstance(d, Sym) and not at_least(d, 2))
            if not repeats and not demand(d, e):
                raise ValueError(f"{self.x.type} does not broadcast to [{','.join(map(str, self.shape))}]")
        if len(given) > len(self.shape):
            raise ValueError(f"{self.x.type} has more axes than [{','.join(map(str, self.shape))}]")
        return self.x.type.with_shape(self.shape)

    def copies(self) -> bool:
        """The same shape."""
        return True

    @staticmethod
    def evaluate(x: Array, *, shape: Shape) -> Array:
        """A view with strides of zero."""
        return np.broadcast_to(x, static(shape))

    def axes(self) -> Axes:
        """Aligned at the last axis, any common order."""
        names = letters(len(self.shape))
        return Axes.common((names[len(names) - self.x.type.rank :],), (names,), broadcasts=True)


@op("concat", Symbolic, Moves, KeepsSign)
class Concat(Op):
    """Join tensors along an axis; all other sizes are equal."""

    xs: tuple[Value, ...]
    axis: Axis

    def infer(self) -> TensorType:
        """Sizes add up along the axis and agree elsewhere."""
        if not self.xs:
            raise ValueError("nothing is to be joined")
        first = self.xs[0].type
        same_elements(self)
        total: Dim = 0
        for x in self.xs:
            if x.type.rank != first.rank:
                raise ValueError(f"{first} and {x.type} have different numbers of axes")
            for i, (d, e) in enumerate(zip(x.type.shape, first.shape, strict=True)):
                if i != self.axis and not demand(d, e):
                    raise ValueError(f"sizes {d} and {e} differ along axis {i}")
            total = total + x.type.shape[self.axis]
        return first.with_shape(self._shape(total))

    def _shape(self, total: Dim) -> tuple[Dim, ...]:
        """Where sizes are known by different names, a number wins over a name."""
        shapes = [x.type.shape for x in self.xs]
        out: list[Dim] = [
            next((s[i] for s in shapes if isinstance(s[i], int)), shapes[0][i]) for i in range(len(shapes[0]))
        ]
        out[self.axis] = total
        return tuple(out)

    def copies(self) -> bool:
        """One operand."""
        return len(self.xs) == 1

    @staticmethod
    def evaluate(*xs: Array, axis: int) -> Array:
        """Concatenate."""
        return np.concatenate(xs, axis)

    def axes(self) -> Axes:
        """Any common order; along the axis each operand may have its own."""
        return Axes.join(self.xs[0].type.rank, self.axis, len(self.xs))


@op("split", Symbolic, Moves, KeepsSign)
class Split(Op):
    """Cut along an axis into pieces of the given sizes."""

    x: Value
    axis: Axis
    sizes: tuple[Dim, ...]

    def infer(self) -> tuple[TensorType, ...]:
        """One result per size."""
        shape = self.x.type.shape
        total = sum(self.sizes, start=cast(Dim, 0))
        if not demand(total, shape[self.axis]):
            raise ValueError(f"sizes {list(self.sizes)} don't add up to {shape[self.axis]}")
        return tuple(self.x.type.with_shape((*shape[: self.axis], s, *shape[self.axis + 1 :])) for s in self.sizes)

    def copies(self) -> bool:
        """One piece."""
        return len(self.sizes) == 1

    @staticmethod
    def evaluate(x: Array, *, axis: int, sizes: tuple[int, ...]) -> tuple[Array, ...]:
        """Views of the parts."""
        return tuple(np.split(x, np.cumsum(sizes[:-1]), axis))

    def axes(self) -> Axes:
        """Any common order; along the axis each result may have its own."""
        return Axes.join(self.x.type.rank, self.axis, len(self.sizes)).reversed()


@op("slice", Symbolic, Moves, KeepsSign)
class Slice(Op):
    """``sizes[i]`` positions along every axis ``i``, from ``starts[i]`` in steps of ``steps[i]``, maybe negative."""

    x: Value
    starts: PerAxis[Dim]
    sizes: PerAxis[Dim]
    steps: PerAxis[int]

    def infer(self) -> TensorType:
        """The sizes are the shape."""
        for axis, (d, start, size, step) in enumerate(
            zip(self.x.type.shape, self.starts, self.sizes, self.steps, strict=True)
        ):
            if not (isinstance(d, int) and isinstance(start, int) and isinstance(size, int)):
                continue
            if step == 0 or size < 0 or (size and not (0 <= start < d and 0 <= start + (size - 1) * step < d)):
                raise ValueError(f"axis {axis} of size {d} has no {size} positions from {start} in steps of {step}")
        return self.x.type.with_shape(self.sizes)

    def copies(self) -> bool:
        """Everything, forwards."""
        return all(s == 1 for s in self.steps)

    @staticmethod
    def evaluate(x: Array, *, starts: tuple[int, ...], sizes: tuple[int, ...], steps: tuple[int, ...]) -> Array:
        """Cut a view."""
        static(sizes)
        ends = (a + n * s for a, n, s in zip(starts, sizes, steps, strict=True))
        cuts = [slice(a, None if e < 0 else e, s) for a, e, s in zip(starts, ends, steps, strict=True)]
        return x[tuple(cut if n else slice(0, 0) for cut, n in zip(cuts, sizes, strict=True))]

    def axes(self) -> Axes:
        """Any common order; positions keep their order along the axes that are cut."""
        names = letters(self.x.type.rank)
        cut = (
            n for n, d, e, s in zip(names, self.x.type.shape, self.sizes, self.steps, strict=True) if d != e or s != 1
        )
        return Axes.common((names,), (names,), frozenset(cut))


@op("pad", Pure, Moves)
class Pad(Op):
    """Add ``low[i]`` positions before and ``high[i]`` after along every axis ``i``.

    ``mode`` is "constant" (filled with ``value``), "reflect" (mirrored without the edge), "symmetric" (mirrored with
    the edge), "edge" (the edge repeated) or "wrap" (periodic).
    """

    x: Value
    low: PerAxis[Dim]
    high: PerAxis[Dim]
    mode: Annotated[str, OneOf("constant", "reflect", "symmetric", "edge", "wrap")] = "constant"
    value: float = 0.0

    def infer(self) -> TensorType:
        """Sizes grow by both."""
        shape = self.x.type.shape
        if self.mode != "constant" and any(
            d == 0 and (a != 0 or b != 0) for d, a, b in zip(shape, self.low, self.high, strict=True)
        ):
            raise ValueError(f"there is nothing in {self.x.type} to repeat in mode {self.mode}")
        return self.x.type.with_shape([d + a + b for d, a, b in zip(shape, self.low, self.high, strict=True)])

    def copies(self) -> bool:
        """Nothing added."""
        return all(p == 0 for p in (*self.low, *self.high))

    @staticmethod
    def evaluate(x: Array, *, low: tuple[int, ...], high: tuple[int, ...], mode: str, value: float) -> Array:
        """Pad."""
        widths = list(zip(low, high, strict=True))
        if not widths:  # numpy takes none
            return x
        if mode == "constant":
            return np.pad(x, widths, constant_values=np.asarray(value).astype(x.dtype))
        return np.pad(x, widths, cast(Any, mode))

    def axes(self) -> Axes:
        """Any common order; positions keep their order along the axes that are padded."""
        names = letters(self.x.type.rank)
        padded = (n for n, a, b in zip(names, self.low, self.high, strict=True) if a != 0 or b != 0)
        return Axes.common((names,), (names,), frozenset(padded))


@op("tile", Symbolic, Moves, KeepsSign)
class Tile(Op):
    """Repeat the whole ``repeats[i]`` times along every axis ``i``."""

    x: Value
    repeats: PerAxis[Dim]

    def infer(self) -> TensorType:
        """Sizes multiply."""
        return self.x.type.with_shape([d * r for d, r in zip(self.x.type.shape, self.repeats, strict=True)])

    def copies(self) -> bool:
        """Once."""
        return all(r == 1 for r in self.repeats)

    @staticmethod
    def evaluate(x: Array, *, repeats: tuple[int, ...]) -> Array:
        """Repeat."""
        return np.tile(x, repeats)

    def axes(self) -> Axes:
        """Any common order; positions keep their order along the axes that are repeated."""
        names = letters(self.x.type.rank)
        return Axes.common((names,), (names,), frozenset(n for n, r in zip(names, self.repeats, strict=True) if r != 1))


@op("reverse", Pure, Moves, KeepsSign)
class Reverse(Op):
    """Reverse the order of the elements along some axes."""

    x: Value
    dims: AxisTuple

    def infer(self) -> TensorType:
        """Keep the type."""
        return self.x.type

    @staticmethod
    def evaluate(x: Array, *, dims: tuple[int, ...]) -> Array:
        """Turn around a view."""
        return np.flip(x, dims)

    def axes(self) -> Axes:
        """Any common order."""
        names = letters(self.x.type.rank)
        return Axes.common((names,), (names,), frozenset(names[a] for a in self.dims))


@op("shape_of", Symbolic, NonNegative)
class ShapeOf(Op):
    """The sizes of the operand along the axes ``dims``."""

    x: Value
    dims: AxisTuple
    dtype: DType = DType.I64

    def infer(self) -> TensorType:
        """A vector."""
        return TensorType(self.dtype, (len(self.dims),))

    @staticmethod
    def evaluate(x: Array, *, dims: tuple[int, ...], dtype: DType) -> Array:
        """Read the shape."""
        return np.asarray([x.shape[d] for d in dims], dtype.numpy)

    def known(self) -> Array:
        """The sizes, by number or by name."""
        out = np.empty(len(self.dims), dtype=object)
        out[:] = [self.x.type.shape[d] for d in self.dims]
        return out

    def axes(self) -> Axes:
        """It reads no elements: any order."""
        return Axes((letters(self.x.type.rank),), (("v",),), frozenset("v"), (Form(((...,),), (("v",),)),))


@op("range", Symbolic)
class Range(Op):
    """``size`` numbers ``start, start + step, ...``; the operands are scalars."""

    start: Numbers
    step: Numbers
    size: Dim

    def infer(self) -> TensorType:
        """A vector."""
        same_elements(self)
        if self.start.type.rank or self.step.type.rank:
            raise ValueError(f"{self.start.type} and {self.step.type} are no scalars")
        return TensorType(self.start.type.dtype, (self.size,))

    @staticmethod
    def evaluate(start: Array, step: Array, *, size: Dim) -> Array:
        """Count; only a number of elements can be counted."""
        if isinstance(size, Sym):
            raise TypeError("a range of unknown size")
        return (start + np.arange(size).astype(start.dtype) * step).astype(start.dtype)


def inverse(perm: tuple[int, ...]) -> tuple[int, ...]:
    """Return the permutation that undoes ``perm``.

    >>> inverse((0, 2, 3, 1))
    (0, 3, 1, 2)
    """
    out = [0] * len(perm)
    for i, p in enumerate(perm):
        out[p] = i
    return tuple(out)


def resolve_reshape(before: Shape, target: Shape, *, zero_copies: bool = True) -> Shape:
    """Return the shape that ``target`` means: -1 is what remains, 0 the size at the same place.

    >>> resolve_reshape((2, 3, 4), (0, -1))
    (2, 12)

    Raises:
        ValueError: the remaining size is no whole number.
    """
    shape = [before[i] if d == 0 and zero_copies else d for i, d in enumerate(target)]
    if -1 in shape:
        rest = product(d for d in shape if d != -1)
        missing = exact_div(product(before), rest) if rest != 0 else 0
        if missing is None:
            missing = product(before) // rest
            if isinstance(missing, int):
                raise ValueError(f"[{','.join(map(str, before))}] can't have shape [{','.join(map(str, target))}]")
        shape[shape.index(-1)] = missing
    return tuple(shape)


def settled(before: Shape, shape: Shape) -> Shape:
    """Return a shape with as many elements as there were, where one size that was rounded leaves a doubt.

    What names are in doubt is not decided here: they are refined everywhere at once.

    >>> from ..dims import symbol
    >>> b, n = symbol("b"), symbol("n")
    >>> settled((b, n), (n // b * b, b))
    (n, b)
    """
    size = product(before)
    if size == 0 or product(shape) == size:
        return shape
    for axis, d in enumerate(shape):
        if isinstance(d, Sym) and d.is_rounded:
            rest = exact_div(size, product((*shape[:axis], *shape[axis + 1 :])))
            if rest is not None and rest != 0:
                return (*shape[:axis], rest, *shape[axis + 1 :])
    return shape
