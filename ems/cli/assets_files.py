"""``ems assets import`` and ``ems assets export``: the register in and out of files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ems.cli.as_json import echo_json, json_option, plain
from ems.errors import InvalidInput

if TYPE_CHECKING:
    from ems.database.register_portfolio import SaveSummary

MOST_LINES = 40


@click.command(
    "import",
    epilog="""\b
Examples:
  ems assets import data/sites/harbour.yaml --dry-run
  ems assets import assets.csv --site harbour
  ems assets import register/            all YAML, CSV and Excel files of a folder

\b
What is new is created, what differs is changed, what a file does not name stays. All or nothing: where anything
cannot be used, nothing is changed. The same file twice changes nothing.""",
)
@click.argument("path", metavar="FILE|FOLDER")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--site", help="Site of assets for which none is given; the only one where nothing is said.")
@click.option("--currency", help="Currency of a new register, where no file states it: EUR.")
@json_option
def import_(path: str, dry_run: bool, site: str | None, currency: str | None, as_json: bool) -> None:
    """Take assets, sites, groups and tariffs from FILE, or from all files of FOLDER."""
    from ems.assets.exchange import read_register
    from ems.cli.assets_values import only_site
    from ems.cli.wording import notes
    from ems.database.engine import connect
    from ems.database.register_portfolio import save_records
    from ems.database.register_queries import list_sites

    engine = connect()
    with notes():
        read = read_register(Path(path).expanduser(), site or only_site(list_sites(engine)))
    if currency is not None and read.currency not in (None, currency):
        raise InvalidInput(f"--currency {currency}", f"{path} states {read.currency}; keep one")
    summary = save_records(
        engine,
        currency=read.currency or currency,
        series=read.series,
        sites=read.sites,
        tariffs=read.tariffs,
        assets=read.assets,
        groups=read.groups,
        members=read.members,
        dependencies=read.dependencies,
        reserves=read.reserves,
        dry_run=dry_run,
    )
    if as_json:
        echo_json({"dry_run": dry_run, **plain(summary)})
        return
    _echo_summary(summary)
    click.echo(f"{'dry run, nothing was changed: ' if dry_run else ''}{summary}")


def _echo_summary(summary: SaveSummary) -> None:
    from ems.cli.wording import printable

    lines = [f"new     {one}" for one in summary.created] + [f"change  {printable(one)}" for one in summary.changes]
    for line in lines[:MOST_LINES]:
        click.echo(line)
    if len(lines) > MOST_LINES:
        click.echo(f"and {len(lines) - MOST_LINES} more")


@click.command(
    epilog="""\b
Examples:
  ems assets export register.yaml
  ems assets export harbour.xlsx --site harbour
  ems assets export register/            tables as CSV, tariffs as YAML

\b
Text that a spreadsheet would run begins with an apostrophe in CSV and Excel; import takes it away again."""
)
@click.argument("path", metavar="FILE|FOLDER")
@click.option("--site", help="Only the assets of this site.")
@click.option("--group", help="Only the assets of this group and the groups in it.")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
def export(path: str, site: str | None, group: str | None, overwrite: bool) -> None:
    """Write the register to FILE (.yaml, .xlsx), or as tables to FOLDER."""
    from ems.assets.exchange import write_csv, write_excel, write_yaml
    from ems.database.engine import connect
    from ems.database.register_portfolio import load_portfolio

    target = Path(path).expanduser().absolute()
    writers = {".yaml": write_yaml, ".yml": write_yaml, ".xlsx": write_excel}
    if target.suffix.lower() not in {*writers, ""} and not target.is_dir():
        raise InvalidInput(f"'{path}'", "must end with .yaml or .xlsx, or name a folder for tables")
    is_there = any(target.glob("*.csv")) if target.is_dir() else target.exists()
    if is_there and not overwrite:
        raise InvalidInput(f"'{path}'", "is there already; add --overwrite to replace it")
    portfolio = load_portfolio(connect(), site=site, group=group)
    write = write_csv if target.is_dir() or target.suffix == "" else writers[target.suffix.lower()]
    write(portfolio, target)
    click.echo(f"{len(portfolio.assets)} assets at {len(portfolio.sites)} sites written to {target}")
