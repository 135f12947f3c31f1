"""The operations of random networks with named sizes: which are possible, and which shapes they give."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

from nhwcc.compiler.dims import Dim, Shape, ceil_div, exact_div, maximum, minimum, product

from .network import REST, Network, Propose, Size, Step, pick

Drawn = tuple[Step, Shape] | None


def _step(kind: str, *operands: int, **given: Any) -> Step:
    return Step(kind, operands, given)


def _equal(network: Network, size: Dim, rng: Random, but: int = -1) -> tuple[int, int] | None:
    """Draw an axis of some tensor that has this size when the network runs."""
    places = [(v, a) for v, s in enumerate(network.shapes) for a, d in enumerate(s) if d == size and v != but]
    return rng.choice(places) if places else None


def _read(network: Network, size: Dim, rng: Random) -> Size:
    """Return how a network may compute a size: as a number, or read off some tensor."""
    if isinstance(size, int):
        return Size(factor=size)
    place = _equal(network, size, rng)
    assert place is not None
    return Size((place,))


def unary(network: Network, rng: Random) -> Drawn:
    """An elementwise function."""
    v = pick(network, rng)
    return None if v is None else (_step("unary", v, function=rng.choice(("relu", "sigmoid", "tanh"))), _of(network, v))


def _of(network: Network, v: int) -> Shape:
    return network.shapes[v]


def binary(network: Network, rng: Random) -> Drawn:
    """A sum or product of two tensors that broadcast."""
    a, b = pick(network, rng), pick(network, rng)
    if a is None or b is None:
        return None
    x, y = _of(network, a), _of(network, b)
    rank = max(len(x), len(y))
    x, y = (1,) * (rank - len(x)) + x, (1,) * (rank - len(y)) + y
    if not all(d == e or 1 in (d, e) for d, e in zip(x, y, strict=True)):
        return None
    shape = tuple(e if d == 1 else d for d, e in zip(x, y, strict=True))
    return _step("binary", a, b, function=rng.choice(("add", "mul"))), shape


def affine(network: Network, rng: Random) -> Drawn:
    """A constant along the last axis."""
    v = pick(network, rng)
    if v is None or not isinstance(_of(network, v)[-1], int):
        return None
    return _step("affine", v, size=_of(network, v)[-1]), _of(network, v)


def transpose(network: Network, rng: Random) -> Drawn:
    """Any permutation."""
    v = pick(network, rng, (2, 3, 4, 5))
    if v is None:
        return None
    perm = list(range(len(_of(network, v))))
    rng.shuffle(perm)
    return _step("transpose", v, perm=tuple(perm)), tuple(_of(network, v)[p] for p in perm)


def split_axis(network: Network, rng: Random) -> Drawn:
    """A reshape that cuts one axis in two."""
    v = pick(network, rng, (1, 2, 3, 4))
    if v is None:
        return None
    shape, axis, inner = _of(network, v), rng.randrange(len(_of(network, v))), rng.choice((1, 2, 3, 4))
    outer = exact_div(shape[axis], inner)
    if outer is None or (isinstance(outer, int) and outer == 0):
        return None
    parts = [Size(((v, axis),), 1, inner), Size(factor=inner)]
    new: tuple[Dim, ...] = (outer, inner)
    if rng.random() < 0.5:
        parts, new = parts[::-1], new[::-1]
    target = [
        *(_read(network, d, rng) for d in shape[:axis]),
        *parts,
        *(_read(network, d, rng) for d in shape[axis + 1 :]),
    ]
    return _reshape(v, target, (*shape[:axis], *new, *shape[axis + 1 :]), rng)


def join_axes(network: Network, rng: Random) -> Drawn:
    """A reshape that joins neighbours."""
    v = pick(network, rng, (2, 3, 4, 5))
    if v is None:
        return None
    shape = _of(network, v)
    axis = rng.randrange(len(shape) - 1)
    reads = [_read(network, d, rng) for d in shape[axis : axis + 2]]
    both = Size(reads[0].reads + reads[1].reads, reads[0].factor * reads[1].factor)
    target = [
        *(_read(network, d, rng) for d in shape[:axis]),
        both,
        *(_read(network, d, rng) for d in shape[axis + 2 :]),
    ]
    return _reshape(v, target, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]), rng)


def _reshape(v: int, target: list[Size], shape: Shape, rng: Random) -> Drawn:
    if rng.random() < 0.6:
        target[rng.randrange(len(target))] = REST
    return _step("reshape", v, target=tuple(target)), shape


def borrow(network: Network, rng: Random) -> Drawn:
    """A reshape that regroups axes into the shape of another tensor, or into a product of its sizes."""
    v = pick(network, rng)
    others = [o for o, s in enumerate(network.shapes) if v is not None and product(s) == product(_of(network, v))]
    if v is None or not others:
        return None
    other = rng.choice(others)
    shape = _of(network, other)
    target = [Size(((other, a),)) for a in range(len(shape))]
    return _reshape(v, target, shape, rng)


def unsqueeze(network: Network, rng: Random) -> Drawn:
    """One more axis."""
    v = pick(network, rng, (1, 2, 3))
    if v is None:
        return None
    axis = rng.randint(0, len(_of(network, v)))
    return _step("unsqueeze", v, axis=axis), (*_of(network, v)[:axis], 1, *_of(network, v)[axis:])


def squeeze(network: Network, rng: Random) -> Drawn:
    """An axis of size one less."""
    v = pick(network, rng, (2, 3, 4, 5))
    places = [] if v is None else [i for i, d in enumerate(_of(network, v)) if d == 1]
    if v is None or not places:
        return None
    axis = rng.choice(places)
    return _step("squeeze", v, axis=axis), (*_of(network, v)[:axis], *_of(network, v)[axis + 1 :])


def conv(network: Network, rng: Random) -> Drawn:
    """A convolution over one or two axes."""
    v = pick(network, rng, (3, 4))
    if v is None or not isinstance(_of(network, v)[1], int):
        return None
    shape = _of(network, v)
    kernel, stride, filters = rng.choice((1, 3)), rng.choice((1, 1, 2)), rng.choice((2, 4, 8))
    pad = rng.choice((0, kernel // 2))
    inner = tuple((d + 2 * pad - kernel) // stride + 1 for d in shape[2:])
    given = {"weights": (filters, shape[1]), "kernel": kernel, "stride": stride, "pad": pad, "rank": len(inner)}
    return _step("conv", v, **given), (shape[0], filters, *inner)


def pool(network: Network, rng: Random) -> Drawn:
    """A pooling of maxima or means."""
    v = pick(network, rng, (4,))
    if v is None:
        return None
    shape, kernel = _of(network, v), rng.choice((2, 3))
    stride = rng.choice((1, 2))
    inner = tuple((d - kernel) // stride + 1 for d in shape[2:])
    return _step("pool", v, kernel=kernel, stride=stride, mean=rng.random() < 0.5), (*shape[:2], *inner)


def upsample(network: Network, rng: Random) -> Drawn:
    """Nearest neighbours, twice as many."""
    v = pick(network, rng, (4,))
    if v is None:
        return None
    a, b, c, d = _of(network, v)
    return _step("upsample", v), (a, b, c * 2, d * 2)


def resize_like(network: Network, rng: Random) -> Drawn:
    """Bilinear interpolation to the size of another tensor; runtimes differ in which neighbour of two is nearest."""
    v, other = pick(network, rng, (4,)), pick(network, rng, (4,))
    if v is None or other is None:
        return None
    a, b = _of(network, v)[:2]
    return _step("resize_like", v, other), (a, b, *_of(network, other)[2:])


def halve(network: Network, rng: Random) -> Drawn:
    """The first half of an axis."""
    v = pick(network, rng)
    if v is None:
        return None
    shape = _of(network, v)
    axis = rng.randrange(len(shape))
    return _step("halve", v, axis=axis), (*shape[:axis], shape[axis] // 2, *shape[axis + 1 :])


def crop(network: Network, rng: Random) -> Drawn:
    """All but the first or last positions of an axis."""
    v = pick(network, rng)
    if v is None:
        return None
    shape = _of(network, v)
    axis, low, high = rng.randrange(len(shape)), rng.randint(0, 2), rng.randint(0, 2)
    return _step("crop", v, axis=axis, low=low, high=high), (
        *shape[:axis],
        shape[axis] - low - high,
        *shape[axis + 1 :],
    )


def every_second(network: Network, rng: Random) -> Drawn:
    """Every second position of an axis."""
    v = pick(network, rng)
    if v is None:
        return None
    shape = _of(network, v)
    axis, first = rng.randrange(len(shape)), rng.randint(0, 1)
    size = ceil_div(shape[axis] - first, 2)
    return _step("every_second", v, axis=axis, first=first), (*shape[:axis], size, *shape[axis + 1 :])


def concat(network: Network, rng: Random) -> Drawn:
    """Two tensors along an axis."""
    a, b = pick(network, rng), pick(network, rng)
    if a is None or b is None or len(_of(network, a)) != len(_of(network, b)):
        return None
    x, y = _of(network, a), _of(network, b)
    differ = [i for i, (d, e) in enumerate(zip(x, y, strict=True)) if d != e]
    if len(differ) > 1:
        return None
    axis = differ[0] if differ else rng.randrange(len(x))
    return _step("concat", a, b, axis=axis), (*x[:axis], x[axis] + y[axis], *x[axis + 1 :])


def linear(network: Network, rng: Random) -> Drawn:
    """A product with a constant matrix."""
    v = pick(network, rng, (2, 3, 4))
    if v is None or not isinstance(_of(network, v)[-1], int):
        return None
    out = rng.choice((2, 4, 6, 8))
    return _step("linear", v, size=_of(network, v)[-1], out=out), (*_of(network, v)[:-1], out)


def scores(network: Network, rng: Random) -> Drawn:
    """A product with itself, or with another tensor that is as wide."""
    a, b = pick(network, rng, (2, 3, 4)), pick(network, rng, (2, 3, 4))
    if a is None or b is None:
        return None
    x, y = _of(network, a), _of(network, b)
    if len(x) != len(y) or x[-1] != y[-1] or x[:-2] != y[:-2]:
        return None
    return _step("scores", a, b), (*x[:-1], y[-2])


def softmax(network: Network, rng: Random) -> Drawn:
    """Along any axis."""
    v = pick(network, rng)
    return None if v is None else (_step("softmax", v, axis=rng.randrange(len(_of(network, v)))), _of(network, v))


def reduce(network: Network, rng: Random) -> Drawn:
    """A mean, sum or maximum over one axis."""
    v = pick(network, rng, (2, 3, 4, 5))
    if v is None:
        return None
    shape, keep = _of(network, v), rng.random() < 0.6
    axis = rng.randrange(len(shape))
    left = (*shape[:axis], *([1] if keep else []), *shape[axis + 1 :])
    return _step("reduce", v, function=rng.choice(("mean", "sum", "max")), axis=axis, keep=keep), left


def expand(network: Network, rng: Random) -> Drawn:
    """Repeat axes of size one up to the shape of another tensor."""
    a, b = pick(network, rng), pick(network, rng)
    if a is None or b is None or len(_of(network, a)) > len(_of(network, b)):
        return None
    x, y = _of(network, a), _of(network, b)
    padded = (1,) * (len(y) - len(x)) + x
    if not all(d in (1, e) for d, e in zip(padded, y, strict=True)):
        return None
    return _step("expand", a, target=tuple(Size(((b, i),)) for i in range(len(y)))), y


def tile(network: Network, rng: Random) -> Drawn:
    """Twice along an axis."""
    v = pick(network, rng)
    if v is None:
        return None
    shape = _of(network, v)
    axis = rng.randrange(len(shape))
    return _step("tile", v, axis=axis, rank=len(shape)), (*shape[:axis], shape[axis] * 2, *shape[axis + 1 :])


def positions(network: Network, rng: Random) -> Drawn:
    """Add the position along the last axis, counted in integers or in floats."""
    v = pick(network, rng)
    if v is None:
        return None
    return _step("positions", v, floats=rng.random() < 0.5), _of(network, v)


def pad_to_multiple(network: Network, rng: Random) -> Drawn:
    """Zeros behind an axis, up to a multiple of a number."""
    v = pick(network, rng, (1, 2, 3, 4))
    if v is None:
        return None
    shape, unit = _of(network, v), rng.choice((2, 4, 7))
    axis = rng.randrange(len(shape))
    padded = ceil_div(shape[axis], unit) * unit
    return _step("pad_to_multiple", v, axis=axis, unit=unit, rank=len(shape)), (
        *shape[:axis],
        padded,
        *shape[axis + 1 :],
    )


def norm(network: Network, rng: Random) -> Drawn:
    """A layer norm over the last axis."""
    v = pick(network, rng, (2, 3, 4))
    if v is None or not isinstance(_of(network, v)[-1], int):
        return None
    return _step("norm", v, size=_of(network, v)[-1]), _of(network, v)


def recurrent(network: Network, rng: Random) -> Drawn:
    """A layer of GRU cells over the first axis."""
    v = pick(network, rng, (3,))
    if v is None or not isinstance(_of(network, v)[2], int):
        return None
    steps, batch, size = _of(network, v)
    return _step("recurrent", v, size=size), (steps, batch, 3)


def cumsum(network: Network, rng: Random) -> Drawn:
    """Along any axis."""
    v = pick(network, rng)
    return None if v is None else (_step("cumsum", v, axis=rng.randrange(len(_of(network, v)))), _of(network, v))


def flip(network: Network, rng: Random) -> Drawn:
    """Along any axis."""
    v = pick(network, rng)
    return None if v is None else (_step("flip", v, axis=rng.randrange(len(_of(network, v)))), _of(network, v))


def pyramid(network: Network, rng: Random) -> Drawn:
    """Means over two by two positions, as large as before again, added to what they are means of."""
    v = pick(network, rng, (4,))
    if v is None or any(exact_div(d, 2) in (None, 0) for d in _of(network, v)[2:]):
        return None
    return _step("pyramid", v), _of(network, v)


def rescale(network: Network, rng: Random) -> Drawn:
    """Bilinear interpolation by a ratio."""
    v, ratio = pick(network, rng, (4,)), rng.choice((Fraction(1, 2), Fraction(3, 2), Fraction(2)))
    if v is None:
        return None
    a, b, *inner = _of(network, v)
    sizes = [d * ratio.numerator // ratio.denominator for d in inner]
    return _step("rescale", v, ratio=float(ratio)), (a, b, *sizes)


def fix_length(network: Network, rng: Random) -> Drawn:
    """Zeros behind an axis up to a number, or a cut."""
    v = pick(network, rng, (1, 2, 3, 4))
    if v is None:
        return None
    shape, size = _of(network, v), rng.choice((5, 8))
    axis = rng.randrange(len(shape))
    return _step("fix_length", v, axis=axis, size=size, rank=len(shape)), (*shape[:axis], size, *shape[axis + 1 :])


def tail(network: Network, rng: Random) -> Drawn:
    """The positions of an axis from a computed one on, which may count from the end."""
    v = pick(network, rng)
    if v is None:
        return None
    shape, back = _of(network, v), rng.choice((0, 3))
    axis = rng.randrange(len(shape))
    start = shape[axis] // 2 - back
    first = minimum(maximum(start + shape[axis] * minimum(maximum(-start, 0), 1), 0), shape[axis])
    return _step("tail", v, axis=axis, back=back), (*shape[:axis], shape[axis] - first, *shape[axis + 1 :])


def swap_halves(network: Network, rng: Random) -> Drawn:
    """Cut into equal halves, joined the other way round."""
    v = pick(network, rng)
    if v is None:
        return None
    axis = rng.randrange(len(_of(network, v)))
    if exact_div(_of(network, v)[axis], 2) in (None, 0):
        return None
    return _step("swap_halves", v, axis=axis), _of(network, v)


def causal(network: Network, rng: Random) -> Drawn:
    """What lies behind a position counts nothing."""
    v = pick(network, rng, (2, 3, 4))
    return None if v is None else (_step("causal", v), _of(network, v))


def shuffle(network: Network, rng: Random) -> Drawn:
    """Channels become positions in blocks of two by two."""
    v = pick(network, rng, (4,))
    if v is None or exact_div(_of(network, v)[1], 4) in (None, 0):
        return None
    a, b, c, d = _of(network, v)
    return _step("shuffle", v), (a, b // 4, c * 2, d * 2)


def roll(network: Network, rng: Random) -> Drawn:
    """Shift by half of an axis, around its end."""
    v = pick(network, rng)
    if v is None:
        return None
    axis = rng.randrange(len(_of(network, v)))
    return Step("roll", (v,), {"axis": axis}, (_of(network, v)[axis] // 2,)), _of(network, v)


def stateful(network: Network, rng: Random) -> Drawn:
    """A layer of GRU cells that begins with zeros as many as another tensor says."""
    v = pick(network, rng, (3,))
    if v is None or not isinstance(_of(network, v)[2], int):
        return None
    steps, batch, size = _of(network, v)
    return _step("stateful", v, size=size, batch=_read(network, batch, rng)), (steps, batch, 3)


KINDS: tuple[Propose, ...] = (
    *(
        unary,
        binary,
        binary,
        affine,
        transpose,
        transpose,
        split_axis,
        split_axis,
        join_axes,
        join_axes,
        borrow,
        borrow,
    ),
    *(
        unsqueeze,
        squeeze,
        conv,
        pool,
        upsample,
        resize_like,
        halve,
        crop,
        every_second,
        concat,
        linear,
        scores,
        softmax,
    ),
    *(reduce, expand, tile, positions, pad_to_multiple, norm, recurrent, cumsum, flip),
    *(pyramid, pyramid, rescale, fix_length, tail, swap_halves, causal, shuffle, roll, stateful),
)
