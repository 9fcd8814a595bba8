"""Exports onto disks that are full, of files that are strange or change meanwhile, and under hard names: F7 to F26."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import InvalidParamsError, SynapseError
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import BaseExporter, DefaultExportAction, ExportResult
from synapse_sdk.plugins.actions.export.destinations.base import Place
from synapse_sdk.plugins.actions.export.destinations.folder import FolderDestination
from tests.faults.exporting import check_whole, contents_of, params_of, seen, store
from tests.unit.plugins.actions.upload.world import World

MIB = 1 << 20
SMALL = {f"{number}.jpg": bytes([number]) * 20_000 for number in range(40)}
LIMITED = """
import json, resource, sys
from synapse_sdk.plugins import run_action
from synapse_sdk.plugins.actions.export import DefaultExportAction
import synapse_sdk.backend.embedded.backend, synapse_sdk.storage.local
limit, value = getattr(resource, sys.argv[1]), int(sys.argv[2])
resource.setrlimit(limit, (value, value))
try:
    print(run_action(DefaultExportAction, json.loads(sys.argv[3])).exported_count)
except BaseException as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that no project is in."""
    return tmp_path_factory.mktemp("outside")


@pytest.fixture
def small_disk() -> Iterator[Callable[[Path, str], None]]:
    """What puts a small disk in the place of a folder, for root."""
    mounted: list[Path] = []
    mount = shutil.which("mount")

    def make(place: Path, options: str) -> None:
        place.mkdir(parents=True, exist_ok=True)
        command = [str(mount), "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
        if os.geteuid() != 0 or not mount or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("only root can mount a small disk; the limit on file sizes is tested by everybody")
        mounted.append(place)

    yield make
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607  # found as mount was


def export(world: World, action: type[Any] = DefaultExportAction, **params: Any) -> ExportResult:  # noqa: ANN401  # those of the action
    """Export the project `birds` into `out/birds`."""
    result: ExportResult = run_action(action, params_of(world, **params))
    return result


def nothing_of_runs(world: World) -> bool:
    """Whether no run has left a folder to work in."""
    return not [*world.folder.glob(".synapse/runs/*/work")]


# F7, F8: no room


@pytest.mark.parametrize("options", ["size=600k", "nr_inodes=30"])
@pytest.mark.parametrize("on_error", ["stop", "continue"])
def test_a_full_disk_fails_the_run_and_nothing_is_left(
    world: World, small_disk: Callable[[Path, str], None], options: str, on_error: str
) -> None:
    """F8: whatever is to be done about single items, because it is not a matter of one of them."""
    store(world, SMALL)
    small_disk(world.folder / "out", options)
    (world.folder / "out" / "notes.txt").write_bytes(b"theirs")

    with pytest.raises(SynapseError, match=r"No space left on device.*Free some space"):
        export(world, path="new/deep", on_error=on_error)

    assert seen(world.folder / "out") == {"notes.txt": b"theirs"}
    assert nothing_of_runs(world)


def test_once_there_is_room_the_same_export_succeeds(world: World, small_disk: Callable[[Path, str], None]) -> None:
    """F8: nothing of the first try is in its way."""
    store(world, SMALL)
    small_disk(world.folder / "out", "size=600k")
    with pytest.raises(SynapseError):
        export(world)

    subprocess.run(["mount", "-o", "remount,size=20m", str(world.folder / "out")], check=True)  # noqa: S607  # as above

    assert export(world).exported_count == 40
    check_whole(contents_of(world.folder / "out" / "birds"))


@pytest.mark.parametrize("room", [200, 700])
def test_a_full_disk_below_the_ledger_fails_the_run(
    world: World, small_disk: Callable[[Path, str], None], room: int
) -> None:
    """F7: the ledger and the report lie there; the error is the first one, and nothing is left of the export."""
    store(world, {f"{number}.jpg": b"%d" % number for number in range(900)})
    small_disk(world.folder / ".synapse" / "runs", f"size={room}k")

    with pytest.raises(SynapseError, match=r"ledger of the export.*Free some space"):
        export(world, extra_params={}, save_original_file=False)

    assert seen(world.folder / "out") == {} if (world.folder / "out").exists() else True
    assert nothing_of_runs(world)


def test_a_limit_on_file_sizes_does_the_same(world: World) -> None:
    """F8: for those who cannot mount a small disk."""
    store(world, {"small.jpg": b"small", "large.jpg": bytes(6 * MIB)})
    command = [sys.executable, "-c", LIMITED, "RLIMIT_FSIZE", str(4 * MIB), json.dumps(params_of(world))]

    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    assert said.startswith("StepFailedError Step 'save_files' failed")
    assert "File too large" in said
    assert not (world.folder / "out").exists()
    assert nothing_of_runs(world)


# F21: what changes, and what is large


class Tampering(BaseExporter):
    """Changes stored files when items are converted already."""

    def process_file_saving(self, result: Any, *rest: Any) -> bool:  # noqa: ANN401  # as the hook wants them
        """Spoil the file of one item just before it is fetched."""
        for path in Path("store").rglob("*"):
            if path.is_file() and path.read_bytes() == b"tampered with":
                path.write_bytes(b"tampered WITH")
        return super().process_file_saving(result, *rest)


class TamperingExport(DefaultExportAction):
    """Exports meanwhile."""

    exporter_class = Tampering


def test_a_file_that_has_changed_fails_its_item_and_no_other(world: World) -> None:
    """F21: what was stored is what is exported, or nothing."""
    store(world, {"a.jpg": b"tampered with", "b.jpg": b"left alone"})

    result = export(world, TamperingExport, download_max_retries=0)

    assert (result.exported_count, result.failed_count) == (1, 1)
    assert "another content than was stored" in result.failures[0].reason
    whole = check_whole(contents_of(world.folder / "out" / "birds"))
    assert whole["origin_files/b.jpg"] == b"left alone"
    assert "origin_files/a.jpg" not in whole


# F22: hard names


def test_a_name_that_no_file_system_takes_is_refused_at_once(world: World) -> None:
    """F22: before anything is converted that could not be put in its place in the end."""
    store(world, {"a.jpg": b"a"})

    with pytest.raises(InvalidParamsError, match="255 bytes at most"):
        export(world, name="가" * 86)

    assert export(world, name="가" * 85).output_path.endswith("가" * 85)
    assert export(world, name="가" * 85).output_path.endswith("(1)")


# What a process that died has left


def finished(folder: Path, run: str, **head: object) -> FolderDestination:
    """Return the destination of a run that has put together an export."""
    to = FolderDestination(folder, Place(path="", name="birds", run=run))
    to.prepare()
    manifest = {"run": run, **head, "files": []}
    (to.staging / "manifest.json").write_text(json.dumps(manifest, indent=2))
    return to


@pytest.mark.parametrize("description", ["", "long " * 100_000])
def test_an_export_that_has_its_name_is_found_whatever_lies_beside_it(outside: Path, description: str) -> None:
    """F2: its name is not the first that is free, or its manifest begins with a long filter."""
    (outside / "birds").mkdir()
    to = finished(outside, "r1", description=description)
    assert to.publish() == str(outside / "birds(1)")
    (outside / "birds").rmdir()

    again = FolderDestination(outside, to.place)
    assert again.is_published
    assert again.publish() == str(outside / "birds(1)")
    again.withdraw()

    assert list(outside.iterdir()) == []


def test_what_was_being_written_when_the_process_died_is_no_part_of_the_export(world: World) -> None:
    """I7: neither half a manifest nor half a list of errors."""

    class Dies(DefaultExportAction):
        def commit(self, context: Any) -> None:  # noqa: ANN401  # the action's own
            folder = context.unique_export_path
            for name in (".manifest.json.part", ".error_file_list.json.part", ".synapse-incoming/probe"):
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text("half")
            super().commit(context)

    store(world, {"a.jpg": b"a"})

    export(world, Dies)

    assert check_whole(contents_of(world.folder / "out" / "birds")).keys() == {"json/a.json", "origin_files/a.jpg"}
