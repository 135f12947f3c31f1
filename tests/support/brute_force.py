"""The least transposed bytes of a region, and of a lowered network, by trying everything: a judge of the solver."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product

from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Func, Module
from nhwcc.compiler.ops.shape import Transpose
from nhwcc.passes.layout.candidates import Kernels, Problem, collect, flood
from nhwcc.passes.layout.parts import Component, Part, components, split
from nhwcc.passes.layout.program import integer_program
from nhwcc.passes.layout.realize import realize
from nhwcc.passes.layout.sites import Site, value_bytes
from nhwcc.passes.layout.solve import Solution, assigned, solve
from nhwcc.passes.propagate_layout import Pins

COMBINATIONS = 30_000
"""More are left to the integer program, without any of the solver's shortcuts."""


def flooded(func: Func, layout: str = "free") -> Problem:
    """Return the layout problem with every order anywhere considered everywhere."""
    problem = collect(func, func.body, Pins.of(layout).axes, Kernels())
    flood(problem, problem.sites)
    return problem


def solved(func: Func, layout: str = "free") -> Solution:
    """What propagate-layout finds for a function's body."""
    problem = collect(func, func.body, Pins.of(layout).axes, Kernels())
    solution = solve(problem)
    if solution.cost + solution.charge:
        flood(problem, solution.costly)
        solution = solve(problem)
    return solution


def least(component: Component) -> float:
    """Return the least cost of a component."""
    if math.prod(len(p.options) for p in component.parts) > COMBINATIONS:
        component.choose(integer_program(component, math.inf)[0])
        return component.cost()
    costs: list[float] = []
    for options in product(*(range(len(p.options)) for p in component.parts)):
        component.choose(options)
        costs.append(component.cost())
    return min(costs)


def least_bytes(func: Func, layout: str = "free") -> float:
    """Return the least bytes of a function's body, those of transposes and those that forms count instead."""
    problem = flooded(func, layout)
    return sum(least(c) for c in components(problem, {s: split(s) for s in problem.sites}))


def transposed(module: Module) -> tuple[int, int]:
    """Return the bytes that the transposes of a module move, and their number; those of constants are none."""
    found = [op for op in module.walk() if isinstance(op, Transpose) and constant(op.x) is None]
    return sum(value_bytes(op.x) for op in found), len(found)


def count_assignments(module: Module, layout: str) -> int:
    """Return how many ways there are to give every operation an order."""
    return math.prod(len(part.options) for part in _open_parts(_parts(flooded(module.main, layout))))


def every_assignment(make: Callable[[], Module], layout: str) -> Iterator[tuple[Module, int]]:
    """Rewrite the module that ``make`` returns in every way there is; yield each with what its slower forms count."""
    counts = [len(part.options) for part in _open_parts(_parts(flooded(make().main, layout)))]
    for choice in product(*(range(n) for n in counts)):
        module = make()
        problem = flooded(module.main, layout)
        parts = _parts(problem)
        for part, option in zip(_open_parts(parts), choice, strict=True):
            part.chosen = option
        realize(problem, Solution(modes=assigned(parts)))
        yield module, sum(part.charges[part.chosen] for group in parts.values() for part in group)


def _parts(problem: Problem) -> dict[Site, list[Part]]:
    return {site: split(site) for site in problem.sites}


def _open_parts(parts: dict[Site, list[Part]]) -> list[Part]:
    return [part for group in parts.values() for part in group if part.is_open]
