"""Laws of exports: whatever items and hooks do, everything is accounted for, and the manifest is right."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synapse_sdk.errors import ItemSkippedError, StepFailedError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import (
    BaseExporter,
    ConvertedItem,
    DefaultExportAction,
    ErrorList,
    ExportContext,
    ExportItem,
    ExportStatus,
    ItemFile,
)
from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.naming import Namer, folded, safe_name
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from tests.unit.plugins.actions.export.world import ExportWorld, check_manifest, files_in, reported

HOOKS = ("before_convert", "convert_data", "after_convert", "get_original_file_name", "save_as_json", "none")
DEEDS = ("raise", "skip", "nothing", "nan", "own file", "change", "remove")
names = st.one_of(
    st.sampled_from(
        ["cat.jpg", "CAT.jpg", "cat.png", "..", "a/../../b", "x" * 300, "é.jpg", "e\u0301.jpg", "\x00", ""]
    ),
    st.text(max_size=20),
)
behaviours = st.tuples(names, st.booleans(), st.sampled_from(HOOKS), st.sampled_from(DEEDS))


def misbehave(deed: str, what: Any, default: Any, base_path: Path | None) -> Any:  # noqa: ANN401  # anything
    """Do what a hook should not, or may."""
    if deed == "raise":
        raise ValueError(what)
    if deed == "skip":
        raise ItemSkippedError(repr(what))
    if deed == "nothing":
        return None
    if deed == "nan":
        return {"data": float("nan"), "files": {}}
    if base_path is None:
        return default
    if deed == "own file":
        (base_path / f"own {what['number']}.txt").write_text("x")
    elif deed == "change":
        (base_path / what["json_name"]).write_text("changed")
    else:
        (base_path / what["json_name"]).unlink()
    return default


def exporter_of(plan: Mapping[int, tuple[str, bool, str, str]]) -> type[BaseExporter]:
    """Return an exporter that follows a plan, by item."""

    class Exporter(BaseExporter):
        now = 0

        def _do(self, hook: str, what: Any, default: Any, base_path: Path | None = None) -> Any:  # noqa: ANN401  # anything
            _, _, where, deed = plan[self.now]
            return misbehave(deed, what, default, base_path) if hook == where else default

        def before_convert(self, data: Any) -> Any:  # noqa: ANN401  # as the base
            self.now = data["id"]
            return self._do("before_convert", data, data)

        def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # as the base
            return self._do("convert_data", data, data)

        def after_convert(self, data: Any) -> Any:  # noqa: ANN401  # as the base
            return self._do("after_convert", data, data)

        def get_original_file_name(self, files: Mapping[str, ItemFile]) -> Any:  # noqa: ANN401  # anything
            return self._do("get_original_file_name", files, plan[self.now][0])

        def save_as_json(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> Any:  # noqa: ANN401  # anything
            self.now = result["id"]
            status: ExportStatus = super().save_as_json(result, base_path, error_list)
            return self._do("save_as_json", result, status, base_path)

    return Exporter


def action_of(plan: Mapping[int, tuple[str, bool, str, str]]) -> type[DefaultExportAction]:
    """Return an export of the items of a plan, which a step chooses."""

    class Choose(BaseStep[ExportContext]):
        name, progress_weight = "choose", 0.0

        def execute(self, context: ExportContext) -> StepResult:
            items = [
                ExportItem(id=number, data={} if has else None, files={}) for number, (_, has, _, _) in plan.items()
            ]
            context.export_items = items
            return StepResult()

    class Planned(DefaultExportAction):
        exporter_class = exporter_of(plan)

        def setup_steps(self, registry: StepRegistry[ExportContext]) -> None:
            super().setup_steps(registry)
            registry.insert_before("convert_data", Choose())

    return Planned


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(behaviour=st.lists(behaviours, max_size=8), goes_on=st.booleans(), is_shifted=st.booleans())
def test_everything_is_accounted_for(
    exported_world: ExportWorld,
    behaviour: list[Any],
    *,
    goes_on: bool,
    is_shifted: bool,
) -> None:
    """Total = exported + failed + skipped; the manifest has what is there; or the run fails, and nothing is left."""
    plan = {3 * number + is_shifted: each for number, each in enumerate(behaviour, 1)}
    params = exported_world.export_params(on_error="continue" if goes_on else "stop")
    before = exported_world.left()

    try:
        result = run_action(action_of(plan), params)
    except StepFailedError as error:
        assert "exported" in str(error)  # noqa: PT017  # it is one of two ends
        assert exported_world.left() == before
        return

    check_manifest(files_in(result.output_path), result)
    assert result.total_count == len(plan) == result.exported_count + result.failed_count + result.skipped_count
    assert reported(result).keys() == plan.keys()
    assert result.success == (result.failed_count == 0)
    assert goes_on or result.success


@pytest.fixture(scope="module")
def exported_world(tmp_path_factory: pytest.TempPathFactory) -> Any:  # noqa: ANN401  # a generator
    """A project with one task, which makes the steps run."""
    with pytest.MonkeyPatch.context() as patch, ExportWorld.made(tmp_path_factory.mktemp("world"), patch) as world:
        world.add("cat.jpg")
        yield world


@settings(max_examples=60, deadline=None)
@given(wanted=st.lists(st.tuples(st.integers(1, 4), st.none() | names), max_size=15))
def test_names_are_safe_different_and_the_same_every_time(wanted: list[tuple[int, str | None]]) -> None:
    """For any names and ids."""
    with tempfile.TemporaryDirectory() as folder:
        given_names = []
        for run in "ab":
            ledger = Ledger(Path(folder, run))
            namer = Namer(ledger)
            given_names.append([namer.name(number, *each) for number, each in enumerate(wanted)])
            ledger.close()
    first, second = given_names
    assert first == second
    for kind in (0, 1):
        found = [name[kind] for name in first if name[kind] is not None]
        assert len({folded(str(name)) for name in found}) == len(found)
        assert all(len(str(name).encode()) <= 255 and safe_name(str(name)) == name for name in found)
