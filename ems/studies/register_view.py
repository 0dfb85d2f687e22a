"""RegisterView: assets at one moment, with status, maintenance and health, in the rows of a report."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ems.assets.health import Health, health_of
from ems.assets.maintenance import Due, dues_of
from ems.assets.operation import AssetStatus, MaintenanceRecord, effective_status
from ems.assets.outage import Affected, affected_by
from ems.assets.portfolio import AnyAsset, Portfolio, Site
from ems.display import Answer, counted
from ems.report.register_rows import DueRow, HealthRow, StatusRow
from ems.report.register_words import amount, energy_kwh, installed, power_kw
from ems.studies.register_source import Operation

if TYPE_CHECKING:
    from ems.report.data_files import ReportData

MOST_DIAGRAMS = 6
"""Sites whose diagrams a report holds; each is about 30 kB."""
_WORK = {"calendar": "preventive", "operating_h": "service by hours run", "cycles": "end of cycle life"}
_GENERATION = frozenset({"generator", "solar_pv", "wind_turbine"})


@dataclass(frozen=True, repr=False)
class RegisterView(Answer):
    """How the assets of a portfolio stand at a moment; decommissioned ones are listed but need nothing.

    Parameters
    ----------
    portfolio : Portfolio
    operation : Operation
        Statuses and maintenance records.
    now : datetime
        The moment, with its offset from UTC.
    stale_after_min : float
        Silence after which an asset counts as offline.
    horizon_d : int
        Days ahead that are looked at.
    """

    portfolio: Portfolio
    operation: Operation
    now: dt.datetime
    stale_after_min: float
    horizon_d: int

    @property
    def timezone(self) -> str:
        """Time zone of the first site, in which moments are told."""
        return self.portfolio.sites[0].timezone

    @property
    def today(self) -> dt.date:
        """The day of the moment, by the clocks of the first site."""
        return self.now.astimezone(ZoneInfo(self.timezone)).date()

    @cached_property
    def assets(self) -> list[AnyAsset]:
        """Assets that have not been decommissioned."""
        return installed(self.portfolio)

    @cached_property
    def drawn_sites(self) -> tuple[Site, ...]:
        """Sites whose one-line diagrams are drawn: those with most assets."""
        counts = Counter(asset.site_id for asset in self.assets)
        most = sorted(self.portfolio.sites, key=lambda site: -counts[site.id])[:MOST_DIAGRAMS]
        return tuple(site for site in self.portfolio.sites if site in most)

    @cached_property
    def statuses(self) -> list[StatusRow]:
        """How each asset runs; one that never reported is unknown."""
        reported = {one.asset_id: one for one in self.operation.statuses}
        return [self._status_row(asset, reported.get(asset.id)) for asset in self.assets]

    @cached_property
    def states(self) -> dict[str, str]:
        """Operational status by asset; empty where nobody could have told."""
        return {row.asset_id: row.state for row in self.statuses} if self.operation.is_known else {}

    @cached_property
    def dues(self) -> list[DueRow]:
        """Work that is overdue, falls due within the horizon, or depends on use; the most urgent first."""
        end = self.today + dt.timedelta(days=self.horizon_d)
        records = {record.id: record for record in self.operation.maintenance}
        rows = [
            self._due_row(asset, due, records)
            for asset in self.assets
            for due in dues_of(asset, self._records_of.get(asset.id, ()), today=self.today)
            if due.is_overdue or due.due_date is None or due.due_date <= end
        ]
        return sorted(rows, key=lambda row: (not row.is_overdue, row.due or dt.date.max, row.name))

    @cached_property
    def health(self) -> list[HealthRow]:
        """How each asset ages."""
        return [
            self._health_row(asset, health_of(asset, today=self.today, maintenance=self._records_of.get(asset.id, ())))
            for asset in self.assets
        ]

    @cached_property
    def affected(self) -> dict[str, tuple[Affected, ...]]:
        """What goes down with each asset that anything depends on."""
        involved = {one for d in self.portfolio.dependencies for one in (d.asset_id, d.depends_on_asset_id)}
        return {one: affected_by(one, self.portfolio.dependencies) for one in sorted(involved)}

    @property
    def overdue(self) -> list[DueRow]:
        """Work that should have been done."""
        return [row for row in self.dues if row.is_overdue]

    @property
    def alarms(self) -> list[StatusRow]:
        """Assets that report an alarm."""
        return [row for row in self.statuses if row.alarm_level != "none"]

    def caption(self) -> str:
        """Return what it is about."""
        return f"Register: {counted(len(self.assets), 'asset')} on {self.today:%Y-%m-%d}"

    def data(self) -> ReportData:
        """Return the data that stand beside the report."""
        from ems.studies.study_data import data_of_register

        return data_of_register(self)

    def headline(self) -> list[tuple[str, str]]:
        """Return the figures that answer the study's question, with their units."""
        generation_kw = sum(power_kw(one) or 0.0 for one in self.assets if one.kind in _GENERATION)
        stored_kwh = sum(energy_kwh(one) or 0.0 for one in self.assets)
        rows = [
            ("Assets", f"{len(self.assets):,}"),
            ("Sites", f"{len(self.portfolio.sites):,}"),
            ("Generation", f"{amount(generation_kw)} kW"),
            ("Storage", f"{amount(stored_kwh)} kWh"),
        ]
        if self.operation.is_known:
            available = sum(row.state in ("online", "standby") for row in self.statuses)
            rows.append(("Online or on standby", f"{available} of {len(self.assets)}"))
            rows.append(("Alarms", str(len(self.alarms))))
        due = sum(row.due is not None and not row.is_overdue for row in self.dues)
        rows.append(("Overdue work", str(len(self.overdue))))
        rows.append((f"Due within {self.horizon_d} d", str(due)))
        return rows

    def conclusion(self) -> str:
        """Return the answer in a few sentences."""
        said = []
        if self.operation.is_known:
            out = [row.name for row in self.statuses if row.state in ("fault", "offline")]
            unknown = sum(row.state == "unknown" for row in self.statuses)
            said.append(f"Not available: {', '.join(out)}." if out else "No asset is known to be down.")
            if unknown:
                said.append(f"{counted(unknown, 'asset')} never reported.")
        else:
            said.append("How the assets run is not known here.")
        if self.overdue:
            said.append(f"Overdue is work on {', '.join(dict.fromkeys(row.name for row in self.overdue))}.")
        weakest = min((row for row in self.health if row.score is not None), key=_score, default=None)
        if weakest is not None:
            said.append(f"Weakest is {weakest.name}, with a health of {weakest.score:.2f}.")
        ending = [row.name for row in self.health if self._ends_soon(row)]
        if ending:
            said.append(f"Within {self.horizon_d} days the warranty ends of {', '.join(ending)}.")
        return " ".join(said)

    def notes(self) -> list[str]:
        """Return what a reader of the results should know."""
        local = self.now.astimezone(ZoneInfo(self.timezone))
        notes = [f"The register as of {local:%Y-%m-%d %H:%M %Z}."]
        if not self.operation.is_known:
            notes.append(
                "Status and maintenance records are unknown: a site file does not hold them. Name a file of them with "
                "operation, or keep the register in the database and set site to nothing."
            )
        left_out = len(self.portfolio.sites) - len(self.drawn_sites)
        if left_out:
            notes.append(
                f"One-line diagrams of {counted(left_out, 'site')} are left out; only_site draws one of them."
            )
        return notes

    # ------------------------------------------------------------------------------------------ rows
    @cached_property
    def _records_of(self) -> dict[str, list[MaintenanceRecord]]:
        found: dict[str, list[MaintenanceRecord]] = {}
        for record in self.operation.maintenance:
            found.setdefault(record.asset_id, []).append(record)
        return found

    @cached_property
    def _site_names(self) -> Mapping[str, str]:
        return {site.id: site.name for site in self.portfolio.sites}

    def _named(self, asset: AnyAsset) -> dict[str, Any]:
        site = self._site_names[asset.site_id]
        return {"asset_id": asset.id, "name": asset.name, "kind": asset.kind, "site": site}

    def _status_row(self, asset: AnyAsset, status: AssetStatus | None) -> StatusRow:
        if status is None:
            return StatusRow(**self._named(asset), reason="unknown: it has never reported", rating_kw=power_kw(asset))
        effective = effective_status(status, self.now, self.stale_after_min)
        is_fresh = not effective.is_stale
        return StatusRow(
            **self._named(asset),
            state=effective.operational_status,
            reason=effective.reason,
            rating_kw=power_kw(asset),
            power_kw=status.current_power_kw if is_fresh else None,
            soc=status.current_soc if is_fresh else None,
            alarm_level=status.alarm_level,
            alarm=": ".join(part for part in (status.fault_code, status.alarm_message) if part),
            reported_at=status.last_communication or status.reported_at,
        )

    def _due_row(self, asset: AnyAsset, due: Due, records: Mapping[str, MaintenanceRecord]) -> DueRow:
        record = records.get(due.record_id or "")
        is_planned = due.reason == "planned" and record is not None
        what = (
            record.maintenance_type.replace("_", " ") if is_planned and record else _WORK.get(due.reason, due.reason)
        )
        about = f": {record.description}" if is_planned and record and record.description else ""
        return DueRow(
            **self._named(asset), due=due.due_date, what=what, reason=due.words + about, is_overdue=due.is_overdue
        )

    def _health_row(self, asset: AnyAsset, health: Health) -> HealthRow:
        known = [(value, words) for value, words in health.parts.values() if value is not None]
        return HealthRow(
            **self._named(asset),
            score=health.score,
            parts=tuple(words for _, words in sorted(known)),
            remaining_life_a=health.remaining_life_a,
            warranty=health.warranty,
            warranty_start=asset.commissioning_date or asset.installation_date,
            warranty_end=asset.warranty_expiry_date,
        )

    def _ends_soon(self, row: HealthRow) -> bool:
        return row.warranty_end is not None and 0 <= (row.warranty_end - self.today).days <= self.horizon_d


def _score(row: HealthRow) -> float:
    return 1.0 if row.score is None else row.score
