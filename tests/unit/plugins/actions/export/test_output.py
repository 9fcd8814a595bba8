"""Where exports go: folders and storages of every kind, all at once, and never over something that is there."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.errors import ObjectExistsError, StepFailedError, StorageError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import BaseExporter, ConvertedItem, DefaultExportAction, ErrorList, ExportStatus
from synapse_sdk.plugins.actions.export.destinations.base import Place
from synapse_sdk.plugins.actions.export.destinations.remote import RemoteDestination
from synapse_sdk.storage import MemoryStorage, Storage, open_storage
from tests.conformance.s3_server import LOGIN
from tests.conformance.sftp_server import PASSWORD, sftp_server
from tests.unit.plugins.actions.export.world import ExportWorld, check_manifest, exporting, files_in

if TYPE_CHECKING:
    from tests.conformance.s3_server import S3Server

NUMBERS = count(1)


class Writing(BaseExporter):
    """Writes files of its own, changes one that was saved, and fails an item."""

    def save_as_json(self, result: ConvertedItem, base_path: Path, error_list: ErrorList) -> ExportStatus:
        """Write a second document, and more into the first."""
        if result["json_name"] == "bad.json":
            error_list.append(["bad.json", "not wanted"])
            return ExportStatus.FAILED
        (base_path / f"{result['number']}.txt").write_text("a box")
        status = super().save_as_json(result, base_path, error_list)
        path = base_path / result["json_name"]
        path.write_text("[" + path.read_text()[1:-2] + "]")
        return status

    def additional_file_saving(self, unique_export_path: Path) -> None:
        """Write a list of classes."""
        (unique_export_path / "more").mkdir(exist_ok=True)
        (unique_export_path / "more" / "classes.txt").write_text("cat")


def fill(world: ExportWorld) -> None:
    """Add items with odd names, two that are called alike, and a bad one."""
    world.add("a/cat 1.jpg", b"A", key="a", data={"a": 1})
    world.add("b/cat 1.jpg", b"B", key="b", data={"b": 1}, labels=("labels/x.txt", b"box"))
    world.add("한국어 #1%20?.jpg", b"", data={"c": 1})
    world.add("bad.jpg", b"bad")


@pytest.fixture(params=["memory", "s3", pytest.param("sftp", marks=pytest.mark.full)])
def storage(
    request: pytest.FixtureRequest, world: ExportWorld, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a storage that the backend knows, with credentials."""
    servers = ExitStack()
    match request.param:
        case "memory":
            url, login = f"memory://exports-{next(NUMBERS)}", {}
        case "s3":
            moto: S3Server = request.getfixturevalue("moto")
            url, login = f"s3://{moto.make_bucket()}/pre%20fix?endpoint={moto.endpoint}&region=us-east-1", dict(LOGIN)
        case _:
            server = servers.enter_context(sftp_server(tmp_path_factory.mktemp("sftp")))
            url, login = f"{server.url}/exports?trust_host=true", {"password": PASSWORD}
    world.backend.storages.create("far", url, credentials=login)
    with servers:
        yield "far"


def opened(world: ExportWorld, name: str) -> Storage:
    """Open a storage of the backend."""
    record = world.backend.storages.get(name)
    return open_storage(record.url, credentials=record.credentials)


def found_in(world: ExportWorld, name: str, prefix: str = "") -> dict[str, bytes]:
    """Return what is in a storage below a prefix."""
    with opened(world, name) as storage:
        return {info.key.removeprefix(prefix): storage.get(info.key) for info in storage.list(prefix)}


def test_the_same_files_are_everywhere(world: ExportWorld, storage: str) -> None:
    """X6: whatever the storage, with the files of hooks, lists and manifest; nothing else is left in it."""
    fill(world)
    here = world.export(exporting(Writing))

    there = world.export(exporting(Writing), storage=storage, path="deep/er")

    local, far = files_in(here.output_path), found_in(world, storage, "deep/er/out/")
    assert {**far, "manifest.json": b""} == {**local, "manifest.json": b""}
    assert {"error_file_list.json", "filename_collisions.json", "more/classes.txt", "json/1.txt"} <= far.keys()
    check_manifest(far, there)
    assert json.loads(far["manifest.json"])["files"] == json.loads(local["manifest.json"])["files"]
    assert found_in(world, storage).keys() == {f"deep/er/out/{path}" for path in far}
    assert there.output_path.endswith("/deep/er/out")


def test_a_taken_name_gets_a_number_in_storages(world: ExportWorld, storage: str) -> None:
    """Or is refused, if that was asked for; what was there stays as it was."""
    world.add("cat.jpg")

    places = [world.export(storage=storage).output_path for _ in range(3)]
    before = found_in(world, storage)
    with pytest.raises(StepFailedError, match=r"something in .* already") as raised:
        world.export(storage=storage, when_taken="refuse")

    assert [place.rpartition("/")[2] for place in places] == ["out", "out(1)", "out(2)"]
    assert isinstance(raised.value.__cause__, ObjectExistsError)
    assert found_in(world, storage) == before


def test_a_failed_export_leaves_nothing_in_storages(world: ExportWorld, storage: str) -> None:
    """Neither below its hidden name nor below the other one."""
    world.add("cat.jpg")

    for step in ("initialize", "save_files", "finalize"):
        with pytest.raises(StepFailedError):
            run_action(DefaultExportAction, world.export_params(storage=storage), inject_failure=step)

    assert found_in(world, storage) == {}


def test_an_export_of_nothing_into_a_storage(world: ExportWorld, storage: str) -> None:
    """It has a manifest."""
    assert world.project

    world.export(storage=storage)

    assert found_in(world, storage).keys() == {"out/manifest.json"}


@pytest.mark.parametrize("taken", ["folder", "file", "dangling link"])
def test_what_is_at_the_place_stays(world: ExportWorld, taken: str) -> None:
    """X2: the export gets a number, or is refused if that was asked for."""
    world.add("cat.jpg")
    place = world.exports / "out"
    world.exports.mkdir()
    make: dict[str, Callable[[], Any]] = {
        "folder": place.mkdir,
        "file": place.touch,
        "dangling link": lambda: place.symlink_to("nowhere"),
    }
    make[taken]()
    before = os.lstat(place)

    results = [world.export() for _ in range(2)]
    with pytest.raises(StepFailedError, match=r"There is something in '.*/exports/out' already"):
        world.export(when_taken="refuse")

    assert [result.output_path for result in results] == [f"{place}(1)", f"{place}(2)"]
    assert (os.lstat(place).st_ino, os.lstat(place).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert world.left() == {"out", "out(1)", "out(2)"}


@pytest.mark.parametrize(
    "name", ["x" * 255, "한" * 85, " ", "-rf", ".hidden", "a(1)", "👩‍🚀", "한국어\u3000이름", "a.b.c"]
)
def test_an_export_may_be_called_anything(world: ExportWorld, name: str) -> None:
    """As long as it is the name of one folder; and a number is added within 255 bytes."""
    world.add("cat.jpg")
    if not name.strip():
        name = " x "

    first, second = world.export(name=name), world.export(name=name)

    assert Path(first.output_path).name == name
    assert Path(second.output_path).name.endswith("(1)")
    assert world.left() == {name, Path(second.output_path).name}


@pytest.mark.parametrize(("storage", "path"), [("new", ""), ("new/er/est", "a/b"), ("./rel", ""), ("file", "")])
def test_folders_are_made_as_they_are_needed(world: ExportWorld, storage: str, path: str) -> None:
    """Relative ones are in the current folder."""
    world.add("cat.jpg")
    url = (world.folder / "by url").as_uri() if storage == "file" else f"{world.folder}/{storage}"

    result = world.export(storage=url if not storage.startswith(".") else storage, path=path)

    assert Path(result.output_path).is_relative_to(world.folder)
    assert (Path(result.output_path) / "manifest.json").is_file()


def test_a_place_below_a_file_is_refused(world: ExportWorld) -> None:
    """The error names it and the way out."""
    world.add("cat.jpg")
    (world.folder / "file").touch()

    with pytest.raises(StepFailedError, match=r"file.*[Nn]ot a directory|There is a file") as raised:
        world.export(storage=str(world.folder / "file"), path="x")

    assert isinstance(raised.value.__cause__, StorageError)
    assert not raised.value.rollback_errors
    assert (world.folder / "file").is_file()


AS_ANOTHER = """
import sys
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import DefaultExportAction
from synapse_sdk.errors import StepFailedError, StorageDeniedError
try:
    params = {"name": "out", "storage": sys.argv[1], "path": "a", "target": "task", "filter": {"project": 1}}
    result = run_action(DefaultExportAction, params)
    print(result.output_path)
except StepFailedError as error:
    print(type(error.__cause__).__name__, error, [*map(str, error.rollback_errors)])
"""


@pytest.mark.parametrize("mode", [0o555, 0o000, 0o444])
def test_a_folder_that_may_not_be_written_is_refused(world: ExportWorld, mode: int) -> None:
    """Before anything is read; the error says who refuses what."""
    world.add("cat.jpg")
    setpriv = shutil.which("setpriv")
    if os.geteuid() == 0 and setpriv is None:
        pytest.skip("root may write everything, and there is no setpriv to give that up")
    given_up = "-dac_override,-dac_read_search,-fowner"
    prefix = [str(setpriv), f"--bounding-set={given_up}", f"--inh-caps={given_up}"] if os.geteuid() == 0 else []
    world.exports.mkdir(mode=mode)
    command = [*prefix, sys.executable, "-c", AS_ANOTHER, str(world.exports)]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    world.exports.chmod(0o755)
    assert done.stdout.startswith("StorageDeniedError Step 'initialize' failed: Cannot write "), done
    assert world.left() == set()


def test_exports_at_once_get_a_folder_each(world: ExportWorld) -> None:
    """X2: threads that export under one name, with no gap between looking and taking."""
    world.add("cat.jpg", b"meow")
    params = world.export_params()

    with ThreadPoolExecutor(6) as threads:
        results = [*threads.map(lambda _: run_action(DefaultExportAction, params), range(12))]

    assert {result.output_path for result in results} == {
        str(world.exports / name) for name in ("out", *(f"out({number})" for number in range(1, 12)))
    }
    for result in results:
        world.check_export(result)


def test_exports_of_two_processes_get_a_folder_each(world: ExportWorld) -> None:
    """X2: likewise."""
    world.add("cat.jpg", b"meow")
    command = [sys.executable, "-c", AS_ANOTHER, str(world.exports)]

    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    places = {process.communicate(timeout=120)[0].strip() for process in running}

    assert places == {str(world.exports / "a" / name) for name in ("out", "out(1)", "out(2)")}


def test_exports_at_once_into_a_storage_get_a_name_each(world: ExportWorld) -> None:
    """X2: likewise, where there are no folders to rename."""
    world.add("cat.jpg", b"meow")
    world.backend.storages.create("far", f"memory://at-once-{next(NUMBERS)}")
    params = world.export_params(storage="far")

    with ThreadPoolExecutor(6) as threads:
        results = [*threads.map(lambda _: run_action(DefaultExportAction, params), range(12))]

    assert len({result.output_path for result in results}) == 12
    for result in results:
        check_manifest(found_in(world, "far", f"{result.output_path.rpartition('/')[2]}/"), result)


class Overtaken(MemoryStorage):
    """A storage in which, as soon as a name turned out to be free, somebody else exports under it."""

    def __init__(self, overtake: Callable[[], object]) -> None:
        super().__init__()
        self._overtake = overtake

    def list(self, prefix: str = "") -> Any:  # noqa: ANN401  # as the base
        """Yield what there is; then let the other one come, once."""
        found = [*super().list(prefix)]
        if prefix == "out/" and not found:
            overtake, self._overtake = self._overtake, lambda: None
            overtake()
        return iter(found)


def test_a_name_that_was_taken_and_completed_meanwhile_is_not_shared(tmp_path: Path) -> None:
    """X2: even if the other run has come and gone between two requests."""

    def export(run: str) -> str:
        destination = RemoteDestination(overtaken, Place(path="", name="out", run=run), tmp_path / run)
        destination.prepare()
        (destination.staging / "manifest.json").write_text(json.dumps({"run": run, "files": []}))
        (destination.staging / f"{run}.txt").touch()
        destination.send([f"{run}.txt", "manifest.json"])
        return destination.publish()

    overtaken = Overtaken(lambda: export("other"))

    place = export("mine")

    assert place.endswith("/out(1)")
    keys = {info.key for info in overtaken.list()}
    assert keys == {"out/other.txt", "out/manifest.json", "out(1)/mine.txt", "out(1)/manifest.json"}


def test_a_run_knows_its_export_again_however_long_the_filter(world: ExportWorld) -> None:
    """So that a rollback finds what was published: here the result does not fit its model."""
    task = world.add("cat.jpg")

    class Broken(DefaultExportAction):
        def build_result(self, context: Any, summary: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401  # as the base
            assert Path(context.output_path, "manifest.json").is_file()
            return {**super().build_result(context, summary), "exported_count": "many"}

    ids = [task, *range(10**9, 10**9 + 20_000)]
    with pytest.raises(Exception, match="exported_count"):
        world.export(Broken, filter={"project": world.project, "ids": ids})

    assert world.left() == set()


@pytest.mark.parametrize("name", ["error_file_list.json", "filename_collisions.json", "manifest.json"])
def test_an_export_whose_lists_cannot_be_written_fails(world: ExportWorld, name: str) -> None:
    """X6: it is not complete without them; here something is in their way."""
    fill(world)

    class Exporter(Writing):
        def additional_file_saving(self, unique_export_path: Path) -> None:
            (unique_export_path / name).mkdir()

    with pytest.raises(Exception, match=name):
        world.export(exporting(Exporter))

    assert world.left() == set()


class Noting(MemoryStorage):
    """A storage that remembers the order in which objects came under their names."""

    def __init__(self) -> None:
        super().__init__()
        self.copied: list[str] = []

    def copy(self, source: str, target: str, **rest: Any) -> Any:  # noqa: ANN401  # as the base
        """Copy an object, and remember where to."""
        self.copied.append(target)
        return super().copy(source, target, **rest)


def test_the_manifest_is_written_last(tmp_path: Path) -> None:
    """X6: by it, readers of storages tell that an export is complete."""
    storage = Noting()
    destination = RemoteDestination(storage, Place(path="a", name="out", run="r"), tmp_path)
    destination.prepare()
    names = ["manifest.json", "a.txt", "z.txt", "json/b.json"]
    for name in names:
        (destination.staging / name).parent.mkdir(exist_ok=True)
        (destination.staging / name).write_text('{"run": "r", "files": []}')
    destination.send(names)

    places = [destination.publish() for _ in range(2)]  # it is safe to repeat

    assert places[0] == places[1]
    assert storage.copied[-1] == "a/out/manifest.json"
    assert sorted(storage.copied) == sorted(f"a/out/{name}" for name in names)
    assert {info.key for info in storage.list()} == {f"a/out/{name}" for name in names}
