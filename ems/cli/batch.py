"""``ems batch``: a study with many cases."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ems.cli.as_json import echo_json, json_option
from ems.cli.completed import studies, sweeps

if TYPE_CHECKING:
    from ems.batch.batches.opening import Prepared
    from ems.database.batch_records import Batch


@click.command(
    epilog="""\b
Examples:
  ems batch dispatch battery-horizon --dry-run
  ems batch dispatch battery-horizon --workers 4
  ems batch dispatch battery-horizon --resume --retry-failed
  ems batch dispatch my/sweep.yaml --run-timeout-s 600 --memory-limit-mb 2000

\b
A sweep is a YAML file in parameters/sweeps, or anywhere:
  case: demo                        what all cases begin with
  grid:                             every combination of these
    horizon_h: [24, 48]
    solver: [highs, cbc]
also zip (lists side by side), list (cases one by one), csv (a table of cases).

\b
Exit codes: 0 all cases completed, 1 some failed, 2 the input cannot be used, 130 stopped by Ctrl-C."""
)
@click.argument("study", shell_complete=studies)
@click.argument("sweep", shell_complete=sweeps)
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that run cases; as many as cores.")
@click.option("--dask", "scheduler", metavar="ADDRESS", help="Run on a Dask cluster, as tcp://host:8786.")
@click.option("--resume", is_flag=True, help="Go on with the batch that was begun with this sweep.")
@click.option("--batch", "batch_id", metavar="ID", help="With --resume: this batch, not the newest.")
@click.option("--retry-failed", is_flag=True, help="With --resume: try failed cases again.")
@click.option("--dry-run", is_flag=True, help="Show the cases; run and write nothing.")
@click.option("--attempts", type=click.IntRange(1, 100), help="Attempts at a case whose kernel died.  [default: 3]")
@click.option("--run-timeout-s", type=click.FloatRange(1), help="Longest time of a run.")
@click.option("--cell-timeout-s", type=click.FloatRange(1), help="Longest time of a cell.")
@click.option("--memory-limit-mb", type=click.FloatRange(256), help="Most memory of a run.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
@json_option
def batch(study: str, sweep: str, **given: Any) -> None:
    """Run a STUDY for each case of a SWEEP, exactly once, whatever happens meanwhile.

    A case that was completed before, by the same notebook, package, parameters and inputs, is not run again.
    """
    from ems.batch.batches.opening import prepare
    from ems.batch.batches.options import BatchOptions
    from ems.batch.batches.sweep import load_sweep

    if (given["batch_id"] or given["retry_failed"]) and not given["resume"]:
        raise click.UsageError("--batch and --retry-failed go with --resume")
    if given["scheduler"] and given["workers"]:
        raise click.UsageError("--workers has no effect with --dask: the cluster has its own")
    if given["dry_run"] and given["resume"]:
        raise click.UsageError(
            "--dry-run shows the cases of a new batch; `ems batches show` those of one that was begun"
        )
    names = ("attempts", "run_timeout_s", "cell_timeout_s", "memory_limit_mb")
    stated = {name: given[name] for name in names if given[name] is not None}
    prepared = prepare(study, load_sweep(study, sweep), BatchOptions(**stated))
    if given["dry_run"]:
        _show_cases(prepared, as_json=given["as_json"])
        return
    done = _run(prepared, stated, given)
    if done.status != "completed":
        sys.exit(1)


def _run(prepared: Prepared, stated: dict[str, Any], given: dict[str, Any]) -> Batch:
    from ems.batch.batches.opening import begin, resume
    from ems.batch.batches.progress import Progress, outcome_rows
    from ems.cli.run import in_columns
    from ems.database.engine import connect
    from ems.display import counted

    done: Batch
    engine = connect()
    if prepared.repeats and not given["resume"] and not given["as_json"]:
        click.echo(_repeats_words(prepared.repeats), err=True)
    if given["resume"]:
        opened = resume(engine, prepared, given["batch_id"], stated, retry_failed=given["retry_failed"])
    else:
        opened = begin(engine, prepared)
    with Progress(opened.cases, is_shown=not given["quiet"] and not given["as_json"]) as progress:
        try:
            if given["scheduler"]:
                from ems.batch.batches.dask_cluster import coordinate_on_dask

                done = coordinate_on_dask(engine, opened, given["scheduler"], progress.show)
            else:
                from ems.batch.batches.coordinator import coordinate

                done = coordinate(engine, opened, given["workers"] or os.cpu_count() or 1, progress.show)
        except KeyboardInterrupt:
            from ems.batch.batches.coordinator import how_to_resume

            click.echo(f"\nstopped; what is done stays done; {how_to_resume(opened)}", err=True)
            sys.exit(130)
    rows, as_json = outcome_rows(engine, done)
    if given["as_json"]:
        echo_json(as_json)
        return done
    click.echo("\n".join(in_columns(rows)))
    if done.status != "completed":
        failed = f"{as_json['failed']} of {counted(done.cases, 'case')} failed"
        click.secho(f"error: batch {done.id}: {failed}", fg="red", err=True)
    return done


def _show_cases(prepared: Prepared, *, as_json: bool) -> None:
    from ems.cli.wording import echo_table
    from ems.display import counted

    if as_json:
        echo_json([{"number": one.number, "key": one.key, "parameters": one.parameters} for one in prepared.cases])
        return
    echo_table(("case", "what is special", "key"), [(one.number, one.label, one.key[:12]) for one in prepared.cases])
    if prepared.repeats:
        click.echo(_repeats_words(prepared.repeats))
    click.echo(f"{counted(len(prepared.cases), 'case')} of study {prepared.batch.study}; nothing was run or written")


def _repeats_words(repeats: int) -> str:
    """Return what becomes of cases that a sweep states more than once."""
    from ems.display import counted

    verb = "repeats another" if repeats == 1 else "repeat others"
    return (
        f"{counted(repeats, 'case')} {verb}, with the same key: each is run by itself, unless its result is there "
        "already; take out of the sweep what it says twice"
    )
