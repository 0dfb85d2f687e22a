"""What a shell proposes for studies, cases and sweeps: names of files, found without reading them."""

from __future__ import annotations

from pathlib import Path

import click


def studies(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the studies of the project that begin so."""
    return _stems("notebooks", ".ipynb", incomplete)


def cases(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the cases of the study before that begin so."""
    study = ctx.params.get("study") or ""
    return _stems(f"parameters/{study}", ".yaml", incomplete) if study and "/" not in study else []


def sweeps(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the sweeps that begin so."""
    return _stems("parameters/sweeps", ".yaml", incomplete)


def workflows(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the workflows that begin so."""
    return _stems("parameters/workflows", ".yaml", incomplete)


def _stems(folder: str, ending: str, incomplete: str) -> list[str]:
    from ems.errors import EmsError
    from ems.folders import project_folder

    try:
        project: Path = project_folder()
    except EmsError:
        return []
    return sorted(one.stem for one in (project / folder).glob(f"*{ending}") if one.stem.startswith(incomplete))
