"""Where operators run, in words and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from nhwcc.backends.common.placement import Place, Placed, Placement
from nhwcc.compiler.visible import visible_parts
from nhwcc.messages import Style, Tone, plain
from nhwcc.render import human_bytes

if TYPE_CHECKING:
    from nhwcc.runners.vela import VelaReport

PLACES = 3
"""Operators that are named for one reason."""

TITLES: dict[Place, str] = {"rest": "on {rest}", "nowhere": "nowhere", "stops": "stops the tools"}


def render_placement(found: Placement, style: Style = plain, *, ops: bool = False) -> str:
    """Return the lines that say what runs where, and why not on the device; ``ops`` lists every operator."""
    found = visible_parts(found)
    count, ours = len(found.operators), len(found.on_device)
    tone: Tone = "good" if ours == count else "warning"
    share = f"{ours} of {count} operators ({100 * found.share('operators'):.1f} %)"
    lines = [f"{style(found.target, 'strong')}: {style(share, tone)} run on {found.device}"]
    total = sum(op.macs for op in found.operators)
    if total:
        lines.append(_row("work", f"{100 * found.share('macs'):.1f} % of {total:,} multiply-accumulates on the device"))
    weights = sum(op.weights for op in found.operators)
    lines.append(_row("memory", f"{_arena(found)}, weights of {human_bytes(weights)}"))
    if found.elsewhere:
        moved = sum(op.moved for op in found.elsewhere)
        lines.append(_row("parts", f"{found.partitions} on the device; {human_bytes(moved)} pass through the others"))
    for (kernel, why), placed in found.reasons().items():
        where = TITLES[placed[0].where].format(rest=found.rest)
        named = ", ".join(op.name for op in placed[:PLACES])
        more = f" and {len(placed) - PLACES} more" if len(placed) > PLACES else ""
        lines += [_row(where, f"{style(kernel, 'warning')} {named}{more}"), _row("", why)]
    if ops:
        lines += (_row("operator", _listed(op)) for op in found.operators)
    return "\n".join(lines)


def _arena(found: Placement) -> str:
    return "sizes are open" if found.arena is None else f"an arena of {human_bytes(found.arena)} for activations"


def _listed(op: Placed) -> str:
    work = f", {op.macs:,} multiply-accumulates" if op.macs else ""
    return f"{op.where:<8}{op.kernel} {op.name}{work}"


def _row(title: str, text: str) -> str:
    return f"  {title:<{WIDTH}}{text}".rstrip()


WIDTH = 16
"""Width of the column of titles."""


def render_vela(found: VelaReport) -> list[str]:
    """Return the lines that say what Vela made of a file."""
    found = visible_parts(found)
    named = ", ".join(f"{kernel} {name}" for kernel, name in found.on_cpu[:PLACES])
    more = f" and {len(found.on_cpu) - PLACES} more" if len(found.on_cpu) > PLACES else ""
    left = f"; on the CPU {named}{more}" if found.on_cpu else ""
    work = f"{found.cycles:,} cycles, {human_bytes(found.sram)} of SRAM by Vela's estimate"
    return [_row("placed", f"{found.accelerator}: {len(found.on_cpu)} operators left{left}"), _row("", work)]


def placement_dict(found: Placement) -> dict[str, Any]:
    """Return where operators run as JSON has it."""
    totals = {
        "operators": len(found.operators),
        "on_device": len(found.on_device),
        "share": found.share("operators"),
        "macs": sum(op.macs for op in found.operators),
        "macs_share": found.share("macs"),
        "partitions": found.partitions,
    }
    return {**asdict(found), "operators": [asdict(op) for op in found.operators], "totals": totals}
