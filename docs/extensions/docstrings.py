"""Docstrings as parts of a page: read from the source, so that nothing is imported and no text is taken for markup."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes

SECTION = re.compile(r"^([A-Z][a-z]+(?: [A-Z][a-z]+)?)\n-{3,}$", re.MULTILINE)
INLINE = re.compile(
    r"``(?P<code>[^`]+)``|`(?P<name>[^`]+)`|(?P<note>\[\d+\])_|(?P<doi>doi:10\.\S+?(?=[.,;]?(?:\s|$)))"
)
FORMULA = re.compile(r"[\w(][^.:;]*(?:==|<=|>=|(?<!\w)=(?!\w)| = )")


@dataclass
class Member:
    """A public class, function or method.

    Parameters
    ----------
    name, signature, text : str
        The text is its docstring.
    is_class : bool
    fields : list of (str, str)
        Of a class, what is annotated, and its meaning.
    members : list of Member
        Methods.
    """

    name: str
    signature: str
    text: str
    is_class: bool = False
    fields: list[tuple[str, str]] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)


def read_module(path: Path) -> tuple[str, list[Member]]:
    """Return the docstring of a module, and its public members in the order of the file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return ast.get_docstring(tree) or "", list(_members(tree.body))


def _members(body: list[ast.stmt]) -> Iterator[Member]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            signature = f"({bases})" if bases else ""
            text = ast.get_docstring(node) or ""
            fields = list(_fields(node.body))
            yield Member(node.name, signature, text, True, fields, list(_members(node.body)))
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and ast.get_docstring(node):
            returns = f" → {ast.unparse(node.returns)}" if node.returns else ""
            names = [one for one in _arguments(node.args) if one not in ("self", "cls")]
            yield Member(node.name, f"({', '.join(names)}){returns}", ast.get_docstring(node) or "")


def _arguments(arguments: ast.arguments) -> Iterator[str]:
    """Give the names of arguments with their defaults; their types stand in the docstring."""
    plain = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(plain) - len(arguments.defaults)) + list(arguments.defaults)
    for one, default in zip(plain, defaults, strict=True):
        yield one.arg if default is None else f"{one.arg}={ast.unparse(default)}"
    if arguments.vararg:
        yield f"*{arguments.vararg.arg}"
    elif arguments.kwonlyargs:
        yield "*"
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield one.arg if default is None else f"{one.arg}={ast.unparse(default)}"
    if arguments.kwarg:
        yield f"**{arguments.kwarg.arg}"


def _fields(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        is_told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        text = inspect.cleandoc(str(after.value.value)) if is_told else ""  # type: ignore[union-attr]
        if text and not node.target.id.startswith("_"):
            yield node.target.id, text


def member_nodes(member: Member) -> nodes.definition_list:
    """Return a member with all that is said of it."""
    term = nodes.term("", "", nodes.strong(text=member.name), nodes.inline(text=member.signature))
    body = nodes.definition("", *text_nodes(member.text))
    if member.fields:
        body += _definitions((name, "", text) for name, text in member.fields)
    for one in member.members:
        body += member_nodes(one)
    return nodes.definition_list("", nodes.definition_list_item("", term, body), classes=["members"])


def text_nodes(text: str) -> Iterator[nodes.Node]:
    """Give the parts of a docstring: paragraphs, formulas, examples and its sections."""
    parts = SECTION.split(inspect.cleandoc(text))
    yield from _paragraphs(parts[0])
    for title, body in zip(parts[1::2], parts[2::2], strict=True):
        yield nodes.rubric(text=title)
        if title in ("Parameters", "Returns", "Raises", "Yields", "Attributes"):
            yield _definitions(_entries(body))
        else:
            yield from _paragraphs(re.sub(r"^\.\. (\[\d+\])", r"\1", body, flags=re.MULTILINE))


def _entries(body: str) -> Iterator[tuple[str, str, str]]:
    """Give name, type and meaning of each entry of a section."""
    name, kind, said = "", "", []
    for line in [*inspect.cleandoc(body).splitlines(), "end"]:
        if line and not line.startswith(" "):
            if name:
                yield name, kind, inspect.cleandoc("\n".join(said))
            name, _, kind = (part.strip() for part in line.partition(" : "))
            said = []
        else:
            said.append(line)


def _definitions(entries: Iterator[tuple[str, str, str]]) -> nodes.definition_list:
    found = nodes.definition_list()
    for name, kind, text in entries:
        term = nodes.term("", "", *inline_nodes(name.replace("`", "") and f"``{name}``"))
        if kind:
            term += nodes.inline(text=f" : {kind}")
        found += nodes.definition_list_item("", term, nodes.definition("", *_paragraphs(text)))
    return found


def _paragraphs(text: str) -> Iterator[nodes.Node]:
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        shown = inspect.cleandoc(part)
        if not shown:
            continue
        if shown.startswith(">>>") or (FORMULA.match(shown) and not shown.endswith(".")):
            yield nodes.literal_block(shown, shown, language="pycon" if shown.startswith(">>>") else "text")
        elif re.match(r"[-*] ", shown):
            points = re.split(r"\n[-*] ", shown[2:])
            items = [nodes.list_item("", nodes.paragraph("", "", *inline_nodes(one))) for one in points]
            yield nodes.bullet_list("", *items)
        elif re.match(r"\[\d+\] ", shown):
            for one in re.split(r"\n(?=\[\d+\] )", shown):
                yield nodes.paragraph("", "", *inline_nodes(one))
        else:
            yield nodes.paragraph("", "", *inline_nodes(shown))


def inline_nodes(text: str) -> Iterator[nodes.Node]:
    """Give a text with its code, notes and digital object identifiers."""
    shown, at = " ".join(text.split()), 0
    for found in INLINE.finditer(shown):
        yield nodes.Text(shown[at : found.start()])
        if found["doi"]:
            yield nodes.reference(text=found["doi"], refuri=f"https://doi.org/{found['doi'].removeprefix('doi:')}")
        elif found["note"]:
            yield nodes.Text(found["note"])
        else:
            yield nodes.literal(text=found["code"] or found["name"])
        at = found.end()
    yield nodes.Text(shown[at:])
