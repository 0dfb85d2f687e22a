"""The study `register`: what assets there are, how they run now, what work is due, and how they age."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, model_validator

from ems.errors import DatabaseProblem, InvalidInput
from ems.folders import find_file, project_folder
from ems.record import Name, NonNegative, Slug
from ems.studies.study import FileName, StartText, Study, start_in

if TYPE_CHECKING:
    from ems.assets.portfolio import Portfolio
    from ems.studies.register_view import RegisterView
    from ems.studies.study_run import StudyRun

YAML_ENDINGS = (".yaml", ".yml")


class RegisterStudy(Study):
    """The parameters of the notebook `register`."""

    name: ClassVar[str] = "register"

    title: Name = "Asset register"
    """Title of the report."""
    site: FileName | None = "harbour"
    """Site file: a name in data/sites, or a path; None reads the register in the database."""
    operation: FileName | None = None
    """File of statuses and maintenance: a name in data/operation, or a path; with a site file only."""
    only_site: Slug | None = None
    """Id of the one site to look at; None takes all."""
    group: Slug | None = None
    """Id of a group, with those nested in it, to look at; None takes all assets."""
    as_of: StartText | None = None
    """Moment to look at, in local time; None takes the present."""
    stale_after_min: NonNegative = 15
    """Silence after which an asset counts as offline."""
    horizon_d: Annotated[int, Field(ge=1, le=3660)] = 90
    """Days ahead in which maintenance is shown."""

    @model_validator(mode="after")
    def _one_source(self) -> RegisterStudy:
        if self.site is None and self.operation is not None:
            raise ValueError(
                f"operation = '{self.operation}': without a site file the database tells statuses and maintenance; "
                "leave one of them out"
            )
        return self

    def check(self) -> None:
        """Raise where a file is not there.

        Raises
        ------
        InvalidInput
        """
        self.site_file()
        self.operation_file()

    def is_repeatable(self) -> bool:
        """Return whether equal parameters and equal files give an equal result; not where more than files is read."""
        return self.site is not None and self.as_of is not None

    def site_file(self) -> Path | None:
        """Return the path of the site file; None where the database is read."""
        if self.site is None:
            return None
        return find_file(self.site, project_folder() / "data" / "sites", YAML_ENDINGS, "site")

    def operation_file(self) -> Path | None:
        """Return the path of the file of statuses and maintenance, where there is one."""
        if self.operation is None:
            return None
        return find_file(self.operation, project_folder() / "data" / "operation", YAML_ENDINGS, "operation")

    def report_timezone(self) -> str:
        """Return the time zone of the first site looked at, or UTC where the register cannot be read."""
        try:
            return self.load_portfolio().sites[0].timezone
        except (InvalidInput, DatabaseProblem):
            return "UTC"

    def open_run(self) -> StudyRun:
        """Return the run's record in the database: the one that a command opened, or a new one."""
        from ems.studies.study_run import open_study_run

        return open_study_run(self)

    def load_portfolio(self) -> Portfolio:
        """Return the sites and assets to look at.

        Raises
        ------
        InvalidInput
            If the file or the register cannot be used, or no asset is left.
        """
        path = self.site_file()
        if path is None:
            from ems.studies.register_database import portfolio_in_database

            return portfolio_in_database(self.only_site, self.group)
        from ems.assets.portfolio import read_portfolio
        from ems.studies.register_source import narrowed

        return narrowed(read_portfolio(path), self.only_site, self.group)

    def look_at(self, portfolio: Portfolio) -> RegisterView:
        """Return how the assets stand at the moment of the study: status, maintenance, health, outages."""
        from ems.studies.register_source import NOT_KNOWN, read_operation
        from ems.studies.register_view import RegisterView

        zone = portfolio.sites[0].timezone
        now = start_in(self.as_of, zone) if self.as_of else dt.datetime.now(dt.UTC)
        path = self.operation_file()
        if path is not None:
            operation = read_operation(path, portfolio, now)
        elif self.site is None:
            from ems.studies.register_database import operation_in_database

            operation = operation_in_database(portfolio, now)
        else:
            operation = NOT_KNOWN
        return RegisterView(portfolio, operation, now, self.stale_after_min, self.horizon_d)
