"""Random networks with named sizes, written down once for all frontends: inputs, steps, and the shapes that hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from nhwcc.compiler.dims import Dim, Shape, substitute, symbol

LARGEST = 1 << 19
"""Elements of any tensor, with every size at its largest."""

SMALL, LARGE = 1, 19
"""What sizes are drawn from."""


@dataclass(frozen=True)
class Size:
    """A size as a network computes it: the product of sizes that are read off tensors, times a ratio.

    ``reads`` are numbers of tensors and of their axes.
    """

    reads: tuple[tuple[int, int], ...] = ()
    factor: int = 1
    divisor: int = 1


REST = Size(factor=-1)
"""What remains."""


@dataclass(frozen=True)
class Input:
    """An input: its shape as it is declared, and as it is when the network runs.

    Names that are declared may be others than those that hold: of two that are always equal, or of a multiple.
    """

    name: str
    declared: tuple[int | str, ...]
    shape: Shape


@dataclass(frozen=True)
class Step:
    """An operation by the name of a builder's method, its operands by their numbers, and what else it is given.

    ``inside`` are sizes of tensors that a builder makes on the way: TFLite's kernels end when some are empty.
    """

    kind: str
    operands: tuple[int, ...]
    given: Mapping[str, Any]
    inside: Shape = ()


@dataclass
class Network:
    """Inputs, then a tensor for every step."""

    inputs: list[Input]
    steps: list[Step] = field(default_factory=lambda: list[Step]())
    shapes: list[Shape] = field(default_factory=lambda: list[Shape]())

    @property
    def names(self) -> list[str]:
        """The sizes that hold."""
        return sorted({n for i in self.inputs for d in i.shape if not isinstance(d, int) for n in d.names})

    @property
    def outputs(self) -> list[int]:
        """Tensors that no step reads."""
        read = {v for s in self.steps for v in s.operands}
        return [v for v in range(len(self.inputs), len(self.shapes)) if v not in read]

    def fits(self, sizes: Mapping[str, int]) -> bool:
        """Whether no tensor is empty, nor too large."""
        counts = [1]
        for shape in (*self.shapes, *(s.inside for s in self.steps)):
            numbers = [d if isinstance(d, int) else 0 for d in substitute(shape, dict(sizes))]
            total = 1
            for n in numbers:
                total *= n
            counts += [*numbers, total]
        return min(counts) > 0 and max(counts) <= LARGEST

    def sizes(self, rng: Random, least: int = SMALL) -> dict[str, int]:
        """Draw sizes; small ones, now and then 1, come more often."""
        for _ in range(200):
            bound = rng.choice((least + 2, 7, LARGE))
            drawn = {name: rng.randint(least, bound) for name in self.names}
            if self.fits(drawn):
                return drawn
        return dict.fromkeys(self.names, 7)


Propose = Callable[[Network, Random], tuple[Step, Shape] | None]
"""Draws a step that is possible, and says which shape it gives."""


def random_network(seed: int, kinds: Sequence[Propose]) -> Network:
    """Draw a network of 3 to 15 operations."""
    rng = Random(seed)
    network = Network(_inputs(rng))
    network.shapes = [i.shape for i in network.inputs]
    count = rng.randint(3, 15)
    for _ in range(40 * count):
        if len(network.steps) == count:
            break
        drawn = rng.choice(kinds)(network, rng)
        if drawn is None:
            continue
        step, shape = drawn
        network.shapes.append(shape)
        if 1 <= len(shape) <= 6 and network.fits(dict.fromkeys(network.names, 12)):
            network.steps.append(step)
        else:
            network.shapes.pop()
    return network


def pick(network: Network, rng: Random, ranks: Sequence[int] = (1, 2, 3, 4, 5)) -> int | None:
    """Draw a tensor of one of these ranks; later ones come more often."""
    found = [v for v, s in enumerate(network.shapes) if len(s) in ranks]
    return rng.choice(found[-3:] if rng.random() < 0.8 else found) if found else None


def _inputs(rng: Random) -> list[Input]:
    """Draw one or two inputs that have sizes in common, declared under the same names or under others."""
    first = _shape(rng)
    inputs = [Input("x", _declared(first, "", rng), first)]
    if rng.random() < 0.6:
        second = tuple(rng.choice((1, d)) if rng.random() < 0.2 else d for d in first)
        if rng.random() < 0.5:
            second = tuple(rng.choice(second) for _ in range(rng.randint(1, 3)))
        inputs.append(Input("z", _declared(second, rng.choice(("", "2")), rng), second))
    return inputs


def _shape(rng: Random) -> Shape:
    b, h, w, n = (symbol(name) for name in ("b", "h", "w", "n"))
    batch: Dim = rng.choice((1, 2, b, b, b))
    channels = rng.choice((3, 4, 6, 8))
    scale = rng.choice((1, 1, 1, 2, 4))
    return rng.choice(
        (
            (batch, channels, h * scale, w * scale),
            (batch, channels, h * scale, w * scale),
            (batch, n * scale, channels),
            (batch, channels, n * scale),
            (n * scale, batch, channels),
            (batch, n * scale),
        )
    )


def _declared(shape: Shape, suffix: str, rng: Random) -> tuple[int | str, ...]:
    """Return the names under which sizes are declared: the formula, or a name that says nothing of it."""
    loose = rng.random() < 0.5
    out: list[int | str] = []
    for size in shape:
        if isinstance(size, int):
            is_open = loose and size == 1 and rng.random() < 0.3
            out.append(f"one{len(out)}{suffix}" if is_open else size)
        else:
            (name,) = size.names
            out.append(f"{name}{suffix}" if str(size) == name else f"{name}m{suffix}")
    return tuple(out)
