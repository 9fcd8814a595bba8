"""The hooks that save: what they may write, and what becomes of an item, or of the export, when one misbehaves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import InvalidKeyError, StepFailedError
from synapse_sdk.plugins.actions.export import BaseExporter, ConvertedItem, ErrorList, ExportStatus
from tests.unit.plugins.actions.export.world import BAD, BOX, ExportWorld, exporting, files_in, is_bad, reported


def _adds_text(self: BaseExporter, result: ConvertedItem, base_path: Path, error_list: Any) -> ExportStatus:  # noqa: ANN401, ARG001  # a hook
    error_list.append("text")
    return ExportStatus.FAILED


def _adds_odd_text(self: BaseExporter, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:  # noqa: ARG001  # a hook
    error_list.append(["half \ud800", "\x00\udcff"])
    return ExportStatus.FAILED


def _returns(what: object) -> Callable[..., Any]:
    return lambda self, result, base_path, error_list: what  # noqa: ARG005  # a hook


def _raising(error: Exception) -> Callable[..., Any]:
    def hook(self: BaseExporter, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> Any:  # noqa: ANN401, ARG001  # a hook
        raise error

    return hook


SAVINGS: dict[str, Callable[..., Any]] = {
    "raises": _raising(KeyError("x")),
    "raises odd text": _raising(ValueError("half \ud800 a character")),
    "raises an error of the system": _raising(PermissionError(13, "Permission denied", "/x")),
    "None": _returns(None),
    "True": _returns(True),  # noqa: FBT003  # the value that a hook returns
    "a number": _returns(1),
    "another word": _returns("done"),
    "failed, and says nothing": _returns("failed"),
    "adds text to the errors": _adds_text,
    "adds odd text to the errors": _adds_odd_text,
}


@pytest.mark.parametrize("hook", ["save_original_file", "save_as_json"])
@pytest.mark.parametrize("what", SAVINGS)
def test_a_saving_hook_that_misbehaves_fails_its_item(world: ExportWorld, hook: str, what: str) -> None:
    """And no other."""
    world.add("good.jpg")
    bad = world.add(BAD)
    misbehave = SAVINGS[what]

    def behave(self: BaseExporter, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> Any:  # noqa: ANN401  # a hook
        if is_bad(result):
            return misbehave(self, result, base_path, error_list)
        return getattr(super(type(self), self), hook)(result, base_path, error_list)

    result = world.export(exporting(type("Exporter", (BaseExporter,), {hook: behave})))

    assert (result.exported_count, result.failed_count) == (1, 1)
    assert reported(result)[bad]["outcome"] == "failed"
    assert reported(result)[bad]["why"]


@pytest.mark.parametrize("answer", [None, "yes", 1, ExportStatus.SUCCESS])
def test_process_file_saving_says_yes_or_no(world: ExportWorld, answer: object) -> None:
    """Anything else fails the item, and is shown."""
    world.add("good.jpg")
    bad = world.add(BAD)

    class Exporter(BaseExporter):
        def process_file_saving(
            self, result: ConvertedItem, base_path: Path, errors_json: ErrorList, errors_original: ErrorList
        ) -> bool:
            saved = super().process_file_saving(result, base_path, errors_json, errors_original)
            return answer if is_bad(result) else saved  # type: ignore[return-value]  # on purpose

    result = world.export(exporting(Exporter))

    assert repr(answer) in reported(result)[bad]["why"]
    assert result.exported_count == 1


def test_files_that_hooks_write_by_themselves_are_part_of_the_export(world: ExportWorld) -> None:
    """Beside the documents, in folders of their own, and in place of what was saved."""
    world.add("cat.jpg", b"meow")

    class Exporter(BaseExporter):
        def save_original_file(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:
            status = super().save_original_file(result, base_path, error_list)
            (base_path / "cat.jpg").write_bytes(b"another picture, smaller")
            return status

        def save_as_json(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:
            base_path.joinpath(f"{result['id']}.txt").write_text("a box\n")
            base_path.parent.joinpath("labels", "한국어").mkdir(parents=True)
            base_path.parent.joinpath("labels", "한국어", " cat.txt").write_bytes(b"")
            return super().save_as_json(result, base_path, error_list)

        def additional_file_saving(self, unique_export_path: Path) -> None:
            (unique_export_path / "json" / "cat.json").write_text("{}")
            (unique_export_path / "labels" / "all.txt").write_text("a box\n")

    result = world.export(exporting(Exporter))

    found = files_in(result.output_path)
    assert found["origin_files/cat.jpg"] == b"another picture, smaller"
    assert found["json/cat.json"] == b"{}"
    assert found.keys() >= {"labels/한국어/ cat.txt", "labels/all.txt"}


def test_a_hook_may_take_away_what_was_saved(world: ExportWorld) -> None:
    """The manifest does not list it then."""
    world.add("cat.jpg")
    world.add("dog.jpg")

    class Exporter(BaseExporter):
        def additional_file_saving(self, unique_export_path: Path) -> None:
            documents = sorted((unique_export_path / "json").iterdir())
            merged = [json.loads(path.read_text()) for path in documents]
            (unique_export_path / "all.json").write_text(json.dumps(merged))
            for path in documents:
                path.unlink()

    result = world.export(exporting(Exporter))

    found = files_in(result.output_path)
    assert json.loads(found["all.json"]) == [BOX, BOX]
    assert found.keys() == {"all.json", "manifest.json", "origin_files/cat.jpg", "origin_files/dog.jpg"}


def test_the_hook_for_the_whole_export_fails_the_run(world: ExportWorld) -> None:
    """It belongs to no item; nothing is left."""
    world.add("cat.jpg")

    class Exporter(BaseExporter):
        def additional_file_saving(self, unique_export_path: Path) -> None:
            msg = "no such class"
            raise KeyError(msg)

    with pytest.raises(StepFailedError, match=r"finalize.*no such class"):
        world.export(exporting(Exporter))

    assert world.left() == set()


def test_two_items_saved_as_one_file_fail_the_run(world: ExportWorld) -> None:
    """X3: the error names hooks and file; nothing is lost in silence."""
    world.add("cat.jpg")
    world.add("dog.jpg")

    class Exporter(BaseExporter):
        def save_as_json(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:
            result["json_name"] = "all.json"
            return super().save_as_json(result, base_path, error_list)

    with pytest.raises(StepFailedError, match=r"hooks of Exporter have saved two items as 'json/all.json'"):
        world.export(exporting(Exporter))

    assert world.left() == set()


@pytest.mark.parametrize("name", ["../../../escaped.json", "..", "", "/escaped.json", "a\x00b", "half \ud83d"])
def test_a_saving_hook_cannot_lead_a_file_out_of_the_export(world: ExportWorld, name: str) -> None:
    """X2: its item fails."""
    world.add("good.jpg")
    bad = world.add(BAD)

    class Exporter(BaseExporter):
        def save_as_json(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:
            result["json_name"] = name if is_bad(result) else result["json_name"]
            return super().save_as_json(result, base_path, error_list)

    result = world.export(exporting(Exporter))

    assert "An export cannot have a file" in reported(result)[bad]["why"]
    assert not [*world.folder.rglob("escaped*")]


def test_a_file_whose_name_is_no_text_is_named(world: ExportWorld) -> None:
    """A hook that writes one fails the run: no manifest could list it."""
    world.add("cat.jpg")

    class Exporter(BaseExporter):
        def additional_file_saving(self, unique_export_path: Path) -> None:
            (unique_export_path / "caf\udce9.txt").touch()

    with pytest.raises(InvalidKeyError, match=r"caf\\udce9.txt"):
        world.export(exporting(Exporter))

    assert world.left() == set()
