"""The study `comparison`: which case of a batch is best, what differs, and what each parameter does to the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from ems.record import Name, Slug
from ems.studies.study import Study

if TYPE_CHECKING:
    from ems.studies.comparison_source import ComparedCases
    from ems.studies.comparison_view import ComparisonView
    from ems.studies.study_run import StudyRun


class ComparisonStudy(Study):
    """The parameters of the notebook `comparison`."""

    name: ClassVar[str] = "comparison"

    title: Name = "Comparison"
    """Title of the report."""
    batch: Slug | None = None
    """Id of the batch whose cases are compared; None takes the newest one."""
    measure: Name | None = None
    """Figure that decides: settled_cost, mae, any KPI or score; None follows the batch's study."""
    direction: Literal["least", "most"] | None = None
    """Which value is best: least or most; None follows the measure."""
    baseline: Annotated[int, Field(ge=1)] | None = None
    """Number of the case that others are held against; None holds them against the best."""

    def is_repeatable(self) -> bool:
        """Return False: what is compared lies in the database."""
        return False

    def open_run(self) -> StudyRun:
        """Return the run's record in the database: the one that a command opened, or a new one."""
        from ems.studies.study_run import open_study_run

        return open_study_run(self)

    def load_cases(self, run: StudyRun) -> ComparedCases:
        """Return the cases of the batch, with their results as they stand now.

        Raises
        ------
        InvalidInput
            If there is no batch, or it has no cases.
        """
        from ems.studies.comparison_source import load_cases

        return load_cases(run.engine, self.batch)

    def compare(self, cases: ComparedCases) -> ComparisonView:
        """Return the cases ranked by the measure, and what each parameter does to it.

        Raises
        ------
        InvalidInput
            If no case has a result, or measure, direction or baseline cannot be used with this batch.
        """
        from ems.studies.comparison_measures import chosen_measure
        from ems.studies.comparison_view import ComparisonView

        measure = chosen_measure(cases, self.measure, self.direction)
        cases.require_result_of(self.baseline, measure.name)
        return ComparisonView(cases, measure, self.baseline)
