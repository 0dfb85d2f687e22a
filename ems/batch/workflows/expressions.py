"""Expressions of conditions and transforms: read by an own table of what is allowed, never run as Python.

Names lead to values by references alone; attributes and items are looked up in mappings and lists, and never in
objects. Each node of Python's syntax tree that is not in the table is refused before anything runs.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from ems.batch.workflows.functions import FUNCTIONS
from ems.batch.workflows.parsing import expression_tree
from ems.batch.workflows.references import MARKED, ROOTS, BadReference, Reference, check_form, parse_reference
from ems.errors import did_you_mean, show

LONGEST_EXPRESSION = 2000
MOST_NODES = 300
_PLACEHOLDER = "_reference_"
_CONSTANTS = {"true": True, "false": False, "null": None}
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv,
    ast.Mod, ast.Pow, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE,
    ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.IfExp, ast.Call, ast.Constant, ast.Name, ast.Load,
    ast.Attribute, ast.Subscript, ast.List, ast.Tuple, ast.Dict,
)  # fmt: skip
_WORDS = {
    ast.Lambda: "a function of one's own",
    ast.ListComp: "a list made by for",
    ast.SetComp: "a set made by for",
    ast.DictComp: "a mapping made by for",
    ast.GeneratorExp: "a sequence made by for",
    ast.JoinedStr: "a text with braces",
    ast.NamedExpr: "an assignment",
    ast.Starred: "a star",
    ast.Set: "a set",
    ast.Slice: "a slice",
    ast.Await: "await",
    ast.Yield: "yield",
}


class BadExpression(ValueError):
    """An expression that cannot be read or has no value; says why."""


@dataclass(frozen=True)
class Expression:
    """A checked expression.

    Parameters
    ----------
    text : str
        As it stands in the file.
    tree : ast.expr
        Its syntax, of allowed nodes only.
    marked : dict
        References that were written as ``${...}``, by the name that stands for each in the tree.
    references : tuple of Reference
        All values that it reads.
    """

    text: str
    tree: ast.expr
    marked: dict[str, Reference]
    references: tuple[Reference, ...]


def parse_expression(text: str) -> Expression:
    """Return an expression, read and checked.

    >>> [str(one) for one in parse_expression("${tasks.load-now.outputs.cost} > 2 * parameters.limit").references]
    ['tasks.load-now.outputs.cost', 'parameters.limit']

    Raises
    ------
    BadExpression
        If it cannot be read, or holds what is not allowed.
    """
    if len(text) > LONGEST_EXPRESSION:
        raise BadExpression(f"has {len(text)} characters; at most {LONGEST_EXPRESSION} can be read")
    marked: dict[str, Reference] = {}

    def replace(mark: re.Match[str]) -> str:
        name = f"{_PLACEHOLDER}{len(marked)}"
        marked[name] = parse_reference(mark[1])
        return f" {name} "

    try:
        if _PLACEHOLDER in text:
            raise BadExpression(f"{_PLACEHOLDER} is a name that is used within; choose another")
        tree = expression_tree(MARKED.sub(replace, text).strip())
        _check_nodes(tree)
        references = _references_of(tree.body, marked)
    except BadReference as error:
        raise BadExpression(str(error)) from None
    except SyntaxError as error:
        raise BadExpression(f"cannot be read: {error.msg}") from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise BadExpression(str(error) or "is nested too deeply") from None
    return Expression(text, tree.body, marked, tuple(dict.fromkeys(references)))


def reference_of(node: ast.expr, marked: dict[str, Reference]) -> Reference | None:
    """Return the reference that a name with its attributes and items is; None where it is computed otherwise.

    Raises
    ------
    BadReference
        If it begins like one and is none.
    """
    path: list[str | int] = []
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            path.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            key = node.slice.value
            if isinstance(key, bool) or not isinstance(key, str | int):
                return None
            path.append(key)
            node = node.value
        else:
            return None
    if node.id in marked:
        begin = marked[node.id]
        return Reference(begin.root, (*begin.path, *reversed(path)))
    reference = Reference(node.id, tuple(reversed(path)))
    if node.id in _CONSTANTS and not path:
        return None
    if node.id not in ROOTS:
        hint = "put texts in quotes; " if not path else "write ${...} around names with hyphens; "
        raise BadReference(f"{show(node.id)} is not known; {hint}{did_you_mean(node.id, (*ROOTS, *FUNCTIONS))}")
    check_form(reference)
    return reference


def constant_of(node: ast.Name) -> object:
    """Return the value of the word true, false or null."""
    return _CONSTANTS[node.id]


def _check_nodes(tree: ast.AST) -> None:
    nodes = list(ast.walk(tree))
    if len(nodes) > MOST_NODES:
        raise BadExpression(f"has {len(nodes)} parts; at most {MOST_NODES} can be read: use several transforms")
    for node in nodes:
        if not isinstance(node, _ALLOWED):
            words = _WORDS.get(type(node), type(node).__name__)
            raise BadExpression(f"{words} is not allowed here; known are + - * / % **, comparisons, and, or, not, if")
        if isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | bool | None):
            raise BadExpression(f"{show(str(node.value))} is not allowed here")
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _PLACEHOLDER in node.value:
            raise BadExpression("a reference stands in quotes and would be text; leave the quotes out")
        if isinstance(node, ast.Call):
            _check_call(node)
        if isinstance(node, ast.Dict) and not all(
            isinstance(key, ast.Constant) and isinstance(key.value, str) for key in node.keys
        ):
            raise BadExpression("the keys of a mapping must be texts in quotes")


def _check_call(node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name):
        raise BadExpression(f"only functions can be called: {', '.join(sorted(FUNCTIONS))}")
    name = node.func.id
    if name not in FUNCTIONS:
        raise BadExpression(f"function {show(name)} is not known; {did_you_mean(name, FUNCTIONS)}")
    if node.keywords:
        raise BadExpression(f"{name}(...): leave the names of arguments out")
    fewest, most = FUNCTIONS[name].fewest, FUNCTIONS[name].most
    if not fewest <= len(node.args) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise BadExpression(f"{name}(...) takes {wanted} values, not {len(node.args)}")


def _references_of(node: ast.expr, marked: dict[str, Reference]) -> list[Reference]:
    """Return the references in a tree, in their order."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        found = reference_of(node, marked)
        if found is not None:
            return [found]
        if isinstance(node, ast.Name):
            return []
    if isinstance(node, ast.Attribute):
        return _references_of(node.value, marked)
    parts = node.args if isinstance(node, ast.Call) else list(ast.iter_child_nodes(node))
    return [one for part in parts if isinstance(part, ast.expr) for one in _references_of(part, marked)]
