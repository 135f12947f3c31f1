"""Recurrent layers in one direction. Targets decide whether they run whole, as a loop, or step by step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, get_args

import numpy as np

from ..attributes import Finite, OneOf
from ..axes import Axes, Form, Letters
from ..dims import Dim, exact_div, may_equal
from ..ir import Op, Value
from ..opdef import Pure, op
from ..operands import Floats, Integers
from ..options import Strategy
from ..types import Array, TensorType
from .activation import Elu, HardSigmoid, LeakyRelu, Relu, Sigmoid, Softplus, Softsign, Tanh, ThresholdedRelu
from .arith import Add, Mul
from .quantize import RoundDynamic

BoundStep = tuple[type[Op], tuple[float, ...]]
"""An operation on one value and numbers."""


@dataclass(frozen=True)
class Activation:
    """A function that gates may use: operations one after the other, with the numbers that each takes.

    ``defaults`` are those of alpha and beta, as far as it has them.
    """

    steps: tuple[tuple[type[Op], tuple[str, ...]], ...]
    defaults: tuple[float, ...] = ()


ACTIVATIONS = {
    "sigmoid": Activation(((Sigmoid, ()),)),
    "tanh": Activation(((Tanh, ()),)),
    "relu": Activation(((Relu, ()),)),
    "softsign": Activation(((Softsign, ()),)),
    "softplus": Activation(((Softplus, ()),)),
    "affine": Activation(((Mul, ("alpha",)), (Add, ("beta",))), (1.0, 0.0)),
    "leakyrelu": Activation(((LeakyRelu, ("alpha",)),), (0.01,)),
    "thresholdedrelu": Activation(((ThresholdedRelu, ("alpha",)),), (1.0,)),
    "scaledtanh": Activation(((Mul, ("beta",)), (Tanh, ()), (Mul, ("alpha",))), (1.0, 1.0)),
    "hardsigmoid": Activation(((HardSigmoid, ("alpha", "beta")),), (0.2, 0.5)),
    "elu": Activation(((Elu, ("alpha",)),), (1.0,)),
}
"""Functions of gates by name."""


def bind(layer: Mapping[str, Any]) -> list[list[BoundStep]]:
    """Return the operations of every activation with their numbers, from a recurrent operation's attributes."""
    bound: list[list[BoundStep]] = []
    for i, name in enumerate(layer["activations"]):
        defaults = (*ACTIVATIONS[name].defaults, 0.0, 0.0)
        numbers = {
            n: layer[n][i] if layer[n] else default for n, default in zip(("alpha", "beta"), defaults, strict=False)
        }
        bound.append([(kind, tuple(numbers[n] for n in taken)) for kind, taken in ACTIVATIONS[name].steps])
    return bound


class Recurrent(Op):
    """What recurrent operations have in common.

    ``x`` is ``[time, batch, features]`` or, ``batch_first``, ``[batch, time, features]``.  ``w`` holds a block of rows
    for every gate, ``r`` the same for the state, ``bias`` is the sum of all biases.  After the end of a sequence, of
    which ``lengths`` tells, states stay and the output is zero; with ``reverse`` each sequence is read from its own
    end.  Initial states that are absent are zero.  ``alpha`` and ``beta`` have one number per activation, or none.
    What activations are applied to is kept within ``clip`` of zero, unless that is zero.
    """

    x: Floats
    w: Floats
    r: Floats
    bias: Floats | None = None
    lengths: Integers | None = None
    h0: Floats | None = None
    activations: tuple[Annotated[str, OneOf(*ACTIVATIONS)], ...] = ("tanh",)
    alpha: tuple[Finite, ...] = ()
    beta: tuple[Finite, ...] = ()
    clip: Finite = 0.0
    reverse: bool = False
    batch_first: bool = False
    strategy: Annotated[str, OneOf(*get_args(Strategy))] = "auto"

    gates = 1
    functions = 1

    @property
    def steps(self) -> Dim:
        """The number of steps: the size of the data's time axis."""
        return self.x.type.shape[1 if self.batch_first else 0]

    @property
    def batch(self) -> Dim:
        """The number of sequences: the size of the data's batch axis."""
        return self.x.type.shape[0 if self.batch_first else 1]

    @property
    def hidden(self) -> Dim:
        """Number of rows of a gate.

        Raises:
            ValueError: the weight has no equal blocks.
        """
        rows = exact_div(self.w.type.shape[0], self.gates)
        if rows is None:
            raise ValueError(f"the rows of {self.w.type} are not those of {self.gates} gates")
        return rows

    @property
    def states(self) -> tuple[Letters, ...]:
        """The letters of the axes of every state, for :attr:`axes`."""
        return (("b", "h"),)

    def infer(self) -> tuple[TensorType, ...]:
        """The outputs of all steps, then the states after the last one."""
        self._check_attributes()
        if [self.x.type.rank, self.w.type.rank, self.r.type.rank] != [3, 2, 2]:
            raise ValueError(f"{self.x.type}, {self.w.type} and {self.r.type} are not sequences and matrices")
        floats = dict.fromkeys(v.type.dtype for v in self.operands if v is not None and v is not self.lengths)
        if len(floats) > 1:
            raise ValueError(f"operands of different element types, {' and '.join(floats)}")
        sizes = self._sizes()
        for name, value, axes in zip(self.spec.operands, self.operands, self._letters(), strict=True):
            if value is not None:
                _check(name, value, [sizes[a] for a in axes])
        shapes = [(*self.x.type.shape[:2], sizes["h"]), *(tuple(sizes[a] for a in state) for state in self.states)]
        return tuple(self.x.type.with_shape(shape) for shape in shapes)

    def _check_attributes(self) -> None:
        count = self.functions
        if len(self.activations) != count:
            raise ValueError(f"the activations {list(self.activations)} are not {count}")
        if any(numbers and len(numbers) != count for numbers in (self.alpha, self.beta)):
            raise ValueError(f"alpha and beta need {count} numbers each, or none")

    def _sizes(self) -> dict[str, Dim]:
        """Sizes of all axes by letter: time, batch, features, gates, state, cell, peepholes."""
        _, _, features = self.x.type.shape
        hidden = self.hidden
        rows, peepholes = self.gates * hidden, 3 * hidden
        return {"t": self.steps, "b": self.batch, "f": features, "g": rows, "h": hidden, "c": hidden, "p": peepholes}

    def _letters(self) -> tuple[Letters, ...]:
        """The axes of every operand."""
        x = ("b", "t", "f") if self.batch_first else ("t", "b", "f")
        return x, ("g", "f"), ("g", "h"), ("g",), ("b",), ("b", "h")

    def axes(self) -> Axes:
        """Time first or batch first; input features in any order."""
        x, *others = self._letters()
        present = tuple(None if v is None else letters for v, letters in zip(self.operands[1:], others, strict=True))
        forms = [
            Form(((*lead, "f"), *others), ((*lead, "h"), *self.states), {"batch_first": lead[0] == "b"})
            for lead in (x[:2], x[1::-1])  # as it is now first: where the batch is one, both are as good
        ]
        return Axes((x, *present), ((*x[:2], "h"), *self.states), frozenset("tghcp"), tuple(forms))

    def macs(self) -> Dim:
        """Both matrices in every step."""
        return self.steps * self.batch * (self.w.type.size + self.r.type.size)


def _check(name: str, value: Value, shape: Sequence[Dim]) -> None:
    if not may_equal(value.type.shape, tuple(shape)):
        raise ValueError(f"{name} is {value.type}, but [{','.join(map(str, shape))}] fits")


@op("rnn", Pure)
class Rnn(Recurrent):
    """``h = f(w x + r h + bias)``."""

    @staticmethod
    def evaluate(
        x: Array, w: Array, r: Array, bias: Array | None, lengths: Array | None, h0: Array | None, **attributes: Any
    ) -> tuple[Array, ...]:
        """Step by step."""
        (f,) = _functions(attributes)

        def step(row: Array, h: Array) -> tuple[Array, ...]:
            return (f(row + h @ r.T),)

        return _walk(_inputs(x, w, bias, attributes), (h0,), (r.shape[1],), lengths, step, attributes)


@op("gru", Pure)
class Gru(Recurrent):
    """Gates in the order update, reset, new: ``h = (1 - z) n + z h``.

    With ``reset_after`` the reset gate multiplies ``r h + hidden_bias``, else ``h``; ``hidden_bias`` is only for that.
    """

    hidden_bias: Floats | None = None
    activations: tuple[Annotated[str, OneOf(*ACTIVATIONS)], ...] = ("sigmoid", "tanh")
    reset_after: bool = False

    gates = 3
    functions = 2

    def _letters(self) -> tuple[Letters, ...]:
        return *super()._letters(), ("c",)

    @staticmethod
    def evaluate(
        x: Array,
        w: Array,
        r: Array,
        bias: Array | None,
        lengths: Array | None,
        h0: Array | None,
        hidden_bias: Array | None,
        **attributes: Any,
    ) -> tuple[Array, ...]:
        """Step by step."""
        f, g = _functions(attributes)
        size = r.shape[1]

        def step(row: Array, h: Array) -> tuple[Array, ...]:
            z, s = np.split(f(row[:, : 2 * size] + h @ r[: 2 * size].T), 2, -1)
            if attributes["reset_after"]:
                inner = h @ r[2 * size :].T
                inner = s * (inner if hidden_bias is None else inner + hidden_bias)
            else:
                inner = (s * h) @ r[2 * size :].T
            new = g(row[:, 2 * size :] + inner)
            return (new + z * (h - new),)

        return _walk(_inputs(x, w, bias, attributes), (h0,), (size,), lengths, step, attributes)


@op("lstm", Pure)
class Lstm(Recurrent):
    """Gates in the order input, output, forget, new: ``c = f c + i n``, ``h = o tanh(c)``.

    ``peepholes`` are three vectors, by which the old state adds to the input and forget gates and the new one to the
    output gate.  ``coupled``, the forget gate is ``1 - i``.  A ``projection`` multiplies ``h`` at the end.  With
    ``rounds_state``, ``r`` multiplies the output of the step before rounded as by ``round_dynamic``, each sequence by
    its own range.
    """

    c0: Floats | None = None
    peepholes: Floats | None = None
    projection: Floats | None = None
    activations: tuple[Annotated[str, OneOf(*ACTIVATIONS)], ...] = ("sigmoid", "tanh", "tanh")
    coupled: bool = False
    rounds_state: bool = False

    gates = 4
    functions = 3

    @property
    def states(self) -> tuple[Letters, ...]:
        """The output and the cell; without a projection they have the same number of features."""
        return ("b", "h"), ("b", "c")

    def _letters(self) -> tuple[Letters, ...]:
        return *super()._letters(), ("b", "c"), ("p",), ("h", "c")

    def _sizes(self) -> dict[str, Dim]:
        """Only a projection gives the output another size than the cell."""
        return super()._sizes() | ({} if self.projection is None else {"h": self.r.type.shape[1]})

    def macs(self) -> Dim:
        """The matrices in every step."""
        projection = 0 if self.projection is None else self.steps * self.batch * self.projection.type.size
        return super().macs() + projection

    @staticmethod
    def evaluate(
        x: Array,
        w: Array,
        r: Array,
        bias: Array | None,
        lengths: Array | None,
        h0: Array | None,
        c0: Array | None,
        peepholes: Array | None,
        projection: Array | None,
        **attributes: Any,
    ) -> tuple[Array, ...]:
        """Step by step."""
        f, g, _ = _functions(attributes)
        *_, k = _functions(attributes | {"clip": 0.0})
        size = w.shape[0] // 4
        looks = np.zeros(3 * size, x.dtype) if peepholes is None else peepholes
        to_input, to_output, to_forget = np.split(looks, 3)

        def step(row: Array, h: Array, c: Array) -> tuple[Array, ...]:
            seen = RoundDynamic.evaluate(h, dims=(-1,)) if attributes["rounds_state"] else h
            i, o, forget, new = np.split(row + seen @ r.T, 4, -1)
            i = f(i + to_input * c)
            kept = 1 - i if attributes["coupled"] else f(forget + to_forget * c)
            cell = kept * c + i * g(new)
            out = f(o + to_output * cell) * k(cell)
            return (out if projection is None else out @ projection.T), cell

        inputs = _inputs(x, w, bias, attributes)
        return _walk(inputs, (h0, c0), (r.shape[1], size), lengths, step, attributes)


def _functions(attributes: dict[str, Any]) -> list[Callable[[Array], Array]]:
    """Return the activations on arrays, each after clipping."""
    clip = attributes["clip"] or np.inf

    def apply(steps: list[BoundStep], x: Array) -> Array:
        x = np.clip(x, -clip, clip)
        for kind, numbers in steps:
            x = _evaluate(kind, x, numbers)
        return x

    return [partial(apply, steps) for steps in bind(attributes)]


def _evaluate(kind: type[Op], x: Array, numbers: tuple[float, ...]) -> Array:
    """Run an operation on an array and numbers, which are operands or attributes."""
    assert kind.spec.evaluate is not None
    given = dict(zip(kind.spec.fields[1:], numbers, strict=False))
    operands = [np.asarray(given[name], x.dtype) for name in kind.spec.operands[1:]]
    out = kind.spec.evaluate(x, *operands, **kind.spec.bind_attributes(given))
    return np.asarray(out)


def _inputs(x: Array, w: Array, bias: Array | None, attributes: dict[str, Any]) -> Array:
    """Return what the inputs add to the gates in all steps, time first."""
    product = (x.swapaxes(0, 1) if attributes["batch_first"] else x) @ w.T
    return product if bias is None else product + bias


def _walk(
    inputs: Array,
    initial: tuple[Array | None, ...],
    sizes: tuple[int, ...],
    lengths: Array | None,
    step: Callable[..., tuple[Array, ...]],
    attributes: dict[str, Any],
) -> tuple[Array, ...]:
    """Run all steps; return the first state after each, and all states after the last."""
    count, batch, _ = inputs.shape
    states = tuple(np.zeros((batch, n), inputs.dtype) if s is None else s for s, n in zip(initial, sizes, strict=True))
    out = np.zeros((count, batch, sizes[0]), inputs.dtype)
    for t in reversed(range(count)) if attributes["reverse"] else range(count):
        alive = np.full((batch, 1), True) if lengths is None else (t < lengths)[:, None]
        new = step(inputs[t], *states)
        states = tuple(np.where(alive, n, old) for n, old in zip(new, states, strict=True))
        out[t] = np.where(alive, states[0], 0)
    return out.swapaxes(0, 1) if attributes["batch_first"] else out, *states
