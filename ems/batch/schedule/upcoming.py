"""What comes next: the due times of all workflows that are enabled."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import islice

from ems.batch.schedule.definitions import Definitions, load_startable
from ems.batch.schedule.times import due_between
from ems.errors import UnknownName, did_you_mean, show
from ems.folders import project_folder


@dataclass(frozen=True)
class Upcoming:
    """A time at which a workflow will be started."""

    workflow: str
    moment: dt.datetime
    timezone: str


def upcoming(
    now: dt.datetime, count: int, workflow: str | None = None
) -> tuple[list[Upcoming], list[str], dict[str, str]]:
    """Return the next times, the workflows that wait for something else, and what is wrong with broken files.

    Parameters
    ----------
    now : datetime
    count : int
        Most times of each workflow.
    workflow : str, optional
        Only this one.

    Raises
    ------
    UnknownName
        If there is no workflow of that name.
    """
    found = Definitions(project_folder() / "parameters" / "workflows", load_startable, lambda _text: None)
    found.refresh(0.0)
    there = {*found.good, *found.broken, *found.disabled}
    if workflow is not None and workflow not in there:
        known = did_you_mean(workflow, there)
        raise UnknownName(f"workflow {show(workflow)}", f"not in parameters/workflows/; {known}")
    times: list[Upcoming] = []
    others = [f"{name} is disabled" for name in sorted(found.disabled) if workflow in (None, name)]
    for name, checked in found.good.items():
        schedule, trigger = checked.spec.schedule, checked.spec.trigger
        if workflow not in (None, name):
            continue
        if not checked.spec.enabled:
            others.append(f"{name} is disabled")
            continue
        if schedule is not None:
            coming = list(islice(due_between(schedule, now), count))
            times += [Upcoming(name, moment, schedule.timezone) for moment in coming]
            if not coming:
                others.append(f"{name} has no times to come")
        if trigger is not None and trigger.files is not None:
            others.append(f"{name} waits for files {trigger.files}")
        if trigger is not None and trigger.http:
            others.append(f"{name} waits for requests by HTTP")
    broken = {name: said for name, said in found.broken.items() if workflow in (None, name)}
    return sorted(times, key=lambda one: (one.moment, one.workflow)), others, broken
