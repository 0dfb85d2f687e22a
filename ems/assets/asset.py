"""Asset: what all kinds have in common, and what each kind says of its part in a dispatch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ems.errors import show
from ems.horizon import Horizon
from ems.record import Date, Metadata, Name, Record, Slug, Text


@dataclass(frozen=True)
class AssetInputs:
    """What an asset's part of a dispatch is made of, besides its fields.

    Parameters
    ----------
    horizon : Horizon
    series : mapping of str to ndarray (steps,)
        The asset's own series by name: ``demand_kw``, ``available_kw``, ``import_price_per_kwh``.
    """

    horizon: Horizon
    series: Mapping[str, np.ndarray]


class Asset(Record):
    """A thing at a site that takes part in its power balance.

    The part in a dispatch is three methods. `declare` puts variables and constraints on the asset's own Pyomo
    block; `injection_kw` and `costs` are formulas over that block. A formula is evaluated twice: on variables at a
    step ``t`` to build the model, and on arrays of the solution to report it.
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
    exclusive: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Pairs of variables of which at most one is above zero in a step."""

    @classmethod
    def _subject(cls, given: Mapping[str, Any]) -> str:
        kind = given.get("kind") or cls.model_fields["kind"].default
        return f"{kind} {show(given.get('id') or given.get('name') or '?')}"

    @classmethod
    def derive(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the id as the name, where no name is given."""
        return {"name": given["id"]} if "name" not in given and "id" in given else {}

    @abstractmethod
    def declare(self, unit: Any, inputs: AssetInputs) -> None:
        """Declare variables and constraints on the asset's Pyomo block.

        Parameters
        ----------
        unit : Block
            The asset's block; ``unit.model()`` has ``steps``, ``boundaries`` and ``step_h``.
        inputs : AssetInputs
        """

    @abstractmethod
    def injection_kw(self, unit: Any, t: Any) -> Any:
        """Return the power that the asset gives into its site's bus in step ``t``, in kW."""

    def costs(self, unit: Any, t: Any, step_h: Any) -> dict[str, Any]:
        """Return the money spent in step ``t`` by type of cost; an income is negative."""
        return {}

    def reported(self, unit: Any, t: Any) -> dict[str, Any]:
        """Return further results of step ``t`` by name, which no variable of the block holds."""
        return {}

    def check_horizon(self, horizon: Horizon) -> list[str]:
        """Return findings that only show once the horizon is known."""
        return []


def add_series(unit: Any, name: str, values: np.ndarray) -> None:
    """Declare a series of the asset on its block, as a parameter over the steps."""
    from pyomo.core import Param

    unit.add_component(name, Param(unit.model().steps, initialize=dict(enumerate(values.tolist()))))


def add_ramps(
    unit: Any,
    power_kw: Callable[[Any, Any], Any],
    horizon: Horizon,
    *,
    up_kw_per_h: float | None,
    down_kw_per_h: float | None,
    range_kw: float,
) -> None:
    """Declare how fast a power may rise and fall from one step to the next.

    power[t] - power[t-1] <= up * step, where the step is the mean of both, from middle to middle

    Parameters
    ----------
    unit : Block
    power_kw : callable (unit, t)
        The power that ramps.
    horizon : Horizon
    up_kw_per_h, down_kw_per_h : float, optional
        Rates; none where there is no limit.
    range_kw : float
        Span of the power: a rate that crosses it within a step is no limit, and is left out.
    """
    from pyomo.core import Constraint

    middle_to_middle_h = (horizon.step_h[1:] + horizon.step_h[:-1]) / 2
    for name, rate, sign in (("ramp_up", up_kw_per_h, 1), ("ramp_down", down_kw_per_h, -1)):
        if rate is None or not len(middle_to_middle_h) or rate * middle_to_middle_h.min() >= range_kw:
            continue

        ramp = Constraint(range(1, len(horizon)))
        unit.add_component(name, ramp)
        for t in range(1, len(horizon)):
            change = power_kw(unit, t) - power_kw(unit, t - 1)
            ramp[t] = sign * change <= rate * float(middle_to_middle_h[t - 1])
