"""Every Python block of the guide runs unchanged, and what the guide says around it is true."""

import dataclasses
import inspect
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, Orchestrator, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter
from tests.docs.guide import (
    GUIDE,
    PRELUDES,
    Block,
    Key,
    MyContext,
    Reading,
    ValidationError,
    blocks_of,
    read_guide,
)
from tests.unit.steps.scripted import ScriptedStep, execute, failing, raising

BLOCKS = {block.key: block for block in blocks_of(GUIDE.read_text(encoding="utf-8"))}


@pytest.fixture(scope="module")
def readings() -> dict[Key, Reading]:
    """What each block left behind when the guide was read from top to bottom."""
    return read_guide()


# The blocks run


def test_every_block_runs(readings: dict[Key, Reading]) -> None:
    """Unchanged, in the order of the page, in one namespace."""
    assert list(readings) == list(BLOCKS)
    assert len(BLOCKS) == GUIDE.read_text(encoding="utf-8").count("\n```python\n")


def test_the_tables_name_only_blocks_that_exist() -> None:
    """A stale entry would hide a block that was renamed."""
    assert [key for key in PRELUDES if key not in BLOCKS] == []


@pytest.mark.parametrize("key", PRELUDES, ids=str)
def test_a_block_is_given_only_names_it_reads(key: Key) -> None:
    """What a block does not need it does not get."""
    assert set(PRELUDES[key]()) - BLOCKS[key].names_read() == set()


def test_a_heading_inside_a_block_is_a_comment() -> None:
    """The reader of the page must not lose count."""
    page = (
        "# A\n```python\n# B\nx = 1\n```\ntext\n```text\n# C\n```\n```python\ny = 2\n```\n## D\n```python\nz = 3\n```\n"
    )

    assert list(blocks_of(page)) == [
        Block(("A", 1), 2, "# B\nx = 1\n"),
        Block(("A", 2), 10, "y = 2\n"),
        Block(("D", 1), 14, "z = 3\n"),
    ]


# The classes it shows are the classes there are


@pytest.mark.parametrize(
    ("heading", "real", "methods"),
    [
        ("BaseStep[C]", BaseStep, ["execute", "can_skip", "rollback"]),
        ("BaseStepContext", BaseStepContext, ["log", "set_progress", "set_metrics"]),
    ],
)
def test_our_methods_take_what_the_guide_shows(
    readings: dict[Key, Reading], heading: str, real: type[Any], methods: list[str]
) -> None:
    """Same names, same order, same defaults."""
    shown = readings[heading, 1].names[real.__name__]

    for method in methods:
        assert _shape(getattr(real, method)) == _shape(getattr(shown, method))


def _shape(method: Any) -> list[tuple[str, Any]]:  # noqa: ANN401  # a function
    return [(parameter.name, parameter.default) for parameter in inspect.signature(method).parameters.values()]


@pytest.mark.parametrize(("heading", "real"), [("StepResult", StepResult), ("BaseStepContext", BaseStepContext)])
def test_our_dataclasses_have_the_fields_the_guide_shows(
    readings: dict[Key, Reading], heading: str, real: type[Any]
) -> None:
    """In the same order, with the same defaults."""
    shown = readings[heading, 1].names[real.__name__]

    assert _fields(real) == _fields(shown)


def _fields(kind: type[Any]) -> list[tuple[str, Any, Any]]:
    return [(field.name, field.default, field.default_factory) for field in dataclasses.fields(kind)]


def test_a_result_is_made_as_the_guide_shows(readings: dict[Key, Reading]) -> None:
    """The same arguments give the same values, by position and by name."""
    shown = readings["StepResult", 1].names["StepResult"]

    every_arguments: list[tuple[Any, ...]] = [(), (False,), (False, {"a": 1}, "no", {"b": 2}, True)]
    for arguments in every_arguments:
        ours, theirs = StepResult(*arguments), shown(*arguments)
        for name in ("success", "data", "error", "rollback_data", "skipped"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert ours.timestamp.tzinfo is theirs.timestamp.tzinfo is None


# Core components


def test_steps_are_inserted_and_removed_as_the_comments_say(readings: dict[Key, Reading]) -> None:
    """After step1, before step3; `get_steps` returns a copy, `total_weight` the sum."""
    names = readings["StepRegistry[C]", 1].names
    registry = names["registry"]

    assert [step.name for step in names["steps"]] == ["step1", "new_step", "step2", "step3"]
    assert names["total"] == 1.0
    names["steps"].clear()
    assert len(registry.get_steps()) == 4


def test_the_orchestrator_returns_what_the_comment_says(readings: dict[Key, Reading]) -> None:
    """And the callback prints honest percents."""
    reading = readings["Orchestrator[C]", 1]

    assert reading.names["result"] == {"success": True, "steps_executed": 3, "steps_total": 3}
    assert reading.printed.splitlines() == ["33%", "66%", "100%"]


# The image workflow


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two photos, a broken one, and a file that is none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("cat.jpg", "DOG.PNG"):
        Image.new("RGB", (1600, 800), "teal").save(folder / name)
    (folder / "broken.jpeg").write_bytes(b"no photo")
    (folder / "notes.txt").write_text("not a photo", encoding="utf-8")
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the results go."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def workflow(readings: dict[Key, Reading]) -> dict[str, Any]:
    """The names of steps 1 to 3, with the one method filled in that the guide leaves open.

    The functions of the guide keep the guide's own namespace, so it is that one which is returned.
    """
    names: dict[str, Any] = readings["Step 3: Run Workflow", 1].names["process_images"].__globals__
    return names


def _resizing(names: dict[str, Any]) -> type[Any]:
    base: Any = names["ResizeImagesStep"]

    class Resize(base):  # type: ignore[misc]  # a class of the guide, known only when the guide has run
        def _resize_image(self, path: str, output_dir: str, width: int) -> tuple[str, int]:
            target = Path(output_dir, Path(path).name)
            with Image.open(path) as image:
                image.resize((width, image.height * width // image.width)).save(target)
            return str(target), Path(path).stat().st_size - target.stat().st_size

    return Resize


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_the_workflow_processes_a_folder(
    workflow: dict[str, Any], photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Photos are found by suffix in any case and resized, a broken one is counted, the report is logged."""
    monkeypatch.setitem(workflow, "ResizeImagesStep", _resizing(workflow))
    reporter = MemoryReporter()

    result = workflow["process_images"](RuntimeContext(reporter=reporter), str(photos), str(out))

    assert result == {"success": True, "processed": 2, "failed": 1}
    assert {path.name: _size(path) for path in out.iterdir()} == {"cat.jpg": (800, 400), "DOG.PNG": (800, 400)}
    assert [event for event, _ in reporter.logs] == ["resize_failed", "processing_complete"]
    report = dict(reporter.logs[-1][1])
    assert report.pop("bytes_saved") > 0
    assert report == {"total_images": 3, "processed": 2, "failed": 1}


def test_the_workflow_shows_progress_within_and_overall(
    workflow: dict[str, Any], photos: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Key behaviour 2: without a category it is the step's; the callback's own category stays apart."""
    monkeypatch.setitem(workflow, "ResizeImagesStep", _resizing(workflow))
    reporter = MemoryReporter()

    workflow["process_images"](RuntimeContext(reporter=reporter), str(photos), str(out))

    assert reporter.progress == {"resize_images": (3, 3), "overall": (100, 100)}
    assert reporter.percents == [10, 33, 56, 80, 100]  # 0.1, then thirds of 0.7, then 0.2


def test_the_workflow_as_printed_counts_what_it_cannot_resize(
    workflow: dict[str, Any], photos: Path, out: Path
) -> None:
    """The guide leaves `_resize_image` open: every photo fails, and the report is skipped."""
    reporter = MemoryReporter()

    result = workflow["process_images"](RuntimeContext(reporter=reporter), str(photos), str(out))

    assert result == {"success": True, "processed": 0, "failed": 3}
    assert [event for event, _ in reporter.logs] == ["resize_failed"] * 3


def test_the_workflow_says_why_it_failed(workflow: dict[str, Any], out: Path) -> None:
    """The failure is a RuntimeError, and reads as one sentence."""
    result = workflow["process_images"](RuntimeContext(), str(out), str(out))

    reason = f"Step 'discover_images' failed: No images found in {out}"
    assert result == {"success": False, "error": reason, "errors": []}


def test_a_later_failure_deletes_the_resized_photos(workflow: dict[str, Any], photos: Path, out: Path) -> None:
    """Key behaviours 4 and 5: what the rollback cannot delete it notes."""
    context = workflow["ImageProcessingContext"](RuntimeContext(), input_dir=str(photos), output_dir=str(out))

    def lose_one(_: BaseStepContext) -> StepResult:
        (out / "cat.jpg").unlink()
        return StepResult(success=False, error="boom")

    steps = (workflow["DiscoverImagesStep"](), _resizing(workflow)(), ScriptedStep("last", does=lose_one))
    with pytest.raises(RuntimeError, match="Step 'last' failed: boom"):
        execute(*steps, context=context)

    assert list(out.iterdir()) == []
    assert context.errors == [f"Failed to delete: {out / 'cat.jpg'}"]


# Key behaviours


def test_key_behavior_1_steps_run_in_registration_order() -> None:
    """Sequential execution."""
    diary: list[str] = []

    execute(ScriptedStep("b", diary), ScriptedStep("a", diary))

    assert diary == ["run b", "run a"]


def test_key_behavior_2_the_current_step_is_the_category() -> None:
    """Auto-category."""
    reporter = MemoryReporter()

    def report(context: BaseStepContext) -> StepResult:
        context.set_progress(1, 2)
        context.set_metrics({"n": 1})
        context.set_metrics({"n": 2}, "own")
        assert context.current_step == "a"
        return StepResult()

    context = BaseStepContext(RuntimeContext(reporter=reporter))
    execute(ScriptedStep("a", does=report), context=context)

    assert reporter.progress == {"a": (1, 2)}
    assert reporter.metrics == {"a": {"n": 1}, "own": {"n": 2}}
    assert context.current_step is None


def test_key_behavior_3_progress_is_the_cumulative_weight() -> None:
    """Progress calculation."""
    seen: list[tuple[int, int]] = []
    steps = [ScriptedStep(name, weight=weight) for name, weight in (("a", 0.2), ("b", 0.5), ("c", 0.3))]

    execute(*steps, progress_callback=lambda current, total: seen.append((current, total)))

    assert seen == [(20, 100), (70, 100), (100, 100)]


def test_key_behaviors_4_and_5_rollback_is_automatic_and_best_effort() -> None:
    """In reverse order; an error is noted and stops nothing."""
    diary, context = list[str](), BaseStepContext(RuntimeContext())

    with pytest.raises(StepFailedError, match="Step 'c' failed: boom"):
        execute(
            ScriptedStep("a", diary),
            ScriptedStep("b", diary, undoes=raising(OSError("busy"))),
            ScriptedStep("c", diary, does=failing()),
            context=context,
        )

    assert diary == ["run a", "run b", "run c", "undo c", "undo b", "undo a"]
    assert [line.splitlines()[0] for line in context.errors] == ["Rollback of step 'b' failed: busy"]


# Utility steps


def _image_context(names: dict[str, Any]) -> tuple[Any, MemoryReporter]:
    reporter = MemoryReporter()
    return names["ImageProcessingContext"](RuntimeContext(reporter=reporter)), reporter


def _run_alone(step: Any, context: Any) -> None:  # noqa: ANN401  # a step and a context of the guide
    registry = StepRegistry[Any]()
    registry.register(step)
    Orchestrator(registry, context).execute()


@pytest.mark.parametrize(
    ("heading", "variable", "logged_name"),
    [
        ("LoggingStep", "logged_step", "logged_resize_images"),
        ("Composing Utility Steps", "step", "logged_timed_resize_images"),
    ],
)
def test_a_logged_step_logs_the_payloads_the_guide_shows(
    readings: dict[Key, Reading], heading: str, variable: str, logged_name: str
) -> None:
    """`step_start` and `step_end`, with the wrapper's own name."""
    names = readings[heading, 1].names
    context, reporter = _image_context(names)

    _run_alone(names[variable], context)

    (start, start_data), (end, end_data) = reporter.logs
    assert (start, start_data) == ("step_start", {"step": logged_name})
    assert end == "step_end"
    assert end_data == {"step": logged_name, "elapsed": end_data["elapsed"], "success": True}
    assert end_data["elapsed"] >= 0.0


@pytest.mark.parametrize(("heading", "variable"), [("TimingStep", "timed_step"), ("Composing Utility Steps", "step")])
def test_a_timed_step_puts_its_duration_into_the_data(
    readings: dict[Key, Reading], heading: str, variable: str
) -> None:
    """Beside what the step itself has to show."""
    names = readings[heading, 1].names
    context, _ = _image_context(names)

    _run_alone(names[variable], context)

    (result,) = context.step_results
    duration = result.data.pop("duration_seconds")
    assert isinstance(duration, float)
    assert duration == round(duration, 6) >= 0.0
    assert result.data == {"processed": 0, "failed": 0, "bytes_saved": 0}


@pytest.mark.parametrize(
    ("folder", "message"),
    [("", "input_dir is required"), ("nowhere/to/be/found", "Directory not found: nowhere/to/be/found")],
)
def test_the_validation_step_fails_the_run_with_its_message(
    readings: dict[Key, Reading], folder: str, message: str
) -> None:
    """Nothing after it is run."""
    names = readings["ValidationStep", 1].names
    context, _ = _image_context(names)
    context.input_dir = folder
    assert [(step.name, step.progress_weight) for step in names["registry"]] == [
        ("validate_input", 0.05),
        ("discover_images", 0.1),
    ]

    with pytest.raises(RuntimeError) as caught:
        Orchestrator(names["registry"], context).execute()

    assert str(caught.value) == f"Step 'validate_input' failed: {message}"
    assert [result.error for result in context.step_results] == [message]


def test_the_validation_step_lets_a_valid_context_pass(readings: dict[Key, Reading], photos: Path) -> None:
    """And the workflow goes on."""
    names = readings["ValidationStep", 1].names
    context, _ = _image_context(names)
    context.input_dir = str(photos)

    summary = Orchestrator(names["registry"], context).execute()

    assert summary == {"success": True, "steps_executed": 2, "steps_total": 2}
    assert context.step_results[1].data == {"image_count": 3}


# The dataset action


def test_a_dataset_is_downloaded_and_converted_by_one_call(readings: dict[Key, Reading]) -> None:
    """Conversion is handled automatically based on operation."""
    result = readings["ExportDatasetStep", 1].names["result"]

    assert (result.success, result.format, result.count) == (True, "yolo", 1)
    assert result.download.version_id == 123


# The action that gives tasks their annotations


def test_a_bare_subclass_has_the_steps_of_its_method(readings: dict[Key, Reading]) -> None:
    """Built-in steps are configured based on the method; no manual registration is needed."""
    names = readings["INFERENCE Method Steps:", 1].names
    kind = names["MyAddTaskDataAction"]

    for method, steps in METHOD_STEPS.items():
        params = kind.validate_params({"project": "birds", "method": method, **SOURCES[method]})
        assert [step.name for step in kind(params, RuntimeContext()).build_registry()] == steps
    assert list(METHOD_STEPS) == list(names["AddTaskDataMethod"])


METHOD_STEPS = {
    "file": ["validate_file", "load_annotations", "process_tasks", "upload_annotations"],
    "inference": ["load_model", "run_inference", "format_results", "upload_annotations"],
}
SOURCES = {"file": {"file": "annotations.json"}, "inference": {"model": "json:loads"}}


# The action that trains


def test_a_training_registers_the_steps_of_the_guide_and_returns_a_dictionary(readings: dict[Key, Reading]) -> None:
    """`BaseTrainAction` handles orchestration."""
    names = readings["BaseTrainAction Example", 1].names
    steps = ["PrepareDatasetStep", "InitializeModelStep", "TrainModelStep", "SaveCheckpointStep", "UploadModelStep"]
    seen: list[str] = []

    def own(title: str) -> type[BaseStep[Any]]:
        def execute(self: BaseStep[Any], context: Any) -> StepResult:  # noqa: ANN401  # any context
            seen.append(f"{self.name} in {type(context).__name__}")
            return StepResult()

        return type(title, (BaseStep,), {"name": title, "progress_weight": 0.2, "execute": execute})

    kind = names["MyTrainAction"]
    globals_of_guide = kind.setup_steps.__globals__
    before = dict(globals_of_guide)
    globals_of_guide.update({title: own(title) for title in steps})
    try:
        result = kind(names["TrainParams"](), RuntimeContext()).execute()
    finally:
        globals_of_guide.clear()
        globals_of_guide.update(before)

    assert isinstance(result, dict)
    assert (result["steps_executed"], result["steps_total"]) == (5, 5)
    assert seen == [f"{title} in TrainContext" for title in steps]


# Guidelines and best practices


def test_the_example_distribution_sums_to_one(readings: dict[Key, Reading]) -> None:
    """Total: 1.0 (100%)."""
    names = readings["Progress Weight Guidelines", 1].names
    classes = [names[name] for name in ("ValidateStep", "LoadDataStep", "ProcessStep", "SaveResultsStep")]

    assert sum(kind.progress_weight for kind in classes) == pytest.approx(1.0)


def test_a_context_may_add_fields_without_a_default(readings: dict[Key, Reading]) -> None:
    """`config_path` is required, the rest is there from the start."""
    good = readings["Context Design", 1].names["GoodContext"]

    context = good(RuntimeContext(), "config.toml")

    assert (context.config_path, context.loaded_data, context.results, context.errors) == ("config.toml", {}, [], [])
    with pytest.raises(TypeError, match="config_path"):
        good(RuntimeContext())


def _step_from(names: dict[str, Any], **methods: Any) -> BaseStep[Any]:  # noqa: ANN401  # methods
    """Make a step of functions that the guide shows outside a class."""
    body = {"name": "own", "progress_weight": 1.0, "execute": names["execute"], **methods}
    kind: type[BaseStep[Any]] = type("Own", (BaseStep,), body)
    return kind()


@pytest.mark.parametrize(
    ("error", "text"), [(ValidationError("too small"), "too small"), (OSError("gone"), "Unexpected: gone")]
)
def test_error_handling_tells_expected_from_unexpected(
    readings: dict[Key, Reading], error: Exception, text: str
) -> None:
    """Both fail the step; the unexpected is logged."""
    reporter = MemoryReporter()
    step = _step_from(readings["Error Handling", 1].names, _do_work=raising(error))

    with pytest.raises(StepFailedError, match=text):
        _run_alone(step, MyContext(RuntimeContext(reporter=reporter)))

    assert [event for event, _ in reporter.logs] == ["unexpected_error"] * isinstance(error, OSError)


def test_rollback_design_removes_what_was_created(readings: dict[Key, Reading], tmp_path: Path) -> None:
    """And notes what it could not remove."""
    names = readings["Rollback Design", 1].names

    def create(_self: object, item: str) -> str:
        path = tmp_path / item
        path.touch()
        return str(path)

    step = _step_from(names, rollback=names["rollback"], _create_file=create)
    lose_one = ScriptedStep("b", does=lambda _: os.remove(tmp_path / "1"))  # noqa: PTH107  # returns None, which fails
    context = MyContext(RuntimeContext(), items=["1", "2", "3"])

    with pytest.raises(StepFailedError):
        execute(step, lose_one, context=context)

    assert list(tmp_path.iterdir()) == []
    assert len(context.errors) == 1
    assert context.errors[0].startswith(f"Rollback failed for {tmp_path / '1'}: ")


def test_an_independent_step_reads_and_writes_the_context(readings: dict[Key, Reading]) -> None:
    """Completed with the name and the weight that the guide leaves out."""
    names = readings["Step Independence", 1].names
    body = {"name": "process", "progress_weight": 1.0, "_process": lambda _, data: [2 * value for value in data]}
    kind = type("Process", (names["ProcessStep"],), body)
    context = MyContext(RuntimeContext(), loaded_data=[1, 2])

    _run_alone(kind(), context)

    assert context.results == [2, 4]
