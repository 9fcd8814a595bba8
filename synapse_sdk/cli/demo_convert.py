"""The act of `synapse demo` about formats: what was exported becomes YOLO and COCO, and is looked at."""

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from synapse_sdk.cli.errors import ExitCode

if TYPE_CHECKING:
    from synapse_sdk.cli.demo_story import Story

__all__ = ["play_convert"]

EXPORT, YOLO, COCO, SHEET = Path("export"), Path("yolo"), Path("coco"), Path("sheet.png")


def play_convert(story: "Story", folder: Path) -> None:
    """Play it in the demo's folder; raises what a claim of the story raises."""
    from synapse_sdk.formats import read_report  # noqa: PLC0415  # most of the command line needs none of it

    with contextlib.chdir(folder):
        cut = 0
        story.heading("Act 8: the export becomes what trainers read, and a picture")
        for target in (YOLO, COCO):
            args = ["dataset", "convert", str(EXPORT), str(target), "--to", target.name, "--bounds", "clip"]
            code = story.run(args)
            report = read_report(target)
            story.claim(report is not None, f"{target}/ says how it was made")
            losses = {} if report is None else {loss.code: loss.count for loss in report.losses}
            story.claim({*losses} <= {"CLIPPED"}, "nothing is lost but what reached over the edge of its photo")
            cut = losses.get("CLIPPED", 0)
            story.claim(code == (ExitCode.LOSSES if cut else ExitCode.DONE), "the exit code says whether it lost any")
        for args in (["dataset", "diff", str(YOLO), str(COCO)], ["dataset", "preview", str(COCO), "--out", str(SHEET)]):
            story.claim(story.run(args) == ExitCode.DONE, f"synapse {' '.join(args[:2])} succeeds")
        _compare(story, cut)


def _compare(story: "Story", cut: int) -> None:
    """Compare both with the documents that were exported."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in (EXPORT / "json").iterdir()]
    boxes = sum(len(image["bounding_box"]) for document in documents for image in document["images"])
    rows = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (YOLO / "labels").iterdir())
    annotations = json.loads((COCO / "annotations.json").read_text(encoding="utf-8"))["annotations"]
    story.claim(boxes == rows == len(annotations) > 0, "every box is in both")
    photos = {path.name: path.read_bytes() for path in (EXPORT / "origin_files").iterdir()}
    story.claim(
        photos == {path.name: path.read_bytes() for path in (YOLO / "images").iterdir()},
        "the photos are what they were",
    )
    story.claim(SHEET.stat().st_size > 0, "there is a picture")
    story.say("")
    story.confirm(f"boxes cut at the edge of their photo: {cut}, each a row of losses.csv")
    story.confirm(f"boxes exported: {boxes}; rows of YOLO: {rows}; annotations of COCO: {len(annotations)}")
    story.confirm("both say the same, within half a pixel")
    story.confirm(f"{SHEET} shows the photos with their boxes")
