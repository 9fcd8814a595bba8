"""The files that items are about: where they come from, and what becomes of an item whose file cannot be had."""

import json
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins.actions.export import BaseExporter, ExportResult
from synapse_sdk.plugins.actions.export.originals import Originals
from synapse_sdk.retry import RetryPolicy
from synapse_sdk.storage import open_storage
from tests.conformance.s3_server import LOGIN
from tests.unit.downloads.web import Reply, serving
from tests.unit.plugins.actions.export.world import BOX, ExportWorld, exporting, files_in, reported

if TYPE_CHECKING:
    from tests.conformance.s3_server import S3Server

BUCKETS = count(1)


def errors_of(result: ExportResult) -> dict[str, Any]:
    """Return the list of errors of an export."""
    listed: dict[str, Any] = json.loads(files_in(result.output_path)["error_file_list.json"])
    return listed


def object_of(world: ExportWorld, task: Any) -> Path:  # noqa: ANN401  # the id of one
    """Return where the image of a task is in the folder that is its storage."""
    unit = world.backend.data_units.get(world.backend.tasks.get(task).unit_id)
    return world.store / unit.files["images"].key


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: path.unlink(), "bad.jpg|has no object|There is no"),
        (lambda path: path.write_bytes(b"xyz"), "another content than was stored"),
        (lambda path: path.write_bytes(b"longer than it was"), "18 bytes, not 7"),
        (lambda path: path.write_bytes(b""), "0 bytes, not 7"),
        (lambda path: (path.unlink(), path.mkdir()), ""),
    ],
    ids=["missing", "wrong digest", "longer", "empty", "a folder"],
)
def test_a_file_that_cannot_be_had_fails_its_item(world: ExportWorld, damage: Any, says: str) -> None:  # noqa: ANN401  # a function
    """X4: its document is written all the same, and both are told; nothing wrong is saved in its place."""
    good, bad = world.add("good.jpg"), world.add("bad.jpg")
    path = object_of(world, bad)
    path.chmod(0o600)
    if says.startswith("another"):
        damage = lambda path: path.write_bytes(b"bad.JPG")  # noqa: E731  # of the same size
    damage(path)

    result = world.export()

    found = files_in(result.output_path)
    assert (result.exported_count, result.failed_count, result.losses) == (1, 1, 1)
    assert found.keys() == {
        "json/good.json",
        "json/bad.json",
        "origin_files/good.jpg",
        "manifest.json",
        "error_file_list.json",
    }
    assert json.loads(found["json/bad.json"]) == BOX
    errors = errors_of(result)
    ((name, words),) = errors["origin_file_name"]
    assert name == "origin_files/bad.jpg"
    assert errors["json_file_name"] == []
    assert [each["id"] for each in errors["items"]] == [bad]
    row = reported(result)[bad]
    assert (row["outcome"], row["reason"]) == ("failed", "FILE_FAILED")
    assert words in row["why"]
    assert any(word in words for word in says.split("|"))
    assert reported(result)[good]["outcome"] == "exported"


def test_originals_are_left_alone_where_they_are_not_wanted(world: ExportWorld) -> None:
    """Then nothing is asked of their storage, which may be gone."""
    object_of(world, world.add("cat.jpg")).unlink()

    result = world.export(save_original_file=False)

    assert result.success
    assert files_in(result.output_path).keys() == {"json/cat.json", "manifest.json"}
    assert not (Path(result.output_path) / "origin_files").exists()


def test_a_storage_that_is_gone_fails_its_items_only(world: ExportWorld) -> None:
    """Others have their files elsewhere."""
    world.backend.storages.create("second", (world.folder / "second").as_uri())
    world.add("good.jpg")
    world.add("bad.jpg", storage="second")
    (world.folder / "second").rename(world.folder / "away")

    result = world.export()

    assert (result.exported_count, result.failed_count) == (1, 1)
    assert json.loads(files_in(result.output_path)["json/bad.json"]) == BOX


def test_a_storage_record_that_is_not_there_fails_its_items(world: ExportWorld) -> None:
    """As a handler, or a hook, may name one that was removed."""
    world.add("good.jpg")
    bad = world.add("bad.jpg")

    class Exporter(BaseExporter):
        def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            if data["id"] == bad:
                data["files"]["images"]["storage"] = 999
            return data

    result = world.export(exporting(Exporter))

    assert "999" in errors_of(result)["origin_file_name"][0][1]
    assert result.exported_count == 1


def test_when_no_file_could_be_had_the_run_fails(world: ExportWorld) -> None:
    """X7: no success and failures; the error names items, reason and way out."""
    for number in range(3):
        object_of(world, world.add(f"{number}.jpg")).unlink()

    with pytest.raises(StepFailedError, match=r"save_files.*No item could be exported.*3 items"):
        world.export()

    assert world.left() == set()


@pytest.mark.parametrize("size", [0, 1, 3 << 20])
def test_files_come_from_buckets_as_they_are(world: ExportWorld, moto: "S3Server", size: int) -> None:
    """Several at a time, together with those of a folder."""
    url = f"s3://{moto.make_bucket()}/up?endpoint={moto.endpoint}&region=us-east-1"
    world.backend.storages.create("bucket", url, credentials=LOGIN)
    contents = {f"{number}.jpg": bytes([number]) * size + bytes([number]) for number in range(9)}
    for number, (name, content) in enumerate(contents.items()):
        world.add(name, content, storage="bucket" if number % 3 else "")

    result = world.export()

    found = files_in(result.output_path)
    assert {name: found[f"origin_files/{name}"] for name in contents} == contents
    assert result.original_bytes == sum(map(len, contents.values()))


def test_a_missing_object_in_a_bucket_fails_its_item(world: ExportWorld, moto: "S3Server") -> None:
    """X4: and no page that says so is saved in its place."""
    url = f"s3://{moto.make_bucket()}/up?endpoint={moto.endpoint}&region=us-east-1"
    world.backend.storages.create("bucket", url, credentials=LOGIN)
    world.add("good.jpg", storage="bucket")
    bad = world.add("bad.jpg", storage="bucket")
    unit = world.backend.data_units.get(world.backend.tasks.get(bad).unit_id)
    with open_storage(url, credentials=LOGIN) as storage:
        storage.delete([unit.files["images"].key])

    result = world.export()

    assert [each.id for each in result.failures] == [bad]
    assert "origin_files/bad.jpg" not in files_in(result.output_path)


def naming(**file: Any) -> type[BaseExporter]:  # noqa: ANN401  # what a file of an item has
    """Return an exporter whose items have another file each."""

    class Exporter(BaseExporter):
        def convert_data(self, data: Any) -> Any:  # noqa: ANN401  # the hook's own
            name = data["files"]["images"]["file_name_original"]
            if name.startswith("bad"):
                data["files"] = {"images": {"file_name_original": name, "is_primary": True, **file}}
            return data

    return Exporter


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/cat.jpg",
        "http://localhost:{port}/cat.jpg",
        "http://[::1]:{port}/cat.jpg",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/cat.jpg",
        "http://0x7f.1:{port}/cat.jpg",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "not a url",
        "",
        5,
        None,
    ],
)
def test_a_url_that_points_inside_is_refused(world: ExportWorld, url: Any) -> None:  # noqa: ANN401  # anything
    """F30: nothing is asked there; the item fails, and its document is written."""
    world.add("good.jpg")
    bad = world.add("bad.jpg")
    with serving(Reply(body=b"secret")) as server:
        address = url.format(port=server.port) if isinstance(url, str) else url

        result = world.export(exporting(naming(url=address)))

        assert server.asked == []
    assert [each.id for each in result.failures] == [bad]
    found = files_in(result.output_path)
    assert not any(b"secret" in content or b"root:" in content for content in found.values())
    assert "origin_files/bad.jpg" not in found


def test_files_of_the_web_are_saved(world: ExportWorld) -> None:
    """Where private addresses are allowed, this machine may serve them; what they were called stays."""
    task = world.add("bad.jpg")
    with serving(Reply(body=b"from the web")) as server:
        result = world.export(exporting(naming(url=server.url("/a?signature=secret"))), allow_private_urls=True)

    assert (result.exported_count, result.original_bytes) == (1, 12)
    assert files_in(result.output_path)["origin_files/bad.jpg"] == b"from the web"
    assert reported(result)[task]["outcome"] == "exported"


@pytest.mark.parametrize(
    ("reply", "file", "says"),
    [
        (Reply(status=404, body=b"<html>not here</html>"), {}, "404 Not Found"),
        (Reply(status=500, body=b"<html>broken</html>"), {}, ""),
        (Reply(body=b"from the web", cut_at=5), {}, ""),
        (Reply(body=b"from the web"), {"size": 5}, ""),
        (Reply(body=b"from the web"), {"sha256": "00"}, "another content"),
        (Reply(status=302, headers={"Location": "http://169.254.169.254/latest"}), {}, ""),
    ],
    ids=["gone", "failing", "cut", "longer", "another", "redirect"],
)
def test_an_error_page_is_not_saved_in_place_of_a_file(
    world: ExportWorld,
    reply: Reply,
    file: Any,  # noqa: ANN401  # what is known of it
    says: str,
) -> None:
    """X4: the item fails, and its document is written; no message has the query, which may be a secret."""
    world.add("good.jpg")
    bad = world.add("bad.jpg")
    with serving(reply) as server:
        action = exporting(naming(url=server.url("/a?signature=canary"), **file))

        result = world.export(action, allow_private_urls=True)

    found = files_in(result.output_path)
    assert [each.id for each in result.failures] == [bad]
    assert says.lower() in reported(result)[bad]["why"].lower()
    assert "json/bad.json" in found
    assert "origin_files/bad.jpg" not in found
    assert not any(b"canary" in content or b"<html>" in content for content in found.values())


def test_files_that_are_nowhere_fail_their_items(world: ExportWorld) -> None:
    """The reason says what is missing."""
    world.add("good.jpg")
    bad = world.add("bad.jpg")

    result = world.export(exporting(naming(sha256="00")))

    assert "Nobody says where the file 'bad.jpg' is" in reported(result)[bad]["why"]


def closed_port() -> int:
    """Return a port on which nobody listens."""
    import socket  # noqa: PLC0415  # one use

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("unavailable", "fails"), [(7, False), (8, True)])
def test_eight_unavailable_files_in_a_row_end_the_run(world: ExportWorld, unavailable: int, fails: bool) -> None:  # noqa: FBT001  # a case
    """Then it is not the files; the error says where they were looked for, and nothing is left."""
    url = f"sftp://nobody@127.0.0.1:{closed_port()}/x?trust_host=true"
    world.backend.storages.create("dead", url, credentials={"password": "x"})
    dead = world.backend.storages.get("dead").id
    for number in range(3):
        world.add(f"good{number}.jpg")
    for number in range(unavailable):
        world.add(f"bad{number}.jpg")

    if not fails:
        assert world.export(exporting(naming(storage=dead, key="k"))).failed_count == unavailable
        return
    with pytest.raises(StepFailedError, match=r"save_files"):
        world.export(exporting(naming(storage=dead, key="k")))
    assert world.left() == set()


def test_items_without_files_do_not_wait_in_memory_for_those_that_have_some() -> None:
    """X5: one file that is far away is no reason to read a million items ahead."""
    read = []

    def items() -> Any:  # noqa: ANN401  # items
        for number in range(10_000):
            read.append(number)
            file = {"file_name_original": "x", "is_primary": True, "url": "http://127.0.0.1/x"}
            yield {"number": number, "files": {"images": file} if not number else {}, "file_paths": {}}

    class Sources:
        def storage(self, number: int) -> Any:  # noqa: ANN401  # none
            raise AssertionError

        def read_web(self, url: str) -> Any:  # noqa: ANN401  # none
            return iter([url.encode()])

    class Aside:
        def aside(self, name: str) -> str:
            return "/dev/null" if name else ""

    originals = Originals(Sources(), Aside(), workers=4, retries=RetryPolicy(max_attempts=1))  # type: ignore[arg-type]  # as much as it needs
    next(iter(originals.ahead(items())))
    originals.close(None)

    assert len(read) < 100
