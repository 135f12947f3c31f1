"""A part of ``make prove`` for every rewrite; the rest of what it found is in results.json."""

from __future__ import annotations

from collections import Counter

import pytest
from nhwcc.compiler.diagnostics import collect_remarks
from nhwcc.compiler.interpreter import random_inputs
from nhwcc.compiler.ops.activation import Relu
from nhwcc.compiler.parser import parse_module
from nhwcc.compiler.rewrite import Rewriter, pattern, rewrite, watch_rewriting
from nhwcc.compiler.rules import Rule, parse_rules

from . import exhaustive, index_maps, instances, mutants
from .declared import TYPES, variations
from .drafts import build, draft
from .exploring import Explorer
from .firings import Findings, Validator, validate
from .results import Results
from .rewrites import Rewrite, all_rewrites, rule_of, rules
from .seeds import WRITTEN, distinct, drafts_of_files, pipelines, random_graphs, random_operations, written_drafts
from .theorems import prove
from .verdicts import judge

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
"""Numbers overflow on purpose."""

HINT = "run `make prove`, which proves what is new and takes some minutes"


def test_the_results_are_of_these_rewrites() -> None:
    known, now = set(Results.load().rewrites), {r.key for r in all_rewrites()}
    assert known == now, f"{HINT}: {sorted(now - known)} are new, {sorted(known - now)} are gone"


ENOUGH = 200
"""Modules in which what nothing proves is validated."""


def test_every_other_rewrite_is_validated_often_enough() -> None:
    few = [k for k, e in Results.load().rewrites.items() if e.basis == "instances" and e.modules < ENOUGH]
    assert not few, f"{HINT}: {few}"


def test_every_rule_is_proven_and_no_faulty_one_passes() -> None:
    results = Results.load()
    assert not [r.key for r in rules() if results.rewrites[r.key].basis not in ("reals", "elements", "index maps")]
    assert results.mutants.get("survived", 0) == 0


@pytest.mark.parametrize("rewrite", rules(), ids=lambda r: r.key)
def test_rules(rewrite: Rewrite) -> None:
    """Theorems whole, a few instances each."""
    assert rewrite.rule is not None
    found = instances.check_rule(rewrite.rule, 3)
    assert found.wrong is None, found.wrong
    known = Results.load().rewrites[rewrite.key]
    outcome = prove(rewrite.rule)
    assert outcome.outcome == ("proven" if known.basis == "reals" else "unsupported"), f"{HINT}: {outcome}"


@pytest.mark.parametrize("rewrite", rules()[::11], ids=lambda r: r.key)
def test_rules_on_all_elements(rewrite: Rewrite) -> None:
    assert rewrite.rule is not None
    found = exhaustive.check_rule(rewrite.rule)
    assert found.wrong is None, found.wrong


@pytest.mark.parametrize("family", index_maps.FAMILIES)
def test_moves(family: str) -> None:
    found = index_maps.check_family(family, every=307, first=5)
    assert found.fired and not found.wrong


def test_firings() -> None:
    findings = Findings()
    for seed in [*random_operations(range(100, 101)), *random_graphs(range(1000, 1010))]:
        validate(seed.module, seed.passes, findings, seed.inputs)
    for body in distinct(written_drafts())[::9]:
        validate(build(body), "canonicalize,fuse-patterns,fuse-batch-norm,fuse-activations", findings)
    assert len(findings.validated) > 60 and not findings.alarms


def test_faulty_rules_are_refused() -> None:
    fates = Counter(mutants.fate(mutant)[0] for _, mutant in mutants.sample(12))
    assert fates["refused"] >= 10 and not fates["survived"]


def _rule(text: str) -> Rule:
    (made,) = parse_rules(f"rule planted: {text}")
    found = rule_of(made)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    [
        "add(%x, 0, activation=$_) => %x",
        "clip(%x, min=$l, max=$h) => relu(%x)",
        "sub(%a, %b) => sub(%b, %a)",
        "div(mul(%x, %y), %y) => add(%x, 0)",
        "transpose(transpose(%x, perm=$p), perm=$q) => transpose(%x, perm=compose($q, $p))",
        "hard_sigmoid(%x, alpha=$a, beta=$b) => clip(%x, min=$a, max=$b)",
        "neg(%x) => abs(%x)",
    ],
)
def test_a_wrong_rule_is_refused(text: str) -> None:
    assert not judge(_rule(text), until_wrong=True).is_accepted


def test_z3_alone_sees_what_is_wrong() -> None:
    assert prove(_rule("sub(%a, %b) => sub(%b, %a)")).outcome == "refuted"
    assert prove(_rule("add(%x, 0, activation=$_) => %x")).outcome == "refuted"
    assert prove(_rule("tanh(%x) => sigmoid(%x)")).outcome != "proven"


def test_a_wrong_firing_is_noticed() -> None:
    @pattern(Relu)
    def forget(op: Relu, rw: Rewriter) -> None:
        """Negative numbers stay."""
        rw.replace(op.x)

    module = parse_module("func @main(%x: f32[4]) -> (f32[4]) {\n%y = relu(%x) : f32[4]\nreturn(%y)\n}")

    findings = Findings()
    (known,) = [r for r in all_rewrites() if r.key == "canonicalize/relu-relu"]
    validator = Validator(module, random_inputs(module.main), "none", draft(module), findings, [])
    with watch_rewriting(validator), collect_remarks():
        assert rewrite(module, [forget]) == 1
    assert not findings.alarms, "it is no rewrite of any pass"
    validator.fired(module, known.pattern)
    (alarm,) = findings.alarms[known.key]
    assert "instead of" in alarm.why and "relu" in alarm.before and "relu" not in alarm.after


def test_a_rare_rewrite_is_found_again_in_mutants() -> None:
    explorer = Explorer(list(drafts_of_files([WRITTEN[1]])), pipelines(), 20)
    _, sources = explorer.first(range(len(explorer.drafts)))
    key = "legalize/gather-integers"
    found, _ = explorer.deepen([key], sources, Findings(), 20.0)
    assert len(found.validated[key]) == 20 and not found.alarms


def test_a_size_that_something_else_told_is_told_by_an_argument() -> None:
    body = draft(
        parse_module(
            """func @main(%x: f32[2,4], %n: i64[1]) -> (f32[2*u0,4]) {
              bind_sizes(%n) {sizes = ['u0'], least = [1]}
              %y = tile(%x) {repeats = ['u0', 1]} : f32[2*u0,4]
              return(%y)
            }"""
        )
    )
    whole = build(body)
    body.steps[:] = [s for s in body.steps if s.kind != "bind_sizes"]
    body.tell_sizes()
    assert [str(a.type) for a in whole.main.args] == ["f32[2,4]", "i64[1]"]
    assert [str(a.type) for a in build(body).main.args] == ["f32[2,4]", "i64[1]", "f32[u0]"]


def test_declarations_say_what_to_try() -> None:
    body = draft(
        parse_module('func @main(%x: f32[4]) -> (i32[4]) {\n%y = cast(%x) {to = "i32"} : i32[4]\nreturn(%y)\n}')
    )
    made = list(variations(body))
    assert {b.arguments[0].dtype for b in made} == set(TYPES)
    assert {b.steps[0].attributes["to"] for b in made} == set(TYPES)
    assert {b.steps[0].attributes["rounding"] for b in made} == {"nearest", "up", "down"}
