"""How good forecasts of measured series are, and how long they take: skill, coverage, seconds.

    python -m benchmarks.forecast [--data FOLDER] [--markdown] [SERIES ...]

The series lie outside the repository, by default in ``../shared/data``. Day-ahead, from local midnight, the last 56
days; at most a year of history before each; the same folds for all models.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ems.forecast.backtest import backtest
from ems.forecast.backtest_scores import calibration_table, scores_of
from ems.forecast.history import History
from ems.forecast.recipe import recipe_of

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"
MODELS = ("auto", "ensemble", "ridge", "profile_ridge", "lightgbm", "boosted_ridge")
DAYS = 56
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Case:
    """A measured series and what a forecast of it knows.

    Parameters
    ----------
    file, column : str
    timezone : str
    kind : str
    country : str, optional
    signals : tuple of str
        Columns known ahead.
    lower, upper : float, optional
    last_days : int, optional
        Only so many days of the file, which is longer.
    skill_mae, skill_pinball : float, optional
        What is to be reached.
    """

    file: str
    column: str
    timezone: str
    kind: str
    country: str | None = None
    signals: tuple[str, ...] = ()
    lower: float | None = None
    upper: float | None = None
    last_days: int | None = None
    skill_mae: float | None = None
    skill_pinball: float | None = None

    def history(self, folder: Path) -> History:
        """Return the series of the file."""
        table = pd.read_csv(folder / self.file, index_col=0)
        table.index = pd.to_datetime(table.index, utc=True)
        table = table[~table.index.duplicated()].asfreq(table.index[1] - table.index[0])
        if self.last_days is not None:
            table = table.iloc[-24 * self.last_days :]
        return History.of(
            table[self.column],
            timezone=self.timezone,
            kind=self.kind,
            country=self.country,
            known_ahead=table[list(self.signals)],
            lower=self.lower,
            upper=self.upper,
        )


PV_SIGNALS = (
    "tclw_kg_m2", "tciw_kg_m2", "sp_pa", "rh_1000hpa_pct", "tcc_0_1", "u10_ms", "v10_ms", "t2m_k", "ssrd_w_m2",
    "strd_w_m2", "tsr_w_m2", "tp_mm",
)  # fmt: skip
FEEDER = "feeder_alliander_287_15min.csv"
FEEDER_SIGNALS = ("clouds", "radiation", "temp", "windspeed_100m", "humidity", "sjv_E1A", "sjv_E3A")
WIND_SIGNALS = ("u10_ms", "v10_ms", "u100_ms", "v100_ms")
PRICE_SIGNALS = ("load_fc_ampirion_mw", "pv_wind_fc_mw")
LOADS, HOMES, PRICES = "load_pjm_hourly.csv", "site_fontana_hourly.csv", "price_de_hourly.csv"
PV, WIND = "pv_gefcom2014_z1_hourly.csv", "wind_gefcom2014_z1_hourly.csv"
# The days of the price's source have 24 hours all the year: its clock is that of winter.
WINTER_CLOCK = "Etc/GMT-1"
CASES = {
    "PJM zone AP": Case(LOADS, "load_ap_mw", "America/New_York", "load", "US", skill_mae=0.36, skill_pinball=0.35),
    "German price": Case(
        PRICES, "price_eur_mwh", WINTER_CLOCK, "price", "DE", PRICE_SIGNALS, last_days=480, skill_mae=0.66,
        skill_pinball=0.67,
    ),
    "PV plant 1": Case(
        PV, "power_pu", "Australia/Sydney", "solar", None, PV_SIGNALS, 0, 1, skill_mae=0.38, skill_pinball=0.42
    ),
    "wind farm 1": Case(
        WIND, "power_pu", "Australia/Sydney", "wind", None, WIND_SIGNALS, 0, 1, skill_mae=0.47, skill_pinball=0.45
    ),
    "home 1": Case(
        HOMES, "load_b1_kw", "America/Los_Angeles", "load", "US", lower=0, skill_mae=0.12, skill_pinball=0.15
    ),
    "PJM zone DOM": Case(LOADS, "load_dom_mw", "America/New_York", "load", "US"),
    "PJM zone JC": Case(LOADS, "load_jc_mw", "America/New_York", "load", "US"),
    "PJM zone PN": Case(LOADS, "load_pn_mw", "America/New_York", "load", "US"),
    "PJM whole": Case(LOADS, "load_rto_mw", "America/New_York", "load", "US"),
    "home 2": Case(HOMES, "load_b2_kw", "America/Los_Angeles", "load", "US", lower=0),
    "home 4": Case(HOMES, "load_b4_kw", "America/Los_Angeles", "load", "US", lower=0),
    "home 5": Case(HOMES, "load_b5_kw", "America/Los_Angeles", "load", "US", lower=0),
    "feeder 287, quarter hours": Case(
        FEEDER, "load", "Europe/Amsterdam", "load", "NL", FEEDER_SIGNALS
    ),
    "home 1, PV without weather": Case(
        HOMES, "pv_b1_w_per_kw", "America/Los_Angeles", "solar", lower=0, upper=1000
    ),
}  # fmt: skip
NAMED = [name for name, case in CASES.items() if case.skill_mae is not None]


def main() -> None:
    """Measure, and print a table and which of the aims hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", nargs="*", default=list(CASES), help="names of series; all where left out")
    parser.add_argument("--data", type=Path, default=FOLDER, help="folder of the measured series")
    parser.add_argument("--markdown", action="store_true", help="print the tables of docs/explanation/forecasts.md")
    given = parser.parse_args()
    if not given.data.is_dir():
        print(f"no measured series in {given.data}; name their folder as --data")
        return
    rows, aims = [], []
    for name in given.series:
        begin = time.process_time()
        row, held = measured(CASES[name], given.data)
        rows.append({"series": name, **row})
        aims += [(name, *one) for one in held]
        print(f"{name}: {time.process_time() - begin:.0f} s", file=sys.stderr, flush=True)
    table = pd.DataFrame(rows).set_index("series")
    off = table["levels off"].mean()
    aims.append(("all series", "levels off, on average", f"{off:.4f}", "at most 0.02", off <= 0.02))
    aims += speed(given.data)
    if given.markdown:
        print(as_markdown(table))
        print()
    else:
        print(table.to_string(float_format="%.3f"))
    for name, what, reached, wanted, holds in aims:
        print(f"{'holds ' if holds else 'MISSED'}  {name}: {what} {reached} ({wanted})")


def measured(case: Case, folder: Path) -> tuple[dict[str, float], list[tuple[str, str, str, bool]]]:
    """Return the figures of a series, and which aims hold: what, reached, wanted, whether."""
    test = backtest(case.history(folder), [recipe_of(name) for name in MODELS], days=DAYS)
    scores, _ = scores_of(test)
    own = scores.loc["auto"]
    reached = calibration_table(test, "auto")["difference"].abs()
    row = {f"skill, {name}": scores.loc[name, "skill_mae"] for name in MODELS}
    row |= {"skill, pinball": own["skill_pinball"], "coverage of 80 %": own["coverage_80"]}
    row |= {"levels off": reached.mean(), "MASE 24 h": own["mase_24h"], "s a fold": own["seconds"]}
    best = scores.loc[list(MODELS[1:]), "mae"].min()
    held = [
        (
            "coverage of the 80 % interval",
            f"{own['coverage_80']:.3f}",
            "0.77 to 0.83",
            0.77 <= own["coverage_80"] <= 0.83,
        ),
        ("levels off, on average", f"{reached.mean():.4f}", "at most 0.02", reached.mean() <= 0.02),
        (
            "error of auto over the best member's",
            f"{own['mae'] / best - 1:+.4f}",
            "at most 0.01",
            own["mae"] <= 1.01 * best,
        ),
    ]
    for what, wanted in (("skill_mae", case.skill_mae), ("skill_pinball", case.skill_pinball)):
        if wanted is not None:
            held.insert(0, (what, f"{own[what]:.3f}", f"above {wanted}", own[what] > wanted))
    return row, held


def speed(folder: Path) -> list[tuple[str, str, str, str, bool]]:
    """Return what a forecast of a chosen model takes, and the import of the package: each in a process of its own."""
    found = []
    for model in ("ridge", "lightgbm", "ensemble"):
        once, learning = map(float, _output(FIT_AND_FORECAST, str(folder), model))
        what = f"fit and forecast by {model}, CPU seconds"
        found.append(("a year of hours", what, f"{once:.2f}", "below 2", once < 2))
        what = f"the same with 28 days before, from which probabilities are learned, by {model}, CPU seconds"
        found.append(("a year of hours", what, f"{learning:.2f}", "below 2", learning < 2))
    (seconds,) = map(float, _output(NAIVE_MANY))
    found.append(("10,000 series", "seasonal naive, CPU seconds", f"{seconds:.2f}", "below 10", seconds < 10))
    (seconds,) = map(float, _output(IMPORT))
    found.append(("import of ems.forecast", "seconds", f"{seconds:.3f}", "below 0.3", seconds < 0.3))
    return found


FIT_AND_FORECAST = """
import sys, time
from pathlib import Path
from benchmarks.forecast import CASES
from ems.forecast.folds import run_folds
from ems.forecast.forecaster import fit_forecaster
from ems.forecast.recipe import recipe_of

history, recipe = CASES["PJM zone AP"].history(Path(sys.argv[1])), recipe_of(sys.argv[2])
at = history.last_known - 24
run_folds(recipe.members, history, [at - 24], [24])  # libraries load when they are first used
begin = time.process_time()
run_folds(recipe.members, history, [at], [24])
print(time.process_time() - begin)
begin = time.process_time()
fit_forecaster(history, recipe, history.times[at]).predict(history)
print(time.process_time() - begin)
"""
NAIVE_MANY = """
import time
import numpy as np, pandas as pd
from ems.forecast.many import naive_many

times = pd.date_range("2024-01-01", periods=28 * 24, freq="h", unit="ns")
values = np.random.default_rng(0).uniform(size=(10_000, len(times)))
begin = time.process_time()
for season in ("day", "week", "kind_of_day", "mean_of_weeks"):
    naive_many(values, times, "Europe/Berlin", season)
print((time.process_time() - begin) / 4)
"""
IMPORT = "import time; begin = time.perf_counter(); import ems.forecast; print(time.perf_counter() - begin)"


def _output(code: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **ONE_THREAD},
    )
    return done.stdout.split()


def as_markdown(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    lines = ["| series | " + " | ".join(table.columns) + " |", "|---|" + "---|" * len(table.columns)]
    for name, row in table.iterrows():
        lines.append(f"| {name} | " + " | ".join(f"{value:.3f}" for value in row) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
