"""docs/proofs.md: how every rewrite is known to be right; printed from what ``make prove`` found."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from nhwcc.compiler.diagnostics import counted

from pages.markdown import page, table

RESULTS = Path(__file__).parents[2] / "tests" / "proofs" / "results.json"

INTRO = """What `make prove` knows of every rewrite that any pass applies: rules of rule files, patterns in Python, and
decompositions of targets. Rewrites are found by asking the passes, so a new one is on this page, or the tests say that
it is missing. A part of each method runs in `make test`. The command ends in a list of what it doubts, and a non-zero
exit code if there is anything."""

METHODS = """**reals**: a theorem about real numbers, proven by z3: wherever a rule's guards hold and its left side has
a value, its right side has the same one, whatever the attributes that it binds. Exponentials, logarithms and the like
are symbols of which z3 knows the laws that stand in `tests/proofs/reals.py`; those, and what z3 is told of operations,
are compared with the numpy semantics by tests.

**all numbers of f16, i8, u8, bool**: both sides of the rule are computed for all 65,536 numbers of f16 (*f32*: the same
numbers, where constants need its digits), all pairs of 8-bit integers, and all truth values. Integers must be equal,
floating-point results up to what both sides round.

**index maps**: the rewrite only moves elements. It is applied to all chains of moves of a family, listed below, on an
array of element numbers; equal results prove it for the shape.

**instances**: modules generated from the rule's own text, types and guards, in several ranks and element types.

**modules**: distinct modules in which the rewrite fired, where the whole module was run before and after every single
firing. First whole passes run over random operations and graphs, the cases of passes, the modules that the project's
tests compile, and every operation with all element types and choices that its declaration allows. What stood around a
rewrite when it fired is then mutated (sizes of 0 and 1, constants that identities speak of, other attributes,
activations, element types, operations between, further users), and the rewrite is applied to that alone, whatever would
have come before it in a pass; mutants in which it fires are mutated again, until there are 200 modules. So two modules
may differ in little, such as the value of a constant.

**What counts as a difference**: integers and truth values must be equal, floating-point results up to rounding. None is
the rewrite's fault where the operations themselves leave open what comes out ([ir.md](ir.md) says so: two updates of
one position, a float that integers can't hold, bits moved by more than there are, a zero point that is no number of its
type); where a lowering warns that it is exact up to some number only, and the module computes with larger ones, be it
before an activation; where operations in 16 bits that compute in 32 and round once give just that; where the result is
NaN, and the module computes with infinities; and where the module's own results change by a quarter as
much when the last bits of its numbers do (where these decide about a result, as about the tangent of 4e9, up to 64 of
them are tried). Such modules do not count as validated. Of a lowering that is declared to round again (*up to 1 step*),
the integers at its own place may differ by that many quantization steps, in whatever module it is, and nothing else
may."""

AIM = 200
"""Modules in which what nothing proves should be validated."""

TRUST = """- The numpy semantics of operations (`evaluate`) are the meaning of the IR. Frontends and the runtime's
  kernels are compared with them by other tests, and by verification whenever a model is compiled.
- z3, and the laws of transcendental functions that it is given.
- *Rounding*: proofs are about real numbers, and about literals as the numbers that they stand for (0.16666667 is one
  sixth). Results may differ in their last bits, and where the original overflows, comes within a factor of four of it,
  or computes with infinities and NaN. Constants that become attributes keep the digits of their type.
- *Broadcasting*: a theorem about elements holds for tensors because elementwise operations commute with broadcasting.
  That shapes and element types stay the same is checked each time that a rewrite is applied.
- Rewrites of operations that draw random numbers: no two draws are the same.
- Larger shapes than those of the index maps behave as small ones do.
- Passes that are no rewrites (layout, grouping, folding, elimination) are tested on random graphs, not here."""


def proofs() -> str:
    """Print the page."""
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    rewrites: dict[str, dict[str, Any]] = results["rewrites"]
    count = Counter(entry["basis"] for entry in rewrites.values())
    known = ("reals", "over the reals"), ("elements", "on all elements"), ("index maps", "as index maps")
    proven = ", ".join(f"{count[basis]} {text}" for basis, text in known)
    modules = [entry["modules"] for entry in rewrites.values() if entry["basis"] == "instances"]
    few = sum(n < AIM for n in modules)
    rarely = f"at least {AIM} modules each" if not few else f"at least {AIM} modules each, but for {few} in fewer"
    summary = f"""Of {len(rewrites)} rewrites are proven: {proven}. The other {len(modules)} are validated in
{rarely}. {results["firings"]:,} firings were compared, one by one."""
    passes = dict.fromkeys(key.split("/")[0] for key in rewrites)
    sections = [part for name in passes for part in (f"## {name}", _section(name, rewrites))]
    families = table(("family", "chains"), results["families"].items())
    return page(
        "Proofs",
        INTRO,
        summary,
        "## Methods",
        METHODS,
        "## What is taken on trust",
        TRUST,
        "## Does the prover see faults?",
        _mutants(results["mutants"]),
        *sections,
        "## Chains of moves",
        families,
    )


def _section(name: str, rewrites: dict[str, dict[str, Any]]) -> str:
    """The rewrites of one pass; those that it shares with another one stand there."""
    found = {key.partition("/")[2]: entry for key, entry in rewrites.items() if key.split("/")[0] == name}
    rows = [
        (f"`{key}`", _basis(entry), str(entry["instances"] or ""), str(entry["modules"]))
        for key, entry in found.items()
    ]
    return table(("rewrite", "known by", "instances", "modules"), rows)


def _basis(entry: dict[str, Any]) -> str:
    parts = ["reals"] if entry["basis"] == "reals" else []
    if entry["elements"]:
        parts.append(f"all numbers of {', '.join(entry['elements'])}")
    if entry["basis"] == "draws":
        parts.append("taken on trust: random numbers")
    if entry["basis"] == "index maps":
        parts.append(f"index maps ({', '.join(entry['families'])})")
    if entry["steps"]:
        parts.append(f"modules, up to {counted(entry['steps'], 'step')}")
    return "; ".join(parts) or "modules"


def _mutants(count: dict[str, int]) -> str:
    refused, right, survived, never = (count.get(k, 0) for k in ("refused", "right", "survived", "never applies"))
    total = sum(count.values())
    return f"""`python -m tests.proofs.mutants` plants one fault in a rule and asks the prover: a guard is dropped, a
number or an attribute changed, operands swapped, an operation replaced by a similar one or left out, a variable freed.
Of {total} mutants {refused} are refused; {never} match nothing. {right} are accepted because they are right, such as a
difference that is squared, with its operands swapped: they have a proof of their own, and agree on five times as
many other instances. Accepted although wrong: {survived}."""
