"""Damage to protobuf messages, in terms of their descriptors: fields, not bytes."""

# protobuf's reflection is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from benchmarks.fuzzing import damage

MAX_ITEMS = 64
"""Items of one list that are looked into."""


def damaged(rng: Random, data: bytes) -> bytes:
    """Return an ONNX model with other fields; now and then with other bytes."""
    from onnx import ModelProto

    return _damaged(rng, data, ModelProto)


def damaged_graph(rng: Random, data: bytes) -> bytes:
    """Return a graph of TensorFlow with other fields; now and then with other bytes."""
    from tensorflow.core.framework.graph_pb2 import GraphDef  # pyright: ignore[reportMissingImports]

    return _damaged(rng, data, GraphDef)


def damaged_saved_model(rng: Random, data: bytes) -> bytes:
    """Return the graphs of a SavedModel with other fields; now and then with other bytes."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel  # pyright: ignore[reportMissingImports]

    return _damaged(rng, data, SavedModel)


def _damaged(rng: Random, data: bytes, kind: Any) -> bytes:
    if rng.random() < 0.1:
        return damage.data(rng, data)
    model: Any = kind.FromString(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        messages = list(_messages(model))
        _change(rng, rng.choice(messages), messages)
    return model.SerializePartialToString()


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if field.message_type is None or (_is_map(field) and _valued(field).message_type is None):
            continue
        items = list(value.values()) if _is_map(field) else value if _is_list(field) else (value,)
        for item in items[:MAX_ITEMS]:
            yield from _messages(item)


def _is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _valued(field: Any) -> Any:
    """Return the field of a map's values."""
    return field.message_type.fields_by_name["value"]


def _is_list(field: Any) -> bool:
    return bool(field.is_repeated) if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED


def _change(rng: Random, message: Any, others: list[Any]) -> None:
    """Change one field; of those that are set, mostly."""
    present = [field for field, _ in message.ListFields()]
    fields = present if present and rng.random() < 0.8 else list(message.DESCRIPTOR.fields)
    field = rng.choice(fields)
    if _is_map(field):
        _change_map(rng, _valued(field), getattr(message, field.name))
    elif _is_list(field):
        _change_list(rng, field, getattr(message, field.name), others)
    elif rng.random() < 0.2:
        message.ClearField(field.name)
    elif field.message_type is not None:
        getattr(message, field.name).CopyFrom(_another(rng, field, others))
    else:
        setattr(message, field.name, _scalar(rng, field, getattr(message, field.name)))


def _change_list(rng: Random, field: Any, items: Any, others: list[Any]) -> None:
    place = rng.randrange(len(items)) if items else 0
    match rng.randrange(5):
        case 0 if items:
            del items[place]
        case 1 if items:
            del items[place:]
        case 2 if len(items) > 1:
            kept = [_copy(item) for item in items]
            rng.shuffle(kept)
            del items[:]
            items.extend(kept)
        case 3 if items and field.message_type is None:
            items[place] = _scalar(rng, field, items[place])
        case _:
            old = items[place] if items else None
            items.append(_another(rng, field, others) if field.message_type else _scalar(rng, field, old))


def _change_map(rng: Random, field: Any, items: Any) -> None:
    """Remove an entry, put another one's value in its place, or under another name."""
    keys = sorted(items)
    if not keys:
        return
    old, key = rng.choice(keys), rng.choice(keys)
    match rng.randrange(3):
        case 0:
            del items[key]
        case 1 if isinstance(key, str):
            key = damage.text(rng, key)
            _put(items, key, items[old], field)
        case _ if field.message_type is None:
            items[key] = _scalar(rng, field, items[key])
        case _:
            _put(items, key, items[old], field)


def _put(items: Any, key: Any, value: Any, field: Any) -> None:
    if field.message_type is None:
        items[key] = value
    else:
        items[key].CopyFrom(_copy(value))


def _copy(item: Any) -> Any:
    if not hasattr(item, "CopyFrom"):
        return item
    copy = type(item)()
    copy.CopyFrom(item)
    return copy


def _another(rng: Random, field: Any, others: list[Any]) -> Any:
    """Return a copy of a message of the field's type from elsewhere in the model, an empty one if there is none."""
    found = [m for m in others if m.DESCRIPTOR is field.message_type]
    if found and rng.random() < 0.9:
        return _copy(rng.choice(found))
    from google.protobuf import message_factory

    return message_factory.GetMessageClass(field.message_type)()


def _scalar(rng: Random, field: Any, old: Any) -> Any:
    match field.cpp_type:
        case field.CPPTYPE_STRING if field.type == field.TYPE_BYTES:
            return damage.data(rng, old or b"x")
        case field.CPPTYPE_STRING:
            return damage.text(rng, old or "x")
        case field.CPPTYPE_FLOAT | field.CPPTYPE_DOUBLE:
            return damage.real(rng, old or 0.0)
        case field.CPPTYPE_ENUM:
            return rng.choice(field.enum_type.values).number
        case field.CPPTYPE_BOOL:
            return not old
        case field.CPPTYPE_UINT32 | field.CPPTYPE_UINT64:
            return damage.number(rng, old or 0) % 2**32
        case field.CPPTYPE_INT32:
            return (damage.number(rng, old or 0) + 2**31) % 2**32 - 2**31
        case _:
            return (damage.number(rng, old or 0) + 2**63) % 2**64 - 2**63
