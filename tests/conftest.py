"""A wide terminal for tables that commands print, whoever imports the command line first.

Property tests: no deadline (a busy machine is no defect); in CI the examples are the same every time.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
os.environ["COLUMNS"] = "300"
