"""The sections of a page that are tables: what a report says, in the order in which it matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nhwcc.numerics import Status
from nhwcc.page.drawings import largest
from nhwcc.page.html import Html, element, section, table, text
from nhwcc.page.network import Network
from nhwcc.quantization.report import QuantizationReport
from nhwcc.render import VERDICTS, human_bytes
from nhwcc.report import Report
from nhwcc.verification import Compared, Verification

SHOWN = 30
"""Rows of a table of tensors."""

CERTIFICATE = """nhwcc chooses the layout of all tensors at once: a transpose stands wherever two layouts meet, and
costs the bytes that it moves. That is an integer programme, and a solver gives both an assignment and a bound that no
assignment can go below. Where the two are equal, the choice is proven: no other choice of layouts needs transposes of
fewer bytes. What lowerings add afterwards is counted apart, and nothing is proven of it."""


def sections(report: Report, network: Network) -> Iterator[Html]:
    """Yield the sections of the page about one output file: numbers, layouts, quantization, passes."""
    if report.verification is not None:
        yield section("Numbers", *_numbers(report.verification))
    yield section("Layouts", *_layouts(report))
    if report.quantization is not None:
        yield section("Quantization", *_quantization(report.quantization))
    rows = [(op.kind, ", ".join(op.tensors), op.detail, human_bytes(op.bytes or 0)) for op in largest(network, SHOWN)]
    yield section("The largest tensors", table(("operation", "tensor", "type", "size"), rows, numbers=[3]))
    fired = [(p.name, f"{p.seconds:.3f} s", _fired(p.fired)) for p in report.passes]
    yield section("Passes", table(("pass", "time", "rewrites that fired"), fired, numbers=[1]))


def summary(report: Report) -> Html:
    """Return the table at the top of the page: source, file, operations, transposes, verdict, time."""
    before, after = sum(report.ops_before.values()), sum(report.ops_after.values())
    whole = report.seconds + report.verification_seconds
    left = element("span", report.transposes_after, kind="warning" if report.transposes_after else "good")
    rows: list[tuple[object, object]] = [
        ("from", report.source),
        ("to", f"{report.output or report.target}, {human_bytes(report.bytes)}, for {report.requires}"),
        ("operations", f"{before} → {after}"),
        ("transposes", Html(f"{report.transposes_before} → {left}")),
        ("numbers", _verdict(report)),
        ("time", f"{whole:.1f} s, {report.verification_seconds:.1f} s of it verifying"),
        *((("memory", f"at most {human_bytes(report.peak_memory)}"),) if report.peak_memory else ()),
        *(("warning", element("span", warning, kind="warning")) for warning in report.warnings),
        *((("custom operators", ", ".join(report.custom_ops)),) if report.custom_ops else ()),
    ]
    ports = [("input", p) for p in report.inputs] + [("output", p) for p in report.outputs]
    lines = [(what, p.name, p.type, p.layout or "as in the source", p.source_layout) for what, p in ports]
    return Html(table(("", ""), rows) + table(("", "name", "type", "layout", "in the source"), lines))


def _verdict(report: Report) -> Html:
    found = report.verification
    if found is None:
        return element("span", f"not compared: {report.not_verified or 'nobody asked for it'}", kind="warning")
    return Html(f"{_toned(found.verdict)} {text(f'against {found.reference}, {found.data}')}")


def _toned(status: Status) -> Html:
    return element("span", status, kind=VERDICTS[status])


def _numbers(found: Verification) -> Iterator[Html]:
    """Yield the outputs, then the tensors inside that are furthest off."""
    head = ("tensor", "computed by", "largest error", "of the largest value", "verdict", "")
    yield table(head, map(_compared, found.outputs), numbers=[2, 3])
    if found.departed is not None:
        yield element("p", f"Inside, {found.departed.name} is the first to depart.")
    if found.inside:
        inside = sorted(found.inside, key=lambda c: -c.difference.relative)[:SHOWN]
        yield element("h3", f"{len(found.inside)} tensors inside have the same name in both; the furthest off")
        yield table(head, map(_compared, inside), numbers=[2, 3])


def _compared(row: Compared) -> Sequence[object]:
    d = row.difference
    return (row.name, row.kind, f"{d.error:.2g}", f"{d.relative:.2g}", _toned(d.status), d.note)


def _layouts(report: Report) -> Iterator[Html]:
    """Yield what is proven of the transposes, in words and numbers."""
    proof = report.layout_proof
    if proof is None:
        yield element("p", "No pass chose layouts.")
        return
    rows = [
        ("transposes between layouts", proof.chosen),
        ("bytes that these move", f"{proof.bytes:,}"),
        ("bytes that no assignment of layouts can save", f"{proof.bound:,}"),
        ("transposes that lowerings added", proof.lowered),
        ("transposes in the file", proof.in_file),
    ]
    yield element("p", element("strong", "Proven optimal." if proof.is_proven else "Not proven."), " ", CERTIFICATE)
    yield table(("", ""), rows, numbers=[1])
    yield element("ul", *(element("li", line) for line in report.layout))


def _quantization(found: QuantizationReport) -> Iterator[Html]:
    """Yield how it was quantized, what it cost, and what was tried."""
    yield element("p", f"{found.chosen}: {found.why}")
    before, after = human_bytes(found.bytes_before), human_bytes(found.bytes_after)
    times = f"{1e3 * found.seconds_before:.1f} → {1e3 * found.seconds_after:.1f} ms"
    yield table(("", ""), [("size", f"{before} → {after}"), ("a run here", times), ("data", found.data)])
    outputs = [(o.name, f"{o.sqnr:.1f}", f"{o.worst_channel:.1f}") for o in found.outputs]
    yield table(("output", "dB from floats", "worst channel"), outputs, numbers=[1, 2])
    tried = [(t.candidate, f"{t.sqnr:.1f}", f"{t.least:.1f}", human_bytes(t.bytes)) for t in found.trials]
    yield table(("tried", "dB", "worst output", "size"), tried, numbers=[1, 2, 3])
    ends = [(c.name, c.kind, f"{100 * c.share:.1f} %") for c in found.clamped]
    yield table(("tensor with integers at the ends of their range", "computed by", "share"), ends, numbers=[2])
    yield element("ul", *(element("li", note) for note in found.notes)) if found.notes else Html()


def _fired(fired: dict[str, int]) -> str:
    return ", ".join(f"{name} ×{count}" if count > 1 else name for name, count in fired.items())  # noqa: RUF001
