"""A wide terminal for tables that commands print, whoever imports the command line first.

Beside other test processes one thread of Polars is enough: more of them only wait for a processor, which costs a sixth of it.

Property tests: no deadline (a busy machine is no defect); in CI the examples are the same every time.
"""

from __future__ import annotations

import gc
import os

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
os.environ["COLUMNS"] = "300"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
gc.set_threshold(50_000, 20, 20)  # as the command line does: looking through what stays is a twentieth of the time
