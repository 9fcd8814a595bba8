"""`synapse upload`: what it says, how it ends, and that the same command goes on with what was interrupted."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

UPLOAD = ("upload", "photos", "--collection", "animals", "--storage", "./store")


@pytest.fixture
def photos(home: Path, synapse: "Synapse") -> Path:
    """Three photos with labels and a metadata sheet, and a collection `animals` that was made for them."""
    for number in range(3):
        write(home / "photos" / "images" / f"cat{number}.jpg", f"picture {number}")
        write(home / "photos" / "labels" / f"cat{number}.json", f'{{"number": {number}}}')
    write(home / "photos" / "meta.csv", "file_name,weather\ncat0.jpg,rain\ncat1.jpg,sun\ndog.jpg,fog\n")
    assert synapse("collections", "describe", "photos", "--create", "animals").code == 0
    return home / "photos"


def write(path: Path, text: str) -> None:
    """Write a file, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def objects(home: Path) -> list[Path]:
    """Return the files in the storage."""
    return [path for path in (home / "store").rglob("*") if path.is_file()]


def units(synapse: "Synapse") -> list[str]:
    """Return the keys of the units of `animals`."""
    shown = synapse("collections", "show", "animals", "--units", "--json").json
    return sorted(str(unit["key"]) for unit in shown["data_units"])


def die(at: str, *args: str) -> None:
    """Run a command in a process of its own that dies at a failpoint."""
    environ = {**os.environ, "SYNAPSE_FAILPOINTS": f"{at}=kill@1"}
    command = [sys.executable, "-P", "-m", "synapse_sdk.cli", *args]
    ended = subprocess.run(command, env=environ, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 137, ended.stderr


def last_run(synapse: "Synapse") -> dict[str, Any]:
    """Return what the list says of the last run."""
    run: dict[str, Any] = synapse("runs", "list", "--json", "--limit", "1").json["runs"][0]
    return run


# What it says


@pytest.mark.usefixtures("photos")
def test_an_upload_is_told_in_a_few_lines(synapse: "Synapse", home: Path) -> None:
    """What was sent and where to, what the sheet said, where the report is, and how to look at the units."""
    outcome = synapse(*UPLOAD)

    head, sent, filtered, metadata, report = outcome.out.splitlines()
    assert outcome.code == 0
    assert head == "3 new data units in 'animals'"
    assert sent == f"  uploaded   6 files (66 B) to storage '{(home / 'store').as_uri()}'"
    assert filtered == "  filtered   1 file that does not belong in the collection"
    assert metadata == ("  metadata   2 of 3 rows matched, 2 units updated; 1 row without a file; 1 unit without a row")
    assert Path(report.split()[1]).is_file()
    assert outcome.err.endswith("See the data units: synapse collections show animals --units\n")
    assert len(objects(home)) == 6
    assert units(synapse) == ["cat0", "cat1", "cat2"]


@pytest.mark.usefixtures("photos")
def test_the_same_files_again_are_duplicates(synapse: "Synapse", home: Path) -> None:
    """Nothing is sent, and that is said."""
    synapse(*UPLOAD)
    before = {path: path.stat().st_mtime_ns for path in objects(home)}

    again = synapse(*UPLOAD)

    assert again.code == 0
    assert "0 new data units in 'animals'" in again.out
    assert "  duplicate  6 files, 3 units: there already, and not sent again" in again.out
    assert {path: path.stat().st_mtime_ns for path in objects(home)} == before


@pytest.mark.usefixtures("photos")
def test_programs_get_events_and_one_result(synapse: "Synapse") -> None:
    """The whole result, as the last line."""
    outcome = synapse(*UPLOAD, "--json")

    kinds = [line["type"] for line in outcome.lines]
    result = outcome.lines[-1]
    assert outcome.err == ""
    assert (kinds[0], kinds[-1], kinds.count("result")) == ("run_started", "result", 1)
    assert (result["status"], result["exit_code"]) == ("succeeded", 0)
    assert (result["result"]["discovered"], result["result"]["uploaded"]) == (7, 6)
    assert result["result"]["data_units"] == {"created": 3, "duplicate": 0, "failed": 0}
    files = {line["total"] for line in outcome.lines if line["type"] == "progress" and line.get("category") == "files"}
    assert files == {6}


def test_a_failed_upload_can_be_asked_for_its_report(synapse: "Synapse", photos: Path) -> None:
    """The error speaks of the report; the run knows where it is."""
    for number in range(6):
        (photos / "images" / f"empty{number}.jpg").touch()
    failed = synapse(*UPLOAD)

    shown = synapse("runs", "show", "last")

    assert "and 1 more (see the report)" in " ".join(failed.err.split())
    (path,) = [line.split()[1] for line in shown.out.splitlines() if line.startswith("report ")]
    assert json.loads(Path(path).read_text(encoding="utf-8"))["status"] == "rolled_back"
    assert synapse("runs", "show", "last", "--json").json["report_path"] == path


def test_losses_are_named_and_have_an_exit_code(synapse: "Synapse", photos: Path) -> None:
    """Up to ten; the report has all."""
    for number in range(11):
        write(photos / "images" / f"empty{number:02}.jpg", "")

    stopped = synapse(*UPLOAD)
    outcome = synapse(*UPLOAD, "--on-error", "continue")

    assert stopped.code == 1
    assert "images/empty00.jpg: it has no bytes" in stopped.err
    assert "--on-error continue" in stopped.err
    assert outcome.code == 3
    assert "  failed     11 files:\n    images/empty00.jpg: it has no bytes\n" in outcome.out
    assert "    and 1 more, which the report has\n  report " in outcome.out
    assert units(synapse) == ["cat0", "cat1", "cat2"]


@pytest.mark.usefixtures("photos")
def test_a_dry_run_tells_everything_and_changes_nothing(synapse: "Synapse", home: Path) -> None:
    """Units, bytes, duplicates, and what would be refused; for people and for programs."""
    write(home / "photos" / "images" / "empty.jpg", "")
    write(home / "photos" / "images" / "notes.txt", "x")

    outcome = synapse(*UPLOAD, "--dry-run")
    document = synapse(*UPLOAD, "--dry-run", "--json").json

    assert outcome.code == 0
    assert "animals: 3 data units into storage file://" in outcome.out
    assert "sent (66 B)               6" in outcome.out
    assert "Refused:\n  images/empty.jpg: it has no bytes" in outcome.out
    assert "images/notes.txt: 'images' takes .jpg" in outcome.out
    assert "Metadata comes from meta.csv." in outcome.out
    assert outcome.err.startswith("Nothing was uploaded.\nThe upload would fail because of what is refused;")
    assert (document["new"], document["failed"], document["filtered"], document["discovered"]) == (6, 1, 2, 9)
    assert not (home / "store").exists()
    assert synapse("runs", "list", "--json").json["runs"] == []


# Where the files are


@pytest.mark.usefixtures("photos")
def test_an_archive_brings_its_sheet_along(synapse: "Synapse", home: Path) -> None:
    """Its folders are no files."""
    with ZipFile(home / "photos.zip", "w") as archive:
        archive.mkdir("images")
        for path in (home / "photos").rglob("*.*"):
            archive.write(path, path.relative_to(home / "photos"))

    outcome = synapse("upload", "photos.zip", *UPLOAD[2:], "--json")

    result = outcome.lines[-1]["result"]
    assert (result["discovered"], result["uploaded"], result["filtered"]) == (7, 6, 1)
    assert result["metadata"]["matched"] == 2


def test_each_specification_may_have_its_place(synapse: "Synapse", photos: Path, home: Path) -> None:
    """Named with --asset."""
    (photos / "labels").rename(home / "elsewhere")

    outcome = synapse(
        "upload",
        *UPLOAD[2:],
        "--asset",
        "images=photos/images",
        "--asset",
        "labels=elsewhere",
        "--meta",
        "photos/meta.csv",
    )

    assert outcome.code == 0, outcome.err
    assert "6 files" in outcome.out


def test_files_can_be_chosen(synapse: "Synapse", photos: Path) -> None:
    """By pattern, by size, and by not looking deeper."""
    write(photos / "images" / "deep" / "cat9.jpg", "picture 9")
    write(photos / "labels" / "deep" / "cat9.json", "{}")
    write(photos / "images" / "cat2.jpg", "p" * 2_000_000)
    options = ("--exclude", "cat0.*", "--no-recursive", "--max-size", "1", "--on-error", "continue")

    outcome = synapse(*UPLOAD, *options, "--json")

    assert outcome.code == 3
    assert units(synapse) == ["cat1"]
    assert {each["code"] for each in outcome.lines[-1]["result"]["failures"]} == {
        "FILE_TOO_LARGE",
        "MISSING_REQUIRED_DATA",
    }
    assert synapse(*UPLOAD, "--include", "*cat2*").code == 0
    assert units(synapse) == ["cat1", "cat2"]


@pytest.mark.usefixtures("photos")
def test_a_path_to_a_storage_means_the_same_everywhere(
    synapse: "Synapse", home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is known by its whole path, once."""
    synapse(*UPLOAD)
    monkeypatch.chdir(home / "photos")

    again = synapse("upload", ".", "--collection", "animals", "--storage", "../photos/../store")
    listed = synapse("storages", "list", "--json").json["storages"]

    assert "duplicate  6 files" in again.out
    assert [each["url"] for each in listed] == [(home / "store").as_uri()]


# What is wrong


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("photos", "--collection", "birds"), 2, "synapse collections describe photos --create birds"),
        (("photos", "--collection", "animal"), 2, "Did you mean 'animals'?"),
        (("photos", "--collection", "animals", "--project", "x"), 2, "There is no project 'x'"),
        (("photos", "--collection", "animals", "--storage", "disk"), 2, "There is no storage 'disk'"),
        (("photos", "--collection", "animals", "--storage", "s4://x/y"), 78, "There is no storage 's4'"),
        (("nowhere", "--collection", "animals"), 78, "There is no 'nowhere'"),
        (("--collection", "animals", "--asset", "images=nowhere"), 78, "There is no 'nowhere'"),
        (("--collection", "animals", "--asset", "images"), 2, "'images' is not of the form SPEC=PATH"),
        (("--collection", "animals"), 2, "Give either PATH, or --asset"),
        (("photos", "--collection", "animals", "--asset", "images=photos/images"), 2, "Give either PATH, or --asset"),
        (("", "--collection", "", "--max-size", "0"), 2, "3 problems with the parameters of action 'upload'"),
    ],
)
def test_what_is_named_wrongly_is_refused_before_a_run_begins(
    args: tuple[str, ...], code: int, says: str, synapse: "Synapse"
) -> None:
    """With the way out, and nothing to undo."""
    outcome = synapse("upload", *args)
    dry = synapse("upload", *args, "--dry-run")

    assert (outcome.code, outcome.out) == (code, "")
    assert says in outcome.err
    assert dry.err == outcome.err
    assert synapse("runs", "list", "--json").json["runs"] == []


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("empty",), "There are no files in 'empty'"),
        (("pics",), "Put the files of each specification into a folder of its name: images/, labels/"),
        (("--asset", "images=photos", "--asset", "labels=photos/labels"), "claim the same files"),
        (("--asset", "pictures=photos/images"), "Name assets after one of: images, labels"),
        (("photos", "--meta", "sheet.csv"), "Name the first column 'filename' or 'file_name'"),
        (("photos", "--meta", "sheet.xlsx"), "Cannot read 'sheet.xlsx'"),
        (("photos/images/cat0.jpg",), "It is no archive"),
        (("photos", "--storage", "./file/store"), "file/store"),
    ],
)
def test_what_is_wrong_with_the_files_is_told_with_the_way_out(
    args: tuple[str, ...], says: str, synapse: "Synapse", home: Path
) -> None:
    """Each in its own words; the run is undone, and leaves no storage behind."""
    (home / "empty").mkdir()
    write(home / "pics" / "a" / "cat.jpg", "picture")
    write(home / "sheet.csv", "a,b\n1,2\n")
    write(home / "sheet.xlsx", "\x00\x01 no sheet")
    write(home / "file", "no folder")

    storage = () if "--storage" in args else ("--storage", "./store")
    outcome = synapse("upload", *args, "--collection", "animals", *storage)

    assert (outcome.code, outcome.out) == (1, "")
    assert says in outcome.err
    assert "synapse_sdk" not in outcome.err.partition("error[")[2]  # nobody cares for the line of our code
    assert synapse("storages", "list", "--json").json["storages"] == []


# The same command again


@pytest.mark.usefixtures("photos")
def test_the_same_command_goes_on_with_an_upload_that_died(synapse: "Synapse", home: Path) -> None:
    """Even with another concurrency, and a slash behind the folder."""
    die("upload.registered", *UPLOAD)
    hidden = units(synapse)
    died = last_run(synapse)["id"]

    outcome = synapse("upload", "photos/", *UPLOAD[2:], "--concurrency", "3")

    assert hidden == []
    assert outcome.code == 0, outcome.err
    assert f"Going on with run {died}, which was interrupted." in outcome.err
    assert "3 new data units in 'animals'" in outcome.out
    assert units(synapse) == ["cat0", "cat1", "cat2"]
    assert len(objects(home)) == 6


@pytest.mark.usefixtures("photos")
def test_what_a_dead_rollback_has_left_is_undone_first(synapse: "Synapse", home: Path) -> None:
    """Then the upload begins anew; a program still gets one result."""
    die("upload.registered", *UPLOAD)
    die("rollback.step", "runs", "rollback", "last")
    died = last_run(synapse)["id"]

    outcome = synapse(*UPLOAD, "--json")

    assert outcome.code == 0, outcome.err
    assert f"First, what run {died} has left behind is undone." in outcome.err
    assert [line["type"] for line in outcome.lines].count("result") == 1
    assert outcome.lines[-1]["result"]["run"] != died
    assert units(synapse) == ["cat0", "cat1", "cat2"]
    assert len(objects(home)) == 6


@pytest.mark.parametrize(
    ("option", "args"),
    [
        ("PATH", ("~no-such-user/photos", "--collection", "animals")),
        ("--asset", ("--asset", "images=~no-such-user/photos", "--collection", "animals")),
        ("--meta", ("photos", "--meta", "~no-such-user/x.csv", "--collection", "animals")),
        ("--storage", ("photos", "--storage", "~no-such-user/store", "--collection", "animals")),
    ],
)
@pytest.mark.parametrize("how", [(), ("--dry-run",)])
def test_the_home_folder_of_nobody_is_a_mistake_of_whoever_wrote_it(
    synapse: "Synapse", option: str, args: tuple[str, ...], how: tuple[str, ...]
) -> None:
    """And no bug of ours."""
    outcome = synapse("upload", *args, *how)

    assert (outcome.code, option in outcome.err, "~no-such-user" in outcome.err) == (2, True, True), outcome.err


def test_another_upload_is_none_of_its_business(synapse: "Synapse", photos: Path, home: Path) -> None:
    """Other files: a run of its own."""
    die("upload.registered", *UPLOAD)
    died = last_run(synapse)["id"]
    for path in photos.rglob("cat*.*"):
        write(home / "more" / path.parent.name / f"new-{path.name}", path.read_text())

    outcome = synapse("upload", "more", *UPLOAD[2:])

    assert outcome.code == 0, outcome.err
    assert died not in outcome.err
    assert "3 data units of this collection cannot be seen yet" in outcome.err
    assert units(synapse) == ["new-cat0", "new-cat1", "new-cat2"]


@pytest.mark.usefixtures("photos")
def test_an_asset_is_given_once(synapse: "Synapse") -> None:
    """The second place would be taken instead of the first, and not in addition."""
    twice = ("--asset", "images=photos/images", "--asset", "images=photos/labels")

    outcome = synapse("upload", *twice, "--collection", "animals")

    assert (outcome.code, "'images' is given twice" in outcome.err) == (2, True), outcome.err


@pytest.mark.usefixtures("photos")
@pytest.mark.parametrize("written", ["./photos", "photos/.", "./photos//"])
def test_one_folder_is_the_same_upload_however_it_is_written(synapse: "Synapse", written: str) -> None:
    """Else its own units would be in its way."""
    die("upload.registered", *UPLOAD)
    died = last_run(synapse)["id"]

    outcome = synapse("upload", written, *UPLOAD[2:])

    assert outcome.code == 0, outcome.err
    assert f"Going on with run {died}" in outcome.err


@pytest.mark.usefixtures("photos")
def test_a_dry_run_knows_of_uploads_without_an_end(synapse: "Synapse") -> None:
    """Its own is gone on with; what another one brings in is refused, and how to end that is said."""
    die("upload.registered", *UPLOAD)
    died = last_run(synapse)["id"]

    own, other = synapse(*UPLOAD, "--dry-run"), synapse(*UPLOAD, "--exclude", "x", "--dry-run", "--json").json
    refused = synapse(*UPLOAD, "--exclude", "x")

    assert f"First, the upload would see to its run {died}, which has not ended." in own.err
    assert "refused                   0" in own.out
    assert (other["failed"], {each["code"] for each in other["failures"]}) == (6, {"UNIT_PENDING"})
    assert refused.code == 1
    assert "3 data units of this collection cannot be seen yet" in refused.err
    assert "synapse runs list" in refused.err


@pytest.mark.usefixtures("photos")
def test_a_dry_run_sees_that_the_storage_answers(synapse: "Synapse", home: Path) -> None:
    """As the upload does, before it takes any file."""
    write(home / "full.txt", "a file")

    dry, real = synapse(*UPLOAD, "--storage", "./full.txt", "--dry-run"), synapse(*UPLOAD, "--storage", "./full.txt")

    assert (dry.code, dry.out) == (1, "")
    assert "full.txt is no folder" in dry.err
    assert "full.txt is no folder" in real.err


def test_nothing_is_recorded_where_that_is_not_wanted(
    synapse: "Synapse", photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload works without a journal."""
    monkeypatch.setenv("SYNAPSE_JOURNAL", "none")

    outcome = synapse(*UPLOAD)

    assert outcome.code == 0, outcome.err
    assert photos.is_dir()


@pytest.mark.usefixtures("photos")
def test_a_journal_that_is_named_is_made(synapse: "Synapse", home: Path) -> None:
    """As any other command that runs something does it."""
    outcome = synapse(*UPLOAD, "--journal", "new.db")

    assert outcome.code == 0, outcome.err
    assert (home / "new.db").exists()


@pytest.mark.usefixtures("photos")
def test_commands_that_are_recommended_name_the_backend_again(synapse: "Synapse", home: Path) -> None:
    """They can be copied as they are."""
    backend = ("--backend", "mine.db")
    synapse("collections", "describe", "photos", "--create", "mine", *backend)

    outcome = synapse("upload", "photos", "--collection", "mine", *backend)

    assert outcome.code == 0, outcome.err
    assert "synapse collections show mine --units --backend mine.db" in outcome.err
    assert (home / "mine.db").is_file()


@pytest.mark.usefixtures("photos")
def test_a_run_finds_its_backend_again(synapse: "Synapse", home: Path) -> None:
    """Whoever resumes it, or rolls it back, need not know which one it was."""
    backend = ("--backend", "mine.db")
    synapse("collections", "describe", "photos", "--create", "animals", *backend)
    die("upload.registered", *UPLOAD, *backend)

    undone = synapse("runs", "rollback", "last")

    assert undone.code == 0, undone.err
    assert synapse("collections", "show", "animals", *backend, "--json").json["hidden_units"] == 0
    assert objects(home) == []
