"""The least transposed bytes of a region by trying everything, as a judge of the solver."""

from __future__ import annotations

import math
from itertools import product

from nhwcc.compiler.ir import Func
from nhwcc.passes.layout.candidates import Problem, collect, flood
from nhwcc.passes.layout.parts import Component, components, split
from nhwcc.passes.layout.program import integer_program
from nhwcc.passes.layout.solve import Solution, solve
from nhwcc.passes.propagate_layout import parse_io_layout

COMBINATIONS = 30_000
"""More are left to the integer program, without any of the solver's shortcuts."""


def flooded(func: Func, layout: str = "free") -> Problem:
    """Return the layout problem with every order anywhere considered everywhere."""
    problem = collect(func, func.body, parse_io_layout(layout).axes, "last")
    flood(problem, problem.sites)
    return problem


def solved(func: Func, layout: str = "free") -> Solution:
    """What propagate-layout finds for a function's body."""
    problem = collect(func, func.body, parse_io_layout(layout).axes, "last")
    solution = solve(problem, 30.0)
    if solution.cost + solution.charge:
        flood(problem, solution.costly)
        solution = solve(problem, 30.0)
    return solution


def least(component: Component) -> float:
    """Return the least cost of a component."""
    if math.prod(len(p.options) for p in component.parts) > COMBINATIONS:
        component.choose(integer_program(component, 60.0)[0])
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
