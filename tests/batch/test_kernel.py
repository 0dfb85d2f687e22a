"""The kernel of a run: how it is spoken to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ems.batch.kernel import process_of, started_kernel


@pytest.mark.skipif(os.name != "posix", reason="there are no files to speak through")
def test_kernel__is_spoken_to_through_files_of_this_user_alone(project: Path) -> None:
    """Ports are looked for before they are taken: two kernels that start at once may choose the same one."""
    with started_kernel(project, {}) as kernel:
        folder = Path(kernel.ip).parent
        mode = folder.stat().st_mode & 0o777
        process = process_of(kernel)

        assert kernel.transport == "ipc"
        assert mode == 0o700
        assert process is not None

    assert not folder.exists()
