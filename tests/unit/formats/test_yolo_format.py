import os
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError, InvalidDatasetError
from synapse_sdk.formats.conversion import ConversionOptions, convert
from synapse_sdk.formats.losses import Outcome
from synapse_sdk.formats.model import DatasetInfo
from synapse_sdk.formats.registry import format_named
from synapse_sdk.formats.yolo import YoloFormat
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, Content, info_of, make, read, write

FLAT: dict[str, Content] = {"images/a.jpg": SIZE, "labels/a.txt": ROW}


@pytest.mark.parametrize(
    ("files", "sign"),
    [
        ({**FLAT, "data.yaml": YAML}, "data.yaml"),
        ({"x.yml": "nc: 1\n'names': [a]\ntrain: /data\n"}, "x.yml"),
        ({"x.yaml": "{names: [a], train: images}"}, "x.yaml"),
        ({**FLAT, "classes.txt": "a\n"}, "labels"),
        ({f"train/{name}": content for name, content in FLAT.items()}, "train/labels"),
        ({f"imgs/{name}".replace("imgs/images", "imgs"): content for name, content in FLAT.items()} | FLAT, "labels"),
        ({f"pose/{name}": content for name, content in FLAT.items()}, "pose/labels"),
        (
            {f"{tree}/{name}": content for name, content in FLAT.items() for tree in ("pose", "obb")},
            "folders named like tasks",
        ),
    ],
)
def test_a_dataset_is_recognised(tmp_path: Path, files: dict[str, Content], sign: str) -> None:
    """By its YAML file, else by labels beside images."""
    assert YoloFormat().find(make(tmp_path, files)) == sign


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"json/a.json": "{}", "original_files/a.jpg": ""},
        {"annotations.json": "{}", "images/a.jpg": ""},
        {"Annotations/a.xml": "", "Images/a.jpg": "", "classes.txt": "a\n"},
        {"train/cat/a.jpg": "", "classes.txt": "cat\n"},
        {"config.yaml": "name: x\ntrain:\n  epochs: 3\n"},
        {"config.yaml": "names: [a]\n"},
        {"labels/a.txt": ROW},
    ],
)
def test_other_datasets_are_not_taken_for_it(tmp_path: Path, files: dict[str, Content]) -> None:
    """Nor is a file that is no YAML file of a dataset."""
    folder = make(tmp_path, files)

    assert YoloFormat().find(folder) is None
    assert all(YoloFormat().find(path) is None for path in folder.iterdir())


def test_the_yaml_file_may_be_named_instead_of_the_folder(tmp_path: Path) -> None:
    """As trainers want it."""
    make(tmp_path, {**FLAT, "data.yaml": YAML})

    assert YoloFormat().find(tmp_path / "data.yaml") == "data.yaml"
    assert read(tmp_path / "data.yaml").names == [("", "a.jpg")]


def test_a_folder_may_be_named_relative_to_where_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths of images are absolute then; places in reports are relative to the dataset."""
    make(tmp_path, {"set/images/a.jpg": SIZE, "set/labels/a.txt": f"{ROW}9 1 1 1 1\n", "set/data.yaml": YAML})
    monkeypatch.chdir(tmp_path)

    result = read(Path("set"))

    assert result.items[0].path == str(tmp_path / "set/images/a.jpg")
    assert result.words("UNKNOWN_CLASS")[0].startswith("labels/a.txt:2 ")


def test_what_is_not_there_or_no_dataset_is_refused(tmp_path: Path) -> None:
    """The error names it."""
    make(tmp_path, {"notes.txt": "Hello"})

    for name in ("gone", "notes.txt"):
        with pytest.raises(InvalidDatasetError, match=name):
            read(tmp_path / name)


def test_the_registry_knows_it() -> None:
    """Under its name."""
    assert isinstance(format_named("yolo"), YoloFormat)


def test_a_task_that_there_is_not_cannot_be_written(tmp_path: Path) -> None:
    """The error names the nearest."""
    with pytest.raises(ConfigurationError, match="Did you mean 'detect'"):
        write(tmp_path, [], task="detec")


def test_a_link_to_a_folder_of_images_is_followed(tmp_path: Path) -> None:
    """People keep images elsewhere; the report says where they are. Folders in a circle end nobody's patience."""
    make(tmp_path, {"elsewhere/a.jpg": SIZE, "set/labels/a.txt": ROW, "set/data.yaml": YAML})
    (tmp_path / "set/images").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/loop").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "set/labels/loop").symlink_to(tmp_path / "set")

    result = read(tmp_path / "set")

    assert result.names == [("", "a.jpg")]
    assert result.only().label == "bee"
    assert result.codes == {("noted", "ELSEWHERE"): 2, ("failed", "SYMLINK"): 1}
    assert result.words("SYMLINK") == ["images/loop it leads to a folder"]


def test_images_that_are_links_to_nothing_are_counted_once(tmp_path: Path) -> None:
    """By their labels if there are any, which nobody can read without the size of the image."""
    make(tmp_path, {"images/a.jpg": SIZE, "images/own.txt": ROW, "labels/a.txt": ROW, "labels/b.txt": ROW * 2})
    for name in ("b.jpg", "c.jpg", "own.jpg"):
        (tmp_path / "images" / name).symlink_to("nowhere.jpg")
    (tmp_path / "data.yaml").write_text(YAML)

    result = read(tmp_path)

    assert result.codes == {("failed", "SYMLINK"): 2, ("noted", "SYMLINK"): 1, ("failed", "MISSING_IMAGE"): 1}
    assert result.losses.items[Outcome.FAILED] == 3
    words = "it cannot be followed: No such file or directory"
    assert result.words("SYMLINK") == [f"images/{name}.jpg {words}" for name in ("b", "c", "own")]


def test_labels_beside_images_are_no_images(tmp_path: Path) -> None:
    """What is wrong with them is said of their items, and once."""
    make(tmp_path, {"data/a.jpg": SIZE, "data.yaml": YAML.replace("images", "data")})
    (tmp_path / "data/a.txt").symlink_to("nowhere.txt")

    assert read(tmp_path).codes == {("failed", "UNREADABLE_LABELS"): 1}


def test_folders_may_be_as_deep_as_the_file_system_has_them(tmp_path: Path) -> None:
    """No recursion comes to its limit."""
    deep = "/".join(["d"] * 400)
    make(tmp_path, {"data.yaml": YAML, f"images/{deep}/a.jpg": SIZE, f"labels/{deep}/a.txt": ROW})
    code = (
        "import sys; from pathlib import Path; from tests.unit.formats.yolo_datasets import read\n"
        "sys.setrecursionlimit(300); print(len(read(Path(sys.argv[1])).only().label))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )

    assert (done.stdout, done.stderr) == ("3\n", "")


@pytest.mark.parametrize("name", ["data.yaml", "classes.txt", "train.txt"])
def test_a_pipe_is_no_file(tmp_path: Path, name: str) -> None:
    """Nobody waits for what may never come."""
    make(tmp_path, {**FLAT, "data.yaml": YAML, "classes.txt": "a\nb\n"})
    if name == "train.txt":
        make(tmp_path, {"data.yaml": "train: train.txt\nnames: [a]\n"})
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)

    if name == "train.txt":
        with pytest.raises(InvalidDatasetError, match=r"train\.txt"):
            read(tmp_path)
    else:
        assert read(tmp_path).only().label in {"b", "bee"}


@pytest.mark.parametrize(
    "text",
    [
        "names: &a [x]\ntrain: " + "[" * 100 + "]" * 100,
        "names: !!python/object/apply:os.system ['true']\ntrain: images\n",
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a]\nnames: [*b,*b]\ntrain: images\n" + "#" * 2_000_000,
        "names: [a]\ntrain: images\nnames: [b]\n",
    ],
)
def test_a_hostile_yaml_file_is_refused(tmp_path: Path, text: str) -> None:
    """Too deep, too large, with objects of Python, or saying one thing twice."""
    make(tmp_path, {**FLAT, "data.yaml": text})

    with pytest.raises(InvalidDatasetError, match=r"data\.yaml"):
        read(tmp_path)


def test_classification_is_that_of_folders(tmp_path: Path) -> None:
    """Trainers read classes from folders; so does the format for that, which is asked."""
    pytest.importorskip("synapse_sdk.formats.imagefolder")
    make(tmp_path, {"train/cat/a.jpg": SIZE, "train/dog/b.jpg": SIZE, "valid/cat/c.jpg": SIZE})

    for options in ({}, {"task": "classify"}):
        result = read(tmp_path, **options)
        assert [(item.split, item.annotations[0].label) for item in result.items] == [
            ("train", "cat"),
            ("train", "dog"),
            ("valid", "cat"),
        ]
    written = write(tmp_path / "out", result.items, result.info, task="classify", images="copy")
    assert "train/cat/a.jpg" in written.files


def test_classes_for_classification_are_one_folder_deep(tmp_path: Path) -> None:
    """Trainers would make one class of all that are in one folder; it is said that classes have other names now."""
    make(
        tmp_path / "in", dict.fromkeys(("animals/cat/a.jpg", "animals/dog/a.jpg", "animals_dog/b.jpg", "c/d.jpg"), SIZE)
    )

    report = convert(tmp_path / "in", tmp_path / "out", to="yolo", options=ConversionOptions(task="classify"))

    names = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.jpg"))
    assert names == ["animals_cat/a.jpg", "animals_dog/b.jpg", "animals_dog_2/a.jpg", "c/d.jpg"]
    assert (tmp_path / "out/classes.txt").read_text() == "animals_cat\nanimals_dog_2\nanimals_dog\nc\n"
    assert (report.annotations.written, report.annotations.changed) == (2, 2)
    assert {each.code: each.count for each in report.losses} == {"CLASS_RENAMED": 2}


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    """Commands that list formats are quick."""
    code = (
        "import sys; from pathlib import Path; from synapse_sdk.formats.yolo import YoloFormat\n"
        "YoloFormat().find(Path('.')); print({'PIL', 'numpy', 'pycocotools', 'yaml'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_an_empty_dataset_can_be_written_and_read(tmp_path: Path) -> None:
    """It says which classes and splits there are."""
    written = write(tmp_path, [], info_of(splits=("train", "valid")), images="copy")

    assert written.files == ["classes.txt", "dataset.yaml"]
    assert read(tmp_path).info == DatasetInfo(classes=info_of().classes, splits=("train", "valid"), count=0)


def test_a_conversion_accounts_for_everything(tmp_path: Path) -> None:
    """Seen is written, changed, dropped and failed, for items and annotations, whatever is wrong with a dataset."""
    rows = f"{ROW}1 0.95 0.5 0.2 0.4\n9 1 1 1 1\n1 0.5 0.5 0 0.4\n1 0.5 0.5 nan 0.4\n{ROW}"
    make(
        tmp_path / "in",
        {**FLAT, "labels/a.txt": rows, "images/b.png": SIZE, "images/b.jpg": SIZE, "images/c.jpg": b"x"},
    )
    make(
        tmp_path / "in", {"labels/c.txt": ROW * 2, "labels/gone.txt": ROW * 3, "images/d.jpg": SIZE, "data.yaml": YAML}
    )

    report = convert(tmp_path / "in", tmp_path / "out", to="yolo", source_format="yolo")

    account = report.items
    assert (account.seen, account.written, account.changed, account.dropped, account.failed) == (6, 3, 1, 0, 2)
    account = report.annotations
    assert (account.seen, account.written, account.changed, account.dropped, account.failed) == (11, 2, 1, 1, 7)
    assert report.classes_out == {"bee": {"bounding_box": 3}}
    assert (tmp_path / "out/losses.csv").read_text().count("\n") == 10
    assert read(tmp_path / "out").losses.count == 0
