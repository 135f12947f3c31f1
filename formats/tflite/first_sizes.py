"""Numbers that a file states where sizes are open, for applications that prepare it before they say their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...compiler.dims import Shape, Sym, static, substitute

DOUBLINGS = 12
"""How often a size is doubled before it is given up."""


def first_sizes(shapes: Iterable[Shape]) -> dict[str, int]:
    """Return a number for every name: as small a power of two as leaves no tensor empty, one where none does.

    Runtimes refuse convolutions that leave nothing.

    >>> from nhwcc.compiler.dims import symbol
    >>> first_sizes([(symbol("n"), symbol("h")), (symbol("n"), symbol("h") - 4)])
    {'h': 8, 'n': 1}
    """
    dims = {d for shape in shapes for d in shape if isinstance(d, Sym)}
    names = sorted({name for d in dims for name in d.names})
    sizes = dict.fromkeys(names, 1)
    for _ in range(DOUBLINGS):
        short = {name for d in dims if _is_empty(d, sizes) for name in d.names}
        if not short:
            return sizes
        sizes |= {name: 2 * sizes[name] for name in short}
    return dict.fromkeys(names, 1)


def with_first(shape: Shape, sizes: Mapping[str, int]) -> list[int]:
    """Return a shape with these numbers for its open sizes, one where that is too small.

    >>> from nhwcc.compiler.dims import symbol
    >>> with_first((0, symbol("h"), symbol("h") - 4), {"h": 2})
    [0, 2, 1]
    """
    numbers = static(substitute(shape, sizes))
    return [max(n, 1) if isinstance(d, Sym) else n for d, n in zip(shape, numbers, strict=True)]


def _is_empty(d: Sym, sizes: Mapping[str, int]) -> bool:
    size = substitute(d, sizes)
    return isinstance(size, int) and size < 1
