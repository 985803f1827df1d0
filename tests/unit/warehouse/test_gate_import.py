"""Importing the gate's library costs what is used of it."""

from __future__ import annotations

import subprocess
import sys

IMPORTED = """
import sys
from warehouse import validation
validation.warm_up()
assert not {"scipy", "scipy.stats", "altair"} & set(sys.modules)
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as divergence
print(float(divergence.stats.norm.cdf(0)), divergence.alt.Chart.__name__)
"""


def test_what_no_contract_uses_is_imported_when_it_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=False)
    assert done.stdout == "0.5 Chart\n", done.stderr
