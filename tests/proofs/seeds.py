"""Modules on which rewrites may fire: random operations and graphs, cases of passes, examples, and texts in tests."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from itertools import product
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

from nhwcc.backends.registry import TARGETS, find_target
from nhwcc.compiler.diagnostics import CompileError
from nhwcc.compiler.ir import Module
from nhwcc.compiler.ops.recurrent import Recurrent
from nhwcc.compiler.parser import parse_module, read_module
from nhwcc.compiler.pipeline import PASSES
from nhwcc.compiler.types import Array

from tests.backends.tflite.conftest import prepare
from tests.backends.tflite.random_ops import MAKERS, draw_case
from tests.passes.random_graphs import random_module

from .declared import TYPES, variations
from .drafts import Body, TooLarge, build, draft
from .equivalence import FAULTS
from .rewrites import all_rewrites, lowerings_for_targets

LEGALIZE = "legalize"
"""How the names of passes begin that bring modules into the form of a target."""

ROOT = Path(__file__).parents[2]
WRITTEN = (ROOT / "docs" / "operations.ir", Path(__file__).with_name("rare.txt"))
IR = re.compile(r"^func @main\(.*?^\s*\}$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Seed:
    """A module, the passes that it goes through, and inputs where plain random ones make no sense."""

    module: Module
    passes: str
    inputs: list[Array] | None = field(default=None, compare=False)


def pipelines() -> list[str]:
    """Legalizations with all their choices, all other passes that rewrite as one pipeline, and those of the targets."""
    rewriting = dict.fromkeys(rewrite.key.split("/")[0].partition("{")[0] for rewrite in all_rewrites())
    whole = [find_target(target).pipeline for target in TARGETS]
    legalizing = [name for name in rewriting if name.startswith(LEGALIZE)]
    others = [name for name in rewriting if not name.startswith(LEGALIZE)]
    order = {name: i for i, name in reversed(list(enumerate(",".join(whole).split(","))))}
    others.sort(key=lambda name: order.get(name, len(order)))
    lowering = [text for name in legalizing for text in (name, *_choices(name), *lowerings_for_targets(name))]
    return [*lowering, ",".join(others), *whole]


def _choices(name: str) -> Iterator[str]:
    """A pass with each value of each option that is one of a few words."""
    hints = get_type_hints(PASSES[name])
    for option in fields(PASSES[name]):
        if get_origin(hints[option.name]) is Literal:
            yield from (f"{name}{{{option.name.replace('_', '-')}={word}}}" for word in get_args(hints[option.name]))


def random_operations(rounds: range) -> Iterator[Seed]:
    """Every operation with random types, shapes and attributes, on its way to each target."""
    legalizations = [passes for passes in pipelines() if passes.startswith(LEGALIZE)]
    for number in rounds:
        for name in MAKERS:
            for passes in legalizations:
                try:
                    case = draw_case(name, 5000 + number)
                except CompileError:
                    break  # what was drawn does not fit together
                yield Seed(case.module, passes, prepare(case.module.main, {}, case.inputs))
                if not any(isinstance(op, Recurrent) for op in case.module.walk()):
                    break  # choices are about recurrent layers


def random_graphs(numbers: range) -> Iterator[Seed]:
    """Graphs that move data around weighted operations, through single passes and whole pipelines."""
    for number in numbers:
        yield Seed(random_module(number), random.Random(number).choice(pipelines()))


def written_drafts() -> Iterator[Body]:
    """Cases of passes, examples of operations, and the modules that tests and pages write as text."""
    texts = [
        t for path in sorted((ROOT / "tests" / "passes").glob("*.ir")) for t in path.read_text().split("// -----\n")
    ]
    sources = [*sorted((ROOT / "tests").rglob("test_*.py")), *sorted((ROOT / "docs").glob("*.md"))]
    texts += [text for path in sources for text in IR.findall(path.read_text(encoding="utf-8"))]
    modules: list[Module] = []
    for text in texts:
        try:
            modules.append(parse_module(text.partition("// becomes\n")[0]))
        except (CompileError, UnicodeError):
            continue  # it shows a mistake, or is a part of something
    yield from drafts_of_files(WRITTEN)
    yield from _drafts(modules)


def drafts_of_files(paths: Iterable[Path]) -> Iterator[Body]:
    """Take the functions of files apart."""
    return _drafts(Module(f) for path in paths for f in read_module(path).funcs.values())


def _drafts(modules: Iterable[Module]) -> Iterator[Body]:
    for module in modules:
        try:
            yield draft(module)
        except TooLarge:
            continue


def declared_drafts() -> Iterator[Body]:
    """What declarations of operations allow: variations of an example and of a random case of each."""
    for body in (*drafts_of_files(WRITTEN[:1]), *drafts_of(random_operations(range(1)))):
        yield from variations(body)
    yield from _drafts(sliced_by_data())


def sliced_by_data() -> Iterator[Module]:
    """Slices from where an input tells, which mutants seldom are: a name must be bound before it is used."""
    for dtype, index, size in product(TYPES, ("i32", "i64"), (1, 2, 3)):
        for shape, starts, sizes in (
            ("5", "'u0'", "{}"),
            ("3,6", "0, 'u0'", "3, {}"),
            ("4,2,5", "'u0', 0, 1", "{}, 2, 3"),
        ):
            result = f"{dtype.value}[{sizes.format(size).replace(' ', '')}]"
            steps = ", ".join("1" for _ in starts.split(", "))
            taken = sizes.format(size)
            yield parse_module(
                f"func @main(%x: {dtype.value}[{shape}], %n: {index}[1]) -> ({result}) {{\n"
                "  bind_sizes(%n) {sizes = ['u0']}\n"
                f"  %y = slice(%x) {{starts = [{starts}], sizes = [{taken}], steps = [{steps}]}} : {result}\n"
                "  return(%y)\n}"
            )


def drafts_of(seeds: Iterable[Seed]) -> Iterator[Body]:
    """Take the modules of seeds apart."""
    return _drafts(seed.module for seed in seeds)


def distinct(bodies: Iterable[Body]) -> list[Body]:
    """Drafts that make modules, without copies."""
    found: dict[int, Body] = {}
    for body in bodies:
        try:
            build(body)
        except FAULTS:
            continue
        found.setdefault(body.fingerprint(), body)
    return list(found.values())
