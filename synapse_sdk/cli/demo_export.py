"""The act of `synapse demo` about an export: photos get annotations, and come back as they were."""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synapse_sdk.cli.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synapse_sdk.cli.demo_story import Story

__all__ = ["play_export"]

COLLECTION, PROJECT = "photos", "boxes"
PHOTOS, DRAWN, LABELS, EXPORT = Path("small"), Path("annotations"), Path("labels"), Path("export")
"""What was uploaded; boxes in pixels of the photos before act 1, and after it; and what comes back."""


def play_export(story: "Story", folder: Path) -> None:
    """Play it in the demo's folder; raises what a claim of the story raises."""
    with contextlib.chdir(folder):
        story.heading("Act 7: some photos are annotated, and exported again")
        photos = _write_labels()
        story.say(f"{LABELS}/ has boxes for {len(photos)} of the photos, drawn by hand.")
        for args in (
            ["projects", "create", PROJECT, "--collection", COLLECTION],
            ["tasks", "create", "--project", PROJECT],
            ["tasks", "annotate", "--project", PROJECT, "--file", str(LABELS)],
            ["export", "task", "--project", PROJECT, "--filter", "has_data=true", "--out", str(EXPORT)],
        ):
            story.claim(story.run(args) == ExitCode.DONE, f"synapse {' '.join(args[:2])} succeeds")
        _compare(story, photos)


def _compare(story: "Story", photos: "Sequence[str]") -> None:
    """Compare what has come back with what was uploaded and attached."""
    originals = {name: (PHOTOS / name).read_bytes() for name in photos}
    story.claim(_contents(EXPORT / "origin_files") == originals, "the photos are what they were, byte for byte")
    attached, exported = _contents(LABELS), _contents(EXPORT / "json")
    story.claim(
        {name: json.loads(content) for name, content in exported.items()}
        == {name: json.loads(content) for name, content in attached.items()},
        "the documents have what was attached",
    )
    listed = json.loads((EXPORT / "manifest.json").read_text(encoding="utf-8"))["files"]
    digests = {each["path"]: each["sha256"] for each in listed}
    found = {f"origin_files/{name}": content for name, content in originals.items()}
    found |= {f"json/{name}": content for name, content in exported.items()}
    story.claim(
        digests == {path: hashlib.sha256(content).hexdigest() for path, content in found.items()},
        "the manifest lists every file as it is",
    )
    story.say("")
    story.confirm(f"exported photos: {len(photos)}, each what was uploaded, byte for byte")
    story.confirm(f"exported documents: {len(exported)}, each with the boxes that were attached")
    story.confirm(f"files in manifest.json: {len(found)}, each with its SHA-256, and no other")


def _write_labels() -> list[str]:
    """Write the boxes of photos in pixels of their small copies, and return which photos have some."""
    report = json.loads((PHOTOS / "report.json").read_text(encoding="utf-8"))
    LABELS.mkdir()
    photos = []
    for each in report["images"]:
        drawn = DRAWN / f"{Path(each['file']).stem}.json"
        if each["error"] is None and drawn.is_file():
            # The longer sides: a photo that was turned upright has its width and height exchanged.
            scale = max(each["new_size"]) / max(each["original_size"])
            document = _scaled(json.loads(drawn.read_text(encoding="utf-8")), scale)
            (LABELS / drawn.name).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
            photos.append(each["file"])
    return photos


def _scaled(document: "Mapping[str, Any]", scale: float) -> dict[str, Any]:
    """Return a document whose boxes are this much larger."""
    (image,) = document["images"]
    boxes = [{**box, "data": [round(value * scale, 1) for value in box["data"]]} for box in image["bounding_box"]]
    return {**document, "images": [{**image, "bounding_box": boxes}]}


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
