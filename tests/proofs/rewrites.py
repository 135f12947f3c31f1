"""Finds every rewrite that any pass applies: nobody has to register one to have it proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from itertools import count
from typing import Any

from nhwcc.backends.common.target import Target
from nhwcc.backends.registry import TARGETS, find_target
from nhwcc.compiler import ops as _ops  # noqa: F401  # pyright: ignore[reportUnusedImport]
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Func, Module, Op, Region
from nhwcc.compiler.lowering import Refusal
from nhwcc.compiler.opdef import Draws
from nhwcc.compiler.ops.core import Return
from nhwcc.compiler.pipeline import PASSES, Pass
from nhwcc.compiler.rewrite import Pattern, watch_rewriting
from nhwcc.compiler.rules import Rule

from nhwcc.pipelines import register_passes


@dataclass(frozen=True)
class Rewrite:
    """A pattern under the name of the first pass that applies it; ``rule`` is what it was compiled from, if it was."""

    key: str
    pattern: Pattern
    rule: Rule | None

    @property
    def draws(self) -> bool:
        """Whether it rewrites random numbers only, of which no two draws can be compared."""
        return all(root is not Op and root.spec.has(Draws) for root in self.pattern.roots)


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
    """Rules are read anew in every run of a pass; equal text is the same rule. So are lowerings for several targets."""
    return rule_of(pattern) or getattr(pattern.apply, "rewrite", pattern)


TARGET = "target"
"""The option of passes that rewrite for a target: they are run for all."""

VERSION = "opset"
"""The option that asks for a version of it."""


def _choices(name: str, kind: type[Pass]) -> dict[str, dict[str, Any]]:
    """The text and the options of a pass, for every target if it rewrites for one: the first is the default."""
    if not _lowers(kind):
        return {name: {}}
    first, *others = TARGETS
    return {name: _oldest(first)} | {f"{name}{{{TARGET}={target}}}": _oldest(target) for target in others}


def _lowers(kind: type[Pass]) -> bool:
    """Whether a pass rewrites for targets, in versions of their formats."""
    return {TARGET, VERSION} <= set(_options(kind))


def _oldest(name: str) -> dict[str, Any]:
    """The options that ask for a target, for its oldest version if it has any: that needs the most lowerings."""
    at = find_target(name).at
    if at is None:
        return {TARGET: name}
    for version in count(1):
        try:
            at(version)
        except CompileError:
            continue
        return {TARGET: name, VERSION: version}
    raise AssertionError


def newest(pattern: Pattern) -> Pattern | None:
    """Return a lowering as the newest version of its target has it, None if there is one version.

    Some need operations that older versions lack.
    """
    target: object = getattr(pattern.apply, "target", None)
    if not isinstance(target, Target) or target.at is None:
        return None
    return next((p for p in find_target(target.name).patterns() if p.name == pattern.name), None)


def lowerings_for_targets(name: str) -> list[str]:
    """The texts of a pass that rewrites for a target: for all but the first one, and for the oldest version of each."""
    texts: list[str] = []
    for target in list(TARGETS)[1:] if _lowers(PASSES[name]) else ():
        texts.append(f"{name}{{{TARGET}={target}}}")
        if VERSION in (oldest := _oldest(target)):
            texts.append(f"{name}{{{TARGET}={target},{VERSION}={oldest[VERSION]}}}")
    return texts


def _options(kind: type[Pass]) -> dict[str, Field[Any]]:
    return {f.name: f for f in fields(kind)}


@cache
def all_rewrites() -> tuple[Rewrite, ...]:
    """Run every pass over an empty module, and take down what it would apply.

    Passes that need an option, such as a file of rules, bring rewrites of others and are left out.
    """
    register_passes()
    found: dict[object, tuple[str, Pattern]] = {}
    for name, kind in PASSES.items():
        is_ours = kind.__module__.startswith("nhwcc.")  # files that users load declare others
        if not is_ours or any(f.default is MISSING and f.default_factory is MISSING for f in _options(kind).values()):
            continue
        for text, given in _choices(name, kind).items():
            seen = _Seen()
            with watch_rewriting(seen):
                kind(**given).run(_empty())
            for pattern in seen.patterns:
                if not isinstance(getattr(pattern.apply, "rewrite", None), Refusal):  # which rewrites nothing
                    found.setdefault(_identity(pattern), (text, pattern))
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
