"""The one-line diagram of a site: its grid connections above the busbar, its other assets below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ems.display import counted
from ems.report.figure import ReportFigure, report_settings
from ems.report.register_symbols import (
    SYMBOL_IN,
    Pen,
    draw_asset,
    draw_breaker,
    draw_grid,
    draw_transformer,
)
from ems.report.register_words import (
    STATES,
    amount,
    by_kind,
    energy_kwh,
    joined,
    kind_words,
    power_kw,
    rating_parts,
    state_of,
    wrapped,
)
from ems.report.style import INK, SOFT_INK, WIDTH_IN, colour_of, shown

MOST_FEEDERS = 12
"""More would be narrower than their names; they are drawn as one feeder a kind."""
MOST_CONNECTIONS = 4
MARGIN_IN = 0.35
LINE_IN = 0.155
NAME_PT, RATING_PT = 8.6, 8.2
LETTER_IN = 0.068
"""Mean width of a letter of a name, with room between neighbours."""
STOPPED = "#A4161A"


@dataclass(frozen=True)
class _Feeder:
    """A line from the busbar to an asset, or to several of a kind together."""

    kind: str
    name: str
    rating: tuple[str, ...]
    """Figures with units."""
    status: str
    state: str
    position: int
    count: int = 1

    @property
    def is_closed(self) -> bool:
        """Whether it takes part, so that its breaker is drawn closed."""
        return self.status == "active"


def plot_one_line(portfolio: Any, site_id: str, states: Mapping[str, str] | None = None) -> ReportFigure:
    """Return the one-line diagram of a site.

    Grid connections stand above the busbar, with their transformer where one is stated; all other assets hang
    below it. A filled square is a closed breaker; an asset that takes no part has an open one and dashed lines.
    Decommissioned assets are left out. More than twelve assets are drawn together by kind.

    Parameters
    ----------
    portfolio : Portfolio
        Sites and assets.
    site_id : str
    states : mapping of str to str, optional
        Operational status by asset: shown as a mark beside its name.

    Returns
    -------
    ReportFigure
        For a site without assets, a figure that says so.
    """
    site = next(one for one in portfolio.sites if one.id == site_id)
    there = [one for one in portfolio.assets if one.site_id == site_id and one.status != "decommissioned"]
    connections = _feeders([one for one in there if one.kind == "grid_connection"], MOST_CONNECTIONS, states or {})
    transformers = [_transformer_words(one) for one in there if one.kind == "grid_connection"]
    if len(connections) < len(transformers):
        transformers = ["" for _ in connections]
    feeders = _feeders([one for one in there if one.kind != "grid_connection"], MOST_FEEDERS, states or {})
    name = shown(site.name)
    if not there:
        figure = ReportFigure(f"Site {name} has no assets.", height_in=0.6)
        with report_settings():
            figure.text(0.008, 0.5, f"Site {name} has no assets.", va="center", color=SOFT_INK)
        return figure
    return _drawn(name, connections, transformers, feeders)


def _drawn(name: str, above: Sequence[_Feeder], transformers: Sequence[str], below: Sequence[_Feeder]) -> ReportFigure:
    slot_in = min(1.7, (WIDTH_IN - 2 * MARGIN_IN) / max(len(below), 1))
    letters = max(int(slot_in / LETTER_IN), 8)
    texts = [(wrapped(one.name, letters, 3), joined(one.rating, letters)) for one in below]
    lines = max((len(a) + len(b) + (not one.is_closed) for one, (a, b) in zip(below, texts, strict=True)), default=0)
    has_transformer = any(transformers)
    above_in = (0.75 + (0.75 if has_transformer else 0.25)) if above else 0.1
    has_marks = any(one.state for one in (*above, *below))
    mark_in = 0.2 if has_marks else 0.0
    below_in = (0.42 + SYMBOL_IN + mark_in + lines * LINE_IN) if below else 0.3
    height_in = 0.42 + above_in + below_in + 0.1
    bus = below_in + 0.1

    figure = ReportFigure(_alt(name, above, transformers, below), height_in=height_in, layout=None)
    with report_settings():
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH_IN)
        axes.set_ylim(0, height_in)
        figure.text(
            0.008, 1 - 0.2 / height_in, _title(name, above, below), fontsize=11, fontweight="bold", va="center"
        )
        places = _places(len(below), slot_in)
        heads = _places(len(above), (WIDTH_IN - 2 * MARGIN_IN) / max(len(above), 1))
        ends = [*places, *heads, WIDTH_IN / 2 - 0.6, WIDTH_IN / 2 + 0.6]
        left, right = min(ends) - 0.25, max(ends) + 0.25
        axes.plot((left, right), (bus, bus), color=INK, linewidth=4, solid_capstyle="butt", zorder=2)
        axes.text(left, bus + 0.08, "busbar", fontsize=RATING_PT, color=SOFT_INK, va="bottom")
        for x, one, words in zip(heads, above, transformers, strict=True):
            _draw_connection(axes, one, words, x=x, bus=bus, top=height_in - 0.42)
        for x, one, text in zip(places, below, texts, strict=True):
            _draw_feeder(axes, one, text, x=x, bus=bus, mark_in=mark_in)
        if has_marks:
            _draw_key(axes, [one.state for one in (*above, *below)])
    return figure


def _draw_connection(axes: Any, one: _Feeder, transformer: str, *, x: float, bus: float, top: float) -> None:
    pen = _pen(axes, one)
    low = draw_grid(pen, x, top)
    beside = x + 0.32
    name, *more = wrapped(one.name, 34, 1)
    assert not more
    _mark(axes, one.state, beside + 0.05, top - 0.11)
    shift = 0.14 if one.state else 0.0
    axes.text(beside + shift, top - 0.11, name, fontsize=NAME_PT, fontweight="bold", va="center")
    axes.text(beside, top - 0.29, ", ".join(one.rating), fontsize=RATING_PT, color=SOFT_INK, va="center")
    if not one.is_closed:
        axes.text(beside, top - 0.45, one.status, fontsize=RATING_PT, color=STOPPED, va="center")
    breaker = bus + 0.2
    if transformer:
        pen.line((x, x), (low, low - 0.12))
        end = draw_transformer(pen, x, low - 0.12)
        axes.text(beside, (low - 0.12 + end) / 2, transformer, fontsize=RATING_PT, color=SOFT_INK, va="center")
        low = end
    pen.line((x, x), (low, breaker + 0.06))
    pen.line((x, x), (breaker - 0.06, bus))
    draw_breaker(pen, x, breaker, one.is_closed)


def _draw_feeder(
    axes: Any, one: _Feeder, text: tuple[list[str], list[str]], *, x: float, bus: float, mark_in: float
) -> None:
    pen = _pen(axes, one)
    breaker, top = bus - 0.2, bus - 0.42
    pen.line((x, x), (bus, breaker + 0.06))
    pen.line((x, x), (breaker - 0.06, top))
    draw_breaker(pen, x, breaker, one.is_closed)
    draw_asset(pen, one.kind, x, top)
    if one.count > 1:
        axes.text(x + 0.28, top - 0.3, f"× {one.count}", fontsize=NAME_PT, fontweight="bold", va="center")
    y = top - SYMBOL_IN + 0.04 - mark_in
    _mark(axes, one.state, x, y + 0.2)
    names, ratings = text
    for words, settings in (
        *((words, {"fontsize": NAME_PT, "fontweight": "bold"}) for words in names),
        *((words, {"fontsize": RATING_PT, "color": SOFT_INK}) for words in ratings),
        *((words, {"fontsize": RATING_PT, "color": STOPPED}) for words in ([] if one.is_closed else [one.status])),
    ):
        axes.text(x, y, words, ha="center", va="center", **settings)
        y -= LINE_IN


def _draw_key(axes: Any, states: Sequence[str]) -> None:
    """Name the marks that appear, at the right of the title."""
    from matplotlib.lines import Line2D

    there = [one for one in STATES if one in states]
    handles = [
        Line2D([], [], marker=state_of(one).marker, color=state_of(one).colour, markersize=6.5, linestyle="none")
        for one in there
    ]
    axes.legend(handles, there, loc="upper right", ncols=len(there), handletextpad=0.1, columnspacing=1.2)


def _mark(axes: Any, state: str, x: float, y: float) -> None:
    """Draw the mark of an operational status; nothing where none is told."""
    if state:
        looks = state_of(state)
        axes.plot([x], [y], marker=looks.marker, color=looks.colour, markersize=6.5, linestyle="none")


def _pen(axes: Any, one: _Feeder) -> Pen:
    if not one.is_closed:
        return Pen(axes, colour=SOFT_INK, is_dashed=True)
    return Pen(axes, fill=colour_of(one.kind, 2) if one.kind != "load" else INK)


def _feeders(assets: Sequence[Any], most: int, states: Mapping[str, str]) -> list[_Feeder]:
    """Return one feeder for each asset, sources first; of too many one for each kind and status."""
    kinds = by_kind(assets)
    if len(assets) <= most:
        return [
            _Feeder(kind, shown(one.name), tuple(rating_parts(one)), one.status, states.get(one.id, ""), position)
            for kind, same in kinds.items()
            for position, one in enumerate(same)
        ]
    grouped = []
    for kind, same in kinds.items():
        for is_active in (True, False):
            some = [one for one in same if (one.status == "active") == is_active]
            if some:
                grouped.append(_together(kind, some, "active" if is_active else "inactive or in maintenance"))
    return grouped


def _together(kind: str, assets: Sequence[Any], status: str) -> _Feeder:
    if len(assets) == 1:
        (one,) = assets
        return _Feeder(kind, shown(one.name), tuple(rating_parts(one)), one.status, "", 0)
    sums = tuple(
        f"{amount(total)} {unit}"
        for of, unit in ((power_kw, "kW"), (energy_kwh, "kWh"))
        if (total := sum(of(one) or 0.0 for one in assets))
    )
    name = counted(len(assets), kind_words(kind), kind_words(kind, 2))
    return _Feeder(kind, name, sums, status, "", 0, len(assets))


def _transformer_words(connection: Any) -> str:
    """Return what is known of a connection's transformer; empty where it states none."""
    capacity = getattr(connection, "transformer_capacity_kva", None)
    if capacity is None:
        return ""
    voltage = getattr(connection, "voltage_level_kv", None)
    return f"{amount(capacity)} kVA" + (f" at {amount(voltage)} kV" if voltage is not None else "")


def _places(count: int, slot_in: float) -> list[float]:
    first = WIDTH_IN / 2 - slot_in * (count - 1) / 2
    return [first + slot_in * at for at in range(count)]


def _title(name: str, above: Sequence[_Feeder], below: Sequence[_Feeder]) -> str:
    """Return what the diagram shows, in numbers: ``Harbour: 6 assets behind 1 grid connection, 1 of them cut off``."""
    title = f"{name}: {counted(sum(one.count for one in below), 'asset')} "
    connections = sum(one.count for one in above)
    title += f"behind {counted(connections, 'grid connection')}" if above else "without a grid connection"
    cut_off = sum(one.count for one in (*above, *below) if not one.is_closed)
    return f"{title}, {cut_off} of them switched off" if cut_off else title


def _alt(name: str, above: Sequence[_Feeder], transformers: Sequence[str], below: Sequence[_Feeder]) -> str:
    def words(one: _Feeder, transformer: str = "") -> str:
        parts = [kind_words(one.kind), *one.rating, transformer and f"transformer of {transformer}"]
        parts += [one.status if not one.is_closed else "", one.state and f"status {one.state}"]
        return f"{one.name} ({', '.join(part for part in parts if part)})"

    heads = [words(one, transformer) for one, transformer in zip(above, transformers, strict=True)]
    fed = f"above the busbar {'; '.join(heads)}" if heads else "without a grid connection"
    hung = f"below it {'; '.join(map(words, below))}" if below else "nothing below it"
    return f"One-line diagram of {name}: {fed}; {hung}."
