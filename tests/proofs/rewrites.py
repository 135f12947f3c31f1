"""Finds every rewrite that any pass applies: nobody has to register one to have it proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields
from functools import cache

from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.ir import Func, Module, Op, Region
from nhwcc.compiler.lowering import Refusal
from nhwcc.compiler.ops.core import Return
from nhwcc.compiler.pipeline import PASSES
from nhwcc.compiler.rewrite import Pattern, watch_rewriting
from nhwcc.compiler.rules import Rule

from nhwcc.pipelines import register_passes


@dataclass(frozen=True)
class Rewrite:
    """A pattern under the name of the first pass that applies it; ``rule`` is what it was compiled from, if it was."""

    key: str
    pattern: Pattern
    rule: Rule | None


def rule_of(pattern: Pattern) -> Rule | None:
    """The rule that a pattern was compiled from, maybe as a lowering for some target."""
    stated: Pattern = getattr(getattr(pattern.apply, "rewrite", None), "rule", pattern)
    owner = getattr(stated.apply, "__self__", None)
    return owner if isinstance(owner, Rule) else None


@dataclass
class _Seen:
    """Collects the patterns that passes are about to apply."""

    patterns: list[Pattern] = field(default_factory=lambda: list[Pattern]())

    def begin(self, module: Module, patterns: Sequence[Pattern]) -> None:
        self.patterns += patterns

    def fired(self, module: Module, pattern: Pattern) -> None:
        raise AssertionError(f"{pattern.name} fired where there is nothing")


def _identity(pattern: Pattern) -> object:
    """Rules are read anew in every run of a pass; equal text is the same rule."""
    return rule_of(pattern) or pattern


@cache
def all_rewrites() -> tuple[Rewrite, ...]:
    """Run every pass over an empty module, and take down what it would apply.

    Passes that need an option, such as a file of rules, bring rewrites of others and are left out.
    """
    register_passes()
    found: dict[object, tuple[str, Pattern]] = {}
    for name, kind in PASSES.items():
        is_ours = kind.__module__.startswith("nhwcc.")  # files that users load declare others
        if not is_ours or any(f.default is MISSING and f.default_factory is MISSING for f in fields(kind)):
            continue
        seen = _Seen()
        with watch_rewriting(seen):
            kind().run(_empty())
        for pattern in seen.patterns:
            if isinstance(getattr(pattern.apply, "rewrite", None), Refusal):
                continue  # it rewrites nothing
            found.setdefault(_identity(pattern), (name, pattern))
    keys = [f"{name}/{pattern.name}" for name, pattern in found.values()]
    return tuple(
        Rewrite(key if keys.count(key) == 1 else f"{key} of {_root(pattern)}", pattern, rule_of(pattern))
        for key, (_, pattern) in zip(keys, found.values(), strict=True)
    )


def _root(pattern: Pattern) -> str:
    return pattern.roots[0].spec.name if pattern.roots[0] is not Op else "any"


def _empty() -> Module:
    region = Region()
    region.insert(Return(()))
    return Module(Func("main", region, [], []))


@cache
def _by_identity() -> dict[object, Rewrite]:
    return {_identity(rewrite.pattern): rewrite for rewrite in all_rewrites()}


def find(pattern: Pattern) -> Rewrite | None:
    """The rewrite that a pattern is; None if no pass of ours applies it."""
    return _by_identity().get(_identity(pattern))


def rules() -> tuple[Rewrite, ...]:
    """Those that come from rule files."""
    return tuple(rewrite for rewrite in all_rewrites() if rewrite.rule is not None)
