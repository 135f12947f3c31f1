"""Exported programs in files (.pt2), read so that no code in them runs.

``torch.export.load`` takes a file for part of the program that reads it: it unpickles, evaluates formulas of sizes,
imports what a tree of arguments names, calls any function of Python's below ``torch``, and pastes names into a text
that is run.  What a plain program needs of this is checked here, and what none needs is left out of what PyTorch reads.
"""

from __future__ import annotations

import io
import json
import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch._ops import HigherOrderOperator, OpOverload

from ...compiler.diagnostics import CompileError, error
from .archives import Archive
from .formulas import is_formula
from .refusals import REFUSALS, first_lines

TRUST = "If you trust the file, say --unsafe-load (unsafe_load=True)."

_Json = Any

GRAPHS = ("models/model.json", "serialized_exported_program.json")
"""The record with the graph, since PyTorch 2.8 and before."""

_FRAME = ("archive_format", "archive_version", "byteorder", "version", ".data/version", ".data/serialization_id")
"""What says how an archive is to be read."""

_TENSORS = ("data/weights/weight_", "data/constants/tensor_")
"""How the names of records begin that are the bytes of a tensor."""

_CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_PICKLES = ("data/weights/model.pt", "data/constants/model.pt", "data/sample_inputs/model.pt")
_OLD_PICKLES = tuple(
    f"serialized_{what}.{suffix}" for what in ("state_dict", "constants", "example_inputs") for suffix in ("pt", "json")
)[:-1]

_NAMES = frozenset({"name", "as_name", "forward_arg_names"})
"""Fields that are pasted into the text of a function."""

_TENSOR_NAMES = re.compile(r"[^\"'\\\x00-\x1f]*")
"""What a tensor may be called: these names stand between quotes there."""

_SIZES = re.compile(
    r"_operator\.(add|and_|eq|floordiv|ge|getitem|gt|invert|le|lshift|lt|mod|mul|ne|neg|not_|or_|pos|pow|rshift|sub|truediv)"
    r"|math\.[a-z]\w*|torch\._?sym_\w+"
)
"""Functions of Python and of PyTorch that compute with sizes."""

_FORBIDDEN = frozenset({"aten.from_file", "aten.save", "debugprims"})
"""Operators, or all of a namespace, that read or write files."""

_FACTORIES = frozenset({"dict", "float", "int", "list", "set", "str", "tuple"})
_METADATA = ("nn_module_stack", "stack_trace")
"""What a node tells of itself that nhwcc reads."""


def is_program(archive: Archive) -> bool:
    """Say whether an archive holds a program of torch.export, by the names of its files."""
    return any(n == "archive_format" or n in GRAPHS or n.startswith("models/") for n in archive)


def harmless(path: Path, archive: Archive) -> Mapping[str, bytes | None]:
    """Return the records of a program that PyTorch may read, as they are (None) or as they have to be changed.

    Raises:
        CompileError: F038, PyTorch would run code that is in it.
        KeyError, ValueError: it is damaged.
    """
    return _Check(path, archive).records()


class _Check:
    def __init__(self, path: Path, archive: Archive) -> None:
        self.path = path
        self.archive = archive

    def records(self) -> dict[str, bytes | None]:
        """Check what the archive holds."""
        graph = GRAPHS[0] if GRAPHS[0] in self.archive else GRAPHS[1]
        found: dict[str, bytes | None] = dict.fromkeys(n for n in self.archive if n in _FRAME)
        for name in self.archive:
            if name in _CONFIGS:
                self._config(name)
            elif name in _PICKLES or name in _OLD_PICKLES:
                self._pickle(name)
            elif not name.startswith(_TENSORS):
                continue
            found[name] = None
        found[graph] = self._graph(graph)
        return found

    def _config(self, name: str) -> None:
        """Check a table of tensors: each is a record of bytes."""
        table = json.loads(self.archive.read(name))
        self._walk(table)
        for tensor, entry in table["config"].items():
            if entry["use_pickle"] or not str(entry["path_name"]).startswith(("weight_", "tensor_")):
                raise self._code(f"{tensor} is an object that is pickled")

    def _pickle(self, name: str) -> None:
        """Check that PyTorch reads a record by the unpickler that makes tensors only: if not, it takes Python's."""
        content = self.archive.read(name)
        try:
            if content:
                torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as bad:
            called = re.search(r"GLOBAL ([\w.]+)", str(bad))
            raise self._code(f"its record {name} is pickled code{f' ({called[1]})' if called else ''}") from bad
        except (*REFUSALS, EOFError, OSError) as bad:
            raise self._code(f"its record {name} can't be read as tensors: {first_lines(bad)}") from bad

    def _graph(self, name: str) -> bytes:
        """Check the graph, and leave out what is evaluated and tells nothing about what is computed."""
        program: dict[str, _Json] = json.loads(self.archive.read(name))
        program["guards_code"] = []
        module = program["graph_module"]
        module["metadata"] = {}
        module["treespec_namedtuple_fields"] = {}
        module["module_call_graph"] = [c for c in module["module_call_graph"] if c["fqn"] == ""]
        self._walk(program)
        for call in module["module_call_graph"]:
            self._tree(call["signature"]["in_spec"], is_signature=True)
            self._tree(call["signature"]["out_spec"], is_signature=False)
        return json.dumps(program).encode()

    def _walk(self, value: _Json) -> None:
        """Check all fields of a message."""
        waiting = [value]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                fields = cast(dict[str, _Json], value)
                if isinstance(fields.get("metadata"), dict):
                    fields["metadata"] = {k: fields["metadata"][k] for k in _METADATA if k in fields["metadata"]}
                for key, content in fields.items():
                    self._field(key, content)
                waiting += fields.values()
            elif isinstance(value, list):
                waiting += cast(list[_Json], value)

    def _field(self, key: str, content: _Json) -> None:
        if isinstance(content, dict):
            if key == "custom_obj":
                raise self._code("it has objects of classes of its own")
            return  # and its fields are looked at, whatever a table calls them
        if key == "expr_str" and not (isinstance(content, str) and is_formula(content)):
            raise self._code(f"it evaluates {_short(content)}")
        names = cast(list[_Json], content if isinstance(content, list) else [content])
        if key in _NAMES and not all(map(_is_name, names)):
            raise self._code(f"it has a name that is none: {_short(content)}")
        if key.endswith("_name") and key != "as_name" and not _TENSOR_NAMES.fullmatch(str(cast(object, content))):
            raise self._code(f"it has a name that is none: {_short(content)}")
        if key in ("target", "as_operator") and not _is_operator(content):
            raise self._code(f"it calls {_short(content)}, which is not an operator of PyTorch")

    def _tree(self, text: str, *, is_signature: bool) -> None:
        """Check how arguments or results are nested."""
        _, tree = json.loads(text)
        if is_signature and len(tree["children_spec"]) == 2:
            named = _decoded(tree["children_spec"][1]["context"])
            if isinstance(named, list) and not all(map(_is_name, cast(list[_Json], named))):
                raise self._code("it has an argument's name that is none")
        for kind, context in _nodes(tree):
            if _has_enum(context) or (kind == "collections.defaultdict" and not _is_plain_default(context)):
                raise self._code(f"it imports what {_short(context)} names")

    def _code(self, what: str) -> CompileError:
        return error("F038", f"to read {self.path} would run code that is in it: {what}", help=TRUST)


def _short(text: _Json) -> str:
    shown = repr(text)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _is_name(text: _Json) -> bool:
    return text is None or text == "" or (isinstance(text, str) and text.isidentifier())


def _is_operator(text: _Json) -> bool:
    """Say whether a target is an operator of PyTorch or of sizes; what nothing declares is for PyTorch to refuse."""
    if not isinstance(text, str):
        return False
    if _SIZES.fullmatch(text):
        return True
    path = re.fullmatch(r"torch\.ops\.(\w+)\.(\w+)(?:\.(\w+))?", text)
    if path is None or path[1] in _FORBIDDEN or f"{path[1]}.{path[2]}" in _FORBIDDEN:
        return False
    found: Any = torch.ops
    for part in (part for part in path.groups() if part is not None):
        if not hasattr(found, part):
            return True
        found = getattr(found, part)
    return isinstance(found, OpOverload | HigherOrderOperator)


def _decoded(context: _Json) -> _Json:
    """Return what a node says, as PyTorch reads it: most kinds write JSON into the JSON."""
    try:
        return json.loads(context) if isinstance(context, str) else context
    except ValueError:
        return context


def _nodes(tree: _Json) -> Iterator[tuple[_Json, _Json]]:
    """Yield the type of every node of a tree, and what it says besides."""
    yield tree["type"], _decoded(tree["context"])
    for child in tree["children_spec"]:
        yield from _nodes(child)


def _is_plain_default(context: _Json) -> bool:
    """Say whether what a dictionary makes by default is an empty value of one of Python's own types."""
    return context["default_factory_module"] == "builtins" and context["default_factory_name"] in _FACTORIES


def _has_enum(context: _Json) -> bool:
    """Say whether a value names a class that would be imported."""
    if isinstance(context, dict):
        inner = cast(dict[str, _Json], context)
        return "__enum__" in inner or any(map(_has_enum, inner.values()))
    return isinstance(context, list) and any(map(_has_enum, cast(list[_Json], context)))
