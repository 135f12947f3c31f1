"""Damage to texts: IR, rules, Python files."""

from __future__ import annotations

import re
from random import Random

from benchmarks.fuzzing import damage

TOKEN = re.compile(r"\s+|[A-Za-z_][\w.]*|-?\d+(?:\.\d+)?|\"[^\"\n]*\"|%[\w.]+|.", re.DOTALL)
EXTRA = (
    "none",
    "null",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "f32[]",
    "i64[2,3]",
    "'",
    '"',
    "dense<",
    "@",
    "inf",
    "nan",
    "=>",
    "//",
)


def damaged(rng: Random, data: bytes) -> bytes:
    """Return a text with other tokens and lines; now and then with bytes that are not UTF-8."""
    if rng.random() < 0.1:
        return damage.data(rng, data)
    text = data.decode("utf-8")
    for _ in range(rng.choice((1, 1, 2, 3))):
        text = _lines(rng, text) if rng.random() < 0.25 else _tokens(rng, text)
    return text.encode("utf-8", "surrogatepass")


def _lines(rng: Random, text: str) -> str:
    lines = text.splitlines(keepends=True)
    place, other = rng.randrange(len(lines) + 1), rng.randrange(len(lines) + 1)
    moved = lines[place : place + rng.choice((1, 2, 5))]
    if rng.random() < 0.5:
        del lines[place : place + len(moved)]
    if rng.random() < 0.7:
        lines[other:other] = moved
    return "".join(lines)


def _tokens(rng: Random, text: str) -> str:
    found = TOKEN.findall(text)
    solid = [i for i, token in enumerate(found) if token.strip()] or [0]
    if not found:
        return rng.choice(EXTRA)
    place = rng.choice(solid)
    token = found[place]
    match rng.randrange(5):
        case 0:
            found[place] = ""
        case 1:
            found[place] = found[rng.choice(solid)]
        case 2:
            found[place] = token + " " + rng.choice(EXTRA)
        case 3:
            found[place] = str(damage.number(rng, int(token))) if token.lstrip("-").isdigit() else rng.choice(EXTRA)
        case _:
            quoted = token.startswith('"')
            found[place] = f'"{damage.text(rng, token[1:-1])}"' if quoted else damage.text(rng, token)
    return "".join(found)
