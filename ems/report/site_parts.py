"""What the pages of lists are made of: cells, lists, cards, pictures, sentences, and words for where nothing is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import quote

from markupsafe import Markup

from ems.display import NOTHING, shown_number
from ems.report.tables import shown_money

Tone = Literal["good", "bad", "look", "quiet"]

TONES: dict[str, Tone] = {
    **dict.fromkeys(("completed", "optimal", "online", "active", "in force"), "good"),
    **dict.fromkeys(("failed", "infeasible", "interrupted", "fault", "critical", "error", "overdue"), "bad"),
    **dict.fromkeys(("running", "open", "feasible", "warning", "standby", "maintenance", "due", "lost"), "look"),
}
"""How a status is coloured; all others are quiet."""


class Cell(NamedTuple):
    """What stands in one place of a list.

    Parameters
    ----------
    text : str
        As people read it.
    href : str or None
        Relative address that it leads to, made by `as_link`.
    tone : str or None
        Colour of a status: good, bad, look, quiet; None for plain text.
    small : str
        A second line.
    reason : str
        What went wrong, in words.
    moment : datetime or None
        For the attribute of a ``time`` mark.
    sort : float or str or None
        By what it is sorted and chosen, where that is not its text.
    picture : Markup or None
        A drawing in place of the text.
    """

    text: str
    href: str | None = None
    tone: str | None = None
    small: str = ""
    reason: str = ""
    moment: dt.datetime | None = None
    sort: float | str | None = None
    picture: Markup | None = None


class Column(NamedTuple):
    """A column of a list.

    Parameters
    ----------
    title : str
        With its unit where it has one.
    is_number : bool
        Whether it is aligned right and sorted by value.
    is_choice : bool
        Whether the main list of a page can be narrowed to one of its values.
    """

    title: str
    is_number: bool = False
    is_choice: bool = False


@dataclass(frozen=True)
class Listing:
    """Rows with headings; the first cell of a row names it.

    Parameters
    ----------
    columns : sequence of Column
    rows : sequence of sequence of Cell
    noun : (str, str)
        What a row is: one and many.
    order : str
        The order in which rows are given, in words: ``newest first``.
    is_main : bool
        Whether it has a search, choices and columns to sort by; at most one of a page.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    noun: tuple[str, str] = ("row", "rows")
    order: str = ""
    is_main: bool = False
    kind: str = field(default="listing", init=False)

    def __post_init__(self) -> None:
        for row in self.rows:
            assert len(row) == len(self.columns), f"{len(row)} cells in a list of {len(self.columns)} columns"

    def choices(self) -> list[tuple[int, str, list[str]]]:
        """Return number, title and values of the columns by which the list can be narrowed."""
        return [
            (at, column.title, sorted({str(key_of(row[at])) for row in self.rows}))
            for at, column in enumerate(self.columns)
            if column.is_choice
        ]


@dataclass(frozen=True)
class Section:
    """A heading within a page, which a link can lead to."""

    title: str
    anchor: str
    note: str = ""
    kind: str = field(default="section", init=False)


@dataclass(frozen=True)
class Cards:
    """The few numbers that stand first: label, value, address of more, tone."""

    items: Sequence[tuple[str, str, str | None, str | None]]
    kind: str = field(default="cards", init=False)


@dataclass(frozen=True)
class Empty:
    """A sentence where there is nothing yet, and the command that changes it."""

    sentence: str
    command: str = ""
    kind: str = field(default="empty", init=False)


@dataclass(frozen=True)
class Said:
    """A sentence."""

    text: str
    kind: str = field(default="said", init=False)


@dataclass(frozen=True)
class Links:
    """Addresses with their words."""

    items: Sequence[tuple[str, str]]
    kind: str = field(default="links", init=False)


@dataclass(frozen=True)
class Picture:
    """A drawing with what it shows in words; its source is a data address."""

    source: str
    alt: str
    is_drawn_for_dark: bool = False
    kind: str = field(default="picture", init=False)


Part = Listing | Section | Cards | Empty | Said | Links | Picture


def key_of(cell: Cell) -> float | str:
    """Return by what a cell is sorted and chosen."""
    return cell.sort if cell.sort is not None else cell.text


def as_link(path: str, folder: str = "./") -> str:
    """Return a relative path as an address: never of another host, never with a scheme of its own.

    >>> as_link("dispatch/20240601 a.html"), as_link("javascript:alert(1)")
    ('./dispatch/20240601%20a.html', './javascript%3Aalert%281%29')
    """
    return folder + quote(path.lstrip("/"))


def status_cell(status: str, *, reason: str = "", href: str | None = None) -> Cell:
    """Return a status with its colour."""
    return Cell(status, tone=TONES.get(status, "quiet"), reason=reason, href=href, sort=status if reason else None)


def number_cell(value: float | None, decimals: int | None = None, unit: str = "") -> Cell:
    """Return a number with its unit, sorted by its value; a dash where there is none."""
    text = shown_number(value, decimals)
    return Cell(f"{text} {unit}".rstrip() if text != NOTHING else text, sort=value)


def money_cell(value: float | None, currency: str | None) -> Cell:
    """Return an amount with its currency, sorted by its value."""
    return Cell(shown_money(value, currency), sort=value)


def moment_cell(moment: dt.datetime | None, zone: dt.tzinfo) -> Cell:
    """Return a moment in a zone; a dash where there is none."""
    if moment is None:
        return Cell(NOTHING)
    return Cell(f"{moment.astimezone(zone):%Y-%m-%d %H:%M}", moment=moment)


def text_cell(text: object) -> Cell:
    """Return a text; a dash where there is none."""
    return Cell(str(text)) if text not in (None, "") else Cell(NOTHING)
