"""Damage to plain values and bytes: what the damage to every format is made of."""

from __future__ import annotations

import math
from random import Random

NUMBERS = (0, 1, -1, 2, 3, 7, 100, 255, 2**16, 2**31 - 1, 2**31, -(2**31), 2**40, 2**62, 2**63 - 1, -(2**63))
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e38, 1e300, math.inf, -math.inf, math.nan)
TEXTS = (
    "",
    "x",
    "a" * 300,
    "line\nbreak",
    "nul\0",
    "\x1b[31mred",
    "../../x",
    "/x",
    "name with spaces",
    "\N{LATIN SMALL LETTER E WITH ACUTE}\N{HIRAGANA LETTER A}",
    "<b>&\"'",
    "%s%n",
    "none",
    "-1",
)


def number(rng: Random, old: int) -> int:
    """Return another integer, near the old one or at a limit."""
    return old + rng.choice((-1, 1)) if rng.random() < 0.4 else rng.choice(NUMBERS)


def real(rng: Random, old: float) -> float:
    """Return another floating-point number."""
    return -old if rng.random() < 0.3 else rng.choice(FLOATS)


def text(rng: Random, old: str) -> str:
    """Return another text."""
    place = rng.randrange(len(old) + 1)
    match rng.randrange(4):
        case 0:
            return old[:place]
        case 1:
            return old[:place] + rng.choice(TEXTS) + old[place:]
        case _:
            return rng.choice(TEXTS)


def data(rng: Random, old: bytes) -> bytes:
    """Return other bytes: some flipped, cut off, left out, doubled, or another number in them."""
    out = bytearray(old)
    for _ in range(rng.choice((1, 1, 2, 8))):
        place = rng.randrange(len(out) + 1)
        end = min(len(out), place + rng.choice((1, 4, 16, 64)))
        match rng.randrange(6):
            case 0 if out:
                out[min(place, len(out) - 1)] ^= 1 << rng.randrange(8)
            case 1:
                del out[place:]
            case 2:
                del out[place:end]
            case 3:
                out[place:place] = out[place:end]
            case 4:
                wide = rng.choice((1, 2, 4, 8))
                out[place : place + wide] = (rng.choice(NUMBERS) % 256**wide).to_bytes(wide, "little")
            case _:
                out[place:end] = rng.randbytes(end - place)
    return bytes(out)
