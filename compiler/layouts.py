"""Layouts of inputs and outputs in words: which words there are, and which permutation of axes each one is."""

from __future__ import annotations

from dataclasses import dataclass

from .diagnostics import CompileError, did_you_mean, error

GENERAL = ("free", "keep", "nhwc", "nchw")
"""Words that hold for tensors of any rank."""

SPATIAL = {2: ("",), 3: ("w", "l", "t"), 4: ("hw",), 5: ("dhw", "thw")}
"""Letters of the axes besides batch and channels, by rank."""

ELSEWHERE = {"channels_last": "nhwc", "channels_first": "nchw", "source": "keep", "original": "keep", "auto": "free"}
"""What other tools call a layout."""


def letters_of(rank: int, *, last: bool = False) -> str:
    """Return what the axes of images, signals and volumes are called, nothing for other ranks.

    >>> letters_of(4), letters_of(4, last=True), letters_of(2)
    ('NCHW', 'NHWC', '')
    """
    if rank not in SPATIAL or rank < 3:
        return ""
    spatial = (SPATIAL[rank][0] or "").upper()
    return f"N{spatial}C" if last else f"NC{spatial}"


@dataclass(frozen=True)
class Layouts:
    """What is asked for: one word for all inputs and outputs, others for some by name."""

    default: str
    named: dict[str, str]


def words(rank: int) -> list[str]:
    """Return the words that name an order of this many axes.

    >>> words(4)
    ['nchw', 'nhwc']
    """
    orders = (order for s in SPATIAL.get(rank, ()) for order in (f"nc{s}", f"n{s}c"))
    return list(dict.fromkeys(orders))


def choices(rank: int) -> str:
    """Say what can be asked of a tensor with this many axes.

    >>> choices(3)
    'free, keep, ncw, nwc, ncl, nlc, nct, ntc, or axis numbers such as 0/2/1'
    """
    example = "/".join(map(str, (0, *range(2, rank), 1) if rank > 1 else range(rank)))
    numbers = [f"or axis numbers such as {example}"] if rank else []
    return ", ".join(["free", "keep", *words(rank), *numbers])


def parse_io_layout(text: str) -> Layouts:
    """Read ``nhwc`` or ``NAME=nchw;NAME=0/2/1``, also mixed.

    Raises:
        CompileError: L005, a word is not a layout, or two are given for the same tensors.
    """
    default: str | None = None
    named: dict[str, str] = {}
    for part in (p.strip() for p in text.replace(",", ";").split(";") if p.strip()):
        name, equals, word = part.rpartition("=")
        layout = word.strip().lower()
        _check_word(layout, part)
        if layout != (named.get(name, layout) if equals else default or layout):
            whom = repr(name) if equals else "all inputs and outputs"
            raise error("L005", f"two layouts are asked for {whom}", help="give one of them")
        if equals:
            named[name.strip()] = layout
        else:
            default = layout
    return Layouts(default or "free", named)


def _check_word(layout: str, part: str) -> None:
    """Refuse what names no order of axes at any rank.

    Raises:
        CompileError: L005.
    """
    if layout in GENERAL or any(layout in words(rank) for rank in SPATIAL) or _numbers(layout) is not None:
        return
    raise error("L005", f"{part!r} is not a layout", help=_advice(layout, part))


def _advice(layout: str, part: str) -> str:
    known = [*GENERAL, *(w for rank in SPATIAL for w in words(rank))]
    name, separator, word = part.partition(":")
    if separator and word.strip().lower() in known:
        return f"write {name}={word}"
    if layout.replace("/", "").isdigit():
        return "axis numbers are written with slashes, each axis once: 0/2/3/1"
    same_letters = [w for w in known if sorted(w) == sorted(layout)]
    there = f"there are {', '.join(GENERAL)} and, by name, NAME=nchw, NAME=nwc or NAME=0/2/1"
    meant = ELSEWHERE.get(layout.replace("-", "_"))
    similar = f"did you mean {meant!r}?" if meant else did_you_mean(layout, same_letters or known)
    return f"{similar} T{there[1:]}." if similar else there


def _numbers(layout: str) -> tuple[int, ...] | None:
    """Read ``0/2/1``; None if it is not a permutation."""
    parts = layout.split("/")
    if not all(p.isascii() and p.isdigit() for p in parts):
        return None
    perm = tuple(map(int, parts))
    return perm if sorted(perm) == list(range(len(perm))) else None


def layout_perm(layout: str, rank: int, axes: str = "") -> tuple[int, ...] | None:
    """Return which source axis lies where; None if the word does not fit the rank.

    ``axes`` are the letters of the source's axes, by default with the channels first.

    >>> layout_perm("nhwc", 4), layout_perm("0/2/1", 3), layout_perm("keep", 2), layout_perm("nhwc", 3)
    ((0, 2, 3, 1), (0, 2, 1), (0, 1), None)
    >>> layout_perm("nhwc", 4, "NHWC"), layout_perm("nchw", 4, "NHWC")
    ((0, 1, 2, 3), (0, 3, 1, 2))
    """
    if layout == "keep":
        return tuple(range(rank))
    if layout in words(rank):
        return _channels_to(rank, axes, last=layout.endswith("c") and rank > 1)
    perm = _numbers(layout)
    return perm if perm is not None and len(perm) == rank else None


def _channels_to(rank: int, axes: str, *, last: bool) -> tuple[int, ...]:
    """Return the permutation that puts channels last or first, wherever the source has them."""
    if axes.endswith("C") == last:
        return tuple(range(rank))
    return (0, *range(2, rank), 1) if last else (0, rank - 1, *range(1, rank - 1))


def general_perm(layout: str, rank: int, axes: str = "") -> tuple[int, ...]:
    """Return which source axis lies where if a word is meant for all tensors; those that it does not fit are kept.

    >>> general_perm("nhwc", 3), general_perm("nhwc", 2), general_perm("nwc", 4)
    ((0, 2, 1), (0, 1), (0, 1, 2, 3))
    """
    if layout == "nhwc" and rank > 2:
        return _channels_to(rank, axes, last=True)
    return layout_perm(layout, rank, axes) or tuple(range(rank))


def does_not_fit(name: str, type: str, layout: str, rank: int) -> CompileError:
    """Build the error for a layout that a tensor can't have."""
    return error("L005", f"{name} is {type}: layout {layout!r} does not fit", help=f"there are {choices(rank)}")
