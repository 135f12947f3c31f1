"""docs/passes.md: every pass with its options, and the pipelines of the targets."""

from __future__ import annotations

from nhwcc.backends.registry import TARGETS, find_target

from nhwcc.catalogue import PassInfo, all_passes
from nhwcc.pipelines import register_passes
from pages.markdown import code, page, prose, table

INTRO = """A pass rewrites the IR. Each one is legal alone and in any order; a target says in which order they run:"""

LANGUAGE = """`nhwcc compile --passes` replaces a pipeline and `--disable-pass` leaves a pass out. Options stand in
braces, and a flag alone means true: `a,b{option=1,flag},c`. `nhwcc opt` runs passes over IR; `--print-ir-after`,
`--dump-ir` and `--explain` show what they did. Passes of your own come from a file (`--load`), or from a distribution
with the entry point `nhwcc.passes`:"""

EXAMPLE = '''from nhwcc.compiler.pipeline import Pass, register
from nhwcc.compiler.rewrite import rewrite
from nhwcc.compiler.rules import parse_rules


@register("drop-double-neg")
class DropDoubleNeg(Pass):
    """Two signs in a row are none."""

    def run(self, module):
        rewrite(module, parse_rules("rule double-neg: neg(neg(%x)) => %x"))'''


def passes() -> str:
    """Print the page."""
    pipelines = [code(f"{target}: {find_target(target).pipeline}") for target in TARGETS]
    register_passes()
    return page("Passes", INTRO, *pipelines, LANGUAGE, code(EXAMPLE, "python"), *map(_section, all_passes()))


def _section(info: PassInfo) -> str:
    rows = [(f"`{o.name}`", o.type, f"`{o.default}`" if o.default else "required") for o in info.options]
    options = table(("option", "type", "default"), rows)
    return "\n\n".join(part for part in (f"## {info.name}", prose(info.text), options) if part)
