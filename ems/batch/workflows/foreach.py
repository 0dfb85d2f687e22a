"""What a task is repeated for: items of a list, assets of a site file, or site files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ems.batch.workflows.task_spec import ForeachSpec
from ems.errors import InvalidInput, UnknownName, did_you_mean, show
from ems.folders import find_file, is_slug, project_folder

MOST_ITEMS = 10_000
LONGEST_KEY = 200
SITE_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Item:
    """One of the things that a task is repeated for.

    Parameters
    ----------
    key : str
        Its name, of its own within the task.
    value : any
        What ``${item}`` stands for.
    """

    key: str
    value: Any


def items_of(foreach: ForeachSpec) -> list[Item]:
    """Return the items of a foreach whose references are replaced already.

    Raises
    ------
    InvalidInput
        If the values are no list or two have one name, or a site or kind of asset is not there.
    """
    if foreach.assets is not None:
        assert foreach.site is not None, "checked with the record"
        return [Item(asset, asset) for asset in assets_of(foreach.assets, foreach.site)]
    if foreach.sites is not None:
        return [Item(name, name) for name in sites_of(foreach.sites)]  # type: ignore[arg-type] # checked with the record
    values = foreach.values
    if not isinstance(values, list | tuple):
        raise InvalidInput("foreach", f"{show(values)} is no list")
    if len(values) > MOST_ITEMS:
        raise InvalidInput("foreach", f"{len(values)} items are more than the {MOST_ITEMS} that can be run")
    items = [Item(_key_of(value, number), value) for number, value in enumerate(values, 1)]
    keys = [item.key for item in items]
    double = next((key for key in keys if keys.count(key) > 1), None) if len(set(keys)) < len(keys) else None
    if double is not None:
        raise InvalidInput("foreach", f"item {show(double)} stands there twice; each must have a name of its own")
    return items


def _key_of(value: Any, number: int) -> str:
    if isinstance(value, Mapping):
        value = value.get("id", value.get("name"))
    text = str(number) if value is None or isinstance(value, Mapping | list | tuple) else str(value)
    text = " ".join(text.split())
    return text if 0 < len(text) <= LONGEST_KEY and text.isprintable() else str(number)


def assets_of(kind: str, site: str) -> list[str]:
    """Return the ids of the assets of a kind in a site file; of all where the kind is any.

    Raises
    ------
    InvalidInput
        If there is no such kind or file, or the file cannot be used.
    """
    from ems.assets.portfolio import read_portfolio

    portfolio = read_portfolio(find_file(site, project_folder() / "data" / "sites", SITE_ENDINGS, "site"))
    found = [asset.id for asset in portfolio.assets if kind in ("any", asset.kind)]
    if not found:
        kinds = sorted({asset.kind for asset in portfolio.assets})
        raise UnknownName(f"assets = {show(kind)}", f"site {show(site)} has none of them; {did_you_mean(kind, kinds)}")
    return found


def sites_of(sites: Sequence[str] | str) -> list[str]:
    """Return the names of site files: those that are named, or all of the project.

    Raises
    ------
    InvalidInput
        If one is not there.
    """
    folder = project_folder() / "data" / "sites"
    if sites == "all":
        return sorted(
            {path.stem for ending in SITE_ENDINGS for path in folder.glob(f"*{ending}") if is_slug(path.stem)}
        )
    missing = []
    for name in sites:
        try:
            find_file(name, folder, SITE_ENDINGS, "site")
        except InvalidInput as error:
            missing.append(str(error))
    if missing:
        raise UnknownName("sites", missing)
    return list(sites)
