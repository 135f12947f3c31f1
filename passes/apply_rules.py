"""apply-rules: rewrites a module with the rules of a file."""

from __future__ import annotations

from pathlib import Path

from ..compiler.ir import Module
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import rewrite
from ..compiler.rules import load_rules


@register("apply-rules")
class ApplyRules(Pass):
    """Rewrite with the rules of a file until none fires: ``apply-rules{file=my.rules}``."""

    file: str

    def run(self, module: Module) -> None:
        """Read the file and rewrite."""
        rewrite(module, load_rules(Path(self.file)))
