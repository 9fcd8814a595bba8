"""Converting datasets: what comes out, what is said about it, and what is left when it fails."""

import csv
import json
import sys
from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError, DatasetLossError, InvalidDatasetError
from synapse_sdk.formats import ConversionOptions, ConversionReport, ImageTransfer, convert, read_report
from synapse_sdk.formats.partition import read_split_ratios
from tests.unit.formats.voc_datasets import OBJECT, document
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, Content, make

NONE = ConversionOptions(images=ImageTransfer.NONE)
OVER_THE_EDGE = "2 0.95 0.5 0.2 0.4\n"
NONSENSE = "1 0.5 0.5\n"


@pytest.fixture
def birds(tmp_path: Path) -> Path:
    """Return a YOLO dataset of four images: one with two boxes, one bad line, one empty, one over the edge."""
    return make(
        tmp_path / "birds",
        {
            "dataset.yaml": YAML,
            **{f"images/{name}.jpg": SIZE for name in "abcd"},
            "labels/a.txt": ROW + ROW.replace("1", "0", 1),
            "labels/b.txt": ROW + NONSENSE,
            "labels/c.txt": "",
            "labels/d.txt": OVER_THE_EDGE,
        },
    )


def check_accounts(report: ConversionReport) -> None:
    """See that everything that was seen has come to one end."""
    for each in (report.items, report.annotations):
        assert each.seen == each.written + each.changed + each.dropped + each.failed


def test_every_annotation_is_accounted_for(birds: Path, tmp_path: Path) -> None:
    """Five were read: three come as they are, one is cut, and one makes no sense."""
    report = convert(birds, tmp_path / "voc", to="pascal")

    check_accounts(report)
    assert (report.items.seen, report.items.written) == (4, 4)
    figures = report.annotations
    assert (figures.seen, figures.written, figures.changed, figures.dropped, figures.failed) == (5, 3, 1, 0, 1)
    assert report.classes_in == {"ant": {"bounding_box": 1}, "bee": {"bounding_box": 2}, "zebra": {"bounding_box": 1}}
    assert report.classes_out == report.classes_in
    assert report.loss_count == 2


def test_the_way_out_is_that_of_what_was_lost(birds: Path, tmp_path: Path) -> None:
    """A dataset may be sound, and have nothing that the target has a place for."""
    with pytest.raises(InvalidDatasetError, match="can be written as imagefolder") as caught:
        convert(birds, tmp_path / "out", to="imagefolder")
    assert "of which class the image as a whole is" in str(caught.value.why)
    assert caught.value.fix == "Give it a class, or choose a target for what is in images"

    empty = make(tmp_path / "empty", {"dataset.yaml": YAML, "images/a.jpg": b"", "labels/a.txt": ROW})
    with pytest.raises(InvalidDatasetError) as caught:
        convert(empty, tmp_path / "out", to="coco")
    assert caught.value.fix == f"Look at the dataset: synapse dataset validate {empty}"


def test_a_target_inside_of_the_source_is_refused(birds: Path, tmp_path: Path) -> None:
    """Sources are only read; and what is written there might be read as a part of them next time."""
    link = tmp_path / "link"
    link.symlink_to(birds)

    for target in (birds / "voc", birds / "images" / "voc", link / "new" / "voc"):
        with pytest.raises(ConfigurationError, match="inside of the dataset"):
            convert([tmp_path / "nowhere", birds], target, to="pascal")

    assert sorted(each.name for each in birds.iterdir()) == ["dataset.yaml", "images", "labels"]


@pytest.mark.parametrize("source", ["imagefolder", "pascal", "yolo"])
def test_what_was_passed_over_is_seen_and_unreadable(tmp_path: Path, source: str) -> None:
    """What a reader never hands on is not taken off what is written."""
    sources: dict[str, tuple[str, dict[str, Content]]] = {
        "imagefolder": ("ant/", {"ant/a.jpg": SIZE}),
        "pascal": ("Images/", {"Images/a.jpg": SIZE, "Annotations/a.xml": document("a.jpg", OBJECT)}),
        "yolo": ("images/", {"images/a.jpg": SIZE, "labels/a.txt": ROW, "data.yaml": YAML}),
    }
    above, files = sources[source]
    root = make(tmp_path / "source", files)
    for number in range(3):
        (root / f"{above}{number}.jpg").symlink_to("nowhere")

    report = convert(root, tmp_path / "out", to="dm", source_format=source)

    check_accounts(report)
    assert (report.items.seen, report.items.written, report.items.failed) == (4, 1, 3)


def test_the_target_says_what_it_was_made_of(birds: Path, tmp_path: Path) -> None:
    """The report is in it, and the table of losses names every one."""
    report = convert(birds, tmp_path / "voc", to="pascal", options=NONE)

    assert read_report(tmp_path / "voc") == report
    rows = list(csv.DictReader((tmp_path / "voc" / "losses.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["outcome"], row["code"], row["item"]) for row in rows] == [
        ("failed", rows[0]["code"], "b.jpg"),
        ("changed", "CLIPPED", "d.jpg"),
    ]
    assert rows[0]["where"] == "labels/b.txt:2"


def test_without_losses_there_is_no_table_of_them(birds: Path, tmp_path: Path) -> None:
    """And strictness has nothing against it."""
    for name in "bd":
        (birds / "labels" / f"{name}.txt").write_text(ROW)

    report = convert(birds, tmp_path / "voc", to="pascal", options=ConversionOptions(strict=True))

    assert report.loss_count == 0
    assert not (tmp_path / "voc" / "losses.csv").exists()


def test_a_strict_conversion_with_losses_writes_nothing(birds: Path, tmp_path: Path) -> None:
    """The error counts them, by reason, and names one."""
    with pytest.raises(DatasetLossError, match=r"2 losses.*CLIPPED"):
        convert(birds, tmp_path / "voc", to="pascal", options=ConversionOptions(strict=True))

    assert {path.name for path in tmp_path.iterdir()} == {"birds"}


def test_the_same_source_gives_the_same_bytes(birds: Path, tmp_path: Path) -> None:
    """Reports included."""
    for name in ("one", "two"):
        convert(birds, tmp_path / name, to="pascal")

    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*")} for name in ("one", "two"))
    assert one == two


def test_the_source_is_never_touched(birds: Path, tmp_path: Path) -> None:
    """No file is written, moved or given another time."""
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in birds.rglob("*")}

    convert(birds, tmp_path / "voc", to="pascal", options=ConversionOptions(images=ImageTransfer.HARDLINK))

    assert {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in birds.rglob("*")} == before


def test_only_some_classes_in_an_order_of_ones_own(birds: Path, tmp_path: Path) -> None:
    """What is not wanted is no loss, and is counted apart."""
    options = ConversionOptions(classes=["zebra", "ant"], images=ImageTransfer.NONE)

    report = convert(birds, tmp_path / "out", to="yolo", options=options)

    assert (tmp_path / "out" / "classes.txt").read_text().split() == ["zebra", "ant"]
    assert report.annotations.left_out == 2
    assert set(report.classes_out) == {"ant", "zebra"}
    assert (tmp_path / "out" / "labels" / "d.txt").read_text().startswith("0 ")


def test_classes_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    """If that is asked for; else they keep that of the source."""
    yaml = "train: images\nval: images\nnames: [zebra, bee, ant]\n"
    source = make(tmp_path / "birds", {"dataset.yaml": yaml, "images/a.jpg": SIZE, "labels/a.txt": ROW})

    convert(source, tmp_path / "kept", to="yolo")
    convert(source, tmp_path / "sorted", to="yolo", options=ConversionOptions(class_order="name"))

    assert (tmp_path / "kept" / "classes.txt").read_text().split() == ["zebra", "bee", "ant"]
    assert (tmp_path / "sorted" / "classes.txt").read_text().split() == ["ant", "bee", "zebra"]


def test_a_class_that_is_not_there_is_an_error(birds: Path, tmp_path: Path) -> None:
    """It names the nearest."""
    with pytest.raises(ConfigurationError, match=r"'be'.*Did you mean 'bee'"):
        convert(birds, tmp_path / "out", to="yolo", options=ConversionOptions(classes=["be"]))


def test_new_splits_have_their_shares(birds: Path, tmp_path: Path) -> None:
    """And losses are told of the split in which an item is now, once."""
    options = ConversionOptions(ratios=read_split_ratios("train=0.5,val=0.5"), seed=1)

    report = convert(birds, tmp_path / "out", to="pascal", options=options)

    check_accounts(report)
    counts = {name: len(list((tmp_path / "out" / name / "Annotations").iterdir())) for name in ("train", "valid")}
    assert counts == {"train": 2, "valid": 2}
    assert report.annotations.changed == 1


def test_datasets_become_one(birds: Path, tmp_path: Path) -> None:
    """Classes by name; an image whose name is taken is put into a folder that is called as its dataset."""
    yaml = "train: images\nval: images\nnames: [bee, yak]\n"
    other = make(
        tmp_path / "more", {"dataset.yaml": yaml, "images/a.jpg": SIZE, "labels/a.txt": ROW + "0 0.5 0.5 1 1\n"}
    )

    report = convert([birds, other], tmp_path / "out", to="yolo")

    check_accounts(report)
    assert report.sources == ["birds", "more"]
    assert (tmp_path / "out" / "classes.txt").read_text().split() == ["ant", "bee", "zebra", "yak"]
    assert (tmp_path / "out" / "labels" / "more" / "a.txt").read_text().split("\n")[0].startswith("3 ")
    assert (tmp_path / "out" / "images" / "more" / "a.jpg").exists()
    assert [loss.code for loss in report.losses if loss.outcome == "noted"] == ["RENAMED"]


def test_nothing_to_write_is_a_failure(tmp_path: Path) -> None:
    """L12: an empty dataset is not converted successfully."""
    source = make(tmp_path / "empty", {"dataset.yaml": YAML, "labels/x.txt": ""})
    (source / "images").mkdir(exist_ok=True)

    with pytest.raises(InvalidDatasetError):
        convert(source, tmp_path / "out", to="pascal", source_format="yolo")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "to", "says"),
    [("nowhere", "yolo", "no dataset"), ("birds", "jolo", "Did you mean 'yolo'")],
)
def test_what_is_not_there_is_named(birds: Path, tmp_path: Path, name: str, to: str, says: str) -> None:
    """Before anything is written."""
    with pytest.raises(ConfigurationError, match=says):
        convert(birds.parent / name, tmp_path / "out", to=to)

    assert {path.name for path in tmp_path.iterdir()} == {"birds"}


def test_a_target_that_is_there_is_left_alone(birds: Path, tmp_path: Path) -> None:
    """Nothing is overwritten."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("mine")

    with pytest.raises(ConfigurationError, match="not empty"):
        convert(birds, tmp_path / "out", to="pascal")

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine"]


def test_progress_ends_with_all_items(birds: Path, tmp_path: Path) -> None:
    """Whether or not their number was known before."""
    told: list[tuple[int, int | None]] = []

    convert(birds, tmp_path / "out", to="pascal", on_progress=lambda done, count: told.append((done, count)))

    assert told[-1] == (4, 4)


LINES = """
import json
from pathlib import Path
from synapse_sdk.formats import Annotation, ClassSpec, DatasetFormat, DatasetInfo, Item, Reader, Tool, Writer

class LinesReader(Reader):
    @property
    def info(self):
        return DatasetInfo(classes=(ClassSpec(name="bird"),))
    def items(self):
        for line in (self.folder / "images.lines").read_text().splitlines():
            yield Item(name=line, annotations=[Annotation(id="1", label="bird")])

class LinesWriter(Writer):
    lines = ()
    def write(self, item):
        self.lines = (*self.lines, item.name)
        for each in item.annotations:
            self.written[each.label, Tool.BOX] += 1
        return True
    def finish(self):
        (self.folder / "images.lines").write_text("\\n".join(self.lines))

class LinesFormat(DatasetFormat):
    name, title = "lines", "Lines"
    def find(self, folder):
        return "images.lines" if (folder / "images.lines").exists() else None
    def reader(self, folder, options, losses):
        return LinesReader(folder, options, losses)
    def writer(self, folder, info, options, losses):
        return LinesWriter(folder, info, options, losses)
"""


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Install a package that offers a format, and return the name of the format."""
    folder = tmp_path / "site"
    info = folder / "third_party-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "lines_format.py").write_text(LINES)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[synapse.formats]\nlines = lines_format:LinesFormat\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "lines_format", raising=False)
    return "lines"


def test_a_format_of_a_package_is_one_class_and_an_entry_point(birds: Path, tmp_path: Path, lines: str) -> None:
    """It is written, found and read like any other."""
    report = convert(birds, tmp_path / "out", to=lines)

    assert (tmp_path / "out" / "images.lines").read_text() == "a.jpg\nb.jpg\nc.jpg\nd.jpg"
    assert report.target_format == "lines"
    again = convert(tmp_path / "out", tmp_path / "again", to=lines)
    assert (again.source_format, again.items.written) == ("lines", 4)


def test_the_report_is_json_that_programs_read(birds: Path, tmp_path: Path) -> None:
    """With the options that were chosen, and no others."""
    convert(birds, tmp_path / "out", to="pascal", options=ConversionOptions(images=ImageTransfer.NONE, seed=3))

    said = json.loads((tmp_path / "out" / "conversion.json").read_bytes())
    assert said["options"] == {"images": "none", "seed": 3}
    assert said["sources"] == ["birds"]
