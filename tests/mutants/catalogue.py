"""Mutants as data: small faults, what kills each of them, and a network that each of them computes wrongly.

A table of a ``*.toml`` file here is a mutant; its fields are those of :class:`Mutant`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
TREES = ("backends", "compiler", "formats", "frontends", "nhwcc", "passes")


@dataclass(frozen=True)
class Network:
    """A small network: a graph in ONNX's text form, or an expression of PyTorch and the shapes of its inputs.

    Inputs of the graph whose names begin with ``w`` become constants of random numbers. The expression makes a module,
    or, where it begins with ``lambda``, is a function of the inputs. ``options`` are those of :func:`nhwcc.compile`.
    """

    onnx: str = ""
    torch: str = ""
    inputs: tuple[str, ...] = ()
    options: dict[str, object] = field(default_factory=lambda: dict[str, object]())


@dataclass(frozen=True)
class Mutant:
    """A fault: ``new`` instead of ``old``, which stands in ``file`` exactly once.

    ``tests`` are run until one fails. ``equivalent`` says why no test can kill it, ``verified`` why compiling the
    network does not notice.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...]
    network: Network
    equivalent: str = ""
    verified: str = ""

    @property
    def area(self) -> str:
        """The part of the compiler that the file belongs to, as the table has it."""
        parts = Path(self.file).parts
        return "/".join(parts[:2] if parts[0] in ("compiler", "passes", "nhwcc") else parts[:3])

    @property
    def fingerprint(self) -> str:
        """What tells this declaration from an older one of the same name."""
        return sha256(repr(self).encode()).hexdigest()[:16]

    def problems(self, root: Path = ROOT) -> list[str]:
        """Say what makes this declaration meaningless: the code has changed, or it never fitted."""
        path = root / self.file
        if Path(self.file).parts[0] not in TREES or not path.is_file():
            return [f"{self.name}: there is no source {self.file}"]
        count = path.read_text(encoding="utf-8").count(self.old)
        found = [] if count == 1 else [f"{self.name}: stands {count} times in {self.file}, not once: {self.old!r}"]
        paths = [t.partition("::")[0] for t in self.tests]
        found += [f"{self.name}: there is no {p}" for p in paths if not (root / p).exists()]
        if self.old == self.new:
            found.append(f"{self.name}: changes nothing")
        if not self.tests:
            found.append(f"{self.name}: names no tests")
        if bool(self.network.onnx) == bool(self.network.torch):
            found.append(f"{self.name}: needs a network, either of ONNX or of PyTorch")
        return found

    def apply(self, root: Path) -> str:
        """Return the text of the file with the fault."""
        return (root / self.file).read_text(encoding="utf-8").replace(self.old, self.new)


def read(folder: Path = HERE) -> list[Mutant]:
    """Read all mutants, file by file.

    Raises:
        ValueError: two have one name.
    """
    mutants: list[Mutant] = []
    for path in sorted(folder.glob("*.toml")):
        for name, fields in tomllib.loads(path.read_text(encoding="utf-8")).items():
            fields["tests"] = tuple(fields["tests"])
            network = fields.pop("network")
            network["inputs"] = tuple(network.get("inputs", ()))
            mutants.append(Mutant(name, network=Network(**network), **fields))
    names = [m.name for m in mutants]
    if twice := {n for n in names if names.count(n) > 1}:
        raise ValueError(f"mutants of one name: {', '.join(sorted(twice))}")
    return mutants
