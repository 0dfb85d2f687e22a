"""A page of lists as HTML: it works without its script, from any folder and from any static server."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ems.display import NOTHING
from ems.report.policy import content_policy, make_environment, read_asset, trusted
from ems.report.site_parts import Listing, Part

if TYPE_CHECKING:
    from jinja2 import Template


@dataclass(frozen=True)
class SitePage:
    """A page made from the database.

    Parameters
    ----------
    title : str
    parts : sequence of Part
        In the order in which they stand.
    links : sequence of (title, address, is_here)
        The other pages, and this one.
    made_at : datetime
        When the database was read.
    source : str
        The database, without its password.
    zone : tzinfo
        In which times are told.
    notes : sequence of str
        What a reader should know of the whole page.
    is_final : bool
        Whether nothing on it will change any more.
    """

    title: str
    parts: Sequence[Part]
    links: Sequence[tuple[str, str, bool]]
    made_at: dt.datetime
    source: str
    zone: dt.tzinfo = dt.UTC
    notes: Sequence[str] = ()
    is_final: bool = True


@functools.cache
def site_template() -> Template:
    """Return the template of the pages; it is read once in a process, which takes longer than to fill it."""
    environment = make_environment()
    environment.globals["nothing"] = NOTHING
    return environment.get_template("site.html.j2")


OPEN_MARK = '<html lang="en" data-state="open">'
"""Stands at the top of a page of which something will change yet."""


def render_site_page(page: SitePage) -> str:
    """Return a page as one HTML file."""
    mains = [part for part in page.parts if isinstance(part, Listing) and part.is_main]
    assert len(mains) <= 1, "a page has one list that can be searched"
    style = trusted(f"{read_asset('style.css')}\n{read_asset('lists.css')}")
    script = read_asset("lists.js") if mains and mains[0].rows else None
    return site_template().render(
        page=page,
        root=trusted('<html lang="en">' if page.is_final else OPEN_MARK),
        made=f"{page.made_at.astimezone(page.zone):%Y-%m-%d %H:%M}",
        style=style,
        script=script,
        policy=content_policy(style, script),
    )
