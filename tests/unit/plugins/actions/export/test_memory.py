"""How much memory an export takes."""

import tracemalloc

import pytest

from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import DefaultExportAction
from tests.unit.plugins.actions.export.world import ExportWorld


@pytest.mark.full
@pytest.mark.usefixtures("others")
def test_memory_does_not_grow_with_the_items(world: ExportWorld) -> None:
    """X5: documents of 100 MB go through a small part of that, and 20,000 items take little more than 1,000."""
    peaks = []
    for most in (1_000, 20_000):
        params = world.export_params(target="large", filter={"most": most})
        tracemalloc.start()
        try:
            result = run_action(DefaultExportAction, params)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
        assert result.exported_count == most

    assert peaks[1] < peaks[0] + 5_000_000 < 25_000_000
