"""Several processes write what one would, end with it, and fail as it does."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError, ConflictError, InvalidDatasetError, WorkerLostError, WorkflowError
from synapse_sdk.formats import ConversionOptions, ImageTransfer, convert
from synapse_sdk.formats.coco import reader as coco_reader
from synapse_sdk.formats.processes import sharing
from synapse_sdk.formats.processes.helpers import HelperProcess
from tests.unit.formats.yolo_datasets import ROW, SIZE, YAML, Content, make

PATIENCE = 60.0
"""Seconds after which something that should have come counts as missing."""
SCRIPTED = """
import os, signal
from synapse_sdk.errors import InvalidDatasetError
from synapse_sdk.formats import Annotation, ClassSpec, DatasetFormat, DatasetInfo, Item, Reader, Writer
from synapse_sdk.formats.losses import Outcome, Reason

ODD = Reason("ODD", "it is odd", "Leave it")

class ScriptedReader(Reader):
    asks = True
    @property
    def info(self):
        return DatasetInfo(classes=(ClassSpec(name="bird"),), count=len(self.names))
    @property
    def names(self):
        return (self.folder / "names.scripted").read_text().split()
    def is_large(self):
        return self.names[0].startswith("survey-")
    def survey(self, begin, end):
        verb = self.names[0].split("-")[1] if begin else ""
        if verb == "refuse":
            raise InvalidDatasetError("not surveyed", fix="Mend it")
        if verb == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return f"{begin:g} {end:g}".encode()
    def know(self, surveys):
        (self.folder / f"known-{os.getpid()}").write_bytes(b", ".join(surveys))
    def items(self):
        for name in self.names:
            if name == f"if-not-{os.getpid()}-":
                continue
            if self.skips(name):
                continue
            self.losses.of_item(Outcome.NOTED, ODD, item=name, words="read")
            label = name[8:] if name.startswith("another-") else "bird"
            yield Item(name=name, annotations=[Annotation(id="1", label=label)])

class ScriptedWriter(Writer):
    def is_divisible(self):
        return True
    def write(self, item):
        verb = item.name.partition("-")[0]
        if verb == "burn":
            sum(range(40_000))
        elif verb == "raise":
            raise ValueError(f"no {item.name}")
        elif verb == "refuse":
            raise InvalidDatasetError(f"not {item.name}", why="it is wrong", fix="Mend it", item=item.name)
        elif verb == "full":
            raise OSError(28, "No space left on device", item.name)
        elif verb == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif verb == "hang" and "HANG" in os.environ:
            signal.pause()
        elif verb == "print":
            print("said by the format")
        self.losses.of_item(Outcome.NOTED, ODD, item=item.name, words="written")
        (self.folder / item.name).write_text(str(os.getpid()))
        return True
    def finish(self):
        (self.folder / "names.scripted").write_text("")

class ScriptedFormat(DatasetFormat):
    name, title, divides = "scripted", "Scripted", True
    def find(self, folder):
        return "names.scripted" if (folder / "names.scripted").exists() else None
    def reader(self, folder, options, losses):
        return ScriptedReader(folder, options, losses)
    def writer(self, folder, info, options, losses):
        return ScriptedWriter(folder, info, options, losses)
"""


def options(processes: int | None, **chosen: object) -> ConversionOptions:
    """Return options with a number of processes."""
    return ConversionOptions(processes=processes, **chosen)  # type: ignore[arg-type]  # whatever a test chooses


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Install a package with a format that does what the names of its items say; return what makes a dataset of it."""
    info = tmp_path / "site" / "third_party-1.0.dist-info"
    info.mkdir(parents=True)
    (tmp_path / "site" / "scripted_format.py").write_text(SCRIPTED)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: third-party\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[synapse.formats]\nscripted = scripted_format:ScriptedFormat\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.delitem(sys.modules, "scripted_format", raising=False)

    def dataset(*names: str) -> Path:
        folder = tmp_path / "scripted"
        folder.mkdir()
        (folder / "names.scripted").write_text("\n".join(names))
        return folder

    return dataset


def test_names_that_are_in_each_others_way_come_out_as_from_one_process(tmp_path: Path) -> None:
    """Which of two gets a name depends on their order, and not on who is faster."""
    stems = ("x", "y", "x_2", ".x", "_x", "deep/x", "images/x", "images_/x")
    files: dict[str, Content] = {f"labels/{stem}.txt": ROW for stem in stems}
    files |= {f"images/{stem}.{kind}": SIZE for stem in stems for kind in ("jpg", "png")}
    source = make(tmp_path / "birds", {"dataset.yaml": YAML, **files})

    reports = [convert(source, tmp_path / f"{n}", to="yolo", options=options(n)) for n in (1, 2, 5)]

    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "5")
    assert reports[0] == reports[1] == reports[2]
    assert reports[0].loss_count > 0


def test_new_splits_and_datasets_that_are_merged_come_out_as_from_one_process(tmp_path: Path) -> None:
    """Each process knows which item got which split, and which got another name."""
    for name in ("one", "other"):
        files: dict[str, Content] = {f"images/{n}.jpg": SIZE for n in range(40)}
        files |= {f"labels/{n}.txt": ROW for n in range(30)}
        make(tmp_path / name, {"dataset.yaml": YAML, **files})
    ratios = {"train": Fraction(3, 4), "valid": Fraction(1, 4)}
    sources = [tmp_path / "one", tmp_path / "other"]

    reports = [
        convert(sources, tmp_path / f"{n}", to="pascal", options=options(n, ratios=ratios, stratified=True))
        for n in (1, 2, 3)
    ]

    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "3")
    assert reports[0] == reports[1] == reports[2]
    assert reports[0].items.written + reports[0].items.changed == 80


def test_what_one_process_alone_can_write_is_begun_anew_by_one(tmp_path: Path) -> None:
    """A name that is no Unicode cannot be sent; what others have written until then is gone."""
    odd = os.fsdecode(b"odd\xff.jpg")
    source = make(tmp_path / "birds", {"dataset.yaml": YAML, **{f"images/{n:03}.jpg": SIZE for n in range(300)}})
    (source / "images" / odd).write_bytes((source / "images" / "000.jpg").read_bytes())

    reports = [convert(source, tmp_path / f"{n}", to="dm", options=options(n)) for n in (1, 2)]

    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    assert reports[0] == reports[1]


@pytest.mark.parametrize("processes", [2, None])
def test_classes_that_nobody_knew_are_written_by_one(
    scripted: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int | None
) -> None:
    """They may change what is said about all items: so all is begun anew, even where others help unasked."""
    monkeypatch.setattr(sharing, "PAYS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    source = scripted(*(f"burn-{number}-" for number in range(400)), "another-bird")

    convert(source, tmp_path / "shared", to="scripted", options=options(processes))
    (source / "names.scripted").write_text((source / "names.scripted").read_text() + "\nanother-wren")
    convert(source, tmp_path / "alone", to="scripted", options=options(processes))

    assert len(writers_of(tmp_path / "shared")) == 2
    assert {*writers_of(tmp_path / "alone")} == {os.getpid()}


def test_a_source_that_changes_is_no_dataset(scripted: Callable[..., Path], tmp_path: Path) -> None:
    """Processes that find other items than each other have no share that anybody could rely on."""
    source = scripted(*(f"item-{number}-" for number in range(300)), f"if-not-{os.getpid()}-")

    with pytest.raises(InvalidDatasetError, match=r"scripted' came or went while it was read\. Convert it again"):
        convert(source, tmp_path / "out", to="scripted", options=options(2))


def writers_of(target: Path) -> Counter[int]:
    """Return which processes have written a target, and how many items each."""
    return Counter(int(text) for path in target.glob("*-*") if (text := path.read_text()))


def test_processes_write_side_by_side(scripted: Callable[..., Path], tmp_path: Path) -> None:
    """And what a format prints gets nobody into trouble."""
    source = scripted(*(f"item-photo_{number:05}" for number in range(599)), "print-599-")

    report = convert(source, tmp_path / "out", to="scripted", options=options(3))

    writers = writers_of(tmp_path / "out")
    assert len(writers) == 3
    assert max(writers.values()) < 300
    assert os.getpid() in writers
    assert report.items.written == 600
    rows = (tmp_path / "out" / "losses.csv").read_text().splitlines()
    assert [row.rpartition(",")[2] for row in rows[1:]] == ["read", "written"] * 600
    assert [row.split(",")[3] for row in rows[1::2]] == [f"item-photo_{number:05}" for number in range(599)] + [
        "print-599-"
    ]


def test_others_help_where_that_pays(
    scripted: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items that take long are shared, once that is known."""
    monkeypatch.setattr(sharing, "PAYS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    source = scripted(*(f"burn-{number}-" for number in range(sharing.TRIED + 50)))

    convert(source, tmp_path / "out", to="scripted")

    writers = [int((tmp_path / "out" / f"burn-{number}-").read_text()) for number in range(sharing.TRIED + 50)]
    assert {*writers[: sharing.TRIED]} == {os.getpid()}
    assert len({*writers[sharing.TRIED :]}) == 3


@pytest.mark.parametrize(
    ("to", "task", "helps"), [("yolo", None, [True]), ("yolo", "pose", [False]), ("coco", None, [])]
)
def test_others_begin_at_once_where_a_source_is_large(
    to: str, task: str | None, helps: list[bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They go through it at the same time; but what one process has to write, one process converts."""
    files: dict[str, Content] = {f"images/{n:03}.jpg": SIZE for n in range(300)}
    files |= {f"labels/{n:03}.txt": ROW for n in range(300)}
    source = tmp_path / "source"
    convert(make(tmp_path / "birds", {"dataset.yaml": YAML, **files}), source, to="coco")
    if task == "pose":  # of classes that do not say how many joints they have
        path = source / "annotations.json"
        path.write_text(path.read_text().replace('"bbox"', '"keypoints":[5,5,2],"bbox"'))
    alone = convert(source, tmp_path / "1", to=to, options=options(1, task=task))
    monkeypatch.setattr(coco_reader, "LARGE", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    ended: list[int] = []
    end = HelperProcess.end

    def noted_end(self: HelperProcess) -> None:
        ended.append(self.last.items)
        end(self)

    monkeypatch.setattr(HelperProcess, "end", noted_end)

    report = convert(source, tmp_path / "2", to=to, options=options(None, task=task))

    assert contents(tmp_path / "1") == contents(tmp_path / "2")
    assert report == alone
    assert [*map(bool, ended)] == helps


def test_what_all_have_found_all_are_told(scripted: Callable[..., Path], tmp_path: Path) -> None:
    """Each has looked at its own stretch, who has begun first at a longer one; that tells the others the whole."""
    source = scripted("survey-all", *(f"item-{number}-" for number in range(50)))

    convert(source, tmp_path / "out", to="scripted", options=options(3))

    known = {int(path.name[6:]): path.read_text() for path in source.glob("known-*")}
    assert known.pop(os.getpid()) == "0 0.5, 0.5 0.75, 0.75 1"
    assert known.keys() == writers_of(tmp_path / "out").keys() - {os.getpid()}
    assert {*known.values()} == {"0 1"}


@pytest.mark.parametrize(
    ("verb", "kind", "words"),
    [
        ("refuse", InvalidDatasetError, "not surveyed. Mend it"),
        ("die", WorkerLostError, "it was ended by signal 9"),
    ],
)
def test_a_survey_that_cannot_be_made_fails_the_conversion(
    scripted: Callable[..., Path], tmp_path: Path, verb: str, kind: type[Exception], words: str
) -> None:
    """Even if it is that of another process; nothing is left."""
    source = scripted(f"survey-{verb}", *(f"item-{number}-" for number in range(50)))

    with pytest.raises(kind) as caught:
        convert(source, tmp_path / "out", to="scripted", options=options(2))

    assert words in str(caught.value)
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


@pytest.mark.parametrize("far", [100, 1_000_000])
def test_losses_are_in_order_however_far_one_is_ahead(
    scripted: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, far: int
) -> None:
    """Another process has not even begun when the first one is through with many items."""
    monkeypatch.setattr(sharing, "FAR", far)
    source = scripted(*(f"item-{number}-" for number in range(3_000)))

    report = convert(source, tmp_path / "out", to="scripted", options=options(2))

    assert report.items.written == 3_000
    rows = (tmp_path / "out" / "losses.csv").read_text().splitlines()
    assert [row.split(",")[3].split("-")[1] for row in rows[1::2]] == [*map(str, range(3_000))]


def test_nobody_helps_where_little_is_left(scripted: Callable[..., Path], tmp_path: Path) -> None:
    """It would be done before others have started."""
    source = scripted(*(f"burn-{number}-" for number in range(sharing.TRIED + 50)))

    convert(source, tmp_path / "out", to="scripted")

    assert {*writers_of(tmp_path / "out")} == {os.getpid()}


@pytest.mark.parametrize(
    ("verb", "kind", "words"),
    [
        ("refuse", InvalidDatasetError, "not refuse-300-. it is wrong. Mend it"),
        ("raise", WorkflowError, "ValueError in a process that wrote a part of the dataset: no raise-300-"),
        ("full", OSError, "[Errno 28] No space left on device: 'full-300-'"),
        ("die", WorkerLostError, "ended before it was done. it was ended by signal 9"),
    ],
)
def test_an_item_that_cannot_be_written_fails_the_conversion(
    scripted: Callable[..., Path], tmp_path: Path, verb: str, kind: type[Exception], words: str
) -> None:
    """With the error that its process has met, and nothing is left."""
    names = [f"item-{number}-" for number in range(600)]
    names[300] = f"{verb}-300-"  # which the other process has
    if verb != "die":
        names[350] = f"{verb}-350-"

    with pytest.raises(kind) as caught:
        convert(scripted(*names), tmp_path / "out", to="scripted", options=options(2))

    assert words in str(caught.value)
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


def test_who_is_interrupted_leaves_no_process_behind(scripted: Callable[..., Path], tmp_path: Path) -> None:
    """Nor anything of the target."""
    source = scripted(*(f"item-{number}-" for number in range(3_000)))
    writers: set[int] = set()

    def interrupt(done: int, _of: int | None) -> None:
        if done >= 2_000:
            writers.update(int(path.read_text() or 0) for path in (tmp_path / ".out.partial").glob("item-1*"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(source, tmp_path / "out", to="scripted", options=options(2), on_progress=interrupt)

    others = writers - {0, os.getpid()}
    assert len(others) == 1
    for pid in others:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == []


@pytest.mark.parametrize("verb", ["burn", "hang"])
def test_who_is_killed_takes_the_others_along(verb: str, scripted: Callable[..., Path], tmp_path: Path) -> None:
    """Until they have ended, nobody else gets at the target; then it is written as if nothing had been.

    They end by themselves, even those that would not have said anything for long.
    """
    source = scripted(
        *(f"burn-{number}-" for number in range(300)), *(f"{verb}-late{number}-" for number in range(700))
    )
    out = tmp_path / "out"
    code = (
        "import sys; from pathlib import Path; from synapse_sdk.formats import ConversionOptions, convert; "
        "convert(Path(sys.argv[1]), Path(sys.argv[2]), to='scripted', options=ConversionOptions(processes=2))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "HANG": ""}
    with subprocess.Popen([sys.executable, "-c", code, str(source), str(out)], env=environment) as process:
        wait_until(lambda: len(writers_of(tmp_path / ".out.partial")) > 1)
        process.kill()

    def converted() -> bool:
        try:
            convert(source, out, to="scripted", options=options(1))
        except ConflictError:
            return False
        return True

    wait_until(converted)
    assert writers_of(out) == {os.getpid(): 1_000}


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def test_a_number_of_processes_is_at_least_one(tmp_path: Path) -> None:
    """Nobody else could write."""
    source = make(tmp_path / "birds", {"dataset.yaml": YAML, "images/a.jpg": SIZE})

    with pytest.raises(ConfigurationError, match="0 processes cannot write a dataset"):
        convert(source, tmp_path / "out", to="yolo", options=options(0))


def test_a_format_with_one_file_is_written_by_one_process(tmp_path: Path) -> None:
    """Whatever was asked for."""
    source = make(tmp_path / "birds", {"dataset.yaml": YAML, "images/a.jpg": SIZE, "labels/a.txt": ROW})

    report = convert(source, tmp_path / "out", to="coco", options=options(4, images=ImageTransfer.NONE))

    assert report.items.written == 1
    assert "processes" not in report.options
