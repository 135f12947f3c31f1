"""The integer program after a component that can be neither agreed on nor enumerated (HiGHS through scipy).

One binary variable per option of every part, of which exactly one is chosen; one variable per value and order that is
1 if some reader wants the order and the writer does not give it.  Objective: bytes, then transposes, then penalties.
"""

# scipy is untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compiler.order import Order, relayout_way
from .parts import Component, Edge, Member, Part

MAX_ENTRIES = 1 << 19
"""Of the matrix; before it has solved its first relaxation, HiGHS looks at the clock too seldom for a larger one."""

GRACE = 1.0
"""Seconds after the limit until a solver that does not stop is left alone."""

NO_LIMIT = 1e9
"""Seconds that stand for no limit: HiGHS takes numbers only."""


@dataclass(frozen=True)
class Ties:
    """What a transpose and a penalty count beside bytes: all of them together less than half of the smallest value."""

    move: float
    penalty: float

    @staticmethod
    def of(component: Component, least: float) -> Ties:
        """Weigh the ties of a component whose smallest value has ``least`` bytes."""
        moves = sum(1 + len(e.wanted) for e in component.edges)
        move = least / (2.0 * (2 + moves))
        return Ties(move, move / (1 + sum(max(p.penalties) for p in component.parts)))


class _Program:
    """A sparse matrix, built row by row, and an objective."""

    def __init__(self, component: Component, ties: Ties, until: float) -> None:
        self.is_whole = True
        self.until = until
        self.ties = ties
        self.objective: list[float] = []
        self.column: dict[tuple[Part, int], int] = {}
        self.entries: list[tuple[int, int, float]] = []
        self.low: list[float] = []
        self.high: list[float] = []
        for part in component.parts:
            for option, penalty in enumerate(part.penalties):
                self.column[part, option] = len(self.objective)
                self.objective.append(part.charges[option] + penalty * ties.penalty)
        self.binaries = len(self.objective)
        for part in component.parts:
            self.add([(self.column[part, o], 1.0) for o in range(len(part.options))], 1.0, 1.0)
        for edge in component.edges:
            self.is_whole = self.is_whole and time.monotonic() < until and len(self.entries) < MAX_ENTRIES
            if not self.is_whole:
                break
            self.edge(edge)

    def add(self, entries: Sequence[tuple[int, float]], low: float, high: float) -> None:
        """Add a row: ``low <= sum <= high``."""
        self.entries += [(len(self.low), column, value) for column, value in entries]
        self.low.append(low)
        self.high.append(high)

    def edge(self, edge: Edge) -> None:
        """One variable and its rows for every order that a reader may want, or that is on the way to one."""
        if edge.writer is None:
            return
        offered, wanted = edge.offered, edge.wanted
        for order in dict.fromkeys((*offered, *wanted)):
            if order.is_joined:
                self.follow(edge.writer, edge.readers, order)
        made: dict[Order, int] = {}
        for order in wanted:
            given = self.terms(edge.writer, order)
            if given is None or order.is_joined:
                continue  # the writer always gives it, or must give it
            made[order] = self.variable(edge)
            for reader in edge.readers:
                self.implies([reader], [order], [(made[order], 1.0), *((c, 1.0) for c in given)])
        for source in () if edge.is_direct else offered:
            self.is_whole = self.is_whole and time.monotonic() < self.until and len(self.entries) < MAX_ENTRIES
            for target in wanted if self.is_whole else ():
                if not source.is_joined and not target.is_joined:
                    self.way(edge, edge.writer, source, target, made)

    def variable(self, edge: Edge) -> int:
        """A variable that is 1 if a transpose makes some order of a value."""
        self.objective.append(edge.weight + self.ties.move)
        return len(self.objective) - 1

    def way(self, edge: Edge, writer: Member, source: Order, target: Order, made: dict[Order, int]) -> None:
        """Where transposes go over other orders, these are made, too; where there are none, both can't be chosen."""
        way = relayout_way(edge.size, source, target)
        for order in () if way is None else way[:-1]:
            if order not in made:
                made[order] = self.variable(edge)
            for reader in edge.readers:
                self.implies([writer, reader], [source, target], [(made[order], 1.0)])
        if way is None:
            for reader in edge.readers:
                self.implies([writer, reader], [source, target], [])

    def implies(self, members: Sequence[Member], orders: Sequence[Order], then: list[tuple[int, float]]) -> None:
        """If members have these orders, one at least of the other columns is 1."""
        asked = [self.terms(m, order) for m, order in zip(members, orders, strict=True)]
        if all(columns != [] for columns in asked):
            open_ = [columns for columns in asked if columns is not None]
            self.add([*then, *((c, -1.0) for columns in open_ for c in columns)], 1.0 - len(open_), np.inf)

    def follow(self, writer: Member, readers: Sequence[Member], order: Order) -> None:
        """No transpose makes an order, or something else of it: who has it, all have it."""
        columns = [self.terms(m, order) for m in (writer, *readers)]
        for other in columns[1:]:
            if other != columns[0]:
                level = 1.0 * ((other is None) - (columns[0] is None))
                row = [*((c, 1.0) for c in columns[0] or ()), *((c, -1.0) for c in other or ())]
                self.add(row, level, level)

    def terms(self, member: Member, order: Order) -> list[int] | None:
        """Columns of the options that have ``order`` at a port; None if all have."""
        matching = member.options_with(order)
        if len(matching) == len(member.part.options):
            return None
        return [self.column[member.part, o] for o in matching]


def fallback(component: Component) -> tuple[tuple[int, ...], float]:
    """Return what every part has now, and its cost; where no transposes reach it, what joins nothing out of order."""
    if not math.isfinite(component.cost()):
        component.choose([_plain(p) for p in component.parts])
    return tuple(p.chosen for p in component.parts), component.cost()


def _plain(part: Part) -> int:
    plain = (i for i, orders in enumerate(part.options) if not any(o.is_joined for o in orders))
    return part.chosen if not any(o.is_joined for o in part.options[part.chosen]) else next(plain, part.chosen)


def integer_program(component: Component, until: float) -> tuple[tuple[int, ...], float]:
    """Return the chosen option of every part, and how many bytes the cost may lie above the optimum.

    Where the program is too large, or time is up before there is a solution, every part keeps what it has.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import coo_matrix

    charged = any(c for p in component.parts for c in p.charges)
    least = 1.0 if charged else min((e.weight for e in component.edges), default=1.0)
    program = _Program(component, Ties.of(component, least), until)
    left = until - time.monotonic()
    if not program.is_whole or left <= 0:
        return fallback(component)
    rows, columns, values = zip(*program.entries, strict=True)
    matrix = coo_matrix((values, (rows, columns)), shape=(len(program.low), len(program.objective)))
    options = {"time_limit": min(left, NO_LIMIT), "mip_rel_gap": 0.0}
    result = _in_time(
        left + GRACE,
        lambda: milp(
            np.asarray(program.objective),
            integrality=np.arange(len(program.objective)) < program.binaries,
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix.tocsr(), program.low, program.high),  # pyright: ignore[reportArgumentType]
            options=options,
        ),
    )
    if result is None or result.x is None:
        return fallback(component)
    chosen = tuple(
        max(range(len(p.options)), key=lambda o, p=p: result.x[program.column[p, o]]) for p in component.parts
    )
    gap = float(result.fun - result.mip_dual_bound)
    return chosen, 0.0 if gap < least / 2 else gap


def _in_time(seconds: float, solve: Callable[[], Any]) -> Any:
    """Return what ``solve`` gives, None if it takes longer: some phases of HiGHS look at no clock for minutes.

    It then goes on beside us, without Python's lock, until it or the process ends: nothing can stop it.
    """
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(solve()), daemon=True)
    thread.start()
    thread.join(min(seconds, threading.TIMEOUT_MAX))
    return None if thread.is_alive() else found[0]
