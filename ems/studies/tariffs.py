"""The study `tariffs`: what a site's meter would have cost under each of several tariffs, and what a battery saves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from ems.errors import InvalidInput
from ems.folders import find_file, project_folder
from ems.record import Fraction, Name, Positive, Slug
from ems.studies.study import FileName, StartText, Study, start_in

if TYPE_CHECKING:
    from ems.studies.study_run import StudyRun
    from ems.studies.tariffs_source import MeteredSite
    from ems.studies.tariffs_view import TariffsView

SITE_ENDINGS = (".yaml", ".yml")
TARIFF_ENDINGS = (".yaml", ".yml", ".json")
SERIES_ENDINGS = (".csv", ".parquet", ".xlsx")


class TariffsStudy(Study):
    """The parameters of the notebook `tariffs`."""

    name: ClassVar[str] = "tariffs"

    title: Name = "Tariffs compared"
    """Title of the report."""
    site: FileName = "bakery"
    """Site file: a name in data/sites, or a path."""
    tariffs: FileName | None = None
    """File of tariffs: a name in data/tariffs, or a path; None takes those of the site file."""
    series: FileName | None = None
    """Series file: a name in data/series, or a path; None takes the one with the site's name."""
    connection: Slug | None = None
    """Id of the grid connection whose meter is billed; None takes the only one."""
    start: StartText | None = None
    """Beginning of the time that is billed, in local time; None takes the first step of the series."""
    horizon_h: Positive | None = None
    """Length of the time that is billed; None takes the series to its end."""
    step_h: Positive | None = None
    """Length of a step; None takes that of the series."""
    with_battery: bool = True
    """Whether batteries run, for self-consumption; else the site has none."""
    life_a: Annotated[int, Field(ge=1, le=100)] = 15
    """Years for which a battery is used, where its site file does not state them."""
    discount_share_per_a: Fraction = 0.05
    """Discount rate of a battery's finance: what money could earn elsewhere."""
    price_escalation_share_per_a: Annotated[float, Field(gt=-1, le=1)] = 0.0
    """By what share prices of energy rise from year to year."""
    degradation_share_per_a: Annotated[float, Field(ge=0, lt=1)] = 0.02
    """Share of what it stores that a battery loses from year to year."""

    def check(self) -> None:
        """Raise where a file is not there.

        Raises
        ------
        InvalidInput
        """
        self.site_file()
        self.series_file()
        self.tariffs_file()

    def site_file(self) -> Path:
        """Return the path of the site file."""
        return find_file(self.site, project_folder() / "data" / "sites", SITE_ENDINGS, "site")

    def series_file(self) -> Path:
        """Return the path of the series file."""
        name = self.series or Path(self.site).stem
        return find_file(name, project_folder() / "data" / "series", SERIES_ENDINGS, "series")

    def tariffs_file(self) -> Path | None:
        """Return the path of the file of tariffs; None where they are in the site file."""
        if self.tariffs is None:
            return None
        return find_file(self.tariffs, project_folder() / "data" / "tariffs", TARIFF_ENDINGS, "tariffs")

    def report_timezone(self) -> str:
        """Return the time zone of the connection's site, or UTC where the site file cannot be read."""
        from ems.assets.portfolio import read_portfolio
        from ems.studies.tariffs_source import connection_of

        try:
            portfolio = read_portfolio(self.site_file())
            return portfolio.site(connection_of(portfolio, self.connection).site_id).timezone
        except InvalidInput:
            return "UTC"

    def open_run(self) -> StudyRun:
        """Return the run's record in the database: the one that a command opened, or a new one."""
        from ems.studies.study_run import open_study_run

        return open_study_run(self)

    def load_site(self) -> MeteredSite:
        """Return the site behind the meter, the tariffs, and the series cut to the time that is billed.

        Raises
        ------
        InvalidInput
            If a file cannot be used, there is no tariff, or the series does not cover the time.
        """
        from ems.assets.portfolio import read_portfolio
        from ems.horizon import Horizon
        from ems.series.cutting import cut_series, start_of, step_of
        from ems.series.reading import read_series
        from ems.studies.register_source import narrowed
        from ems.studies.tariffs_source import MeteredSite, connection_of, needs_of, read_tariffs

        portfolio = read_portfolio(self.site_file())
        connection = connection_of(portfolio, self.connection)
        portfolio = narrowed(portfolio, connection.site_id, None)
        path = self.tariffs_file()
        tariffs = portfolio.tariffs if path is None else read_tariffs(path, portfolio)
        if not tariffs:
            raise InvalidInput(f"site {self.site!r}", "states no tariffs; add them, or name a file of them as tariffs")
        timezone = portfolio.sites[0].timezone
        read = read_series(self.series_file(), needs_of(portfolio, connection, tariffs), portfolio.series, timezone)
        start = start_in(self.start, timezone) if self.start else start_of(read)
        step_h = self.step_h or step_of(read)
        hours = self.horizon_h
        if hours is None:
            hours = (read.sizes["time"] * step_of(read)) - (start - start_of(read)).total_seconds() / 3600
        horizon = Horizon.regular(start, hours, step_h)
        return MeteredSite(portfolio, connection, tariffs, horizon, cut_series(read, horizon, portfolio.series))

    def compare(self, metered: MeteredSite) -> TariffsView:
        """Return the bills of the site under each tariff, with and without its battery."""
        from ems.studies.tariffs_view import TariffsView

        return TariffsView(metered, self)
