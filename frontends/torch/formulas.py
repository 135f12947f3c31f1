"""Formulas of sizes in a program's file, which PyTorch evaluates as Python: only arithmetic is let through."""

from __future__ import annotations

import ast
import math
import re

MAX_LENGTH = 20_000
"""Characters of a formula: Python's parser and sympy take more than linear time."""

MAX_POWER = 4096
"""The product of all exponents: a short text would otherwise be a number with more digits than memory has."""

FUNCTIONS = re.compile(
    "Abs|Add|And|CeilDiv|CeilToInt|CleanDiv|Eq|Equality|ExprCondPair|Float|FloatPow|FloatTrueDiv|FloorDiv|FloorToInt|Ge|"
    "GreaterThan|Gt|Identity|IntTrueDiv|Integer|IsNonOverlappingAndDenseIndicator|LShift|Le|LessThan|Lt|Max|Min|Mod|"
    "ModularIndexing|Mul|Ne|Not|Or|Piecewise|Pow|PowByNatural|PythonMod|RShift|Rational|RoundDecimal|RoundToInt|"
    "StrictGreaterThan|StrictLessThan|Symbol|ToFloat|Tuple|TruncToFloat|TruncToInt|Unequality|Where|Xor|abs|ceiling|"
    "floor|max|min|sqrt"
)
"""What a formula may call: constructors of sympy and PyTorch's functions of sizes."""

NAMED = frozenset({"Float", "Symbol"})
"""What takes a text: digits, or a name."""

POWERS = frozenset({"FloatPow", "LShift", "Pow", "PowByNatural", "RShift"})

_WORD = re.compile(r"[A-Za-z_]\w*|-?[\d.]+(e[+-]?\d+)?", re.ASCII)

_NODES = (
    ast.Expression,
    ast.keyword,
    ast.Load,
    ast.Tuple,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)


def is_formula(text: str) -> bool:
    """Say whether evaluating a text computes with sizes, and does nothing else.

    >>> is_formula("Add(Mul(Integer(2), Symbol('s0', positive=True, integer=True)), Integer(-1))")
    True
    >>> is_formula("s0//2 + Max(1, s1)"), is_formula("Pow(Integer(9), Pow(Integer(9), Integer(9)))")
    (True, False)
    >>> is_formula("__import__('os').system('ls')"), is_formula("[i for i in ()]")
    (False, False)
    """
    if len(text) > MAX_LENGTH:
        return False
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return all(map(_is_harmless, ast.walk(tree))) and _power(tree) <= MAX_POWER
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False


def _is_harmless(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name), args=args):
            texts = [a.value for a in args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            return bool(FUNCTIONS.fullmatch(name)) and (name in NAMED or not texts) and all(map(_WORD.fullmatch, texts))
        case ast.Name():
            return not node.id.startswith("__")
        case ast.keyword(value=ast.Constant(value=str())):
            return False
        case ast.Constant():
            return isinstance(node.value, int | float | str)
        case ast.BinOp() | ast.UnaryOp() | ast.BoolOp() | ast.Compare():
            return not any(isinstance(n, ast.Constant) and isinstance(n.value, str) for n in ast.iter_child_nodes(node))
        case _:
            return isinstance(node, _NODES)


def _power(node: ast.AST) -> float:
    """Return the largest product of exponents one within the other; infinity if one of them is no number."""
    inner = max(map(_power, ast.iter_child_nodes(node)), default=1.0)
    match node:
        case ast.BinOp(op=ast.Pow() | ast.LShift() | ast.RShift(), right=exponent):
            return inner * _size(exponent)
        case ast.Call(func=ast.Name(id=name), args=[_, exponent]) if name in POWERS:
            return inner * _size(exponent)
        case ast.Call(func=ast.Name(id=name)) if name in POWERS:
            return math.inf
        case _:
            return inner


def _size(exponent: ast.AST) -> float:
    """Return how large a number is at most, at least 1; infinity for what is none."""
    match exponent:
        case ast.Constant(value=int() | float() as number):
            return max(abs(number), 1)
        case ast.UnaryOp(operand=operand):
            return _size(operand)
        case ast.Call(func=ast.Name(id="Integer" | "Rational"), args=args, keywords=[]):
            return max(map(_size, args), default=math.inf)
        case _:
            return math.inf
