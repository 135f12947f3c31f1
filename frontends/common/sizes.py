"""Sizes that are unknown when compiling: their names, the user's numbers for them, shapes that the user gives."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ...compiler.diagnostics import counted, did_you_mean, error
from ...compiler.dims import Dim, is_data_name, symbol


class Sizes:
    """Hands out identifiers for sizes: one per name in the model, and new ones for sizes without a name.

    Those in ``fixed``, by the model's name or by the identifier, are numbers.
    """

    def __init__(self, fixed: Mapping[str, int] | None = None) -> None:
        self._fixed = dict(fixed or {})
        self._known: dict[str, Dim] = {}
        self._taken: set[str] = set()
        self._used: set[str] = set()
        self._count: Counter[str] = Counter()

    def named(self, name: str) -> Dim:
        """Return the size that the model or the user calls ``name``; one that was fixed is a number.

        >>> Sizes().named("batch size")
        batch_size
        """
        if name not in self._known:
            base = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "d"
            if base[0].isdigit() or keyword.iskeyword(base) or is_data_name(base):
                base = f"d_{base}"
            text, n = base, 1
            while text in self._taken:
                text, n = f"{base}_{n}", n + 1
            self._taken.add(text)
            self._known[name] = self._dim(text, name)
        return self._known[name]

    def fresh(self, prefix: str = "d") -> Dim:
        """Return a size with a name that is not in use."""
        while (text := f"{prefix}{self._count[prefix]}") in self._taken:
            self._count[prefix] += 1
        self._taken.add(text)
        return self._dim(text, text)

    def _dim(self, text: str, name: str) -> Dim:
        chosen = next((n for n in (name, text) if n in self._fixed), None)
        if chosen is None:
            return symbol(text)
        self._used.add(chosen)
        return self._fixed[chosen]

    def check(self) -> None:
        """Refuse numbers for sizes that no input has.

        Raises:
            CompileError: F018.
        """
        for name in self._fixed:
            if name not in self._used:
                known = sorted({*self._known, *self._taken})
                help = did_you_mean(name, known) or f"Sizes with a name are: {', '.join(known) or 'none'}."
                raise error("F018", f"shapes: there is no input {name!r}, and no size of this name is open", help=help)

    def fix(self, name: str, size: Dim) -> None:
        """Let all sizes that the model calls ``name`` be ``size``."""
        self._known[name] = size


Stated: TypeAlias = "tuple[int | str | None, ...] | None"
"""Sizes as they are stated: None for one that nobody knows, and for all if not even their number is known."""


def known_size(stated: int | str | None) -> int | str | None:
    """Return a stated size, None if it says nothing."""
    is_known = stated.strip(" ?") != "" if isinstance(stated, str) else stated is not None and stated > 0
    return stated if is_known else None


def given_shape(name: str, shape: Sequence[int | str], model: Stated) -> Stated:
    """Check a shape that the user gives for an input, and return it."""
    if model is not None and len(model) != len(shape):
        axes = counted(len(shape), "axis", "axes")
        raise error("F019", f"the shape given for {name!r} has {axes}, but the model declares {len(model)}")
    for d in shape:
        if not isinstance(d, str) and d < 0:
            help = "Give a number, or a name for a size that is left open."
            raise error("F019", f"the shape given for {name!r} has a size of {d}", help=help)
    return tuple(d if not isinstance(d, str) else d.strip(" ?") or None for d in shape)


def replaced_names(model: Mapping[str, Stated], stated: Mapping[str, Stated]) -> dict[str, set[int]]:
    """Collect the numbers that the user gives for the model's names of sizes."""
    found: dict[str, set[int]] = {}
    for name, dims in model.items():
        for d, e in zip(dims or (), stated[name] or (), strict=False):
            if isinstance(d, str) and isinstance(e, int):
                found.setdefault(d, set()).add(e)
    return found
