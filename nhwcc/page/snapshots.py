"""Remembers a network as it was read and as it was written, while it is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pass
from nhwcc.files import save_text
from nhwcc.instruments import Instrument

if TYPE_CHECKING:
    from nhwcc.page.network import Network
    from nhwcc.report import Report


class Snapshots(Instrument):
    """Sees what was imported; of every output, the module that its file was written from."""

    def __init__(self) -> None:
        self.source: Network | None = None
        self.modules: list[Module] = []

    def start(self, module: Module, passes: Sequence[Pass]) -> None:
        """See a module before its first pass; quantization goes on with one that was seen before."""
        from nhwcc.page.network import network_of

        self.source = self.source or network_of(module, "")
        if module not in self.modules:
            self.modules.append(module)


def write_page(seen: Snapshots, reports: Sequence[Report], path: Path) -> None:
    """Write the page about what was seen and reported.

    Raises:
        CompileError: R012, it can't be written.
    """
    from nhwcc.page.network import network_of
    from nhwcc.page.page import page_of

    assert seen.source is not None
    seen.source.title = reports[0].source
    titles = [report.output or report.target for report in reports]
    networks = [network_of(module, title) for module, title in zip(seen.modules, titles, strict=True)]
    save_text(path, page_of(seen.source, list(zip(reports, networks, strict=True))))
