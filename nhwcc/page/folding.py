"""A network folded into drawings that are small enough to read: one per module, long ones cut into runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from nhwcc.page.network import Network

LARGEST = 40
"""What a drawing shows at most; of more, runs of neighbours become groups."""

SMALL = 10
"""What is shown without inner groups."""


@dataclass
class Group:
    """A part of a network: operations by number, and groups, those by ``~number``, in the order in which they begin.

    ``arrows`` join two members, with the type of what flows; ``enters`` and ``leaves`` join a member to an operation
    outside: the one that is read, and the first one that reads.
    """

    title: str
    parent: int | None
    members: list[int] = field(default_factory=lambda: list[int]())
    arrows: dict[tuple[int, int], str] = field(default_factory=lambda: dict[tuple[int, int], str]())
    enters: dict[tuple[int, int], str] = field(default_factory=lambda: dict[tuple[int, int], str]())
    leaves: dict[tuple[int, int], str] = field(default_factory=lambda: dict[tuple[int, int], str]())


def fold(network: Network) -> list[Group]:
    """Return the groups of a network, the whole one first; every operation is in one of them."""
    groups = [Group("", None)]
    by_path: dict[tuple[str, ...], int] = {(): 0}
    for number, operation in enumerate(network.operations):
        groups[_group(operation.path, groups, by_path)].members.append(number)
    _flatten(groups)
    for number in range(len(groups)):
        _split(number, groups)
    _join(network, groups)
    return groups


def _group(path: tuple[str, ...], groups: list[Group], known: dict[tuple[str, ...], int]) -> int:
    """Return the group of a path, with those that it lies in."""
    for depth in range(1, len(path) + 1):
        part = path[:depth]
        if part not in known:
            parent = known[part[:-1]]
            known[part] = len(groups)
            groups[parent].members.append(~len(groups))
            groups.append(Group(part[-1], parent))
    return known[path]


def _flatten(groups: list[Group]) -> None:
    """Take over what inner groups hold where that is one or little, or all there is; these stay empty."""
    for number in reversed(range(len(groups))):
        group = groups[number]
        single = [member for member in group.members if member < 0 and len(groups[~member].members) == 1]
        _take(number, single, groups)
        inner = [groups[~member] for member in group.members if member < 0]
        if len(group.members) == len(inner) == 1 and group.parent is not None:
            group.title, inner[0].title = f"{group.title}/{inner[0].title}", ""
        elif sum(len(g.members) for g in inner) + len(group.members) - len(inner) > SMALL:
            continue
        _take(number, [member for member in group.members if member < 0], groups)


def _take(number: int, taken: Collection[int], groups: Sequence[Group]) -> None:
    """Let a group take over what some of its inner groups hold, which leave their names to groups inside of them."""
    group = groups[number]
    members = [groups[~member].members if member in taken else [member] for member in group.members]
    group.members = [member for part in members for member in part]
    for inner in (groups[~member] for member in taken):
        for member in inner.members:
            if member < 0:
                groups[~member].parent = number
                groups[~member].title = "/".join(filter(None, (inner.title, groups[~member].title)))
        inner.members = []


def _split(number: int, groups: list[Group]) -> None:
    """Cut a long group into runs of nearly the same length, and these again."""
    group = groups[number]
    count = len(group.members)
    if count <= LARGEST:
        return
    runs = min(-(-count // LARGEST), LARGEST)
    members, group.members = group.members, []
    for run in range(runs):
        first, last = count * run // runs, count * (run + 1) // runs
        new, inner = len(groups), Group(f"part {run + 1} of {runs}", number, members[first:last])
        groups.append(inner)
        group.members.append(~new)
        for member in inner.members:
            if member < 0:
                groups[~member].parent = new
        _split(new, groups)


def _join(network: Network, groups: Sequence[Group]) -> None:
    """Say in every group what flows between its members, what enters it and what leaves it."""
    home = {member: number for number, group in enumerate(groups) for member in group.members if member >= 0}
    chains = {op: list(_chain(op, home[op], groups)) for op in home}
    for reader, operation in enumerate(network.operations):
        for read, type in operation.reads:
            below, above = dict(chains[reader]), dict(chains[read])
            for number, member in chains[reader]:
                if number in above:
                    if above[number] != member:
                        groups[number].arrows[above[number], member] = type
                    break
                groups[number].enters[read, member] = type
            for number, member in chains[read]:
                if number in below:
                    break
                groups[number].leaves.setdefault((member, reader), type)


def _chain(operation: int, group: int, groups: Sequence[Group]) -> Iterator[tuple[int, int]]:
    """Yield the groups that an operation lies in, innermost first, each with the member that holds it."""
    member, number = operation, group
    while True:
        yield number, member
        parent = groups[number].parent
        if parent is None:
            return
        member, number = ~number, parent


def counts(network: Network, groups: Sequence[Group]) -> list[Counter[str]]:
    """Count the categories of the operations in every group, those of inner groups too."""
    found = [Counter[str]() for _ in groups]
    for number, group in enumerate(groups):
        own = Counter(network.operations[member].category for member in group.members if member >= 0)
        at: int | None = number
        while at is not None:
            found[at] += own
            at = groups[at].parent
    return found
