"""Annotations in files become annotation data of tasks."""

import json
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import TaskFilter, TaskState
from synapse_sdk.errors import InvalidDatasetError, InvalidParamsError, ItemSkippedError, StepFailedError
from synapse_sdk.formats import convert
from synapse_sdk.plugins import RuntimeContext, run_action
from synapse_sdk.plugins.action import BaseAction
from synapse_sdk.plugins.actions import AddTaskDataAction, AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data import AddTaskDataContext
from synapse_sdk.plugins.steps import BaseStep, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter
from tests.unit.plugins.actions.add_task_data.world import OLD, TaskWorld, boxes_of, coco, picture

CAT = ("cat", [1, 2, 3, 4])
FILE_STEPS = ["validate_file", "load_annotations", "process_tasks", "upload_annotations"]


VOC = """<annotation><filename>a.png</filename><size><width>40</width><height>20</height><depth>3</depth></size>
<object><name>cat</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>4</xmax><ymax>6</ymax></bndbox></object></annotation>
"""


class My(AddTaskDataAction[AddTaskDataParams]):
    """A subclass that only says `pass`."""


# A7: a bare subclass works


def test_a_bare_subclass_gives_tasks_their_annotations(world: TaskWorld) -> None:
    """A7: by the name of the image, whatever the suffix and the way in which its letters are composed."""
    world.add_tasks("a.png", "park/b.png", "한.png", data=OLD)
    file = world.write_coco({"a.jpg": [[1, 2, 3, 4]], "park/b.png": [[5, 6, 7, 8], [0, 0, 1, 1]], "한.png": []})

    result = world.annotate(My, file=file)

    assert (result.success, result.status, result.total_tasks, result.success_count) == (True, "succeeded", 3, 3)
    assert result.message == "Annotated 3 tasks"
    data = world.data()
    assert boxes_of(data["a.png"]) == [CAT]
    assert boxes_of(data["park/b.png"]) == [("cat", [5, 6, 7, 8]), ("cat", [0, 0, 1, 1])]
    assert boxes_of(data["한.png"]) == []
    assert world.states() == [TaskState.SUBMITTED] * 3


@pytest.mark.parametrize("target", ["coco", "yolo", "pascal", "dm_v1", "dm_v2"])
def test_annotations_may_be_in_any_format(world: TaskWorld, target: str) -> None:
    """A dataset of the same boxes says the same, whichever format it is in."""
    world.add_tasks("a.png", "b.png")
    source = world.folder / "source"
    source.mkdir()
    for name in ("a.png", "b.png"):
        (source / name).write_bytes(picture(name))
    (source / "annotations.json").write_text(json.dumps(coco({"a.png": [[1, 2, 3, 4]], "b.png": [[5, 6, 7, 8]]})))
    dataset = source
    if target != "coco":
        convert(source, world.folder / target, to=target)
        dataset = world.folder / target

    result = world.annotate(file=dataset)

    assert (result.success_count, result.losses) == (2, 0)
    data = world.data()
    if target == "dm_v1":
        assert all("annotationsData" in (document or {}) for document in data.values())
    else:
        assert [[round(number) for number in box] for _, box in boxes_of(data["a.png"])] == [[1, 2, 3, 4]]


def test_the_steps_are_those_of_the_method(world: TaskWorld) -> None:
    """A7: in this order; their weights sum to 1.0."""
    action = My(My.validate_params(world.task_params(file="x.json")), RuntimeContext())

    steps = action.build_registry().get_steps()

    assert [step.name for step in steps] == FILE_STEPS
    assert sum(step.progress_weight for step in steps) == pytest.approx(1.0)


def test_no_parameter_shadows_what_models_have() -> None:
    """A7: nor an attribute of the action."""
    fields = set(AddTaskDataParams.model_fields)

    assert fields & set(dir(AddTaskDataParams.__base__)) == set()
    assert fields & set(vars(BaseAction(None, RuntimeContext()))) == set()


# What is matched to which task


def test_what_no_task_has_is_counted_and_named(world: TaskWorld) -> None:
    """Images of no task, of several, two of one task, such that make no sense, and tasks without any."""
    world.add_tasks("one/cat.png", "two/cat.png", "dog.png", "fox.png", "owl.png")
    file = world.write_coco({"cat.png": [], "cow.png": [], "dog.png": [[1, 2, 3, 4]], "x/fox.png": [], "fox.png": []})

    result = world.annotate(file=file)

    assert (result.success_count, result.failed_count, result.skipped_count) == (1, 1, 3)
    assert (result.unmatched_count, result.ambiguous_count) == (1, 3)
    assert [(each.kind, each.name) for each in result.strays] == [
        ("ambiguous", "cat.png"),
        ("unmatched", "cow.png"),
        ("ambiguous", "x/fox.png"),
        ("ambiguous", "fox.png"),
    ]
    assert result.failures[0].error == "x/fox.png and fox.png are both about it"
    assert {key for key, document in world.data().items() if document} == {"dog.png"}
    report = json.loads(Path(result.report_path).read_text())
    outcomes = {row["image"]: (row["outcome"], row["reason"]) for row in report["tasks"]}
    assert outcomes["owl.png"] == ("skipped", "NO_ANNOTATIONS")
    assert (result.success, result.status, result.losses) == (False, "partial", 5)


def test_the_name_that_fits_best_is_taken(world: TaskWorld) -> None:
    """With suffix before without, with folders before without, and dots are part of names."""
    world.add_tasks("a.png", "a.jpg", "deep/b.png", "b.png", "photo.final.png", "photo.png")
    names = ["a.jpg", "b.png", "elsewhere/photo.final"]
    file = world.write_coco({name: [[number, 0, 1, 1]] for number, name in enumerate(names)})

    result = world.annotate(file=file)

    assert (result.success_count, result.unmatched_count, result.ambiguous_count) == (3, 0, 0)
    given = {key: boxes_of(document)[0][1][0] for key, document in world.data().items() if document}
    assert given == {"a.jpg": 0, "b.png": 1, "photo.final.png": 2}


def test_a_file_for_other_images_fails_the_run(world: TaskWorld) -> None:
    """With counts and names; no task is touched."""
    world.add_tasks("a.png", data=OLD)
    file = world.write_coco({"x.png": [], "y.png": []})

    with pytest.raises(StepFailedError, match=r"any of the 1 tasks of 'work': 2 unmatched, such as x.png, y.png"):
        world.annotate(file=file)

    assert (world.data(), world.undone()["counts"]["unmatched"]) == ({"a.png": OLD}, 2)


def test_what_is_wrong_in_a_file_is_counted_and_named(world: TaskWorld) -> None:
    """An annotation that makes no sense is a loss; the others of its image come to their task."""
    world.add_tasks("a.png")
    document: Any = coco({"a.png": [[1, 2, 3, 4]]})
    document["annotations"].append({"id": 9, "image_id": 1, "category_id": 1, "bbox": "here"})
    file = world.folder / "coco.json"
    file.write_text(json.dumps(document))

    result = world.annotate(file=file)

    assert (boxes_of(world.data()["a.png"]), result.success_count, result.loss_count) == ([CAT], 1, 1)
    assert "losses" in "\n".join(result.summary_lines())
    assert Path(result.report_path).with_name("losses.csv").read_text().count("\n") == 2


def test_an_image_that_cannot_be_read_is_named(world: TaskWorld) -> None:
    """The others are annotated."""
    world.add_tasks("a.png", "b.png")
    for folder in ("json", "original_files"):
        (world.folder / "dm" / folder).mkdir(parents=True)
    (world.folder / "dm" / "json" / "a.json").write_text(json.dumps(OLD))
    (world.folder / "dm" / "json" / "b.json").write_text("{")

    result = world.annotate(file=world.folder / "dm")

    assert (result.success_count, result.unreadable_count, world.data()["a.png"]) == (1, 1, OLD)
    assert result.strays[0].name == "b"


# A file of each data unit


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(coco({"other/a.png": [[1, 2, 3, 4]]}))),
        (
            "a.json",
            json.dumps({"images": [{"bounding_box": [{"id": "1", "classification": "cat", "data": [1, 2, 3, 4]}]}]}),
        ),
        (
            "a.xml",
            VOC,
        ),
        ("a.txt", "0 0.0625 0.2 0.075 0.2\n"),
    ],
    ids=["coco", "dm", "voc", "yolo"],
)
def test_each_unit_may_have_a_file_with_its_annotations(world: TaskWorld, name: str, content: str) -> None:
    """In any format that is known; YOLO counts in parts of the image, and the project says what its classes are."""
    world.add_tasks("a.png", labels=(name, content.encode()))

    result = world.annotate(My, target_specification_name="labels")

    assert (result.success_count, result.success, result.skipped_count) == (1, True, 0)
    [(label, box)] = boxes_of(world.data()["a.png"])
    assert (label, [round(number, 6) for number in box]) == CAT


def test_files_that_are_missing_changed_or_senseless_fail_their_tasks(world: TaskWorld) -> None:
    """With the reason; the others get their annotations."""
    world.add_tasks("none.png")
    for name, content in (
        ("good", json.dumps(OLD)),
        ("bad", "{"),
        ("odd", "[]"),
        ("other", '{"a": 1}'),
        ("nan", '{"images": [], "score": NaN}'),
        ("voc", "<annotation>"),
    ):
        suffix = ".xml" if name == "voc" else ".json"
        world.add_tasks(f"{name}.png", labels=(name + suffix, content.encode()))
    world.add_tasks("doc.png", labels=("doc.docx", b"x"))
    world.add_tasks("broken.png", labels=("broken.json", b'{"images": [1]}'))
    unit = next(unit for unit in world.units().values() if unit.key == "broken.png")
    (world.store / unit.files["labels"].key).write_bytes(b"{}")

    result = world.annotate(target_specification_name="labels")

    assert (result.success_count, result.failed_count) == (1, 8)
    codes = {each.code for each in result.failures}
    assert codes == {"NO_FILE", "UNREADABLE", "NO_DOCUMENT"}
    words = "\n".join(each.error for each in result.failures)
    for part in ("no file 'labels'", "no JSON", "no JSON object", "no DM document", "'doc.docx'", "another content"):
        assert part in words
    assert {key for key, document in world.data().items() if document} == {"good.png"}


# Hooks


def test_a_hook_is_told_where_everything_is(world: TaskWorld) -> None:
    """And may change what the formats have made, skip a task, or fail for one alone."""
    told: list[tuple[str, ...]] = []
    raises = {"skip.png": ItemSkippedError("not wanted"), "fail.png": KeyError("gone")}

    class Hooked(AddTaskDataAction[AddTaskDataParams]):
        def convert_data_from_file(
            self,
            primary_file_url: str,
            primary_file_name: str,
            data_file_url: str,
            data_file_name: str,
            task_data: dict[str, Any] | None = None,
        ) -> dict[str, Any]:
            assert task_data is not None
            told.append((primary_file_name, data_file_name, task_data["data_unit"]["key"]))
            assert self.open_file(primary_file_url) == picture(primary_file_name)
            if primary_file_name in raises:
                raise raises[primary_file_name]
            if primary_file_name == "none.png":
                return None  # type: ignore[return-value]  # that is the point
            if primary_file_name == "empty.png":
                return {}
            document = super().convert_data_from_file(
                primary_file_url, primary_file_name, data_file_url, data_file_name, task_data
            )
            return {**document, "extra": json.loads(self.open_file(data_file_url))["images"]}

    names = ("a.png", "skip.png", "fail.png", "none.png", "empty.png")
    for name in names:
        world.add_tasks(name, labels=(f"{name}.json", json.dumps(OLD).encode()))

    result = world.annotate(Hooked, target_specification_name="labels")

    assert told == [(name, f"{name}.json", name) for name in names]
    assert (result.success_count, result.skipped_count, result.failed_count) == (1, 1, 3)
    assert world.data()["a.png"] == {**OLD, "extra": OLD["images"]}
    words = [each.error for each in result.failures]
    assert words[0] == "KeyError: 'gone'"
    assert words[1].startswith("the hook has made NoneType of it")
    assert "empty document" in words[2]


def test_steps_may_be_added_and_replaced(world: TaskWorld) -> None:
    """As in every action."""
    seen: list[int] = []

    class Look(BaseStep[AddTaskDataContext]):
        name, progress_weight = "look", 0.1

        def execute(self, context: AddTaskDataContext) -> StepResult:
            seen.append(context.total_count)
            return StepResult()

    class Mine(AddTaskDataAction[AddTaskDataParams]):
        def setup_steps(self, registry: StepRegistry[AddTaskDataContext]) -> None:
            super().setup_steps(registry)
            registry.insert_before("upload_annotations", Look())

    world.add_tasks("a.png")

    result = world.annotate(Mine, file=world.write_coco({"a.png": []}))

    assert (seen, result.steps_executed) == ([1], 5)


# What fails


def test_a_run_in_which_all_tasks_fail_has_failed(world: TaskWorld) -> None:
    """A1: with the reasons; no task is touched."""
    world.add_tasks("a.png", "b.png", data=OLD)

    with pytest.raises(StepFailedError, match="No task could be annotated: 2 tasks cannot be annotated: 1: its unit"):
        world.annotate(target_specification_name="labels")

    assert set(map(str, world.data().values())) == {str(OLD)}
    assert [row["outcome"] for row in world.undone()["tasks"]] == ["failed", "failed"]


def test_a_task_that_changes_meanwhile_keeps_what_it_has(world: TaskWorld) -> None:
    """A1: and one that is gone counts as failed, too; of several tasks only these fail."""
    world.add_tasks("a.png", "b.png", "c.png", "d.png")
    a, b, c, _ = world.backend.tasks.list(TaskFilter())

    class Meanwhile(BaseStep[AddTaskDataContext]):
        name, progress_weight = "meanwhile", 0.0

        def __init__(self, name: str) -> None:
            self.name = name

        def execute(self, context: AddTaskDataContext) -> StepResult:
            if self.name == "early":
                world.backend.tasks.remove([c.id])
            else:
                world.backend.tasks.set_data(a.id, OLD, 0)
                world.backend.tasks.remove([b.id])
            return StepResult()

    class Changed(AddTaskDataAction[AddTaskDataParams]):
        def setup_steps(self, registry: StepRegistry[AddTaskDataContext]) -> None:
            super().setup_steps(registry)
            registry.insert_before("process_tasks", Meanwhile("early"))
            registry.insert_before("upload_annotations", Meanwhile("late"))

    result = world.annotate(Changed, file=world.write_coco({f"{name}.png": [] for name in "abcd"}))

    assert (result.success_count, [(each.task_id, each.code) for each in result.failures]) == (
        1,
        [(a.id, "CONFLICT"), (b.id, "GONE"), (c.id, "GONE")],
    )
    assert world.data()["a.png"] == OLD


def test_on_error_stop_ends_the_run_at_the_first_failure(world: TaskWorld) -> None:
    """And gives back what was there."""
    world.add_tasks("none.png", data=OLD)
    world.add_tasks("a.png", data=OLD, labels=("a.json", b'{"images": []}'))

    with pytest.raises(StepFailedError, match="on_error='continue'"):
        world.annotate(target_specification_name="labels", on_error="stop")

    assert set(map(str, world.data().values())) == {str(OLD)}


@pytest.mark.parametrize("source", ["file", "specification"])
def test_without_tasks_there_is_nothing_to_do(world: TaskWorld, source: str) -> None:
    """A5: the ids say so, and not a count; an empty file is no failure then."""
    which: dict[str, Any] = {"target_specification_name": "labels"}
    if source == "file":
        which = {"file": world.write_coco({"x.png": []}, "x.json"), "task_filters": {"ids": [99]}}
        with pytest.raises(StepFailedError, match="any of the 0 tasks"):
            world.annotate(**which)
        return

    result = world.annotate(**which)

    assert (result.total_tasks, result.success, result.steps_executed) == (0, True, 2)


def test_only_the_tasks_that_fit_are_annotated(world: TaskWorld) -> None:
    """What is in the file for others is of no task."""
    world.add_tasks("a.png", "b.png")

    result = world.annotate(file=world.write_coco({"a.png": [], "b.png": []}), task_filters={"ids": [1]})

    assert (result.total_tasks, result.success_count, result.unmatched_count) == (1, 1, 1)
    assert world.data()["b.png"] is None


def test_an_action_without_steps_fails_with_one_clear_error(world: TaskWorld) -> None:
    """A6: and calls nothing in circles."""

    class Empty(AddTaskDataAction[AddTaskDataParams]):
        def setup_steps(self, registry: StepRegistry[AddTaskDataContext]) -> None:
            """Register none."""

    with pytest.raises(Exception, match="'empty' has nothing to do"):
        run_action(Empty, world.task_params(file="x.json"))


# Undoing


class Late(BaseStep[AddTaskDataContext]):
    """A step after all others, which fails, and before that lets a person change a task."""

    name, progress_weight = "late", 0.1
    changes: tuple[int, ...] = ()

    def execute(self, context: AddTaskDataContext) -> StepResult:
        """Fail."""
        for task_id in self.changes:
            task = context.backend.tasks.get(task_id)  # type: ignore[arg-type]  # an id
            context.backend.tasks.set_data(task.id, {"by": "ada"}, task.version)
        return StepResult(success=False, error="too late")


def failing(*changes: int) -> type[AddTaskDataAction[Any]]:
    """Return an action that fails when all is submitted, after a person has changed these tasks."""

    class FailingLate(AddTaskDataAction[AddTaskDataParams]):
        def setup_steps(self, registry: StepRegistry[AddTaskDataContext]) -> None:
            super().setup_steps(registry)
            step = Late()
            step.changes = changes
            registry.register(step)

    return FailingLate


def test_a_run_that_fails_gives_every_task_back_what_it_had(world: TaskWorld) -> None:
    """A2: data and state, in whichever batch it was submitted; what was kept for that is dropped."""
    world.add_tasks("a.png", "b.png", "c.png", data=OLD)
    world.add_tasks("d.png")
    before = (world.data(), world.states())

    with pytest.raises(StepFailedError, match="too late"):
        world.annotate(failing(), file=world.write_coco({f"{name}.png": [] for name in "abcd"}), batch_size=2)

    assert (world.data(), world.states()) == before
    assert [row["outcome"] for row in world.undone()["tasks"]] == ["rolled_back"] * 4


def test_what_a_person_has_changed_since_is_kept_and_listed(world: TaskWorld) -> None:
    """A2: a conflict, in the report and in what the run says; everything else is given back."""
    world.add_tasks("a.png", "b.png", data=OLD)
    reporter = MemoryReporter()

    with pytest.raises(StepFailedError):
        run_action(failing(1), world.task_params(file=world.write_coco({"a.png": [], "b.png": []})), reporter=reporter)

    assert world.data() == {"a.png": {"by": "ada"}, "b.png": OLD}
    report = world.undone()
    assert report["conflicts"] == [{"task_id": 1, "outcome": "conflict"}]
    assert [row["outcome"] for row in report["tasks"]] == ["conflict", "rolled_back"]
    assert ("task_conflict", {"task_id": 1, "outcome": "conflict"}) in reporter.logs


def test_a_result_that_does_not_fit_undoes_the_run(world: TaskWorld) -> None:
    """A2: what tasks had is there until the end of the run is recorded."""

    class Wrong(AddTaskDataAction[AddTaskDataParams]):
        def build_result(self, context: AddTaskDataContext, summary: dict[str, Any]) -> dict[str, Any]:
            return {"nothing": True}

    world.add_tasks("a.png", data=OLD)

    with pytest.raises(Exception, match="does not fit"):
        world.annotate(Wrong, file=world.write_coco({"a.png": []}))

    assert world.data() == {"a.png": OLD}


def test_what_tasks_had_is_dropped_when_the_run_has_succeeded(world: TaskWorld) -> None:
    """It takes no space for ever."""
    world.add_tasks("a.png", data=OLD)

    result = world.annotate(file=world.write_coco({"a.png": []}))

    assert world.backend.submissions.withdraw(result.run) == []


# Bad input


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "must say where the annotations are"),
        ({"file": "x", "target_specification_name": "labels"}, "cannot both say"),
        ({"file": "x", "task_filters": {"colour": "red"}}, "colour"),
        ({"file": "x", "task_filters": {"project": 1}}, "a parameter of its own"),
        ({"file": "x", "file_format": "pdf"}, "no format 'pdf'"),
        ({"file": "x", "method": "magic"}, "file"),
    ],
)
def test_params_that_make_no_sense_are_refused(world: TaskWorld, params: dict[str, Any], message: str) -> None:
    """Before anything starts."""
    with pytest.raises(InvalidParamsError, match=message):
        run_action(My, world.task_params(**params))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"file": "nowhere.json"}, "There is no dataset 'nowhere.json'"),
        ({"file": "text.json"}, "no format that is known here"),
        ({"file": "nowhere.json", "file_format": "coco"}, "There is no dataset"),
        ({"target_specification_name": "label"}, "has no file specification 'label'.*labels"),
        ({"project": "walk", "file": "x"}, "no project 'walk'"),
    ],
)
def test_what_is_named_and_not_there_fails_the_first_step(
    world: TaskWorld, params: dict[str, Any], message: str
) -> None:
    """With its name and the way out."""
    world.add_tasks("a.png")
    (world.folder / "text.json").write_text("hello")

    with pytest.raises(StepFailedError, match=rf"'validate_file' failed.*{message}"):
        run_action(My, world.task_params(**params))
    assert world.work() == []


def test_a_dataset_that_makes_no_sense_fails_the_run(world: TaskWorld) -> None:
    """As the formats say it."""
    world.add_tasks("a.png")
    (world.folder / "coco.json").write_text('{"images": [')

    with pytest.raises(StepFailedError) as caught:
        run_action(My, world.task_params(file="coco.json", file_format="coco"))

    assert isinstance(caught.value.__cause__, InvalidDatasetError)
