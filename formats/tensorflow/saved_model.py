"""Opening a model: the folder of a SavedModel, a frozen graph, or the bytes of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...compiler.diagnostics import CompileError, error, reason
from ...compiler.weights import MappedFile
from ..message import Message
from ..wire import WireError
from .bundle import Bundle, read_bundle
from .model import Graph, read_graph
from .schema import binary_of, is_text
from .tensors import Dims, ElementType, Store, read_shape

GRAPH_FILE = "saved_model.pb"
"""The file in a SavedModel's folder that holds the graph."""

TEXT_FILE = "saved_model.pbtxt"
"""The file that holds it as text, in a folder without the other one."""

VARIABLES = Path("variables", "variables")
"""Where a SavedModel's folder has its variables."""

HEAD = 4096
"""Bytes that tell a text from a message."""

SERVE = "serve"
"""The tag of the graph that is meant for inference."""


@dataclass(frozen=True)
class Port:
    """An input or output of a signature: the tensor, and what is stated of it."""

    tensor: str
    element: ElementType
    dims: Dims


@dataclass(frozen=True)
class Signature:
    """Names of inputs and outputs, each with its tensor."""

    key: str
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]


@dataclass(frozen=True)
class Contents:
    """A model: its graph, its signatures, which node restores its variables, and where these lie.

    ``loading`` are the nodes that run when TensorFlow loads the model, that which restores among them.  ``path`` is the
    folder of a SavedModel, or the file of a graph.
    """

    graph: Graph
    signatures: tuple[Signature, ...] = ()
    restore: str = ""
    loading: tuple[str, ...] = ()
    path: Path | None = None
    tags: tuple[str, ...] = ()
    _bundles: list[Bundle] = field(default_factory=lambda: list[Bundle]())

    @property
    def variables(self) -> Bundle:
        """The variables of a SavedModel.

        Raises:
            CompileError: R010, they are missing or damaged; F017, a graph alone has none.
        """
        if self.path is None or not self.path.is_dir():
            help = "Freeze the graph, or give the folder of its SavedModel."
            raise error("F017", "the graph has variables, but no file holds their values", help=help)
        if not self._bundles:
            self._bundles.append(read_bundle(self.path / VARIABLES))
        return self._bundles[0]


def read_contents(source: Path | bytes) -> Contents:
    """Read a SavedModel or a graph, either of them as a message or as text.

    Raises:
        CompileError: R010, it is missing, truncated, damaged or neither of them.
    """
    if isinstance(source, bytes):
        return _parsed(source, Store(source), None)
    folder = source if source.is_dir() else source.parent if source.name in (GRAPH_FILE, TEXT_FILE) else None
    file = source if folder is None else graph_file(folder)
    try:
        store = Store(MappedFile(file))
    except OSError as bad:
        raise error("R010", f"can't read {file}: {reason(bad)}") from bad
    return _parsed(file, store, folder or file)


def graph_file(folder: Path) -> Path:
    """Return the file that holds a SavedModel's graph, as TensorFlow looks for it."""
    return folder / (TEXT_FILE if not (folder / GRAPH_FILE).exists() and (folder / TEXT_FILE).exists() else GRAPH_FILE)


def _parsed(source: Path | bytes, store: Store, path: Path | None) -> Contents:
    try:
        if is_text(bytes(store.view[:HEAD])):
            store = Store(binary_of(bytes(store.view)))
        message = Message(store.view)
        is_saved = 1 in message and _is_number(message)
        if is_saved:
            return _saved_model(message, store, path)
        return Contents(read_graph(message, store), path=path)
    except WireError as bad:
        raise _bad(source, str(bad)) from bad


def _is_number(message: Message) -> bool:
    """Whether the first field is the version of a SavedModel, not a node of a graph."""
    try:
        return message.unsigned(1) > 0
    except WireError:
        return False


def _bad(source: Path | bytes, why: str) -> CompileError:
    what = "the model" if isinstance(source, bytes) else str(source)
    return error("R010", f"{what} is damaged or incomplete: {why}", help="Export or download it again.")


def _saved_model(message: Message, store: Store, path: Path | None) -> Contents:
    found = [(m, _tags(m)) for m in message.messages(2)]
    if not found:
        raise WireError("it holds no graph")
    chosen, tags = next(((m, tags) for m, tags in found if SERVE in tags), found[0])
    graph = chosen.message(2)
    if graph is None:
        raise WireError("it holds no graph")
    saver = chosen.message(3)
    restore = "" if saver is None else saver.text(3)
    return Contents(
        read_graph(graph, store),
        _signatures(chosen),
        restore,
        (restore, *_started(chosen)),
        path,
        tuple(tags),
    )


def _tags(message: Message) -> Sequence[str]:
    info = message.message(1)
    return () if info is None else info.strings(4)


INTERNAL = "__saved_model_init_op"
"""The signature that says what runs when a model is loaded."""


STARTED = ("saved_model_main_op", "legacy_init_op")
"""Collections of nodes that run when a model is loaded."""


def _started(message: Message) -> list[str]:
    """Return the nodes that run when a model is loaded, once its variables are restored."""
    named = [nodes for key, nodes in message.entries(4) if key in STARTED]
    listed = [name for nodes in named if (found := nodes.message(1)) is not None for name in found.strings(1)]
    signatures = [signature for key, signature in message.entries(5) if key == INTERNAL]
    return [*listed, *(port.tensor for s in signatures for port in _ports(s, 2).values())]


def _signatures(message: Message) -> tuple[Signature, ...]:
    return tuple(
        Signature(key, _ports(signature, 1), _ports(signature, 2))
        for key, signature in sorted(message.entries(5), key=_place)
        if key != INTERNAL
    )


def _place(entry: tuple[str, Message]) -> tuple[bool, str]:
    """What sorts signatures: that of serving comes first."""
    return entry[0] != "serving_default", entry[0]


def _ports(signature: Message, number: int) -> dict[str, Port]:
    found = {
        name: Port(info.text(1), ElementType(info.unsigned(2)), read_shape(info.message(3)))
        for name, info in signature.entries(number)
    }
    return dict(sorted(found.items()))
