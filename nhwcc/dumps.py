"""Dumps: the module after every pass, as text with its weights, or as a graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nhwcc.compiler.diagnostics import reason
from nhwcc.compiler.ir import Module
from nhwcc.compiler.pipeline import Pass
from nhwcc.compiler.printer import print_module
from nhwcc.compiler.sidefile import SideFile
from nhwcc.files import cannot_write, replacing, save_text
from nhwcc.instruments import Instrument, Stage


class _Dump(Instrument):
    """Writes something into a folder for the import and for every pass, numbered.

    Of a pipeline that runs after another one, for a second output, names begin with its number.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pipelines = 0

    def start(self, module: Module, passes: Sequence[Pass]) -> None:
        """Make the folder, and write what was imported."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as bad:
            raise cannot_write(self._folder, reason(bad)) from bad
        self._pipelines += 1
        self.write(module, self._stem("00-import"))

    def after(self, stage: Stage) -> None:
        """Write what the pass left."""
        self.write(stage.module, self._stem(f"{stage.number:02}-{stage.name}"))

    def _stem(self, name: str) -> Path:
        return self._folder / (name if self._pipelines == 1 else f"{self._pipelines}-{name}")

    def write(self, module: Module, stem: Path) -> None:
        """Write files whose names begin with ``stem``."""
        raise NotImplementedError


class DumpIr(_Dump):
    """One text per pass; a weight is written once, beside the first text that has it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._weights = SideFile()
        self._files: list[str] = []

    def write(self, module: Module, stem: Path) -> None:
        """Write the text, and the weights that no earlier text had."""
        print_module(module, sink=self._weights)  # finds out what is new
        if self._weights.fresh:
            side = stem.with_name(f"{stem.name}.ir.safetensors")
            with replacing(side) as draft:
                self._weights.write(draft)
            self._files.append(side.name)
        text = print_module(module, locations=True, sink=self._weights, side_files=self._files)
        save_text(stem.with_name(f"{stem.name}.ir"), text)


class DumpGraph(_Dump):
    """One drawing per pass: a .dot file and an .svg file."""

    def write(self, module: Module, stem: Path) -> None:
        """Write the drawing as ``.dot`` and as ``.svg``."""
        from nhwcc.graphs.dot import to_dot
        from nhwcc.graphs.render import render
        from nhwcc.graphs.view import view_module

        graph = view_module(module, stem.name)
        save_text(stem.with_name(f"{stem.name}.dot"), to_dot(graph))
        save_text(stem.with_name(f"{stem.name}.svg"), render(graph))
