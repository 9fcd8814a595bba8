"""What exported files are called: as their originals where that can be, never outside of the export, never alike."""

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.plugins.actions.export import BaseExporter, ItemFile
from synapse_sdk.plugins.actions.export.ledger import Ledger
from synapse_sdk.plugins.actions.export.naming import Namer, fit, folded
from tests.unit.plugins.actions.export.world import BOX, ExportWorld, exporting, files_in

NFC, NFD = unicodedata.normalize("NFC", "한국어 고양이.jpg"), unicodedata.normalize("NFD", "한국어 고양이.jpg")
ODD = (
    "two words .jpg",
    " .jpg",
    NFD,
    ".hidden.jpg",
    "-rf.jpg",
    "--out.jpg",
    "x" * 251 + ".jpg",
    "한" * 83 + "..jpg",
    "👩‍🚀 in space.jpg",
    'it\'s "quoted" `$(x)`.jpg',
    "a\\b.jpg",
    "100%.jpg",
    "a?b#c&d=e.jpg",
    "=cmd()|x.jpg",
    "CON.jpg",
    "dots...jpg",
    "~.jpg",
    "\u202egpj.exe.jpg",
    "json.jpg",
    "manifest.json.jpg",
)
"""Names of files, none of which is a reason to change it."""


def test_what_was_uploaded_comes_back_as_it_was(world: ExportWorld) -> None:
    """Byte for byte and under its name, with the documents value for value."""
    for name in ODD:
        world.write(f"images/{name}", f"picture {name}")
    uploaded = world.upload()
    assert uploaded.uploaded == len(ODD)
    units = world.units()
    world.backend.tasks.create(world.project, [unit.id for unit in units.values()])
    documents = {}
    for number, task in enumerate(world.backend.tasks.list(_all(world))):
        document: dict[str, Any] = {
            **BOX,
            "n": [number, 0.1 + number, -0.0, 10**30, None, True],
            "t": f"{NFD} \x00\u2028 👩‍🚀",
        }
        world.backend.tasks.set_data(task.id, document, task.version)
        documents[world.backend.data_units.get(task.unit_id).files["images"].name] = document

    result = world.export()

    found = files_in(result.output_path)
    originals = {path.removeprefix("origin_files/"): each for path, each in found.items() if path.startswith("origin_")}
    assert originals == {name: f"picture {name}".encode() for name in ODD}
    assert len([path for path in found if path.startswith("json/")]) == len(ODD)
    for name, document in documents.items():
        path = f"json/{fit(Path(name).stem, '.json')}"
        assert json.loads(found[path]) == document
        assert list(json.loads(found[path])) == list(document)
    renamed = {each["given"] for each in _renames(found)}
    assert renamed == {f"json/{fit(Path(name).stem, '.json')}" for name in ODD if len(name.encode()) > 254}


def _all(world: ExportWorld) -> Any:  # noqa: ANN401  # a filter
    from synapse_sdk.backend import TaskFilter  # noqa: PLC0415  # one use

    return TaskFilter(project=world.project)


def _renames(found: Mapping[str, bytes]) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = json.loads(found.get("filename_collisions.json", b'{"files":[]}'))["files"]
    return listed


def test_equal_names_give_two_files_and_are_listed(world: ExportWorld) -> None:
    """X3: also where only case, Unicode form or folder differ."""
    tasks = [
        world.add(name, content, key=f"{number}", data={"n": number})
        for number, (name, content) in enumerate(
            [
                ("a/cat.jpg", b"0"),
                ("b/cat.jpg", b"1"),
                ("CAT.JPG", b"2"),
                ("cat.png", b"3"),
                (NFC, b"4"),
                (NFD, b"5"),
                ("cat__2.jpg", b"6"),
                ("straße.jpg", b"7"),
                ("STRASSE.jpg", b"8"),
            ]
        )
    ]

    first, second = world.export(), world.export()

    found = files_in(first.output_path)
    originals = {path.removeprefix("origin_files/"): each for path, each in found.items() if path.startswith("origin_")}
    stem = NFD.removesuffix(".jpg")
    expected = {
        "cat.jpg": b"0",
        f"cat__{tasks[1]}.jpg": b"1",
        f"CAT__{tasks[2]}.JPG": b"2",
        f"cat__{tasks[3]}.png": b"3",
        NFC: b"4",
        f"{stem}__{tasks[5]}.jpg": b"5",
        f"cat__2__{tasks[6]}.jpg" if tasks[1] == 2 else "cat__2.jpg": b"6",
        "straße.jpg": b"7",
        f"STRASSE__{tasks[8]}.jpg": b"8",
    }
    assert originals == expected
    for name, content in expected.items():
        assert json.loads(found[f"json/{Path(name).stem}.json"]) == {"n": int(content)}
    assert len({folded(path) for path in found}) == len(found)
    renames = {each["given"]: each["wanted"] for each in _renames(found)}
    assert renames[f"origin_files/cat__{tasks[1]}.jpg"] == "origin_files/cat.jpg"
    assert {path for path in found if "__" in path} == renames.keys()
    assert first.renamed_count == len(renames)
    again = files_in(second.output_path)
    assert {path: again[path] for path in again if path != "manifest.json"} == {
        path: found[path] for path in found if path != "manifest.json"
    }


def test_the_same_name_many_times_is_no_end(world: ExportWorld) -> None:
    """Also for names as long as can be, whose extension leaves no room for anything else."""
    ledger = Ledger(world.folder / "ledger.db")
    namer = Namer(ledger)
    for wanted in ("x." + "y" * 253, "x" * 255, "." + "한" * 84, "x" * 250 + ".json", "x." + "y" * 4_000):
        names = [namer.name(number, 7, wanted) for number in range(40)]
        for kind in (0, 1):
            given = [folded(str(name[kind])) for name in names]
            assert len(set(given)) == 40
            assert max(len(name.encode()) for name in given) <= 255
    beside = [namer.beside(number, 7, "labels", "x." + "y" * 253) for number in range(40)]
    assert len(set(beside)) == 40
    ledger.close()


def test_a_unit_with_several_files_gives_all_of_them(world: ExportWorld) -> None:
    """The primary one beside those of other items, the others in a folder for each specification."""
    first = world.add("a/cat.jpg", b"A", key="a", labels=("a/cat.txt", b"box a"))
    second = world.add("b/cat.jpg", b"B", key="b", labels=("b/cat.txt", b"box b"))

    result = world.export()

    found = files_in(result.output_path)
    assert found.keys() >= {"other_files/labels/cat.txt", f"other_files/labels/cat__{second}.txt"}
    assert found["other_files/labels/cat.txt"] == b"box a"
    assert found[f"other_files/labels/cat__{second}.txt"] == b"box b"
    assert first < second
    assert result.original_bytes == 12


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("..", "unnamed"),
        (".", "unnamed"),
        ("/", "unnamed"),
        ("a/../../b.jpg", "b.jpg"),
        ("/etc/passwd", "passwd"),
        ("../../../escaped.jpg", "escaped.jpg"),
        ("a\x00b\x1b[31m\n.jpg", "a_b_[31m_.jpg"),
        ("\x85.jpg", "_.jpg"),
        ("caf\udce9.jpg", "caf\ufffd.jpg"),
        ("half \ud83d.jpg", "half \ufffd.jpg"),
        (".synapse-incoming", "_.synapse-incoming"),
        (".synapse-export", "_.synapse-export"),
        ("x" * 300 + ".jpg", None),
    ],
)
def test_a_hook_cannot_lead_a_file_out_of_the_export(world: ExportWorld, wanted: str, given: str | None) -> None:
    """X2: what it calls a file is made safe, and that is listed."""
    world.add("good.jpg", b"good")
    world.add("bad.jpg", b"bad")

    class Exporter(BaseExporter):
        def get_original_file_name(self, files: Mapping[str, ItemFile]) -> str:
            name = files["images"]["file_name_original"]
            return wanted if name == "bad.jpg" else name

    result = world.export(exporting(Exporter))

    found = files_in(result.output_path)
    assert result.exported_count == 2
    assert {path.count("/") for path in found} == {0, 1}
    names = {path.removeprefix("origin_files/") for path in found if path.startswith("origin_files/")} - {"good.jpg"}
    assert given is None or names == {given}
    assert [name for name in names if len(name.encode()) > 255] == []
    is_listed = any(each["given"] in {f"origin_files/{name}" for name in names} for each in _renames(found))
    assert is_listed == (wanted.rpartition("/")[2] != given)  # folders are left out of every name
    assert not [*world.folder.glob("escaped*"), *world.exports.glob("escaped*"), *world.exports.glob("passwd*")]


@pytest.mark.parametrize("name", ["..", "a/../../b", "\x00", "\n", "x" * 300, "/abs"])
def test_specifications_and_names_from_elsewhere_stay_inside(world: ExportWorld, name: str) -> None:
    """X2: a hook, as a handler, may call the files of an item anything."""
    world.add("cat.jpg", b"A", labels=("cat.txt", b"box"))

    class Exporter(BaseExporter):
        def before_convert(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            image, label = data["files"]["images"], data["files"]["labels"]
            return {**data, "files": {"images": image, name: {**label, "file_name_original": name}}}

    result = world.export(exporting(Exporter))

    (other,) = [path for path in files_in(result.output_path) if path.startswith("other_files/")]
    assert other.count("/") == 2
    assert result.exported_count == 1


def test_specifications_that_differ_by_case_share_no_names(world: ExportWorld) -> None:
    """X3: where a file system takes both folders for one, no file replaces another."""
    world.add("cat.jpg", b"A", labels=("x.txt", b"box"))

    class Exporter(BaseExporter):
        def before_convert(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            image, label = data["files"]["images"], data["files"]["labels"]
            return {**data, "files": {"images": image, "labels": label, "LABELS": label}}

    result = world.export(exporting(Exporter))

    found = [path for path in files_in(result.output_path) if path.startswith("other_files/")]
    assert len({folded(path) for path in found}) == 2


def test_an_item_without_files_is_named_by_its_id(world: ExportWorld) -> None:
    """As the guide has it."""
    task = world.add("cat.jpg")

    class Exporter(BaseExporter):
        def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            return {**data, "files": {}}

    result = world.export(exporting(Exporter))

    assert files_in(result.output_path).keys() == {f"json/{task}.json", "manifest.json"}
