"""Steps of one's own that choose which items are exported, and change them once they are converted."""

import json
from typing import Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.actions.export import ExportContext
from tests.unit.plugins.actions.export.world import BOX, ExportWorld, changed, files_in, reported


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
