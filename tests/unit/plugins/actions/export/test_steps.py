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
from tests.unit.plugins.actions.export.world import BOX, ExportWorld, files_in, reported

STEPS = (
    ("initialize", 0.05),
    ("fetch_results", 0.10),
    ("prepare_export", 0.10),
    ("convert_data", 0.30),
    ("save_files", 0.35),
    ("finalize", 0.10),
)


class Step(BaseStep[ExportContext]):
    """A step of one's own, which does something with the context."""

    progress_weight = 0.1

    def __init__(self, name: str, do: Any) -> None:  # noqa: ANN401  # a function of the context
        self._name, self._do = name, do

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    def execute(self, context: ExportContext) -> StepResult:
        """Do it."""
        self._do(context)
        return StepResult()


def changed(*, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None) -> type[DefaultExportAction]:
    """Return an export that does something before or after some steps."""

    class Changed(DefaultExportAction):
        def setup_steps(self, registry: StepRegistry[ExportContext]) -> None:
            super().setup_steps(registry)
            for name, do in (before or {}).items():
                registry.insert_before(name, Step(f"before_{name}", do))
            for name, do in (after or {}).items():
                registry.insert_after(name, Step(f"after_{name}", do))

    return Changed


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


# Steps that change what is exported


def _filtering(*names: str, lazily: bool = False) -> Any:  # noqa: ANN401  # a function of the context
    def keep(context: ExportContext) -> None:
        kept = (each for each in context.export_items if each["files"]["images"]["file_name_original"] in names)
        context.export_items = kept if lazily else [*kept]

    return keep


@pytest.mark.parametrize("lazily", [False, True])
def test_a_step_may_choose_which_items_are_exported(world: ExportWorld, lazily: bool) -> None:  # noqa: FBT001  # a case
    """By a list, as in the guide, or by a generator over those that there are; twice, too."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        world.add(name)
    steps = {
        "convert_data": _filtering("a.jpg", "b.jpg", lazily=lazily),
        "before_convert_data": _filtering("b.jpg", "c.jpg", lazily=lazily),
    }
    told: dict[str, Any] = {}

    class Choosing(changed(before=steps)):  # type: ignore[misc]  # a class made as it goes
        def create_exporter(self, context: ExportContext) -> Any:  # noqa: ANN401  # the base's
            told.update(context.export_params)
            return super().create_exporter(context)

    result = world.export(Choosing)

    assert (result.total_count, result.exported_count, result.skipped_count) == (1, 1, 0)
    assert files_in(result.output_path).keys() == {"json/b.json", "origin_files/b.jpg", "manifest.json"}
    assert told["count"] == 1


@pytest.mark.parametrize("lazily", [False, True])
def test_a_step_may_choose_to_export_nothing(world: ExportWorld, lazily: bool) -> None:  # noqa: FBT001  # a case
    """That is an export with an empty manifest."""
    world.add("a.jpg")

    result = world.export(changed(before={"convert_data": _filtering(lazily=lazily)}))

    assert (result.success, result.total_count) == (True, 0)
    assert files_in(result.output_path).keys() == {"manifest.json"}


def test_a_step_may_add_items_of_its_own(world: ExportWorld) -> None:
    """With ids in any order, or twice; names stay apart."""
    world.add("a.jpg")

    def add(context: ExportContext) -> None:
        made = [{"id": number, "data": {"n": number}, "files": {}} for number in (7, 3, 7)]
        context.export_items = [*context.export_items, *made]  # type: ignore[list-item]  # as above

    result = world.export(changed(before={"convert_data": add}))

    documents = {path: json.loads(content) for path, content in files_in(result.output_path).items() if "json/" in path}
    assert documents == {
        "json/a.json": BOX,
        "json/7.json": {"n": 7},
        "json/3.json": {"n": 3},
        "json/7__7.json": {"n": 7},
    }
    assert result.exported_count == 4


@pytest.mark.parametrize(
    "items",
    [["text"], [{"data": {}, "files": {}}], [{"id": "x", "data": {}, "files": {}}], [{"id": 1, "data": {1}}], 5, None],
)
def test_items_that_are_none_fail_the_run(world: ExportWorld, items: Any) -> None:  # noqa: ANN401  # anything
    """A step that chooses what cannot be exported is broken; nothing is left."""
    world.add("a.jpg")

    def choose(context: ExportContext) -> None:
        context.export_items = items

    with pytest.raises(StepFailedError, match="Step 'before_convert_data' failed") as raised:
        world.export(changed(before={"convert_data": choose}))

    assert "Free some space" not in str(raised.value)
    assert world.left() == set()


@pytest.mark.parametrize("lazily", [False, True])
def test_a_step_may_change_and_leave_out_converted_items(world: ExportWorld, lazily: bool) -> None:  # noqa: FBT001  # a case
    """What it leaves out is skipped, and no loss."""
    tasks = [world.add(name) for name in ("a.jpg", "b.jpg", "c.jpg")]

    def change(context: ExportContext) -> None:
        assert len(context.converted_items) == 3
        kept = ({**each, "data": {"id": each["id"]}} for each in context.converted_items if each["id"] != tasks[1])
        context.converted_items = kept if lazily else [*kept]

    result = world.export(changed(after={"convert_data": change}))

    assert (result.total_count, result.exported_count, result.skipped_count, result.success) == (3, 2, 1, True)
    found = files_in(result.output_path)
    assert json.loads(found["json/a.json"]) == {"id": tasks[0]}
    assert not any("b." in path for path in found)
    assert reported(result)[tasks[1]] == {
        "id": tasks[1],
        "outcome": "skipped",
        "file": "b.json",
        "reason": "LEFT_OUT",
        "why": "a step has left it out",
    }


def test_a_step_may_leave_everything_out(world: ExportWorld) -> None:
    """All are skipped; that is a success."""
    world.add("a.jpg")

    def drop(context: ExportContext) -> None:
        context.converted_items = []

    result = world.export(changed(after={"convert_data": drop}))

    assert (result.success, result.exported_count, result.skipped_count) == (True, 0, 1)
    assert files_in(result.output_path).keys() == {"manifest.json"}


def test_a_step_may_only_read_converted_items(world: ExportWorld) -> None:
    """As often as it likes; nothing changes."""
    world.add("a.jpg")
    seen: list[Any] = []

    def look(context: ExportContext) -> None:
        seen.extend([each["json_name"], each["file_paths"]] for _ in "ab" for each in context.converted_items)

    result = world.export(changed(after={"convert_data": look}))

    assert seen == [["a.json", {"images": "origin_files/a.jpg"}]] * 2
    assert result.exported_count == 1


@pytest.mark.parametrize(
    "name", ["../../../escaped.json", "/escaped.json", "a/../../escaped.json", "..", "", "manifest.json/x"]
)
def test_a_step_cannot_lead_a_document_out_of_the_export(world: ExportWorld, name: str) -> None:
    """X2: whatever it calls a document."""
    world.add("good.jpg")
    world.add("bad.jpg")

    def rename(context: ExportContext) -> None:
        items = [*context.converted_items]
        items[1]["json_name"] = name
        context.converted_items = items

    with pytest.raises(StepFailedError, match="which cannot be") as raised:
        world.export(changed(after={"convert_data": rename}))

    assert repr(name) in str(raised.value)
    assert world.left() == set()
    assert not [*world.folder.rglob("escaped*")]


def test_a_step_may_rename_a_document(world: ExportWorld) -> None:
    """Its file keeps its name."""
    world.add("a.jpg")

    def rename(context: ExportContext) -> None:
        context.converted_items = [{**each, "json_name": "renamed.json"} for each in context.converted_items]

    result = world.export(changed(after={"convert_data": rename}))

    assert files_in(result.output_path).keys() == {"json/renamed.json", "origin_files/a.jpg", "manifest.json"}


@pytest.mark.parametrize("name", ["a.json", "A.json"])
def test_two_documents_of_one_name_are_an_error(world: ExportWorld, name: str) -> None:
    """X3: a step that calls two alike does not lose one of them, even where case makes no difference."""
    world.add("a.jpg")
    world.add("b.jpg")

    def rename(context: ExportContext) -> None:
        items = [*context.converted_items]
        items[1]["json_name"] = name
        context.converted_items = items

    with pytest.raises(StepFailedError, match="is the name of another one"):
        world.export(changed(after={"convert_data": rename}))

    assert world.left() == set()


@pytest.mark.parametrize("items", [["text"], [{"number": 7, "json_name": "x"}], [{}], None])
def test_converted_items_that_are_none_fail_the_run(world: ExportWorld, items: Any) -> None:  # noqa: ANN401  # anything
    """The error does not blame the disk."""
    world.add("a.jpg")

    def replace(context: ExportContext) -> None:
        context.converted_items = items

    with pytest.raises(StepFailedError, match="Step 'after_convert_data' failed") as raised:
        world.export(changed(after={"convert_data": replace}))

    assert "Free some space" not in str(raised.value)
    assert world.left() == set()


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
