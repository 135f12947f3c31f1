"""Handlers' signatures as schemas of operators: parameters, and whether operands fit them."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar, get_args, get_origin

from ...compiler.diagnostics import counted, error


@dataclass(frozen=True)
class Since:
    """The version of the operator set with which a parameter has come: ``Annotated[int, Since(10)]``."""

    version: int


@dataclass(frozen=True)
class Until:
    """The last version of the operator set that has a parameter."""

    version: int


@dataclass(frozen=True)
class Parameter:
    """An operand or attribute in a handler's signature; ``default`` is ``Parameter.required`` where there is none.

    ``since`` and ``until`` are the versions of the operator set that have it.
    """

    name: str
    type: Any
    default: Any
    is_variadic: bool = False
    since: int = 0
    until: int | None = None

    required: ClassVar[Any] = inspect.Parameter.empty

    @classmethod
    def of(cls, parameter: inspect.Parameter) -> Self:
        """Read how a handler declares a parameter: an operand, or an attribute with its type."""
        type, since, until = parameter.annotation, 0, None
        if get_origin(type) is typing.Annotated:
            type, *marks = get_args(type)
            since = max((m.version for m in marks if isinstance(m, Since)), default=0)
            until = next((m.version for m in marks if isinstance(m, Until)), None)
        is_variadic = parameter.kind is parameter.VAR_POSITIONAL
        return cls(parameter.name, type, default_of(parameter, type), is_variadic, since, until)

    def covers(self, version: int) -> bool:
        """Say whether a version of the operator set has it."""
        return self.since <= version and (self.until is None or version <= self.until)

    @property
    def is_required(self) -> bool:
        """Whether the parameter has no default and must be given."""
        return self.default is Parameter.required

    @property
    def kinds(self) -> tuple[Any, ...]:
        """The members of its type if that is a union, else the type itself."""
        is_union = get_origin(self.type) in (typing.Union, types.UnionType)
        return get_args(self.type) if is_union else (self.type,)

    def takes(self, value: object) -> bool:
        """Say whether an operand, None if it is left out, is an instance of one of the classes that the type names."""
        return value is None or any(isinstance(value, k) for k in self.kinds if isinstance(k, type))


P = TypeVar("P", bound=Parameter)


def default_of(parameter: inspect.Parameter, type: Any) -> Any:
    """Return a parameter's default; an optional operand can come before one that is not."""
    is_operand = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    return None if is_operand and types.NoneType in get_args(type) else parameter.default


@dataclass(frozen=True)
class Operands:
    """What messages call an operator and its operands, and an operand of a wrong kind."""

    name: str
    word: str
    describe: Callable[[object], str]

    def check(self, given: Sequence[object], parameters: Sequence[P], may_be_empty: Callable[[P, bool], bool]) -> None:
        """Compare operands with a signature; ``may_be_empty`` is asked with whether there is one in the place.

        Raises:
            CompileError: F006, there are too many, one is missing, or of a kind that the handler does not take.
        """
        is_variadic = bool(parameters) and parameters[-1].is_variadic
        if len(given) > len(parameters) and not is_variadic:
            raise error("F006", f"{self.name} takes {counted(len(parameters), self.word)}, but has {len(given)}")
        for i in range(max(len(given), len(parameters))):
            parameter = parameters[min(i, len(parameters) - 1)]
            value = given[i] if i < len(given) else None
            if value is None and parameter.is_required and not may_be_empty(parameter, i < len(given)):
                raise error("F006", f"{self.name} lacks its {self.word} {parameter.name!r}")
            if not parameter.takes(value):
                what = self.describe(value)
                raise error("F006", f"{self.name} can't have {what} as its {self.word} {parameter.name!r}")
