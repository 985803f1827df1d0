"""What a flow fails with is stored and shown by Prefect: it must not hold what agencies write."""

from __future__ import annotations

import asyncio

import pytest

from flows import pipeline
from flows.orchestration import work
from schemas.errors import StorageFailed


def test_a_failure_of_the_file_system_names_no_file() -> None:
    def fails() -> pipeline.Run:
        raise PermissionError(13, "Permission denied", "/home/x/inbox/Matti Meikalaisen lasku.csv")

    with pytest.raises(StorageFailed) as failed:
        asyncio.run(work.fn("load", fails))
    assert "Permission denied" in str(failed.value)
    assert "Meikalaisen" not in str(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
