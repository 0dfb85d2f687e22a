"""Asset: what all kinds have in common, and what each kind says of its part in a dispatch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ems.assets.unit import Unit
from ems.errors import show
from ems.horizon import Horizon
from ems.record import Date, Metadata, Name, Record, Slug, Text

if TYPE_CHECKING:
    from ems.tariffs.tariff import Tariff


@dataclass(frozen=True)
class AssetInputs:
    """What an asset's part of a dispatch is made of, besides its fields.

    Parameters
    ----------
    horizon : Horizon
    series : mapping of str to ndarray (steps,)
        The asset's own series by name: ``demand_kw``, ``available_kw``, ``import_price_per_kwh``.
    timezone : str
        IANA name of the site's time zone, for what goes by local days and months.
    reserve_up_h, reserve_down_h : float, optional
        Hours for which stored energy must back the reserve that the asset offers; None where none is asked of it.
    shares_energy : bool
        Whether a connection may exchange energy with others of its group.
    sharing_fee_per_kwh : float
        Price of such an exchange, for each kWh received.
    market_period_h : float, optional
        Length of the periods in which a position is bought ahead; None where nothing is bought ahead.
    tariff : Tariff, optional
        The connection's.
    """

    horizon: Horizon
    series: Mapping[str, np.ndarray]
    timezone: str = "UTC"
    reserve_up_h: float | None = None
    reserve_down_h: float | None = None
    shares_energy: bool = False
    sharing_fee_per_kwh: float = 0.0
    market_period_h: float | None = None
    tariff: Tariff | None = None


class Asset(Record):
    """A thing at a site that takes part in its power balance.

    The part in a dispatch is a few methods. `declare` puts variables and constraints on the asset's own unit;
    `injection_kw`, `costs` and the others are formulas over that unit. A formula is evaluated on variables to build
    a model, and on the numbers of a solution to report it.
    """

    kind: str
    """Kind of the asset. Acts in everything."""
    id: Slug
    """Id of the asset, unique in the portfolio. Acts in everything."""
    name: Name
    """What people call it; the id where nothing is given. Acts in reports and the search of texts."""
    site_id: Slug
    """Site to whose bus it is connected; the portfolio's only site where nothing is given. Acts in dispatch."""
    status: Literal["active", "inactive", "maintenance", "decommissioned"] = "active"
    """Whether it takes part: only an active asset does. Acts in dispatch, filters and reports."""
    description: Text = ""
    """What it is, in words. Acts in the search of texts."""
    location: Text | None = None
    """Where at the site it stands. Acts in the search of texts."""
    installation_date: Date | None = None
    """Day on which it was installed. Acts in health, as the beginning of its age."""
    commissioning_date: Date | None = None
    """Day on which it went into operation. Acts in health, before the day of installation."""
    warranty_expiry_date: Date | None = None
    """Last day of its warranty. Acts in health and reports."""
    manufacturer: Name | None = None
    """Who made it. Acts in the search of texts."""
    model: Name | None = None
    """Type designation of its maker. Acts in the search of texts."""
    serial_number: Name | None = None
    """Number of the single piece. Acts in the search of texts."""
    metadata: Metadata = Field(default_factory=dict)
    """Anything else, by name. Describes only."""

    series_needed: ClassVar[tuple[str, ...]] = ()
    """Names of the series without which the asset cannot be dispatched."""
    series_optional: ClassVar[tuple[str, ...]] = ()
    """Names of series that may be given; one that is named like a field replaces it in every step."""
    series_with_gaps: ClassVar[tuple[str, ...]] = ()
    """Those of them in which a gap has a meaning: nothing is asked of the step."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        kind = given.get("kind") or cls.model_fields["kind"].default
        return f"{kind} {show(given.get('id') or given.get('name') or '?')}"

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the id as the name, where no name is given."""
        return {"name": given["id"]} if "name" not in given and "id" in given else {}

    @abstractmethod
    def declare(self, unit: Unit, inputs: AssetInputs) -> None:
        """Declare variables and constraints on the asset's unit."""

    @abstractmethod
    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the power that the asset gives into its site's bus in step ``t``, in kW."""

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return the money spent in step ``t`` by type of cost; an income is negative."""
        return {}

    def costs_once(self, unit: Any) -> dict[str, Any]:
        """Return the money that belongs to the whole horizon, as that of a peak, by type of cost."""
        return {}

    def emissions_kg(self, unit: Any, t: Any, step_h: Any) -> Any:
        """Return the carbon dioxide emitted in step ``t``, in kg."""
        return 0.0

    def committed_capacity_kw(self, unit: Any, t: Any) -> Any:
        """Return the capacity that is on line in step ``t`` and counts for a reserve of capacity, in kW."""
        return 0.0

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return further results of step ``t`` by name, which no variable of the unit holds."""
        return {}

    def check_horizon(self, horizon: Horizon) -> list[str]:
        """Return findings that only show once the horizon is known."""
        return []

    def over_steps(self, name: str, inputs: AssetInputs) -> np.ndarray:
        """Return a field in each step, shape (steps,): its series where there is one, else the field's number."""
        if name in inputs.series:
            return inputs.series[name]
        return np.full(len(inputs.horizon), float(getattr(self, name)))


def add_ramps(
    unit: Unit,
    power_kw: Callable[[Any], Any],
    *,
    up_kw_per_h: float | None,
    down_kw_per_h: float | None,
    range_kw: float,
) -> None:
    """Declare how fast a power may rise and fall from one step to the next.

    power[t] - power[t-1] <= up * step, where the step is the mean of both, from middle to middle

    Parameters
    ----------
    unit : Unit
    power_kw : callable (t)
        The power that ramps.
    up_kw_per_h, down_kw_per_h : float, optional
        Rates; none where there is no limit.
    range_kw : float
        Span of the power: a rate that crosses it within a step is no limit, and is left out.
    """
    step_h = unit.step_h
    middle_to_middle_h = np.append(0.0, (step_h[1:] + step_h[:-1]) / 2)
    for name, rate, sign in (("ramp_up", up_kw_per_h, 1), ("ramp_down", down_kw_per_h, -1)):
        if rate is None or len(step_h) < 2 or rate * middle_to_middle_h[1:].min() >= range_kw:
            continue

        def ramp(t: Any, sign: int = sign, rate: float = rate) -> Any:
            return sign * (power_kw(t) - power_kw(t - 1)) <= rate * middle_to_middle_h[t]

        unit.add_constraint(name, ramp, over=range(1, len(step_h)))
