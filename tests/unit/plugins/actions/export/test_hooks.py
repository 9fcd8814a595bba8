"""The hooks of an exporter: what they may change, and what becomes of an item when one of them misbehaves."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import ItemSkippedError, StepFailedError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import BaseExporter, ConvertedItem, ErrorList, ExportStatus, ItemFile
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import StepFinished
from tests.unit.plugins.actions.export.world import BAD, ExportWorld, exporting, files_in, is_bad, reported


def test_every_hook_is_called_with_what_the_one_before_returned(world: ExportWorld) -> None:
    """Three hooks make the document, one the name, and two save; one adds what belongs to the whole."""
    world.add("cat.jpg", b"meow")
    called = []

    class Exporter(BaseExporter):
        def before_convert(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            called.append("before_convert")
            return {**data, "data": {"seen": ["before"]}}

        def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # as above
            called.append("convert_data")
            data["data"]["seen"].append("convert")
            return data

        def after_convert(self, data: Any) -> Any:  # noqa: ANN401  # as above
            called.append("after_convert")
            data["data"]["seen"].append("after")
            return data

        def get_original_file_name(self, files: Mapping[str, ItemFile]) -> str:
            called.append("get_original_file_name")
            return f"my {files['images']['file_name_original']}"

        def process_file_saving(
            self, result: ConvertedItem, base_path: Path, errors_json: ErrorList, errors_original: ErrorList
        ) -> bool:
            called.append("process_file_saving")
            return super().process_file_saving(result, base_path, errors_json, errors_original)

        def save_original_file(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:
            called.append("save_original_file")
            assert base_path.name == "origin_files"
            return super().save_original_file(result, base_path, error_list)

        def save_as_json(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:
            called.append("save_as_json")
            assert base_path.name == "json"
            return super().save_as_json(result, base_path, error_list)

        def additional_file_saving(self, unique_export_path: Path) -> None:
            called.append("additional_file_saving")
            (unique_export_path / "classes.txt").write_text("cat\n")

    result = world.export(exporting(Exporter))

    assert called == [
        "before_convert",
        "convert_data",
        "after_convert",
        "get_original_file_name",
        "process_file_saving",
        "save_original_file",
        "save_as_json",
        "additional_file_saving",
    ]
    found = files_in(result.output_path)
    assert json.loads(found["json/my cat.json"]) == {"seen": ["before", "convert", "after"]}
    assert found["origin_files/my cat.jpg"] == b"meow"
    assert found["classes.txt"] == b"cat\n"


def test_an_exporter_is_told_what_the_guide_says(world: ExportWorld) -> None:
    """Parameters of its own beside those that nobody can override; and the items, as often as need be."""
    first = world.add("cat.jpg")
    world.add("dog.jpg")
    told: dict[str, Any] = {}

    class Exporter(BaseExporter):
        def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            told.update(self.params, ids=[[item["id"] for item in self.export_items] for _ in "ab"])
            told.update(length=len(self.export_items), root=self.path_root)  # type: ignore[arg-type]  # it has one
            return data

    world.export(exporting(Exporter), extra_params={"classes": ["cat"]})

    assert told == {
        "name": "out",
        "count": 2,
        "save_original_file": True,
        "project_id": world.project,
        "configuration": {"classes": ["cat"]},
        "classes": ["cat"],
        "ids": [[first, first + 1]] * 2,
        "length": 2,
        "root": world.exports,
    }


def _raises(_: object) -> Any:  # noqa: ANN401  # a hook
    msg = "no such class"
    raise KeyError(msg)


def _raises_odd_text(_: object) -> Any:  # noqa: ANN401  # a hook
    msg = "half \ud800 a character, and \x00"
    raise ValueError(msg)


def _raises_unspeakable(_: object) -> Any:  # noqa: ANN401  # a hook
    class UnspeakableError(Exception):
        def __str__(self) -> str:
            msg = "nobody can say what it was"
            raise RuntimeError(msg)

    raise UnspeakableError


def _circle(data: Any) -> Any:  # noqa: ANN401  # a hook
    data["data"]["self"] = data["data"]
    return data


def _deep(data: Any) -> Any:  # noqa: ANN401  # a hook
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return {**data, "data": nested}


def _with(**changed: object) -> Callable[[Any], Any]:
    return lambda data: {**data, **changed}


def _without(name: str) -> Callable[[Any], Any]:
    def hook(data: Any) -> Any:  # noqa: ANN401  # a hook
        data.pop(name)
        return data

    return hook


CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "raises": _raises,
    "raises odd text": _raises_odd_text,
    "raises what cannot be told": _raises_unspeakable,
    "None": lambda _: None,
    "text": lambda _: "text",
    "a list": lambda data: [data],
    "no data": _without("data"),
    "no files": _without("files"),
    "data is None": _with(data=None),
    "files is a list": _with(files=[]),
    "a file is None": _with(files={"images": None}),
    "a file without a name": _with(files={"images": {"is_primary": True}}),
    "a file in no storage": _with(files={"images": {"file_name_original": BAD, "storage": [], "key": "x"}}),
    "NaN": _with(data={"x": float("nan")}),
    "infinity": _with(data=[float("inf")]),
    "a date": _with(data={"at": datetime.now(UTC)}),
    "a set": _with(data={1, 2}),
    "half a character": _with(data={"text": "\ud83d"}),
    "half a character as key": _with(data={"\ud83d": 1}),
    "bytes": _with(data=b"{}"),
    "a circle": _circle,
    "too deep": _deep,
}


@pytest.mark.parametrize("hook", ["before_convert", "convert_data", "after_convert"])
@pytest.mark.parametrize("what", CONVERSIONS)
def test_a_converting_hook_that_misbehaves_fails_its_item(world: ExportWorld, hook: str, what: str) -> None:
    """And no other; the result has the reason, and the report the traceback."""
    good, bad = world.add("good.jpg"), world.add(BAD)
    misbehave = CONVERSIONS[what]

    def behave(self: BaseExporter, data: Any) -> Any:  # noqa: ANN401, ARG001  # a hook
        return misbehave(data) if is_bad(data) else data

    result = world.export(exporting(type("Exporter", (BaseExporter,), {hook: behave})))

    assert (result.exported_count, result.failed_count, result.success) == (1, 1, False)
    assert [each.id for each in result.failures] == [bad]
    assert result.failures[0].code == ("NULL_DATA" if what == "data is None" else result.failures[0].code)
    assert reported(result)[good]["outcome"] == "exported"
    row = reported(result)[bad]
    assert row["outcome"] == "failed"
    assert row["why"]
    if row["reason"] == "HOOK_FAILED":
        assert "Traceback" in row["traceback"] or "_WrongTypeError" in row["traceback"]


@pytest.mark.parametrize("change", [{"id": "text"}, {"id": None}, {"id": 10**30}, {"id": [1]}])
def test_an_item_keeps_its_id_whatever_hooks_do_with_it(world: ExportWorld, change: dict[str, Any]) -> None:
    """Taken out, or replaced by another value."""
    tasks = [world.add("a.jpg"), world.add("b.jpg"), world.add("c.jpg")]

    class Exporter(BaseExporter):
        def before_convert(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            if data["id"] == tasks[1]:
                del data["id"]
            else:
                data.update(change)
            return data

    result = world.export(exporting(Exporter))

    assert result.exported_count == 3
    assert [*reported(result)] == tasks


@pytest.mark.parametrize("name", ["", None, 5, b"x.jpg", ["x"]])
def test_a_name_is_text(world: ExportWorld, name: object) -> None:
    """What is none fails its item; None says that there is no file, and the id names the document."""
    world.add("good.jpg")
    bad = world.add(BAD)

    class Exporter(BaseExporter):
        def get_original_file_name(self, files: Mapping[str, ItemFile]) -> str | None:
            return name if is_bad({"files": files}) else super().get_original_file_name(files)  # type: ignore[return-value]  # on purpose

    result = world.export(exporting(Exporter))

    assert reported(result)[bad]["outcome"] == ("exported" if name is None else "failed")
    if name is None:
        assert f"json/{bad}.json" in files_in(result.output_path)


def test_a_hook_may_leave_items_out(world: ExportWorld) -> None:
    """In whichever hook: they are counted as skipped, which is no loss."""
    converting = ("before_convert", "convert_data", "after_convert", "get_original_file_name")
    hooks = (*converting, "process_file_saving", "save_original_file", "save_as_json")
    tasks = {hook: world.add(f"{hook}.jpg") for hook in (*hooks, "none")}

    def leaving_out(hook: str) -> Callable[..., Any]:
        def leave_out(self: BaseExporter, item: Any, *rest: Any) -> Any:  # noqa: ANN401  # a hook
            files = item if hook == "get_original_file_name" else item["files"]
            if files["images"]["file_name_original"] == f"{hook}.jpg":
                msg = f"not wanted by {hook}"
                raise ItemSkippedError(msg)
            return getattr(super(type(self), self), hook)(item, *rest)

        return leave_out

    result = world.export(exporting(type("Exporter", (BaseExporter,), {hook: leaving_out(hook) for hook in hooks})))

    assert (result.total_count, result.exported_count, result.skipped_count) == (8, 1, 7)
    assert result.success
    rows = reported(result)
    assert {rows[tasks[hook]]["why"] for hook in hooks} == {f"not wanted by {hook}" for hook in hooks}
    assert {rows[tasks[hook]]["outcome"] for hook in hooks} == {"skipped"}
    assert files_in(result.output_path).keys() == {"json/none.json", "origin_files/none.jpg", "manifest.json"}


def test_what_is_counted_is_in_the_export(world: ExportWorld) -> None:
    """Of items that were left out, or failed, only what is there nevertheless."""
    for key, name in enumerate(("cat.jpg", "a/cat.jpg", "b/cat.jpg", "c/cat.jpg", "d/cat.jpg")):
        world.add(name, b"x" * 10**key, key=str(key))
    world.add("none.jpg", data=None)

    why = "not wanted"

    class Exporter(BaseExporter):
        def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # as the hook wants it
            if data["files"]["images"]["size"] == 1:
                raise ItemSkippedError(why)
            return data

        def save_original_file(self, result: Any, *rest: Any) -> Any:  # noqa: ANN401  # likewise
            if result["files"]["images"]["size"] == 100:
                raise ItemSkippedError(why)
            if result["files"]["images"]["size"] == 1000:
                raise OSError
            return super().save_original_file(result, *rest)

        def save_as_json(self, result: Any, *rest: Any) -> Any:  # noqa: ANN401  # likewise
            if result["files"]["images"]["size"] == 10_000:
                raise OSError
            return super().save_as_json(result, *rest)

    reporter = MemoryReporter()
    result = run_action(exporting(Exporter), world.export_params(), reporter=reporter)

    found = files_in(result.output_path)
    renamed = json.loads(found.get("filename_collisions.json", b'{"files": []}'))["files"]
    assert (result.exported_count, result.failed_count, result.skipped_count) == (1, 3, 2)
    assert (
        result.original_bytes == sum(len(found[path]) for path in found if path.startswith("origin_files/")) == 10_010
    )
    assert {each["given"] for each in renamed} <= found.keys()
    assert result.renamed_count == len(renamed)
    (converting,) = (each for each in reporter.events if isinstance(each, StepFinished) and each.step == "convert_data")
    assert converting.result.data == {"converted": 4}


def test_a_run_may_stop_at_the_first_item_that_fails(world: ExportWorld) -> None:
    """Nothing is left, and the error names the item and the way out; the report has the traceback."""
    world.add("good.jpg")
    bad = world.add(BAD)

    class Exporter(BaseExporter):
        def save_as_json(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:
            return _raises(result) if is_bad(result) else super().save_as_json(result, base_path, error_list)

    with pytest.raises(StepFailedError, match=rf"save_files.*{bad}: KeyError: 'no such class'.*on_error='continue'"):
        world.export(exporting(Exporter), on_error="stop", job_id="stopping")

    assert world.left() == set()
    report = json.loads(Path(".synapse/runs/stopping/report.json").read_text())
    assert report["status"] == "rolled_back"
    assert {item["outcome"] for item in report["items"]} == {"rolled_back", "failed"}
    assert ["_raises" in item.get("traceback", "") for item in report["items"]] == [False, True]
