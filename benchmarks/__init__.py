"""What performance is claimed, as commands anyone can repeat."""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    # Threads that wait for work would be counted as CPU time. Has to be said before numpy is there.
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
