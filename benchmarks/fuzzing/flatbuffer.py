"""Damage to TFLite files, in terms of the schema's objects, and to the texts in their metadata."""

# the schema's generated code is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from benchmarks.fuzzing import damage

CUT = 1 << 16
"""Where metadata is cut off when it is read: one longer than that is no longer what it was."""

objects: Any = schema


def damaged(rng: Random, data: bytes) -> bytes:
    """Return a TFLite file with other fields, other metadata, or other bytes."""
    chance = rng.random()
    if chance < 0.4:
        return damage.data(rng, data)
    model = objects.ModelT.InitFromPackedBuf(data, 0)
    if chance < 0.6 and model.metadata:
        _metadata(rng, model)
    else:
        places = list(_fields(model))
        for _ in range(rng.choice((1, 1, 2, 4))):
            owner, name = rng.choice(places)
            setattr(owner, name, _other(rng, getattr(owner, name)))
    try:
        return packed(model)
    except (TypeError, AttributeError, struct.error, OverflowError, ValueError):
        return damage.data(rng, data)  # what the generated code can't write at all


def packed(model: Any) -> bytes:
    """Return the bytes of a model."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _metadata(rng: Random, model: Any) -> None:
    buffer = model.buffers[rng.choice(model.metadata).buffer]
    old = bytes(bytearray(buffer.data)) if buffer.data is not None else b""
    match rng.randrange(4):
        case 0:
            new = old + b" " * CUT + old
        case 1:
            new = old[: rng.randrange(len(old) + 1)]
        case 2:
            new = rng.choice((b"[]", b"1", b"null", b'{"": {}}', b"[" * 5000, b'{"a":1}', b"\xff\xfe"))
        case _:
            new = damage.data(rng, old)
    buffer.data = np.frombuffer(new, np.uint8)


def _fields(item: Any) -> Iterator[tuple[Any, str]]:
    """Yield every field of every object: who has it, and its name."""
    for name, value in vars(item).items():
        yield item, name
        for inner in value[:64] if isinstance(value, list) else (value,):
            if hasattr(inner, "__dict__") and type(inner).__name__.endswith("T"):
                yield from _fields(inner)


def _other(rng: Random, value: Any) -> Any:
    """Return another value of the same type, or none."""
    if rng.random() < 0.15:
        return None
    match value:
        case bool():
            return not value
        case int():
            return (damage.number(rng, value) + 2**31) % 2**32 - 2**31
        case float():
            return damage.real(rng, value)
        case bytes():
            return damage.data(rng, value)
        case np.ndarray():
            return np.frombuffer(damage.data(rng, value.tobytes())[: value.nbytes // 4 * 4], np.uint8).view(np.uint8)
        case list() if value:
            place = rng.randrange(len(value))
            return rng.choice(
                (value[:place], value[place:], value + value[place:], [*value[:place], *value[place + 1 :]])
            )
        case _:
            return value
