"""How figures look: a colour for each kind of asset, fonts, text shown literally, an axis in local time."""

from __future__ import annotations

import unicodedata
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

# Okabe and Ito's palette, told apart with each common colour blindness;
# the grid is a grey so that it stands behind what the site itself does.
COLOURS = {
    "battery": "#009E73",
    "solar_pv": "#E69F00",
    "wind_turbine": "#56B4E9",
    "generator": "#D55E00",
    "grid_connection": "#8A94A3",
    "ev_charger": "#CC79A7",
    "load": "#1C2430",
}
OTHER_COLOUR = "#0072B2"
INK = "#1C2430"
SOFT_INK = "#5B6675"
LINE = "#DDE2E9"
COST_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")

LONGEST_LABEL = 40
WIDTH_IN = 9.4

# DejaVu Sans comes with matplotlib, so its measures are at hand on each machine.
MEASURED_FONT = "DejaVu Sans"
SHOWN_FONTS = "system-ui, 'DejaVu Sans', sans-serif"

SETTINGS: dict[str, Any] = {
    "font.family": [MEASURED_FONT],
    "font.size": 9.5,
    "text.parse_math": False,  # a name may hold dollar signs
    "text.usetex": False,
    "text.color": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.labelcolor": SOFT_INK,
    "axes.edgecolor": LINE,
    "axes.facecolor": "white",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.useoffset": False,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT_INK,
    "ytick.labelcolor": SOFT_INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.solid_joinstyle": "miter",
    "figure.facecolor": "white",
    "figure.dpi": 72,
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "ems",
}


def colour_of(kind: str, position: int = 0) -> str:
    """Return the colour of an asset as ``#rrggbb``.

    Parameters
    ----------
    kind : str
        Kind of the asset; a kind that is not known has a colour of its own.
    position : int
        How many assets of this kind come before it; each is lighter than the one before.
    """
    colour = COLOURS.get(kind, OTHER_COLOUR)
    lightness = 1 - 0.72 ** min(position, 4)
    channels = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return "#" + "".join(f"{round(c + (255 - c) * lightness):02x}" for c in channels)


def shown(text: object, longest: int = LONGEST_LABEL) -> str:
    """Return people's text as one line which a figure can hold: literal, short, without control characters.

    >>> shown("Halle $3$" + chr(10) + "<b>")
    'Halle $3$ <b>'
    """
    plain = "".join(
        " " if c.isspace() else c
        for c in str(text)
        if c.isspace() or unicodedata.category(c) not in {"Cc", "Cs", "Cn"}
    )
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def time_label(times: np.ndarray, timezone: str) -> str:
    """Return the words below a time axis: ``01 to 07 Jun 2024, local time (CEST)``, each abbreviation in force.

    Parameters
    ----------
    times : array of datetime64
        Boundaries of the steps, UTC without zone, in order.
    timezone : str
        Name in the tz database.
    """
    # What ends at midnight ends on the day before.
    local = [*local_times(times[:-1], timezone), *local_times(times[-1:] - np.timedelta64(1, "s"), timezone)]
    first, last = local[0], local[-1]
    if first.date() == last.date():
        days = f"{last:%d %b %Y}"
    else:
        shared = 3 if first.year != last.year else 2 if first.month != last.month else 1
        days = f"{' '.join(f'{first:%d %b %Y}'.split()[:shared])} to {last:%d %b %Y}"
    zones = dict.fromkeys(time.tzname() or timezone for time in local)
    return f"{days}, local time ({', '.join(zones)})"


def local_times(times: np.ndarray, timezone: str) -> list[Any]:
    """Return times (UTC without zone) as datetimes with the given zone."""
    import datetime as dt

    zone = ZoneInfo(timezone)
    seconds = np.asarray(times, dtype="datetime64[us]")
    return [time.replace(tzinfo=dt.UTC).astimezone(zone) for time in seconds.tolist()]


def local_time_axis(axes: Any, times: np.ndarray, timezone: str) -> None:
    """Make the x axis of a plot over UTC times show local civil time, hours marked and days named.

    Parameters
    ----------
    axes : matplotlib Axes
    times : array of datetime64
        Boundaries of the steps, UTC without zone; the axis ends with them.
    timezone : str
        Name in the tz database.
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num

    zone = ZoneInfo(timezone)
    locator = AutoDateLocator(tz=zone, minticks=3, maxticks=13)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(
        ConciseDateFormatter(
            locator,
            tz=zone,
            formats=["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
            zero_formats=["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
            show_offset=False,  # it would name the day of the last mark; the label names all days
        )
    )
    axes.set_xlim(date2num(times[0]), date2num(times[-1]))
    axes.set_xlabel(time_label(times, timezone))
