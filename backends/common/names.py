"""Names in files, of which no two may be the same."""

from __future__ import annotations


def unique(name: str, taken: set[str]) -> str:
    """Return a name that is not taken, and take it: the given one, or that with a number.

    >>> taken = set()
    >>> unique("x", taken), unique("x", taken), unique("x", taken)
    ('x', 'x_1', 'x_2')
    """
    found, number = name, 0
    while found in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found)
    return found
