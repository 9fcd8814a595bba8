"""The six steps of an export: their names and weights, what they write into the context, and steps of one's own."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import ConfigurationError, RecordNotFoundError, StepFailedError
from synapse_sdk.plugins.actions.export import BaseExportAction, DefaultExportAction, ExportContext, ExportParams
from synapse_sdk.plugins.actions.export.steps import (
    ConvertDataStep,
    FetchResultsStep,
    FinalizeStep,
    InitializeStep,
    PrepareExportStep,
    SaveFilesStep,
)
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from tests.docs.guide import GUIDE, blocks_of
from tests.unit.plugins.actions.export.world import BOX, ExportWorld, Step, changed, files_in

STEPS = (
    ("initialize", 0.05),
    ("fetch_results", 0.10),
    ("prepare_export", 0.10),
    ("convert_data", 0.30),
    ("save_files", 0.35),
    ("finalize", 0.10),
)


def test_the_steps_are_those_of_the_guide() -> None:
    """Names, order and weights; the weights sum to one."""
    registry = StepRegistry[ExportContext]()
    params = ExportParams(name="x", storage="y", target="task")

    DefaultExportAction(params, None).setup_steps(registry)  # type: ignore[arg-type]  # no run, no runtime context

    assert tuple((step.name, step.progress_weight) for step in registry) == STEPS
    assert registry.total_weight == pytest.approx(1.0)


def test_an_empty_subclass_exports(world: ExportWorld) -> None:
    """X1: with the parameters of the base; the exporter is there when data are converted."""
    world.add("cat.jpg", b"meow")

    class Default(DefaultExportAction):
        pass

    class Base(BaseExportAction[ExportParams]):
        pass

    for action in (Default, Base):
        result = world.export(action, name=action.__name__)
        assert files_in(result.output_path).keys() == {"json/cat.json", "origin_files/cat.jpg", "manifest.json"}
        assert (result.steps_executed, result.steps_total) == (6, 6)


def test_each_step_writes_what_the_guide_says_and_takes_it_back(world: ExportWorld) -> None:
    """One after the other, and back again; folders that were made are gone at the end."""
    world.add("cat.jpg", b"meow")
    params = ExportParams.model_validate(world.export_params(path="a/b"))
    action = DefaultExportAction(params, RuntimeContext(job_id="by-hand"))
    context = action.create_context()
    assert isinstance(context, ExportContext)
    results: list[tuple[Any, StepResult, dict[str, Any]]] = []

    def execute(step: BaseStep[ExportContext]) -> None:
        was = _filled(context)
        assert not step.can_skip(context)
        step.execute(context)
        scope: Any = context._scope  # noqa: SLF001  # as the orchestrator does
        results.append((step, StepResult(rollback_data={"undo_log": [*scope.undo_log]}), was))
        scope.undo_log.clear()

    execute(InitializeStep())
    assert context.path_root == world.exports / "a" / "b"
    assert context.unique_export_path.parent == context.path_root
    assert context.output_paths == {name: context.unique_export_path / name for name in ("json", "origin_files")}
    assert all(path.is_dir() for path in context.output_paths.values())
    assert context.storage.url == world.exports.as_uri()
    execute(FetchResultsStep())
    assert (context.total_count, context.results.count, context.handler.backend) == (1, 1, context.backend)
    execute(PrepareExportStep())
    assert (context.project_id, context.configuration) == (world.project, {"classes": ["cat"]})
    assert context.export_params["count"] == len(context.export_items) == 1
    assert [item["data"] for item in context.export_items] == [BOX]
    execute(ConvertDataStep())
    assert [item["data"] for item in context.converted_items] == [BOX]
    execute(SaveFilesStep())
    assert (context.exported_count, context.failed_count, context.skipped_count) == (1, 0, 0)
    assert (context.errors_json, context.errors_original, context.original_bytes) == ([], [], 4)
    execute(FinalizeStep())
    assert context.output_path == str(world.exports / "a" / "b" / "out")

    for step, result, was in reversed(results):
        for _ in range(2):  # it may run twice
            step.rollback(context, result)
        now = _filled(context)
        kept = {"errors", "metrics", "errors_json"}
        if step.name not in {"initialize", "finalize"}:
            assert {key: now[key] for key in now.keys() - kept} == {key: was[key] for key in was.keys() - kept}
    context.close()
    assert not world.exports.exists()


def _filled(context: ExportContext) -> dict[str, Any]:
    """Return the fields of a context that can be compared."""
    names = {field.name for field in fields(context)} - {"runtime_ctx", "params", "make_exporter"}
    return {name: getattr(context, name) for name in names if not name.startswith("_")}


def test_an_export_of_nothing_has_an_empty_manifest(world: ExportWorld) -> None:
    """The steps in between are skipped; finalize never is."""
    assert world.project

    result = world.export()

    assert (result.success, result.total_count, result.steps_executed, result.steps_total) == (True, 0, 3, 6)
    assert files_in(result.output_path).keys() == {"manifest.json"}
    assert json.loads(files_in(result.output_path)["manifest.json"])["files"] == []


# The guide's own example


def test_the_example_of_the_guide_runs(world: ExportWorld) -> None:
    """Its block as it stands: a step that checks, one that tells, and finalize replaced."""
    done: list[str] = []
    world.add("cat.jpg", b"meow")
    (code,) = [each.code for each in blocks_of(GUIDE.read_text()) if "class MyExportAction" in each.code]

    def own(called: str) -> Any:  # noqa: ANN401  # a class of a step
        return lambda: Step(called, lambda _: done.append(called))

    class MyCustomFinalizeStep(FinalizeStep):
        def execute(self, context: ExportContext) -> StepResult:
            done.append(self.name)
            (context.unique_export_path / "done.txt").write_text(f"{context.exported_count} of {context.total_count}")
            return StepResult()

    namespace: dict[str, Any] = {
        "MyValidationStep": own("my_validation"),
        "MyNotificationStep": own("my_notification"),
        "MyCustomFinalizeStep": MyCustomFinalizeStep,
    }
    exec(compile(code, str(GUIDE), "exec", dont_inherit=True), namespace)  # noqa: S102  # our own page

    result = world.export(namespace["MyExportAction"])

    assert done == ["my_validation", "my_notification", "finalize"]
    assert (result.steps_executed, result.steps_total) == (8, 8)
    found = files_in(result.output_path)
    assert found.keys() == {"json/cat.json", "origin_files/cat.jpg", "manifest.json", "done.txt"}
    assert found["done.txt"] == b"1 of 1"


@pytest.mark.parametrize("step", [name for name, _ in STEPS])
def test_a_failure_after_any_step_leaves_nothing(world: ExportWorld, step: str) -> None:
    """Not even the folder above, if the export has made it; the report says so."""
    world.add("a.jpg")

    def fail(_: ExportContext) -> None:
        msg = "on purpose"
        raise RuntimeError(msg)

    with pytest.raises(StepFailedError, match="on purpose"):
        world.export(changed(after={step: fail}), path="deep/er", job_id="failing")

    assert not world.exports.exists()
    assert json.loads(Path(".synapse/runs/failing/report.json").read_text())["status"] == "rolled_back"
    assert {path.name for path in Path(".synapse/runs/failing").iterdir()} == {"report.json", "report.csv"}


def test_a_folder_that_was_there_before_stays(world: ExportWorld) -> None:
    """With what is in it."""
    world.add("a.jpg")
    (world.exports / "mine").mkdir(parents=True)

    def fail(_: ExportContext) -> None:
        msg = "on purpose"
        raise RuntimeError(msg)

    with pytest.raises(StepFailedError):
        world.export(changed(after={"finalize": fail}), path="new/er")

    assert world.left() == {"mine"}


def test_what_the_parameters_name_must_be_there(world: ExportWorld) -> None:
    """Storage and project; the error names the nearest."""
    assert world.project
    for params, kind, says in (
        ({"storage": "nowhere"}, RecordNotFoundError, "nowhere"),
        ({"filter": {"project": "wrok"}}, RecordNotFoundError, "wrok"),
        ({"filter": {"project": 999}}, RecordNotFoundError, "999"),
        ({"filter": {}}, ConfigurationError, "project"),
        ({"filter": {"project": world.project, "colour": "red"}}, ConfigurationError, "colour"),
        ({"filter": {"project": [1]}}, ConfigurationError, "project"),
        ({"target": "ground_truth", "filter": {}}, ConfigurationError, "names no version of a ground-truth"),
        ({"target": "ground_truth", "filter": {"ground_truth_dataset_version": "x@1"}}, RecordNotFoundError, "x"),
    ):
        with pytest.raises(StepFailedError, match=says) as raised:
            world.export(**params)
        assert isinstance(raised.value.__cause__, kind)
        assert world.left() == set()
