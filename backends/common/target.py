"""A target: everything that the compiler knows of what will run a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from ...compiler.diagnostics import Diagnostic
from ...compiler.ir import Func, Module, Op
from ...compiler.lowering import Limits, Lowerings
from ...compiler.ops.quantize import RoundDynamic
from ...compiler.ops.shape import Transpose
from ...compiler.options import MODES, Channels, DataType, QuantizationMode, Strategy
from ...compiler.rewrite import Pattern
from ...compiler.scales import IntegerKernels
from ...compiler.weights import Weight
from .placement import Placement
from .table import Table

ArtifactKind: TypeAlias = Literal["file", "pair", "folder"]
"""What a network is on disk: a file, a file with others beside it that begin with its name, or a folder."""


@dataclass(frozen=True)
class Emitted:
    """What was written: how often each kernel is used, the size, and what must be there to run it.

    ``custom_ops`` are those of the operators whose kernels an application must bring.
    """

    path: Path
    ops: Counter[str]
    bytes: int
    requires: str
    custom_ops: tuple[str, ...] = ()


class Prepare(Protocol):
    """What is done to a whole module before operations are lowered one by one."""

    def __call__(self, target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
        """Rewrite in place; ``rnn`` says how recurrent layers shall run.  Return what makes it impossible."""
        ...


def prepare_nothing(target: Target, module: Module, *, rnn: Strategy) -> list[Diagnostic]:
    """Leave a module as it is: for targets that prepare nothing."""
    del target, module, rnn
    return []


class Emit(Protocol):
    """What writes a module whose operations are all legal."""

    def __call__(self, module: Module, path: Path, *, metadata: Mapping[str, bytes] | None = None) -> Emitted:
        """Write the main function.

        Raises:
            CompileError: it can't be written.
        """
        ...


class EmitStates(Protocol):
    """What writes a module some of whose inputs and outputs are states, which the file keeps from call to call."""

    def __call__(
        self,
        states: Mapping[str, Weight],
        module: Module,
        path: Path,
        *,
        metadata: Mapping[str, bytes] | None = None,
    ) -> Emitted:
        """Write the main function; ``states`` are what the states hold before the first call, by their names.

        Raises:
            CompileError: it can't be written.
        """
        ...


class EmitSignatures(Protocol):
    """What writes several modules into one file, where each is called by a key."""

    def __call__(
        self,
        modules: Mapping[str, Module],
        path: Path,
        *,
        metadata: Mapping[str, bytes] | None = None,
    ) -> Emitted:
        """Write the main function of each module under its key; weights that are equal are stored once.

        Raises:
            CompileError: it can't be written.
        """
        ...


class Unstorable(Protocol):
    """What looks for values that no file of the target can hold."""

    def __call__(self, func: Func) -> Iterable[Diagnostic]:
        """Return a diagnostic for each kind of them."""
        ...


def all_storable(func: Func) -> Iterable[Diagnostic]:
    """Find no type that files can't hold: for targets that can store all."""
    del func
    return ()


@dataclass(frozen=True, eq=False)
class Target:
    """What runs a network, and how a network becomes what it runs.

    ``name`` is what users say, ``title`` what messages call it, ``suffix`` how its files end. ``table`` says which
    operations it runs, ``lowerings`` how others become such; of several owners the first is tried first. ``channels``
    is where its convolutions want them. ``pipeline`` are the passes between import and ``emit``. ``unstorable`` looks
    for what no file can hold. ``runner`` is the module that runs its files; it has ``start``, ``open_file`` and
    ``in_process``. ``integers`` says what its kernels on integers demand. ``artifact`` says whether a network is one
    file, one with others beside it, or a folder; ``companion`` is how the other one of a pair ends in place of
    ``suffix``, where there is always one.
    Where a format has versions, ``at`` gives the target that goes up to one of them, and ``version`` is the one that
    this target goes up to; without it, to the newest. Where files can store constants in fewer bits than are computed
    with, ``storing`` gives the target whose files do; where they can have variables, ``with_variables`` gives the
    target that writes weights as such; where they can keep states, ``emit_states`` does; where a file holds several
    networks, each called by a key, ``emit_signatures`` writes them.
    A device has the table of a processor as ``fallback``, which runs what it can't run itself, unless ``runs_alone``;
    one that computes with integers ``only_integers``. ``modes`` are the ways to quantize that kernels know. ``place``
    says of a file which operators run where, ``arena`` how many bytes its computed tensors need at the same time.
    """

    name: str
    title: str
    suffix: str
    table: Table[Any]
    lowerings: tuple[Lowerings, ...]
    limits: Limits
    channels: Channels
    pipeline: str
    emit: Emit
    runner: str
    prepare: Prepare = prepare_nothing
    unstorable: Unstorable = all_storable
    artifact: ArtifactKind = "file"
    companion: str | None = None
    integers: IntegerKernels | None = None
    version: int | None = None
    at: Callable[[int], Target] | None = None
    with_variables: Callable[[], Target] | None = None
    emit_states: EmitStates | None = None
    emit_signatures: EmitSignatures | None = None
    storing: Callable[[DataType], Target] | None = None
    fallback: Table[Any] | None = None
    runs_alone: bool = False
    place: Callable[[Path], Placement] | None = None
    arena: Callable[[Path], int | None] | None = None
    only_integers: bool = False
    modes: frozenset[QuantizationMode] = MODES

    def is_legal(self, op: Op) -> bool:
        """Say whether an operation is run as it is."""
        return self.table.is_legal(op)

    def is_left(self, op: Op) -> bool:
        """Say whether an operation runs in no way, not even beside the device if there is something."""
        return not self.is_legal(op) and (self.fallback is None or not self.fallback.is_legal(op))

    def __reduce__(self) -> tuple[Callable[[str, int | None], Target], tuple[str, int | None]]:
        """Another process has the same targets: a name and a version are enough."""
        from ..registry import find_target

        return find_target, (self.name, self.version)

    @property
    def rounds(self) -> bool:
        """Whether its kernels round what they multiply by weights of 8 bits; those of devices are not relied on."""
        return RoundDynamic in self.table.rows and self.place is None

    @property
    def transpose(self) -> str:
        """The operator that transposes in the target's files, whose number reports count."""
        rows = self.table.rows.get(Transpose, ())
        return rows[0].kernel if rows else Transpose.spec.name

    def preparations(self) -> list[Pattern]:
        """Return the rewrites that go over the whole module before the others start."""
        return [p.bind(self) for owner in self.lowerings for p in owner.preparations]

    def patterns(self) -> list[Pattern]:
        """Return all rewrites, in the order in which they are tried."""
        return [p.bind(self) for owner in self.lowerings for p in owner.patterns]
