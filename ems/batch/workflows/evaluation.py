"""The value of an expression, and before that its type: a walk over its syntax, node by node."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ems.batch.workflows.expressions import BadExpression, Expression, constant_of, reference_of
from ems.batch.workflows.functions import FUNCTIONS, NoValue, number, value_in_words
from ems.batch.workflows.references import BadReference, Reference
from ems.batch.workflows.value_types import ValueType, is_taken, type_of, words_of
from ems.errors import show

LARGEST_WHOLE_NUMBER = 2**63
LONGEST_TEXT = 100_000
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def evaluate(expression: Expression, resolve: Callable[[Reference], Any]) -> Any:
    """Return the value of an expression.

    Parameters
    ----------
    expression : Expression
    resolve : callable (Reference)
        Gives the value of a reference.

    Raises
    ------
    BadExpression
        If it has no value: a division by zero, a comparison with nothing; names the expression.
    """
    try:
        return _Walk(expression, resolve).value(expression.tree)
    except (NoValue, BadReference) as error:
        raise BadExpression(f"{show(expression.text)} has no value: {error}") from None


class _Walk:
    """The values of an expression's nodes."""

    def __init__(self, expression: Expression, resolve: Callable[[Reference], Any]) -> None:
        self.marked = expression.marked
        self.resolve = resolve

    def value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return _bounded(node.value)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return self._looked_up(node)
        method: Callable[[Any], Any] = getattr(self, f"_{type(node).__name__.lower()}")
        return _bounded(method(node))

    def _looked_up(self, node: ast.Name | ast.Attribute | ast.Subscript) -> Any:
        found = reference_of(node, self.marked)
        if found is not None:
            return self.resolve(found)
        if isinstance(node, ast.Name):
            return constant_of(node)
        key: Any = node.attr if isinstance(node, ast.Attribute) else self.value(node.slice)
        inside = self.value(node.value)
        if isinstance(inside, Mapping) and isinstance(key, str) and key in inside:
            return inside[key]
        is_place = isinstance(key, int) and not isinstance(key, bool)
        if isinstance(inside, list | tuple) and is_place and -len(inside) <= key < len(inside):
            return inside[key]
        raise NoValue(f"there is no {show(key)} in {show(value_in_words(inside))}")

    def _boolop(self, node: ast.BoolOp) -> bool:
        is_and = isinstance(node.op, ast.And)
        for part in node.values:
            if _truth(self.value(part)) is not is_and:
                return not is_and
        return is_and

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not _truth(value)
        return -number(value) if isinstance(node.op, ast.USub) else number(value)

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Add):
            for kind in (str, list):
                if isinstance(left, kind) and isinstance(right, kind):
                    return left + right  # type: ignore[operator]
        first, second = number(left), number(right)
        if isinstance(node.op, ast.Pow):
            return _power(first, second)
        if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod) and second == 0:
            raise NoValue(f"{show(first)} is divided by zero")
        try:
            return _ARITHMETIC[type(node.op)](first, second)
        except OverflowError:
            raise NoValue("a number is too large") from None

    def _compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, part in zip(node.ops, node.comparators, strict=True):
            right = self.value(part)
            if not _holds(sign, left, right):
                return False
            left = right
        return True

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self.value(node.body if _truth(self.value(node.test)) else node.orelse)

    def _call(self, node: ast.Call) -> Any:
        assert isinstance(node.func, ast.Name), "checked when it was read"
        return FUNCTIONS[node.func.id].call(*(self.value(part) for part in node.args))

    def _list(self, node: ast.List) -> list[Any]:
        return [self.value(part) for part in node.elts]

    def _tuple(self, node: ast.Tuple) -> list[Any]:
        return [self.value(part) for part in node.elts]

    def _dict(self, node: ast.Dict) -> dict[str, Any]:
        keys = [str(key.value) for key in node.keys if isinstance(key, ast.Constant)]
        return dict(zip(keys, map(self.value, node.values), strict=True))


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NoValue(f"{show(value_in_words(value))} is neither true nor false")
    return value


def _holds(sign: ast.cmpop, left: Any, right: Any) -> bool:
    if isinstance(sign, ast.Eq | ast.Is):
        return _same(left, right)
    if isinstance(sign, ast.NotEq | ast.IsNot):
        return not _same(left, right)
    if isinstance(sign, ast.In | ast.NotIn):
        if isinstance(right, str) and isinstance(left, str):
            is_in = left in right
        elif isinstance(right, list | tuple | Mapping):
            is_in = any(_same(left, one) for one in right)
        else:
            raise NoValue(f"nothing can be in {show(value_in_words(right))}")
        return is_in is isinstance(sign, ast.In)
    if isinstance(left, str) and isinstance(right, str):
        return _ORDER[type(sign)](left, right)
    return _ORDER[type(sign)](number(left), number(right))


def _same(left: Any, right: Any) -> bool:
    # In Python true equals 1, which no reader of a condition means.
    return bool(left == right) and isinstance(left, bool) is isinstance(right, bool)


def _power(base: int | float, exponent: int | float) -> int | float:
    try:
        # Powers of whole numbers grow without bound; those of floating-point numbers end.
        found = float(base) ** exponent
    except (OverflowError, ZeroDivisionError):
        raise NoValue(f"{show(base)} ** {show(exponent)} is no finite number") from None
    if isinstance(found, complex):
        raise NoValue(f"{show(base)} ** {show(exponent)} is no real number")
    is_whole = isinstance(base, int) and isinstance(exponent, int) and exponent >= 0 and abs(found) < 2**53
    return int(found) if is_whole else found


def _bounded(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise NoValue("a number is not finite")
    if isinstance(value, int) and abs(value) > LARGEST_WHOLE_NUMBER:
        raise NoValue("a whole number is too large")
    if isinstance(value, str | list) and len(value) > LONGEST_TEXT:
        raise NoValue(f"a text or list is longer than {LONGEST_TEXT}")
    return value


# ---------------------------------------------------------------------------------------------- types
def infer_type(expression: Expression, type_at: Callable[[Reference], ValueType]) -> ValueType:
    """Return the type that the value of an expression will have.

    Raises
    ------
    BadExpression
        If types clash: a text in a sum of numbers, a number where true or false is needed.
    """
    return _Types(expression, type_at).kind(expression.tree)


class _Types:
    """The types of an expression's nodes."""

    def __init__(self, expression: Expression, type_at: Callable[[Reference], ValueType]) -> None:
        self.marked = expression.marked
        self.type_at = type_at

    def kind(self, node: ast.expr) -> ValueType:
        if isinstance(node, ast.Constant):
            return type_of(node.value)
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            found = reference_of(node, self.marked)
            if found is not None:
                return self.type_at(found)
            return type_of(constant_of(node)) if isinstance(node, ast.Name) else "any"
        method: Callable[[Any], ValueType] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        return "any" if method is None else method(node)

    def _needs(self, node: ast.expr, wanted: ValueType) -> None:
        found = self.kind(node)
        if not is_taken(found, wanted):
            raise BadExpression(f"{show(self._shown(node))} is {words_of(found)}; needed is {words_of(wanted)}")

    def _shown(self, node: ast.expr) -> str:
        text = ast.unparse(node)
        for name, reference in self.marked.items():
            text = text.replace(name, reference.marked)
        return text

    def _boolop(self, node: ast.BoolOp) -> ValueType:
        for part in node.values:
            self._needs(part, "boolean")
        return "boolean"

    def _unaryop(self, node: ast.UnaryOp) -> ValueType:
        wanted: ValueType = "boolean" if isinstance(node.op, ast.Not) else "number"
        self._needs(node.operand, wanted)
        return wanted

    def _binop(self, node: ast.BinOp) -> ValueType:
        kinds = {self.kind(node.left), self.kind(node.right)}
        if isinstance(node.op, ast.Add):
            same: tuple[ValueType, ...] = ("text", "list")
            for joined in same:
                if kinds == {joined}:
                    return joined
            if kinds <= {"text", "list", "any"} and "any" in kinds:
                return "any"
        self._needs(node.left, "number")
        self._needs(node.right, "number")
        return "integer" if kinds == {"integer"} and not isinstance(node.op, ast.Div | ast.Pow) else "number"

    def _compare(self, node: ast.Compare) -> ValueType:
        parts = [node.left, *node.comparators]
        for sign, left, right in zip(node.ops, parts, parts[1:], strict=False):
            kinds = (self.kind(left), self.kind(right))
            if isinstance(sign, ast.Lt | ast.LtE | ast.Gt | ast.GtE) and kinds != ("text", "text"):
                for part, kind in zip((left, right), kinds, strict=True):
                    if kind != "text" or "any" not in kinds:
                        self._needs(part, "number")
        return "boolean"

    def _ifexp(self, node: ast.IfExp) -> ValueType:
        self._needs(node.test, "boolean")
        first, second = self.kind(node.body), self.kind(node.orelse)
        return first if first == second else "any"

    def _call(self, node: ast.Call) -> ValueType:
        assert isinstance(node.func, ast.Name), "checked when it was read"
        for part in node.args:
            self.kind(part)
        return FUNCTIONS[node.func.id].gives

    def _list(self, node: ast.List) -> ValueType:
        for part in node.elts:
            self.kind(part)
        return "list"

    _tuple = _list

    def _dict(self, node: ast.Dict) -> ValueType:
        for part in node.values:
            self.kind(part)
        return "mapping"
