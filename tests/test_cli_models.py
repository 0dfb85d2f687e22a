"""Kept models from the command line, as a person meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from ems.cli import commands
from ems.forecast import store
from ems.forecast.forecaster import FittedForecaster, fit_forecaster
from ems.forecast.history import History
from ems.forecast.recipe import recipe_of
from ems.forecast.stored_model import StoredModel

Ems = Callable[..., Result]


@pytest.fixture
def ems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ems:
    """A function that calls `ems models` in a project without models."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.setenv("EMS_PROJECT", str(tmp_path))

    def call(*arguments: str, code: int = 0, typed: str | None = None) -> Result:
        result = CliRunner().invoke(commands, ["models", *arguments], input=typed)
        assert result.exit_code == code, result.output
        return result

    return call


@pytest.fixture(scope="module")
def fitted() -> dict[str, FittedForecaster]:
    """Two rules, one day and one week back, of an asset whose name steers a terminal."""
    index = pd.date_range("2024-01-01", periods=30 * 24, freq="h", unit="ns")
    values = 10 + 5 * np.sin(np.arange(len(index)) * np.pi / 12) + np.arange(len(index)) % 7
    history = History("demand_kw", index, values, timezone="Europe/Berlin", asset="hall\x1b[31m", notes=("a\nnote",))
    return {
        season: fit_forecaster(history, recipe_of("seasonal_naive", {"season": season}), warm_up_days=6)
        for season in ("day", "week")
    }


@pytest.fixture
def kept(ems: Ems, fitted: dict[str, FittedForecaster]) -> list[StoredModel]:
    """Two versions of a name, the older one first."""
    return [
        store.save(fitted["day"], "hall", {"mae": 1.25, "mape": None}),
        store.save(fitted["week"], "hall", {"mae": 2.5}),
    ]


def test_list__of_an_empty_registry_says_how_to_keep_one(ems: Ems) -> None:
    assert "no models; keep one with: ems run forecast demo -p save_model=" in ems("list").stdout
    assert ems("list", "hall").stdout == "no models of the name 'hall'\n"
    assert json.loads(ems("list", "--json").stdout) == []


def test_list__shows_what_is_in_use(ems: Ems, kept: list[StoredModel]) -> None:
    store.promote(kept[0].id)

    lines = ems("list").stdout.splitlines()
    told = json.loads(ems("list", "hall", "--json").stdout)

    assert lines[0].split()[:2] == ["id", "in"]
    (used,) = [line for line in lines if "promoted" in line]
    assert used.split()[0] == kept[0].id
    assert used.split()[-4:] == ["2024-01-31", "00:00", "720", "1.25"]
    assert "\x1b" not in "".join(lines)
    assert {one["id"]: one["is_promoted"] for one in told} == {kept[0].id: True, kept[1].id: False}
    assert ems("list", "office").stdout == "no models of the name 'office'\n"


def test_list__tells_of_a_damaged_one_and_lists_the_others(ems: Ems, kept: list[StoredModel]) -> None:
    (store.models_folder() / kept[0].id / "manifest.json").write_text("{")

    result = ems("list")

    assert kept[1].id in result.stdout
    assert f"note: model '{kept[0].id}': manifest.json is damaged" in result.stderr


def test_show__tells_what_it_learned_from_and_how_good_it_is(ems: Ems, kept: list[StoredModel]) -> None:
    store.promote(kept[1].id)

    shown = ems("show", kept[0].id).stdout
    told = json.loads(ems("show", "hall", "--json").stdout)

    assert shown.startswith(f"model '{kept[0].id}'\n")
    for words in ("trained_until  2024-01-31 00:00", "mae: 1.25", "mape: undefined", "season=day", "numpy: ", "24 h"):
        assert words in shown
    assert r"a\u000anote" in shown
    assert "\x1b" not in shown
    assert told["id"] == kept[1].id
    assert told["scores"] == {"mae": 2.5}
    assert told["trained_until"] == "2024-01-31T00:00:00Z"


def test_show__unknown_or_not_promoted(ems: Ems, kept: list[StoredModel]) -> None:
    assert "none of its 2 versions is promoted; say an id" in ems("show", "hall", code=2).stderr
    assert "error: model 'hull': is not in data/models/" in ems("show", "hull", code=2).stderr
    assert "a path is never read" in ems("show", "../hall", code=2).stderr


def test_compare__shows_only_the_options_that_differ(ems: Ems, kept: list[StoredModel]) -> None:
    ids = [one.id for one in kept]

    lines = ems("compare", *ids).stdout.splitlines()
    told = json.loads(ems("compare", *ids, "--json").stdout)

    rows = {line.split()[0]: line.split()[1:] for line in lines}
    assert rows["id"] == ids
    assert rows["mae"] == ["1.25", "2.5"]
    assert rows["seasonal_naive.season"] == ["day", "week"]
    assert "seasonal_naive.training_days" not in rows
    assert "seed" not in rows  # neither draws at random
    assert [one["id"] for one in told] == ids
    assert told[0]["trained_until"].startswith("2024-01-31T00:00")
    assert told[1]["mape"] is None


def test_promote__says_in_place_of_what(ems: Ems, kept: list[StoredModel]) -> None:
    first, second = (one.id for one in kept)

    assert ems("promote", first).stdout == f"model '{first}' is in use as 'hall'\n"
    assert ems("promote", second).stdout == f"model '{second}' is in use as 'hall' in place of '{first}'\n"
    assert ems("promote", second).stdout == f"model '{second}' is in use as 'hall'\n"
    assert "is a name; say which version" in ems("promote", "hall", code=2).stderr


def test_delete__asks_and_spares_the_version_in_use(ems: Ems, kept: list[StoredModel]) -> None:
    first, second = (one.id for one in kept)
    store.promote(second)

    ems("delete", first, typed="n\n", code=1)
    assert len(store.list_models()) == 2
    assert f"model '{first}' is gone" in ems("delete", first, typed="y\n").stdout
    assert "promote another one first" in ems("delete", second, "--yes", code=2).stderr
    assert "is gone" in ems("delete", second, "--yes", "--promoted").stdout
    assert store.list_models() == []
    assert "is not in data/models/" in ems("delete", second, "--yes", code=2).stderr


def test_help__loads_nothing_heavy() -> None:
    code = (
        "import sys, ems.cli\n"
        "try: ems.cli.commands(['models', '--help'])\n"
        "except SystemExit: pass\n"
        "print('loaded', sorted({'numpy', 'pandas', 'lightgbm', 'sktime', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "loaded []"
