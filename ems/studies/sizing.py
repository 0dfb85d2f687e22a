"""The study `sizing`: which battery, solar roof and connection cost least over their lives, and whether they pay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from ems.errors import InvalidInput
from ems.folders import find_file, project_folder
from ems.record import Efficiency, Fraction, Name, NonNegative, Positive, Slug
from ems.studies.study import FileName, StartText, Study

if TYPE_CHECKING:
    from ems.studies.sizing_source import SizingCase
    from ems.studies.sizing_view import SizingView
    from ems.studies.study_run import StudyRun

SITE_ENDINGS = (".yaml", ".yml")
SERIES_ENDINGS = (".csv", ".parquet", ".xlsx")
SIZED = ("battery_kwh", "battery_kw", "pv_kw", "connection_kw")
"""What is sized; `min_`, `max_` and `lot_` of each are parameters."""
Life = Annotated[int, Field(ge=1, le=100)]
Loss = Annotated[float, Field(ge=0, lt=1)]


class SizingStudy(Study):
    """The parameters of the notebook `sizing`."""

    name: ClassVar[str] = "sizing"

    title: Name = "Sizing"
    """Title of the report."""
    site: FileName = "bakery"
    """Site file: a name in data/sites, or a path."""
    series: FileName | None = None
    """Series file: a name in data/series, or a path; None takes the one with the site's name."""
    connection: Slug | None = None
    """Id of the grid connection that is sized; None takes the only one."""
    tariff: Slug | None = None
    """Id of the tariff in the site file; None takes the connection's own."""
    start: StartText | None = None
    """Beginning of the time that stands for a year, in local time; None takes the first step of the series."""
    horizon_h: Positive | None = None
    """Length of the time that stands for a year; None takes the series to its end."""
    step_h: Positive | None = None
    """Length of a step; None takes that of the series."""
    min_battery_kwh: NonNegative = 0.0
    """Least energy of the battery, when new."""
    max_battery_kwh: NonNegative = 200.0
    """Most energy of the battery; 0 leaves it out."""
    lot_battery_kwh: Positive | None = None
    """Energy of a module, of which there are whole ones; None allows any size."""
    min_battery_kw: NonNegative = 0.0
    """Least power of the battery, both ways."""
    max_battery_kw: NonNegative = 100.0
    """Most power of the battery; 0 leaves it out."""
    lot_battery_kw: Positive | None = None
    """Power of an inverter, of which there are whole ones; None allows any size."""
    min_pv_kw: NonNegative = 0.0
    """Least power of the solar roof."""
    max_pv_kw: NonNegative = 100.0
    """Most power of the solar roof; 0 leaves it out."""
    lot_pv_kw: Positive | None = None
    """Power of a string, of which there are whole ones; None allows any size."""
    min_connection_kw: NonNegative = 0.0
    """Least power of the grid connection."""
    max_connection_kw: Positive | None = None
    """Most power of the grid connection; None takes that of the site file."""
    lot_connection_kw: Positive | None = None
    """Step in which connections are offered; None allows any size."""
    battery_cost_per_kwh: NonNegative = 350.0
    """Price of the battery's energy, installed."""
    battery_cost_per_kw: NonNegative = 150.0
    """Price of the battery's power, installed."""
    pv_cost_per_kw: NonNegative = 1150.0
    """Price of the solar roof, installed."""
    connection_cost_per_kw: NonNegative = 80.0
    """Price of the grid connection, paid once."""
    connection_charge_per_kw_a: NonNegative = 12.0
    """Yearly charge of the grid connection, whatever is drawn."""
    battery_upkeep_share_per_a: Fraction = 0.01
    """Upkeep of the battery in a year, as a share of its price."""
    pv_upkeep_share_per_a: Fraction = 0.015
    """Upkeep of the solar roof in a year, as a share of its price."""
    battery_life_a: Life = 15
    """Years after which the battery is replaced."""
    pv_life_a: Life = 25
    """Years after which the solar roof is replaced."""
    connection_life_a: Life = 40
    """Years after which the connection is paid for anew."""
    battery_replacement_share: Fraction = 0.7
    """Price of the next battery as a share of the first one's."""
    battery_degradation_share_per_a: Loss = 0.02
    """Share of its content that the battery loses from year to year."""
    pv_degradation_share_per_a: Loss = 0.005
    """Share of its yield that the solar roof loses from year to year."""
    battery_round_trip_efficiency: Efficiency | None = None
    """Energy out per energy in of the battery; None takes the site file's, else 0.9."""
    wear_cost_per_kwh: NonNegative | None = None
    """Wear for each kWh discharged; None takes that of the site file's battery, else 0.01."""
    project_a: Annotated[int, Field(ge=1, le=100)] = 20
    """Years that are looked at."""
    discount_share_per_a: Fraction = 0.05
    """Discount rate: what money could earn elsewhere."""
    price_escalation_share_per_a: Annotated[float, Field(gt=-1, le=1)] = 0.0
    """By what share bills rise from year to year."""
    co2_intensity_kg_per_kwh: NonNegative | None = None
    """Carbon dioxide of a kWh from the grid; None takes that of the site file."""
    sweep_points: Annotated[int, Field(ge=2, le=25)] = 5
    """Sizes of battery and of solar roof at which the cost is drawn, each."""
    sensitivity_share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """By what share each assumption is changed, up and down."""

    @model_validator(mode="after")
    def _in_order(self) -> SizingStudy:
        found = []
        for name in SIZED:
            least, most = getattr(self, f"min_{name}"), getattr(self, f"max_{name}")
            if most is not None and least > most:
                unit = "kWh" if name.endswith("kwh") else "kW"
                found.append(f"min_{name} = {least:g} {unit}: must be at most max_{name} = {most:g} {unit}")
        if found:
            raise ValueError("; ".join(found))
        return self

    def check(self) -> None:
        """Raise where a file is not there.

        Raises
        ------
        InvalidInput
        """
        self.site_file()
        self.series_file()

    def site_file(self) -> Path:
        """Return the path of the site file."""
        return find_file(self.site, project_folder() / "data" / "sites", SITE_ENDINGS, "site")

    def series_file(self) -> Path:
        """Return the path of the series file."""
        name = self.series or Path(self.site).stem
        return find_file(name, project_folder() / "data" / "series", SERIES_ENDINGS, "series")

    def report_timezone(self) -> str:
        """Return the time zone of the connection's site, or UTC where the site file cannot be read."""
        from ems.assets.portfolio import read_portfolio
        from ems.studies.tariffs_source import connection_of

        try:
            portfolio = read_portfolio(self.site_file())
            return portfolio.site(connection_of(portfolio, self.connection).site_id).timezone
        except InvalidInput:
            return "UTC"

    def report_currency(self) -> str:
        """Return the currency of the site file, or the word where it cannot be read."""
        from ems.assets.portfolio import read_portfolio

        try:
            return read_portfolio(self.site_file()).currency
        except InvalidInput:
            return super().report_currency()

    def open_run(self) -> StudyRun:
        """Return the run's record in the database: the one that a command opened, or a new one."""
        from ems.studies.study_run import open_study_run

        return open_study_run(self)

    def load_case(self) -> SizingCase:
        """Return the site with equipment of the largest sizes, and the series that stand for a year.

        Raises
        ------
        InvalidInput
            If a file cannot be used, or the time does not stand for a year.
        """
        from ems.studies.sizing_source import load_case

        return load_case(self)

    def find_sizes(self, case: SizingCase) -> SizingView:
        """Return the sizes of least life-cycle cost, and what they rest on."""
        from ems.studies.sizing_view import SizingView

        return SizingView(case, self)
