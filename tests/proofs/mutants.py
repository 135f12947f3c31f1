"""How much the prover sees: rules with one systematic fault each, which it must refuse.

``python -m tests.proofs.mutants`` prints a table, ``--all`` takes every mutant.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from typing import Literal as Choice

from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.opdef import OPS, Commutative
from nhwcc.compiler.ops.arith import ACTIVATIONS
from nhwcc.compiler.rule_helpers import HELPERS
from nhwcc.compiler.rule_params import Call, Hole, Literal, Param, Var
from nhwcc.compiler.rules import Node, Rule, Splat, Term

from .rewrites import rules
from .verdicts import judge

COUNT = 600
DEEPER = 5
"""Rules that are accepted run on so many times more instances, of other seeds."""

Fate = Choice["refused", "right", "survived", "never applies"]


@dataclass(frozen=True)
class Mutant:
    """A rule with a fault of some kind."""

    kind: str
    rule: Rule


def mutants_of(rule: Rule) -> Iterator[Mutant]:
    """All mutants of a rule that are well-formed."""
    for kind, left, guards, right in _changes(rule):
        mutant = Rule(rule.name, left, guards, right)
        try:
            mutant.check()
        except CompileError:
            continue
        if mutant != rule:
            yield Mutant(kind, mutant)


def _changes(rule: Rule) -> Iterator[tuple[str, Node, tuple[Call, ...], Term]]:
    for i in range(len(rule.guards)):
        yield "guard dropped", rule.left, (*rule.guards[:i], *rule.guards[i + 1 :]), rule.right
    for i, guard in enumerate(rule.guards):
        for kind, changed in _call_changes(guard):
            yield kind, rule.left, (*rule.guards[:i], changed, *rule.guards[i + 1 :]), rule.right
    for kind, left in _term_changes(rule.left):
        if isinstance(left, Node):
            yield f"left: {kind}", left, rule.guards, rule.right
    for kind, left in _freed(rule.left):
        yield kind, left, rule.guards, rule.right
    for kind, right in _term_changes(rule.right):
        yield f"right: {kind}", rule.left, rule.guards, right
    for a, b in _pairs(sorted(_names(rule.right, Var))):
        yield "right: variables swapped", rule.left, rule.guards, _renamed(rule.right, {a: b, b: a})
    for a, b in _pairs(sorted(_names(rule.right, Hole))):
        yield "right: attributes swapped", rule.left, rule.guards, _renamed(rule.right, {a: b, b: a})


def _term_changes(term: Term) -> Iterator[tuple[str, Term]]:
    """All changes of one place in a term."""
    if isinstance(term, Splat):
        for number in (term.number + 1, -term.number, term.number * 0.9):
            yield "number changed", Splat(number)
    elif isinstance(term, Node):
        yield from _operand_changes(term)
        yield from _attribute_changes(term)
        for sibling in _siblings(term):
            yield "operation replaced", replace(term, op=OPS[sibling])


def _operand_changes(node: Node) -> Iterator[tuple[str, Term]]:
    for i, inner in enumerate(node.terms):
        for kind, changed in _term_changes(inner):
            yield kind, replace(node, terms=(*node.terms[:i], changed, *node.terms[i + 1 :]))
        if isinstance(inner, Var | Node) and len(node.terms) <= 2:
            yield "operation dropped", inner
    if len(node.terms) == 2 and not node.op.spec.has(Commutative):
        yield "operands swapped", replace(node, terms=node.terms[::-1])


def _attribute_changes(node: Node) -> Iterator[tuple[str, Node]]:
    for i, (name, param) in enumerate(node.named):
        yield "attribute left out", replace(node, named=(*node.named[:i], *node.named[i + 1 :]))
        for kind, changed in _param_changes(name, param):
            yield kind, replace(node, named=(*node.named[:i], (name, changed), *node.named[i + 1 :]))


def _siblings(node: Node) -> list[str]:
    """Up to two other operations with as many operands and the attributes that are named."""
    spec, named = node.op.spec, {n for n, _ in node.named}
    fits = [
        name
        for name, op in OPS.items()
        if op is not node.op
        and len(op.spec.operands) == len(spec.operands)
        and op.spec.variadic == spec.variadic
        and set(op.spec.attributes) >= named
        and all(a.name in named or not a.is_required for a in op.spec.attributes.values())
        and op.spec.traits == spec.traits
    ]
    start = sum(map(ord, spec.name)) % max(len(fits), 1)
    return [*fits[start:], *fits[:start]][:2]


def _param_changes(name: str, param: Param) -> Iterator[tuple[str, Param]]:
    if isinstance(param, Call):
        yield from _call_changes(param)
    elif isinstance(param, Literal):
        for value in _other_values(name, param.value):
            yield "attribute changed", Literal(value)


def _other_values(name: str, value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, -value if value else value - 1]
    return [a for a in ACTIVATIONS if a != value][:2] if name == "activation" else ["sum", "max"]


def _call_changes(call: Call) -> Iterator[tuple[str, Call]]:
    """Other helpers with as many parameters, exchanged and changed arguments."""
    alike = [n for n, fn in HELPERS.items() if n != call.name and _arity(fn) == len(call.params)]
    for name in alike[:2]:
        yield "helper replaced", replace(call, name=name)
    if len(call.params) >= 2:
        yield "arguments swapped", replace(call, params=(call.params[1], call.params[0], *call.params[2:]))
    for i, p in enumerate(call.params):
        for kind, changed in _param_changes("", p):
            yield kind, replace(call, params=(*call.params[:i], changed, *call.params[i + 1 :]))


def _arity(fn: Any) -> int:
    return int(fn.__code__.co_argcount)


def _freed(term: Node) -> Iterator[tuple[str, Node]]:
    """One of several occurrences of a variable on the left may be anything."""
    for name in sorted(_names(term, Var)):
        total = _count(term, name)
        for occurrence in range(total if total > 1 else 0):
            changed, _ = _free(term, name, occurrence)
            if isinstance(changed, Node):
                yield "left: variable freed", changed


def _count(term: Term, name: str) -> int:
    if isinstance(term, Node):
        return sum(_count(t, name) for t in term.terms)
    return int(isinstance(term, Var) and term.name == name)


def _free(term: Term, name: str, occurrence: int) -> tuple[Term, int]:
    """Rename one occurrence; return how many are left to pass over."""
    if isinstance(term, Var) and term.name == name:
        return (Var("%free") if occurrence == 0 else term), occurrence - 1
    if not isinstance(term, Node):
        return term, occurrence
    terms: list[Term] = []
    for inner in term.terms:
        changed, occurrence = _free(inner, name, occurrence)
        terms.append(changed)
    return replace(term, terms=tuple(terms)), occurrence


def _names(item: Any, kind: type[Var | Hole]) -> set[str]:
    """The variables, or attributes, that a term mentions."""
    if isinstance(item, kind):
        return {item.name}
    parts = (
        (*item.terms, *(p for _, p in item.named))
        if isinstance(item, Node)
        else item.params
        if isinstance(item, Call)
        else ()
    )
    return {name for part in parts for name in _names(part, kind)}


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    return [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]


def _renamed(item: Any, names: dict[str, str]) -> Any:
    match item:
        case Var(name) | Hole(name):
            return type(item)(names.get(name, name))
        case Node():
            terms = tuple(_renamed(t, names) for t in item.terms)
            return replace(item, terms=terms, named=tuple((n, _renamed(p, names)) for n, p in item.named))
        case Call():
            return replace(item, params=tuple(_renamed(p, names) for p in item.params))
        case _:
            return item


def all_mutants() -> list[tuple[str, Mutant]]:
    """The mutants of all rules, with the rules' keys, without copies."""
    found = {(r.key, m.rule): (r.key, m) for r in rules() if r.rule is not None for m in mutants_of(r.rule)}
    return list(found.values())


def sample(count: int) -> list[tuple[str, Mutant]]:
    """Mutants at even distances in the list of all."""
    every = all_mutants()
    return [every[i * len(every) // count] for i in range(min(count, len(every)))]


def fate(mutant: Mutant) -> tuple[Fate, str]:
    """Let the prover judge a mutant; one that it accepts is looked at more closely."""
    verdict = judge(mutant.rule, until_wrong=True)
    if verdict.wrong is not None:
        return "refused", verdict.found_by
    if not verdict.fired:
        return "never applies", ""
    if not verdict.is_accepted:
        return "refused", "there is no proof"
    again = judge(mutant.rule, until_wrong=True, deeper=DEEPER)
    return ("survived", again.found_by) if again.wrong is not None else ("right", "")


def main() -> int:
    """Print what became of the mutants, by kind."""
    from .parallel import parallel

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every mutant instead of a sample")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    options = parser.parse_args()
    chosen = all_mutants() if options.all else sample(COUNT)
    fates = parallel(_fate_of, list(range(len(chosen))), options.workers, chosen)
    print(table(chosen, fates))
    survivors = [(c, f) for c, f in zip(chosen, fates, strict=True) if f[0] == "survived"]
    for (key, mutant), (_, how) in survivors:
        print(f"survived: {key}, {mutant.kind}, found by {how}: {mutant.rule}")
    return 1 if survivors else 0


def _fate_of(number: int, chosen: list[tuple[str, Mutant]]) -> tuple[Fate, str]:
    return fate(chosen[number][1])


def table(chosen: list[tuple[str, Mutant]], fates: list[tuple[Fate, str]]) -> str:
    """One line per kind of fault."""
    counts: dict[str, Counter[str]] = {}
    for (_, mutant), (what, _) in zip(chosen, fates, strict=True):
        counts.setdefault(mutant.kind, Counter())[what] += 1
        counts.setdefault("all", Counter())[what] += 1
    columns = ("refused", "survived", "right", "never applies")
    lines = [f"{'':28}" + "".join(f"{c:>15}" for c in columns)]
    lines += [f"{kind:28}" + "".join(f"{counts[kind][c]:15}" for c in columns) for kind in sorted(counts)]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
