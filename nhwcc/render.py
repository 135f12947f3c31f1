"""Reports in words; the command line prints them. ``style`` colours a text, or leaves it as it is."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from nhwcc.compiler.diagnostics import Remark
from nhwcc.compiler.visible import visible_parts
from nhwcc.messages import Style, Tone, plain
from nhwcc.numerics import Status
from nhwcc.quantization.measure import OutputReport
from nhwcc.quantization.report import Clamped, QuantizationReport, Trial
from nhwcc.report import PassReport, PortReport, Report
from nhwcc.verification import Compared, Verification

if TYPE_CHECKING:
    from nhwcc.backends.common.placement import Placement
    from nhwcc.quantization.compare import Decibels

VERDICTS: dict[Status, Tone] = {"ok": "good", "differs": "bad", "not proven": "warning"}
WIDTH = 12
"""Width of the column of titles."""

PLACES = 3
"""Places that are named for one reason of a rule that nearly fired."""


def render_report(report: Report, style: Style = plain) -> str:
    """Return a report as a user reads it."""
    report = visible_parts(report)
    size = human_bytes(report.bytes)
    lines = [f"{style(report.output or report.source, 'strong')}  {size}, for {report.requires}"]
    if report.signature is not None:
        lines.append(_row("signature", report.signature))
    before, after = sum(report.ops_before.values()), sum(report.ops_after.values())
    tone: Tone = "good" if not report.transposes_after else "warning"
    transposes = f"{report.transposes_before} -> {style(str(report.transposes_after), tone)}"
    lines.append(_row("operations", f"{before} -> {after}, transposes {transposes}"))
    if report.arena is not None:
        lines.append(_row("memory", f"an arena of {human_bytes(report.arena)} for activations"))
    if report.placement is not None:
        lines += _placed(report.placement, style)
    if report.custom_ops:
        lines.append(_row("custom", f"{', '.join(report.custom_ops)}: the application brings the kernels"))
    for title, ports in (("input", report.inputs), ("output", report.outputs)):
        lines += (_row(title, _port(port)) for port in ports)
    if report.sizes:
        lines.append(_row("sizes", "; ".join(map(str, report.sizes))))
    lines += (_row("layout" if i == 0 else "", text) for i, text in enumerate(report.layout))
    if report.verification is not None:
        lines += render_verification(report.verification, style)
    else:
        why = report.not_verified or "the file loads, its numbers were not compared"
        lines.append(_row("verified", style(f"no: {why}", "warning")))
    if report.quantization is not None:
        lines += render_quantization(report.quantization, style)
    lines += (_row("warning", style(text, "warning")) for text in report.warnings)
    memory = f"; peak memory {human_bytes(report.peak_memory)}" if report.peak_memory else ""
    more = "verifying" if report.verification is not None else "loading"
    whole = report.seconds + report.verification_seconds
    lines.append(_row("took", f"{whole:.1f} s, {report.verification_seconds:.1f} s of it {more}{memory}"))
    return "\n".join(lines)


def _placed(found: Placement, style: Style) -> Iterator[str]:
    """Return the lines that say how much runs on a device, and the reasons for the rest."""
    whole, ours = len(found.operators), len(found.on_device)
    tone: Tone = "good" if ours == whole else "warning"
    yield _row("placed", style(f"{ours} of {whole} operators on {found.device}", tone))
    for (kernel, why), placed in found.reasons().items():
        yield _row("", f"{kernel} {placed[0].name}{f' and {len(placed) - 1} more' if placed[1:] else ''}: {why}")


def render_quantization(found: QuantizationReport, style: Style = plain) -> list[str]:
    """Return the lines that say how a network was quantized and what it lost, the worst output first."""
    found = visible_parts(found)
    share = found.bytes_after / max(found.bytes_before, 1)
    size = f"{human_bytes(found.bytes_before)} -> {human_bytes(found.bytes_after)} ({share:.2f})"
    times = f"{1e3 * found.seconds_before:.1f} -> {1e3 * found.seconds_after:.1f} ms a run here"
    lines = [_row("quantized", f"{found.chosen}; {size}, {times}")]
    lines += (_row("", text) for text in (found.why, *found.notes))
    if len(found.trials) > 1:
        shown = [t for t in found.trials if not (t.candidate.dynamic or t.candidate.stored)]
        lines += (_row("", f"tried {t.candidate}: {t.sqnr:.1f} dB{_kept(t)}") for t in shown)
    held = f"{found.held} held back of {found.samples} samples" if found.held and found.samples else "all samples"
    lines.append(_row("", f"distance from floats on {found.data}, {held}{_asked(found.required)}"))
    if found.kept is not None:
        least = "" if found.max_error is None else f"; at least {1 - found.max_error:.4g} is asked for"
        lines.append(_row("", f"{found.metric} {found.kept:.4f}{least}"))
    lines += _decibels(found.outputs, style)
    for t in found.instead:
        time = "" if t.time is None else f", {t.time:.2f} of the time in floats"
        lines.append(_row("", f"{t.candidate.mode} instead: {t.least:.1f} dB{_kept(t)}{time}"))
    return [*lines, *_clamped(found.clamped)]


def _clamped(found: Sequence[Clamped]) -> Iterator[str]:
    """Return a line per tensor with integers at the ends of their range."""
    for c in found:
        yield _row("", f"{100 * c.share:.1f} % of the integers of {c.name} ({c.kind}) are at an end of their range")


def _kept(trial: Trial) -> str:
    return "" if trial.kept is None else f", kept {trial.kept:.4f}"


def _asked(decibels: float | None) -> str:
    """Say how many dB are asked for, if any are."""
    return "" if decibels is None else f"; at least {decibels:.4g} dB are asked for"


def render_decibels(found: Decibels, compared: Verification, style: Style = plain) -> list[str]:
    """Return the lines that say how far a quantized file is from another network."""
    found = visible_parts(found)
    text = f"a quantized file against {compared.reference}, {compared.data}; at least {found.least:g} dB are asked for"
    return [_row("compared", text), *_decibels(found.outputs, style), *_clamped(found.clamped)]


def _decibels(outputs: Sequence[OutputReport], style: Style) -> Iterator[str]:
    """Return one line per output: its distance in dB, that of its worst channel, and how often labels agree."""
    width = max((len(o.name) for o in outputs), default=0)
    for o in outputs:
        labels = "" if o.same_labels is None else f"; the same label in {100 * o.same_labels:.0f} %"
        tone: Tone = "good" if o.sqnr >= FAIR else "warning"
        text = f"{o.name:<{width}}  {style(f'{o.sqnr:.1f} dB', tone)}, worst channel {o.worst_channel:.1f} dB{labels}"
        yield _row("", text)


FAIR = 20.0
"""What is less is marked: an error of a tenth."""


def render_verification(found: Verification, style: Style = plain, title: str = "verified") -> list[str]:
    """Return the lines that say what was compared and how it came out."""
    found = visible_parts(found)
    sizes = "".join(f", {name} = {_numbers(tried)}" for name, tried in found.sizes.items())
    lines = [_row(title, f"against {found.reference}, {found.data}{sizes}")]
    return [*lines, *(_row("", line) for line in compared_table(found.outputs, style))]


def _numbers(sizes: Sequence[int]) -> str:
    """Return sizes as a list, those that are all alike once."""
    return ", ".join(map(str, sizes)) if len(set(sizes)) > 1 else str(sizes[0])


def compared_table(rows: Sequence[Compared], style: Style = plain) -> Iterator[str]:
    """Return one line per tensor: its name, its error, the verdict."""
    rows = [visible_parts(row) for row in rows]
    width = max((len(r.name) for r in rows), default=0)
    for r in rows:
        d = r.difference
        numbers = f"max error {d.error:.2g} ({d.relative:.2g} of the largest)" if d.size else ""
        tone = VERDICTS[d.status]
        note = f"  {style(d.note, 'quiet')}" if d.note else ""
        kind = f"  {r.kind}" if r.kind else ""
        yield f"{r.name:<{width}}  {numbers}  {style(d.status, tone)}{kind}{note}".rstrip()


def render_times(passes: Sequence[PassReport]) -> str:
    """Return a table of the time that each pass took."""
    total = sum(p.seconds for p in passes) or 1.0
    lines = [f"{p.seconds:8.3f} s {100 * p.seconds / total:5.1f} %  {p.name}" for p in passes]
    return "\n".join([*lines, f"{sum(p.seconds for p in passes):8.3f} s          all passes"])


def render_remarks(remarks: Iterable[Remark]) -> str:
    """Return which rules fired how often, which nearly did and why not, and which never did."""
    items = visible_parts(list(remarks))
    fired = Counter(r.by for r in items if r.kind == "fired")
    lines = ["fired:", *(f"{count:6} x {rule}" for rule, count in fired.most_common())] if fired else ["no rule fired"]
    missed: dict[tuple[str, str], list[str]] = {}
    for r in items:
        if r.kind == "missed":
            missed.setdefault((r.by, r.text), []).append(r.location.node if r.location else "")
    if missed:
        lines.append("nearly fired:")
    for (rule, why), nodes in missed.items():
        named = [n for n in dict.fromkeys(nodes) if n]
        more = ", ..." if len(named) > PLACES else ""
        at = f" (at {', '.join(named[:PLACES])}{more})" if named else ""
        lines.append(f"{len(nodes):6} x {rule}: {why}{at}")
    lines += _never_fired([r for r in items if r.kind == "idle" and r.by not in fired])
    notes = [r for r in items if r.kind == "note"]
    return "\n".join([*lines, *(f"{r.by}: {r.text}" for r in notes)])


def _never_fired(idle: Sequence[Remark]) -> Iterator[str]:
    """Return the rules that never fired: where each came nearest, and the names of those that found nothing."""
    if not idle:
        return
    yield "never fired:"
    near = {r.by: r for r in idle if r.text}
    for rule, r in near.items():
        at = f" (nearest at {r.location.node})" if r.location else ""
        yield f"{'':9}{rule}: {r.text}{at}"
    names = ", ".join(dict.fromkeys(r.by for r in idle if r.by not in near))
    if names:
        yield from textwrap.wrap(f"nothing to do for {names}", 120, initial_indent=" " * 9, subsequent_indent=" " * 11)


def human_bytes(size: float) -> str:
    """Return a size in the unit that fits.

    >>> human_bytes(1_530_000)
    '1.5 MB'
    """
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _row(title: str, text: str) -> str:
    return f"  {title:<{WIDTH}}{text}".rstrip()


def _port(port: PortReport) -> str:
    layout = f"{port.layout} (source: {port.source_layout})" if port.layout else "as in the source"
    return f"{port.name} {port.type} {layout}" if "," in port.type else f"{port.name} {port.type}"
