"""Operations that bind names to sizes which data decides about when the network runs."""

from __future__ import annotations

from collections.abc import Mapping

from ..diagnostics import counted
from ..dims import Dim, Sym, substitute
from ..ir import Op
from ..opdef import op
from ..operands import Integers
from ..types import Array, TensorType


@op("bind_sizes")
class BindSizes(Op):
    """Name the elements of a vector: what follows may use ``sizes`` as sizes and positions.

    A size that is a number is what its element must be.  ``least`` and ``most`` are bounds for each element, where they
    are known; a network that is given others has no meaning.  Without results it is not pure: it is needed as long as
    something uses one of the names.
    """

    x: Integers
    sizes: tuple[Dim, ...]
    least: tuple[Dim, ...] = ()
    most: tuple[Dim, ...] = ()

    def infer(self) -> tuple[TensorType, ...]:
        """No results."""
        if self.x.type.shape != (len(self.sizes),):
            raise ValueError(f"{self.x.type} has not {counted(len(self.sizes), 'element')} to name")
        for bounds in (self.least, self.most):
            if bounds and len(bounds) != len(self.sizes):
                raise ValueError(f"{counted(len(bounds), 'bound')} for {counted(len(self.sizes), 'element')}")
        if not all(isinstance(d, int) or d.expr.is_Symbol for d in self.sizes):
            raise ValueError(f"sizes are bound to [{','.join(map(str, self.sizes))}], which are not all names")
        return ()

    def defines(self) -> frozenset[str]:
        """Return the names of the sizes that are bound here."""
        return frozenset(str(d) for d in self.sizes if isinstance(d, Sym))

    def bound(self, x: Array, known: Mapping[str, int]) -> dict[str, int]:
        """Return the numbers of the names for given elements, where other names are ``known``.

        Raises:
            CompileError: T002, an element is out of its bounds.
        """
        found: dict[str, int] = {}
        for place, (size, number) in enumerate(zip(self.sizes, map(int, x), strict=True)):
            least, most = (substitute(b[place], known) if b else number for b in (self.least, self.most))
            least, most = (size, size) if isinstance(size, int) else (least, most)
            if (isinstance(least, int) and number < least) or (isinstance(most, int) and number > most):
                raise self.fail("T002", f"element {place} is {number}, but must be from {least} to {most}")
            if isinstance(size, Sym):
                found[str(size)] = number
        return found

    @staticmethod
    def evaluate(
        x: Array, *, sizes: tuple[Dim, ...], least: tuple[Dim, ...], most: tuple[Dim, ...]
    ) -> tuple[Array, ...]:
        """Nothing is computed; names get their numbers where the network runs."""
        return ()
