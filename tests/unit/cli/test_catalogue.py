"""`synapse collections`, `projects` and `storages`: making, finding and removing what a backend keeps."""

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from synapse_sdk.backend import NewUnit, default_backend, open_backend
from synapse_sdk.cli.main import main

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Synapse

SPECS = ("--spec", "images:image,.jpg,.PNG,primary", "--spec", "labels:data,.json,optional", "--spec", "notes")


def upload(*keys: str) -> None:
    """Bring units with one file each into the collection `birds`."""
    with open_backend() as backend:
        collection, storage = backend.collections.get("birds").id, backend.storages.ensure("memory:").id
        files = backend.ingestion.reserve("run", collection, storage, [(key, 1000, key) for key in keys])
        units = [
            NewUnit(key=key, files={"images": (each.file.id, f"{key}.jpg")})
            for key, each in zip(keys, files, strict=True)
        ]
        backend.ingestion.register("run", collection, units, stored=[each.file.id for each in files])
        backend.ingestion.publish("run")


def test_a_collection_is_made_as_it_is_written(synapse: "Synapse") -> None:
    """Required unless it says optional, of data unless it says another type."""
    made = synapse("collections", "create", "birds", "--description", "of Korea", *SPECS)
    assert (made.code, made.out) == (0, "  synapse collections show birds\n")

    shown = synapse("collections", "show", "birds", "--json").json

    assert shown["description"] == "of Korea"
    assert [each["spec"] for each in shown["specifications"]] == [
        "images:image,.jpg,.png,primary",
        "labels:data,.json,optional",
        "notes:data",
    ]
    assert shown["specifications"][0] == {
        "name": "images",
        "type": "image",
        "required": True,
        "primary": True,
        "extensions": [".jpg", ".png"],
        "spec": "images:image,.jpg,.png,primary",
    }
    assert "of Korea" in synapse("collections", "show", "birds").out


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("images:imag,.jpg", "Did you mean 'image'?"),
        ("images:image,jpg", "an extension needs its dot: .jpg"),
        (":image", "has no name"),
    ],
)
def test_a_mistyped_specification_costs_one_look(spec: str, hint: str, synapse: "Synapse") -> None:
    """Nothing is made."""
    outcome = synapse("collections", "create", "birds", "--spec", spec)

    assert outcome.code == 2
    assert hint in outcome.err
    assert not default_backend().exists()


def test_specifications_may_stand_in_a_document(synapse: "Synapse", home: Path) -> None:
    """As a list, or under a name; what is wrong in it is named."""
    document = home / "specs.yaml"
    document.write_text(
        "specifications:\n- {name: images, type: image, primary: true, extensions: [.JPG]}\n- {name: x}\n"
    )
    made = synapse("collections", "create", "birds", "--specs", str(document), "--json").json
    assert [each["spec"] for each in made["specifications"]] == ["images:image,.jpg,primary", "x:data"]

    for wrong, hint in (
        ("[{nam: images}]", "it has no name"),
        ("[{name: images, typ: image}]", "Did you mean 'type'?"),
        ("[{name: images, type: imag}]", "Did you mean 'image'?"),
        ("[{name: images, required: 1}]", "true or false"),
        ("[{name: images, extensions: .jpg}]", "list of texts"),
        ("{}", "no list of specifications"),
    ):
        document.write_text(wrong)
        outcome = synapse("collections", "create", "cats", "--specs", str(document))
        assert (outcome.code, hint in outcome.err) == (78, True), outcome.err


def test_a_collection_can_be_guessed_from_a_folder(synapse: "Synapse", home: Path) -> None:
    """Sub-folders are specifications; one that every unit has a file of is required."""
    for name in ("images/a/1.jpg", "images/a/2.PNG", "images/3.jpg", "labels/a/1.json", "labels/a/2.json"):
        (home / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "photos" / name).touch()
    (home / "photos" / "images" / ".DS_Store").touch()
    command = "--spec images:image,.jpg,.png,primary --spec labels:data,.json,optional"

    said = synapse("collections", "describe", "photos")
    made = synapse("collections", "describe", "photos", "--create", "birds", "--json")

    assert said.out == f"synapse collections create photos {command}\n"
    assert "images  image      3  .jpg (2), .png (1)" in said.err
    assert made.json["name"] == "birds"
    assert synapse("collections", "describe", "photos", "--json").json["command"].endswith(command)
    assert synapse("collections", "describe", "photos/labels/a").code == 78
    assert synapse("collections", "describe", "nowhere").code == 78
    far = synapse("collections", "describe", "s3://photos/birds")
    assert far.code == 78
    assert "'s3://photos/birds' is no folder of this machine" in far.err
    assert (
        synapse("collections", "describe", Path("photos").absolute().as_uri(), "--json")
        .json["command"]
        .endswith(command)
    )


def test_units_are_shown_page_by_page(synapse: "Synapse") -> None:
    """With their files and sizes."""
    synapse("collections", "create", "birds", *SPECS)
    upload("a", "b", "c")

    head = synapse("collections", "show", "birds").out
    page = synapse("collections", "show", "birds", "--units", "--limit", "2")
    rest = synapse("collections", "show", "birds", "--units", "--after", "2", "--json").json

    assert "units           3" in head
    assert "bytes           3,000" in head
    assert " 1  a     1,000  images: a.jpg" in page.out
    assert page.err == "There are more: --after 2, --all, or --limit N.\n"
    assert [each["key"] for each in rest["data_units"]] == ["c"]
    assert synapse("collections", "show", "birds", "--all", "-q").out == "a\nb\nc\n"


def test_lists_say_when_there_is_more(synapse: "Synapse") -> None:
    """Of collections as of everything else."""
    assert synapse("collections", "list").err == "There are no collections yet.\n"
    for name in ("a", "b", "c"):
        synapse("collections", "create", name)

    some = synapse("collections", "list", "-q", "--limit", "2")

    assert (some.out, some.err) == ("a\nb\n", "There are more than 2: --all, or --limit N.\n")
    assert synapse("collections", "list", "-q", "--all").out == "a\nb\nc\n"
    assert synapse("collections", "list", "--limit", "2", "--json").json["more"] is True


def test_what_is_not_there_is_answered_with_the_nearest(synapse: "Synapse") -> None:
    """With the exit code of a mistake on the command line."""
    synapse("collections", "create", "birds")

    for words in (["collections", "show", "brids"], ["projects", "create", "p", "--collection", "brids"]):
        outcome = synapse(*words)
        assert (outcome.code, "Did you mean 'birds'?" in outcome.err) == (2, True)
    assert synapse("collections", "create", "birds").code == 2


def test_nothing_is_removed_without_asking(synapse: "Synapse", monkeypatch: pytest.MonkeyPatch) -> None:
    """The name has to be typed; without a terminal it takes --yes."""
    synapse("collections", "create", "birds")
    refused = synapse("collections", "rm", "birds")
    assert (refused.code, "add --yes" in refused.err) == (2, True)

    for typed, code in (("brids", 130), ("birds", 0)):
        answer = io.StringIO(f"{typed}\n")
        monkeypatch.setattr(answer, "isatty", lambda: True)
        monkeypatch.setattr(sys, "stdin", answer)
        assert synapse("collections", "rm", "birds").code == code

    assert synapse("collections", "list", "-q").out == ""


def test_a_project_is_made_on_a_collection(synapse: "Synapse", home: Path) -> None:
    """With a configuration, which a collection in use outlives."""
    synapse("collections", "create", "birds")
    (home / "classes.yaml").write_text("classes: [cat, dog]\n")
    made = synapse("projects", "create", "boxes", "--collection", "birds", "--configuration", "classes.yaml")
    assert (made.code, made.out) == (0, "  synapse projects show boxes\n")

    shown = synapse("projects", "show", "boxes", "--json").json

    assert (shown["collection"], shown["tasks"], shown["configuration"]) == ("birds", 0, {"classes": ["cat", "dog"]})
    assert synapse("projects", "list", "-q").out == "boxes\n"
    assert "classes" in synapse("projects", "show", "1").out
    assert "a project works on it" in synapse("collections", "rm", "birds", "--yes").err
    (home / "more.yaml").write_text("schema: dm_v2\n")
    configured = synapse("projects", "configure", "boxes", "--file", "more.yaml", "--json").json
    assert configured["configuration"] == {"schema": "dm_v2"}
    assert synapse("projects", "configure", "boxs", "--file", "more.yaml").code == 2
    assert synapse("projects", "rm", "boxes", "--yes").code == 0
    (home / "classes.yaml").write_text("[cat]\n")
    wrong = synapse("projects", "create", "p", "--collection", "birds", "--configuration", "classes.yaml")
    assert (wrong.code, "is not a mapping" in wrong.err) == (78, True)


@pytest.mark.parametrize(
    ("url", "says"),
    [("gopher://x", "There is no storage 'gopher'"), ("s3://bucket?regoin=x", "has an option 'regoin'")],
)
def test_a_storage_that_cannot_be_opened_is_noted_at_once(synapse: "Synapse", url: str, says: str) -> None:
    """But known: another machine may have what it takes."""
    made = synapse("storages", "create", "far", url)

    assert (made.code, synapse("storages", "list", "--json").json["storages"][0]["url"]) == (0, url)
    assert says in made.err


def test_credentials_are_taken_and_never_shown(synapse: "Synapse", monkeypatch: pytest.MonkeyPatch) -> None:
    """From the environment, or from standard input."""
    monkeypatch.setenv("OUR_KEY", "hunter2")
    monkeypatch.setattr(sys, "stdin", io.StringIO("tiger3\n"))

    made = synapse(
        *("storages", "create", "cloud", "s3://bucket"),
        *("--credential", "access_key=env:OUR_KEY", "--credential", "secret_key", "--json"),
    )

    shown = synapse("storages", "show", "cloud"), synapse("storages", "list", "--json"), synapse("storages", "list")
    with open_backend() as backend:
        assert backend.storages.get("cloud").credentials == {"access_key": "hunter2", "secret_key": "tiger3"}
    assert made.json["credentials"] == ["access_key", "secret_key"]
    for outcome in (made, *shown):
        assert "secret_key" in outcome.out
        assert "hunter2" not in outcome.out + outcome.err
        assert "tiger3" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["s3://b", "--credential", "key=hunter2"], "a value would be seen"),
        (["s3://b", "--credential", "key=env:NO_SUCH"], "no environment variable 'NO_SUCH'"),
        (["s3://b", "--credential", "key"], "no line for 'key'"),
        (["sftp://ada:hunter2@host/x"], "it has a password"),
    ],
)
def test_secrets_on_the_command_line_are_refused(
    words: list[str], hint: str, synapse: "Synapse", monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody on the machine could read them; the refusal does not repeat them."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    outcome = synapse("storages", "create", "cloud", *words)

    assert (outcome.code, hint in outcome.err) == (2, True), outcome.err
    assert "hunter2" not in outcome.err


@pytest.mark.parametrize("url", ["linked", "./objects/", "file:{}/objects?link=reflink"])
def test_one_place_is_made_known_once(synapse: "Synapse", url: str) -> None:
    """However it is written; the storage that is there is named."""
    Path("linked").symlink_to("objects")
    synapse("storages", "create", "disk", "objects")

    outcome = synapse("storages", "create", "other", url.format(f"//{Path.cwd()}"))

    assert outcome.code != 0
    assert "already: 'disk'" in outcome.err or "of this URL: 'disk' already" in outcome.err


def test_a_folder_is_a_storage_wherever_one_stands(synapse: "Synapse", home: Path) -> None:
    """Its path becomes a URL that holds everywhere."""
    synapse("storages", "create", "disk", "objects")
    shown = synapse("storages", "show", "disk", "--json").json
    assert (shown["url"], shown["default"]) == ((home / "objects").as_uri(), True)

    assert synapse("storages", "rm", "disk", "--yes").code == 0
    assert synapse("storages", "list", "-q").out == ""


def test_a_backend_can_be_named(synapse: "Synapse", home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the command line, which the next command repeats, or in the environment."""
    made = synapse("collections", "create", "birds", "--backend", "other.db")
    assert made.out == "  synapse collections show birds --backend other.db\n"
    assert synapse("collections", "list", "-q").out == ""

    monkeypatch.setenv("SYNAPSE_BACKEND", str(home / "other.db"))
    assert synapse("collections", "list", "-q").out == "birds\n"


def test_the_doctor_looks_at_the_backend(synapse: "Synapse") -> None:
    """Without making one; and says what is wrong with one that cannot be used."""

    def finding() -> tuple[str, str]:
        checks = {each["name"]: each for each in synapse("doctor", "--json").json["checks"]}
        return checks["backend"]["health"], checks["backend"]["found"]

    assert finding()[1].endswith("which the first collection will make")
    assert not default_backend().exists()
    synapse("collections", "create", "birds")
    assert finding() == ("ok", f"{default_backend()} with 1 collection and 0 storages")
    default_backend().write_text("My novel\n" * 100)
    assert finding()[0] == "fail"


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("collections", "show", "b"), ["plain,birds"]),
        (("projects", "create", "p", "--collection", ""), ["plain,birds"]),
        (("projects", "show", ""), []),
        (("storages", "show", ""), []),
        (("tasks", "list", "--project", ""), []),
        (("datasets", "show", ""), []),
    ],
)
def test_a_shell_is_offered_the_names_there_are(
    words: tuple[str, ...],
    offered: list[str],
    synapse: "Synapse",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And a backend that is not there is not made for it."""
    monkeypatch.setenv("COMP_WORDS", " ".join(("synapse", *words)))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    with monkeypatch.context() as patch:
        patch.setenv("_SYNAPSE_COMPLETE", "bash_complete")
        assert main() == 0
    assert not default_backend().exists()
    synapse("collections", "create", "birds")
    capsys.readouterr()

    monkeypatch.setenv("_SYNAPSE_COMPLETE", "bash_complete")
    assert main() == 0

    assert capsys.readouterr().out.split() == offered


def test_json_is_one_document(synapse: "Synapse") -> None:
    """For every command that has something to say to a program."""
    for words in (
        ("collections", "create", "birds", "--json"),
        ("collections", "list", "--json"),
        ("collections", "show", "birds", "--units", "--json"),
        ("projects", "create", "boxes", "--collection", "birds", "--json"),
        ("storages", "create", "disk", "objects", "--json"),
    ):
        assert json.loads(synapse(*words).out)["schema_version"] == 1
