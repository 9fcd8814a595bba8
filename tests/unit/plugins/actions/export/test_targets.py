"""What can be exported: tasks, assignments, ground truths, and what installed packages add."""

import json
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.backend import AssignmentFilter, Category, NewGroundTruth, TaskFilter, TaskId
from synapse_sdk.errors import InvalidPageError, StepFailedError
from synapse_sdk.plugins.actions.export import BaseExporter
from synapse_sdk.plugins.actions.export.params import ExportParams
from synapse_sdk.plugins.actions.export.preview import preview_export
from tests.unit.plugins.actions.export.world import BOX, ExportWorld, exporting, files_in, reported


def documents(output_path: str) -> dict[str, Any]:
    """Return the documents of an export by name."""
    found = files_in(output_path)
    return {path: json.loads(found[path]) for path in found if path.startswith("json/")}


def test_tasks_are_exported_with_what_was_annotated_last(world: ExportWorld) -> None:
    """Those that the filter finds; tasks without data fail by their ids."""
    task = world.add("cat.jpg", data={"n": 1})
    world.backend.tasks.set_data(task, {"n": 2}, world.backend.tasks.get(task).version)
    empty = world.add("empty.jpg", data=None)

    result, filtered = world.export(), world.export(filter={"project": "work", "has_data": True})

    assert documents(result.output_path) == {"json/cat.json": {"n": 2}}
    assert [(each.id, each.code) for each in result.failures] == [(empty, "NULL_DATA")]
    assert (filtered.total_count, filtered.success) == (1, True)


def test_only_items_without_data_fail_the_run(world: ExportWorld) -> None:
    """X7: no success and failures, named by their ids."""
    empty = world.add("empty.jpg", data=None)

    with pytest.raises(StepFailedError, match=rf"save_files.*No item could be exported.*{empty}: it has no annotation"):
        world.export()

    assert world.left() == set()


def test_assignments_are_exported_with_what_their_own_user_did(world: ExportWorld) -> None:
    """Two of one task are two items of one file name."""
    task = world.add("cat.jpg", b"meow", data={"n": 0})
    for user in ("ada", "bob"):
        world.backend.assignments.create([task], user)
    ids = {}
    for each in world.backend.assignments.list(AssignmentFilter(project=world.project)):
        world.backend.assignments.set_data(each.id, {"by": each.user})
        ids[each.user] = each.id

    result = world.export(target="assignment")
    of_bob = world.export(target="assignment", filter={"project": world.project, "user": "bob"})

    assert documents(result.output_path) == {
        "json/cat.json": {"by": "ada"},
        f"json/cat__{ids['bob']}.json": {"by": "bob"},
    }
    assert files_in(result.output_path)[f"origin_files/cat__{ids['bob']}.jpg"] == b"meow"
    assert documents(of_bob.output_path) == {"json/cat.json": {"by": "bob"}}


def test_ground_truths_are_exported_by_version_with_their_category(world: ExportWorld) -> None:
    """By NAME for the newest, NAME@N, or id; a version stays what it was."""
    tasks = [world.add(f"{number}.jpg", data={"n": number}) for number in range(3)]
    truths = world.backend.ground_truths
    birds = truths.create_dataset("birds")
    categories = (Category.TRAIN, Category.VALIDATION, Category.TEST)
    new = [NewGroundTruth(category=which, task_id=task) for which, task in zip(categories, tasks, strict=True)]
    first, second = truths.create_version(birds.id, new), truths.create_version(birds.id, new[:1])
    world.backend.tasks.set_data(tasks[0], {"n": "changed"}, world.backend.tasks.get(tasks[0]).version)
    seen = []

    class Exporter(BaseExporter):
        def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            seen.append(data["category"])
            return {"data": data["data"], "files": data["files"]}

        def save_as_json(self, result: Any, base_path: Path, error_list: Any) -> Any:  # noqa: ANN401  # the hook's own
            seen.append(result["category"])
            return super().save_as_json(result, base_path, error_list)

    action = exporting(Exporter)
    counts = {
        named: world.export(action, target="ground_truth", filter={"ground_truth_dataset_version": named}).total_count
        for named in ("birds", "birds@1", "birds@2", int(first.id), int(second.id))
    }

    assert counts == {"birds": 1, "birds@1": 3, "birds@2": 1, int(first.id): 3, int(second.id): 1}
    assert seen[2:8] == ["train", "validation", "test"] * 2
    assert documents(str(world.exports / "out(1)")) == {f"json/{number}.json": {"n": number} for number in range(3)}
    some = world.export(target="ground_truth", filter={"ground_truth_dataset_version": "birds@1", "category": "test"})
    assert some.total_count == 1


def test_a_preview_reads_and_changes_nothing(world: ExportWorld) -> None:
    """What would fit, what would not, and how many bytes."""
    world.add("cat.jpg", b"meow")
    world.add("empty.jpg", data=None)

    preview = preview_export(ExportParams.model_validate(world.export_params()))

    assert (preview.total, preview.fit, preview.without_data, preview.files, preview.file_bytes) == (2, 1, 1, 1, 4)
    assert preview.output_path == str(world.exports / "out")
    assert not world.exports.exists()


# Lists of records that are broken


def test_validating_reads_no_page_and_unknown_keys_are_refused_first(
    world: ExportWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X8: a filter that cannot be understood costs no question about items."""
    world.add("cat.jpg")
    asked: list[str] = []
    kind = type(world.backend.tasks)
    for name in ("list", "count", "last_id"):
        monkeypatch.setattr(kind, name, lambda *_, name=name, **__: asked.append(name))

    with pytest.raises(StepFailedError, match=r"fetch_results.*colour"):
        world.export(filter={"project": world.project, "colour": "red"})

    assert asked == []


@pytest.mark.parametrize("how", ["repeats", "never ends", "goes back"])
def test_pages_of_the_backend_that_do_not_end_are_an_error(
    world: ExportWorld, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Not a loop; nothing is left."""
    for number in range(3):
        world.add(f"{number}.jpg")
    tasks = [*world.backend.tasks.list(TaskFilter(project=world.project))]
    monkeypatch.setattr("synapse_sdk.plugins.actions.export.targets.reading.PAGE", 2)

    def broken(self: object, which: TaskFilter, *, after: int = 0, limit: int = 1000) -> Any:  # noqa: ANN401, ARG001  # a page
        if how == "repeats":
            return tasks[:2]
        if how == "goes back":
            return tasks[::-1][:2]
        from dataclasses import replace  # noqa: PLC0415  # one use

        return [replace(tasks[0], id=TaskId(after + number)) for number in range(1, limit + 1)]

    monkeypatch.setattr(type(world.backend.tasks), "list", broken)

    with pytest.raises(StepFailedError, match=r"convert_data.*A list of records goes") as raised:
        world.export()

    assert isinstance(raised.value.__cause__, InvalidPageError)
    assert world.left() == set()


def test_items_that_vanish_while_they_are_read_are_counted_as_failed(world: ExportWorld) -> None:
    """X9: an export that lacks some is not complete, and says so; or stops, if that was asked for."""
    tasks = [world.add(f"{number}.jpg") for number in range(3)]

    class Exporter(BaseExporter):
        def __init__(self, *args: Any, **params: Any) -> None:  # noqa: ANN401  # as the base
            super().__init__(*args, **params)
            world.backend.tasks.remove([tasks[2]])

    result = world.export(exporting(Exporter))

    assert (result.total_count, result.exported_count, result.failed_count, result.success) == (3, 2, 1, False)
    assert [(each.id, each.code) for each in result.failures] == [(None, "VANISHED")]
    tasks.append(world.add("3.jpg"))
    tasks[2] = tasks[3]
    with pytest.raises(StepFailedError, match="it was there when the items were counted"):
        world.export(exporting(Exporter), on_error="stop")


# Targets of other packages


def of(target: str, **filters: int) -> dict[str, Any]:
    """Return what makes an export one of another target."""
    return {"target": target, "filter": dict(filters)}


@pytest.mark.usefixtures("others")
def test_an_installed_package_adds_targets(world: ExportWorld) -> None:
    """Items without files are named by their ids; the project is None."""
    result = world.export(**of("good", most=2))

    assert documents(result.output_path) == {"json/1.json": {"n": 1}, "json/2.json": {"n": 1}}


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("failingpage", "convert_data.*The other backend is away"),
        ("repeatingpage", "convert_data.*repeat: item 1 follows item 3"),
        ("endlesspages", "save_files.*do not end"),
        ("nohandler", "fetch_results"),
        ("broken", "fetch_results.*no_such_module"),
    ],
)
def test_a_target_that_is_broken_is_an_error(world: ExportWorld, target: str, says: str) -> None:
    """X9: not a loop, and not an export that lacks something; nothing is left."""
    with pytest.raises(StepFailedError, match=says):
        world.export(**of(target))

    assert world.left() == set()


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize("which", range(1, 7))
def test_an_item_without_an_id_is_an_error(world: ExportWorld, which: int) -> None:
    """Nobody could be told what has become of it."""
    with pytest.raises(StepFailedError, match=r"convert_data.*no item is to be exported"):
        world.export(**of("odditems", most=which))

    assert world.left() == set()


@pytest.mark.usefixtures("others")
def test_a_lost_page_is_never_complete(world: ExportWorld) -> None:
    """X9: what was counted and not read has failed; what came later is counted, too."""
    lost, grown = world.export(**of("lostpage")), world.export(**of("grownpages"))

    assert (lost.total_count, lost.exported_count, lost.failed_count, lost.success) == (3, 2, 1, False)
    assert (grown.total_count, grown.exported_count, grown.success) == (5, 5, True)


@pytest.mark.usefixtures("others")
def test_items_that_lack_something_fail_one_by_one(world: ExportWorld) -> None:
    """By their ids, with the reason."""
    result = world.export(**of("odddata", most=4))

    assert (result.exported_count, result.failed_count) == (1, 3)
    assert {identity: row["reason"] for identity, row in reported(result).items()} == {
        1: "",
        2: "NULL_DATA",
        3: "HOOK_FAILED",
        4: "HOOK_FAILED",
    }


@pytest.mark.usefixtures("others")
def test_names_of_a_handler_stay_inside(world: ExportWorld) -> None:
    """X2: whatever they are."""
    result = world.export(**of("oddnames", most=5), save_original_file=False)

    assert result.exported_count == 5
    assert len(documents(result.output_path)) == 5
    assert not [*world.folder.glob("escaped*"), *world.exports.glob("escaped*")]
    assert all(document == {"n": 1} != BOX for document in documents(result.output_path).values())
