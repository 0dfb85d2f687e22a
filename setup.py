"""Puts what a new project begins with into the package where it is built; pyproject.toml says all else."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
PARTS = ("notebooks", "parameters", "data/sites", "data/series", "data/operation")


class BuildWithTemplate(build_py):
    """The package with the repository's notebooks, parameters and sample data, of which there is one copy in git."""

    def run(self) -> None:
        """Build the package, and the template beside its modules unless they stay where they are."""
        super().run()
        if self.editable_mode:
            return
        for part in PARTS:
            shutil.copytree(
                HERE / part,
                Path(self.build_lib) / "ems" / "template" / part,
                ignore=shutil.ignore_patterns(".*", "__pycache__"),
                dirs_exist_ok=True,
            )


setup(cmdclass={"build_py": BuildWithTemplate})
