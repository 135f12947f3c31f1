"""The report of a compilation: what came out, how it was got, and whether it is right. Plain data."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from nhwcc.backends.common.placement import Placement
from nhwcc.compiler.diagnostics import Remark, counted
from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Module, Port, Value
from nhwcc.compiler.ops.custom import Custom
from nhwcc.compiler.refinement import Assumption
from nhwcc.instruments import Stage
from nhwcc.passes.layout.proof import ASSIGNMENT, LayoutProof
from nhwcc.quantization.report import QuantizationReport
from nhwcc.verification import Verification

SCHEMA = 3
"""Version of the JSON form; it changes when a field goes or gets another meaning."""


@dataclass(frozen=True)
class PortReport:
    """An input or output: its type as it is stored, and its layout beside the source's.

    ``layout`` and ``source_layout`` are empty where the axes lie as in the source.
    """

    name: str
    type: str
    layout: str = ""
    source_layout: str = ""


@dataclass(frozen=True)
class PassReport:
    """A pass that ran: how long, and how often each of its rules fired."""

    name: str
    seconds: float
    fired: dict[str, int]


@dataclass(repr=False)
class Report:
    """Everything that is known after a compilation.

    ``seconds`` and ``peak_memory`` are those of this process from the start until the file was written, imports of
    libraries included; ``verification_seconds`` is what loading it, running it, and running the source took besides.

    ``requires`` says what runs the file.

    ``arena`` is how many bytes computed tensors need at the same time, where that is known. ``placement`` says which
    operators run on the device that a file is for.

    ``custom_ops`` are the operators whose kernels an application must bring; ``not_verified`` says why numbers were not
    compared although they should have been.

    ``verification`` is that of the network in floats where it was quantized; ``quantization`` says what that changed.

    ``sizes`` are what the network itself demands of sizes that its inputs leave open.

    ``signature`` is the key by which the network is called in a file that holds several, whose size ``bytes`` is.

    ``layout`` says in words what ``layout_proof`` has in numbers, and names the transposes; it is empty if no pass
    chose layouts.
    """

    source: str
    output: str | None
    target: str
    bytes: int = 0
    requires: str = ""
    inputs: list[PortReport] = field(default_factory=lambda: list[PortReport]())
    outputs: list[PortReport] = field(default_factory=lambda: list[PortReport]())
    sizes: list[Assumption] = field(default_factory=lambda: list[Assumption]())
    ops_before: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    ops_after: dict[str, int] = field(default_factory=lambda: dict[str, int]())
    transposes_before: int = 0
    transposes_after: int = 0
    layout: list[str] = field(default_factory=lambda: list[str]())
    layout_proof: LayoutProof | None = None
    passes: list[PassReport] = field(default_factory=lambda: list[PassReport]())
    remarks: list[Remark] = field(default_factory=lambda: list[Remark]())
    arena: int | None = None
    placement: Placement | None = None
    custom_ops: list[str] = field(default_factory=lambda: list[str]())
    verification: Verification | None = None
    quantization: QuantizationReport | None = None
    not_verified: str = ""
    seconds: float = 0.0
    peak_memory: int | None = None
    verification_seconds: float = 0.0
    signature: str | None = None

    @property
    def warnings(self) -> list[str]:
        """Warnings: what the user should know although the file is right; each once, however many files were tried."""
        return list(dict.fromkeys(r.text for r in self.remarks if r.kind == "warning"))

    @property
    def verdict(self) -> str:
        """How verification came out, in words: ok, not proven, differs, or not verified."""
        return "not verified" if self.verification is None else self.verification.verdict

    def __repr__(self) -> str:
        operations = f"{sum(self.ops_before.values())} -> {sum(self.ops_after.values())} operations"
        transposes = counted(self.transposes_after, "transpose")
        return f"<Report {self.source} to {self.target}: {operations}, {transposes}, {self.verdict}>"

    def _repr_html_(self) -> str:
        from nhwcc.notebook import as_html
        from nhwcc.render import render_report

        return as_html(lambda style: render_report(self, style))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it: numbers that JSON lacks are null."""
        proof = self.layout_proof
        stated = None if proof is None else {**asdict(proof), "is_proven": proof.is_proven}
        compared = None if self.verification is None else _plain(self.verification.to_dict())
        more = {"layout_proof": stated, "verification": compared, "warnings": self.warnings}
        return {"schema": SCHEMA, **_plain(asdict(self)), **more}


def count_ops(module: Module) -> dict[str, int]:
    """Count operations by name, custom ones by theirs, nested ones too; constants and returns are none."""
    ops = (op for op in module.main.walk() if not op.spec.is_terminator)
    kept = (op for op in ops if not op.results or constant(op.results[0]) is None)
    counts = Counter(op.code if isinstance(op, Custom) else op.spec.name for op in kept)
    return dict(counts.most_common())


def describe_ports(ports: Iterable[Port], values: Iterable[Value]) -> list[PortReport]:
    """Describe inputs or outputs as they are stored."""
    return [describe_port(port, str(value.type)) for port, value in zip(ports, values, strict=True)]


def describe_port(port: Port, type: str) -> PortReport:
    """Describe an input or output of a type as it is stored.

    >>> describe_port(Port("x", (0, 2, 3, 1)), "f32[1,8,8,3]")
    PortReport(name='x', type='f32[1,8,8,3]', layout='NHWC', source_layout='NCHW')
    """
    order, perm = port.order, port.perm
    if not order or perm is None:
        return PortReport(port.name, type)
    joint = "," if "," in order else ""
    words = order.split(joint) if joint else list(order)
    source = joint.join(words[perm.index(axis)] for axis in range(len(perm)))
    return PortReport(port.name, type, order, source)


def describe_layout(proof: LayoutProof | None, remarks: Iterable[Remark]) -> list[str]:
    """Say what is proven of the transposes, then name them: the two layouts between which each is, or the lowering."""
    named = [r.text for r in remarks if r.kind == "note" and (r.by == ASSIGNMENT) != ("transposes" in r.facts)]
    return [] if proof is None else [str(proof), *named]


def describe_passes(stages: Sequence[Stage]) -> list[PassReport]:
    """Describe the passes that ran: their names, how long each took, what fired."""
    return [PassReport(str(s.work), s.seconds, dict(s.fired().most_common())) for s in stages]


def _plain(value: Any) -> Any:
    """Replace what JSON can't say."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in cast(dict[Any, Any], value).items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in cast(list[Any], value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
