"""The example that adds a step to the upload action."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from synapse_sdk.backend import FileSpecification, open_backend
from synapse_sdk.errors import StepFailedError
from synapse_sdk.plugins import run_plugin

PLUGIN = Path(__file__).parents[3] / "examples" / "upload_with_checks"


@pytest.fixture(autouse=True)
def _photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good photo, one that is too small, and one that is none, each with a label; and a collection."""
    (tmp_path / ".synapse").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNAPSE_BACKEND", raising=False)
    for folder in ("images", "labels"):
        Path("photos", folder).mkdir(parents=True)
    for name, width in (("good", 300), ("small", 100)):
        Image.new("RGB", (width, 10), "teal").save(f"photos/images/{name}.png")
    Path("photos/images/none.png").write_text("no photo")
    for name in ("good", "small", "none"):
        Path("photos/labels", f"{name}.json").write_text(f'{{"name": "{name}"}}')
    with open_backend() as backend:
        names = (FileSpecification(name="images", is_primary=True), FileSpecification(name="labels", is_required=False))
        backend.collections.create("photos", specifications=names)


def upload(**params: Any) -> Any:  # noqa: ANN401  # parameters and result of a plugin
    """Run the example."""
    return run_plugin(str(PLUGIN), "upload", {"data_collection": "photos", "path": "photos", **params}, journal=False)


def keys() -> list[str]:
    """Return the keys of the units."""
    with open_backend() as backend:
        return [unit.key for unit in backend.data_units.list(backend.collections.get("photos").id)]


def test_photos_that_are_not_worth_it_are_left_out() -> None:
    """With their labels, and with a reason."""
    result = upload(on_error="continue")

    assert keys() == ["good"]
    assert (result.discovered, result.uploaded, result.failed, result.losses) == (6, 2, 4, 4)
    assert {(each.file, each.code) for each in result.failures} == {
        ("images/small.png", "TOO_SMALL"),
        ("labels/small.json", "TOO_SMALL"),
        ("images/none.png", "NO_PHOTO"),
        ("labels/none.json", "NO_PHOTO"),
    }


def test_one_of_them_fails_an_upload_that_shall_be_complete() -> None:
    """Nothing of it is left."""
    with pytest.raises(StepFailedError, match=r"4 files cannot be uploaded, such as images/none.png: NO_PHOTO"):
        upload()

    assert keys() == []
    assert [path for path in Path(".synapse", "storage").rglob("*") if path.is_file()] == []


def test_the_width_is_a_parameter() -> None:
    """As is all that an upload takes."""
    result = upload(min_width=100, on_error="continue", exclude=["labels/*"])

    assert (result.uploaded, result.filtered, result.failed) == (2, 3, 1)
