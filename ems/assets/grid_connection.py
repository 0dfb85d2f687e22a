"""Grid connection: fields and part of a dispatch."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import model_validator

from ems.assets.asset import Asset, AssetInputs, add_series
from ems.record import NonNegative, Slug


class GridConnection(Asset):
    """The point of common coupling, where energy is bought and sold."""

    kind: Literal["grid_connection"] = "grid_connection"
    max_import_kw: NonNegative
    """Highest power taken from the grid."""
    max_export_kw: NonNegative
    """Highest power fed into the grid."""
    import_enabled: bool = True
    """Whether power may be taken from the grid at all."""
    export_enabled: bool = True
    """Whether power may be fed into the grid at all."""
    tariff_id: Slug | None = None
    """Tariff that gives the prices of energy."""
    import_price_per_kwh: float | None = None
    """Price of energy bought, where one holds at all times; otherwise a tariff or a series gives it."""
    export_price_per_kwh: float | None = None
    """Price of energy sold, where one holds at all times; otherwise a tariff or a series gives it."""

    series_needed: ClassVar[tuple[str, ...]] = ("import_price_per_kwh", "export_price_per_kwh")
    exclusive: ClassVar[tuple[tuple[str, str], ...]] = (("import_kw", "export_kw"),)

    @model_validator(mode="after")
    def _one_source_of_prices(self) -> GridConnection:
        if self.tariff_id is not None:
            for name in ("import_price_per_kwh", "export_price_per_kwh"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name} = {getattr(self, name):g}: tariff_id gives the price already; keep one")
        return self

    @property
    def import_limit_kw(self) -> float:
        """Highest power that can be taken, 0 where importing is disabled."""
        return self.max_import_kw if self.import_enabled else 0.0

    @property
    def export_limit_kw(self) -> float:
        """Highest power that can be fed in, 0 where exporting is disabled."""
        return self.max_export_kw if self.export_enabled else 0.0

    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare import and export; both in one step is excluded like a battery's two directions."""
        from pyomo.core import Constraint, Var

        steps = unit.model().steps
        for name in self.series_needed:
            add_series(unit, name, inputs.series[name])
        unit.import_kw = Var(steps, bounds=(0, self.import_limit_kw))
        unit.export_kw = Var(steps, bounds=(0, self.export_limit_kw))
        if self.import_limit_kw > 0 and self.export_limit_kw > 0:

            def one_direction(unit: Any, t: Any) -> Any:
                return unit.import_kw[t] / self.import_limit_kw + unit.export_kw[t] / self.export_limit_kw <= 1

            unit.one_direction = Constraint(steps, rule=one_direction)

    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return import less export, in kW."""
        return unit.import_kw[t] - unit.export_kw[t]

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return what bought energy costs and sold energy earns."""
        return {
            "import_cost": unit.import_price_per_kwh[t] * unit.import_kw[t] * step_h[t],
            "export_revenue": -unit.export_price_per_kwh[t] * unit.export_kw[t] * step_h[t],
        }
