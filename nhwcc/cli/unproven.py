"""What commands do where results agree, but would have done so with another network, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from nhwcc.cli.edge import NOTHING_PROVEN, echo, style
from nhwcc.compiler.diagnostics import Diagnostic

if TYPE_CHECKING:
    from nhwcc.verification import Verification

F = TypeVar("F", bound=Callable[..., Any])


def accept_unproven_option(command: F) -> F:
    """Add the flag that takes agreement for enough."""
    flag = click.option(
        "--accept-unproven",
        is_flag=True,
        help="Exit with 0 instead of 4 if the numbers agree but prove nothing, such as constant or saturated outputs.",
    )
    return flag(command)


def unproven(found: Iterable[Verification | None], *, accepted: bool) -> list[Diagnostic]:
    """Return a diagnostic for each output that proves nothing, unless that is accepted."""
    texts = (text for verification in found if verification is not None for text in verification.unproven())
    help = "--data gives inputs for which it computes something; --accept-unproven takes it as it is"
    return [] if accepted else [Diagnostic("warning", "R025", f"nothing is proven of {t}", help=help) for t in texts]


def end(diagnostics: list[Diagnostic], *, as_json: bool) -> None:
    """Say what is not proven, which JSON has said already, and end with the exit code for it, if there is anything."""
    from nhwcc.messages import render_diagnostic

    if diagnostics and not as_json:
        echo("\n\n".join(render_diagnostic(d, style) for d in diagnostics), err=True)
    if diagnostics:
        click.get_current_context().exit(NOTHING_PROVEN)
