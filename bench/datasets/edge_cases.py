#!/usr/bin/env python3
"""Small awkward data sets, one a case, given to converters; prints case | expected | got.

    edge_cases.py [--tool synapse] [--only C1,Y4] [--keep]

Cases C*, V*, Y* go between COCO, YOLO and VOC; D* go to or from DM. The verdict is computed from the files that were written:
    ok       did what is expected
    refuses  stopped with a message that names the offending record (correct where the case allows it)
    WRONG    finished, and the result is wrong
    STOPS    stopped otherwise
The exit status is 1 when our own converter has a verdict other than ok or refuses.
"""

import argparse
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_kit import coco, coco_document, coco_objects, dm, dm_item, yolo, yolo_names, yolo_rows

import tools

CROWD = {"iscrowd": 1, "segmentation": {"counts": [0, 8000], "size": [80, 100]}}
ACCIDENTS = (
    "KeyError",
    "IndexError",
    "TypeError",
    "AttributeError",
    "UnboundLocalError",
    "AssertionError",
    "FileNotFoundError",
)


# ---- verdicts


def same(wanted, got) -> str:
    return "ok" if got == wanted else f"WRONG {got}"


def row_count(wanted: int, name="a.txt"):
    return lambda out: same(wanted, len(yolo_rows(out)[name])) if name in yolo_rows(out) else "WRONG no file"


def row_counts(*wanted):
    """Rows in each label file, in any order."""
    return lambda out: same(list(wanted), sorted(len(r) for r in yolo_rows(out).values()))


def object_counts(**wanted):
    return lambda out: same(wanted, {Path(n).stem: len(v) for n, v in sorted(coco_objects(out).items())})


def classes_behind_rows(out):
    names = yolo_names(out)
    if names is None:
        return "n/a (writes no YAML)"
    indices = [int(row[0]) for row in yolo_rows(out)["a.txt"]]
    return same(
        ["bee", "zebra"], sorted(str(names[i]) if i < len(names) else f"index {i} of {len(names)}" for i in indices)
    )


def names_are(*wanted):
    return lambda out: "n/a (writes no YAML)" if yolo_names(out) is None else same(list(wanted), yolo_names(out))


def inside_image(out):
    rows = [tuple(map(float, r[1:5])) for r in yolo_rows(out)["a.txt"]]
    outside = [
        r
        for r in rows
        if min(r[0] - r[2] / 2, r[1] - r[3] / 2) < -1e-4 or max(r[0] + r[2] / 2, r[1] + r[3] / 2) > 1.0001
    ]
    return f"WRONG outside 0..1: {outside}" if outside else same(2, len(rows))


def precise(out):
    x, y, w, h = map(float, yolo_rows(out)["a.txt"][0][1:5])
    error = max(
        abs((x - w / 2) * 4000 - 1234.37),
        abs((y - h / 2) * 3000 - 987.61),
        abs(w * 4000 - 33.13),
        abs(h * 3000 - 21.47),
    )
    return f"{'ok' if error < 0.05 else 'WRONG'} ({error:.4f} px)"


def nothing_escaped(out):
    folders = [p for p in out.parents if p.is_relative_to(tools.DATA)]
    found = [p for folder in folders for p in folder.glob("evil_edge*") if p.is_file()]
    for path in found:
        path.unlink()
    return "WRONG wrote outside the output folder" if found else "ok"


def voc_corners(out):
    box = ET.parse(next(p for p in out.rglob("*.xml") if p.stem == "a")).getroot().find("object/bndbox")
    return same([1, 1, 10, 10], [float(box.find(k).text) for k in ("xmin", "ymin", "xmax", "ymax")])


def voc_class(out):
    roots = [ET.parse(p).getroot() for p in out.rglob("*.xml")]
    return same(["R&D <x>"], [r.find("object/name").text for r in roots if r.find("object") is not None])


def polygon_kept(out):
    box, kept = coco_objects(out)["a.jpg"][0][1], bool(coco_document(out)["annotations"][0].get("segmentation"))
    near = all(abs(p - q) <= 1 for p, q in zip(box, [10, 8, 40, 48], strict=True))
    return "ok" if kept and near else f"WRONG box {box}, polygon {'kept' if kept else 'lost'}"


def objects_in_folders(out):
    d = coco_document(out)
    found = sorted((i["file_name"], sum(a["image_id"] == i["id"] for a in d["annotations"])) for i in d["images"])
    return "ok" if [n for _, n in found] == [1, 2] and len({f for f, _ in found}) == 2 else f"WRONG {found}"


def ids_and_classes(out):
    d = coco_document(out)
    ids, categories = [a["id"] for a in d["annotations"]], sorted(c["id"] for c in d["categories"])
    faults = [
        text
        for text, bad in (
            ("annotation ids repeat", len(set(ids)) != len(ids)),
            ("categories start at 0", categories[:1] == [0]),
            (f"{len(categories)} of 3 classes", len(categories) != 3),
        )
        if bad
    ]
    return f"WRONG {', '.join(faults)}" if faults else "ok"


def joints_not_polygon(out):
    item = dm_item(out)
    return (
        "ok"
        if item.get("keypoint") and not item.get("polygon")
        else f"WRONG read as {[k for k, v in item.items() if v]}"
    )


# ---- the table


@dataclass(frozen=True)
class Case:
    id: str
    task: str
    expected: str
    build: Callable[[Path], None]
    judge: Callable[[Path], str]
    may_refuse: str = ""
    """Text that the message of an allowed refusal contains; empty where refusing is no answer."""


BOX, BOX2, BOX3 = [10, 20, 30, 40], [0, 0, 50, 20], [0, 0, 40, 20]
ROW, POSE = "1 0.5 0.5 0.2 0.5\n", "0 0.5 0.5 0.2 0.5 0.45 0.4 2 0.5 0.5 2 0.55 0.5 1 0 0 0\n"
POSE_YAML = "names: [ant, bee, zebra]\nkpt_shape: [4, 3]\n"
ODD_NAMES = ["no", "1", "null", "a: b", "é ü"]

CASES = [
    Case(
        "C1",
        "coco2yolo",
        "category ids 90, 3, 7 become dense indices; the name behind each row is right",
        coco(["a.jpg"], [(1, 90, BOX), (1, 7, BOX2)]),
        classes_behind_rows,
    ),
    Case(
        "C2",
        "coco2yolo",
        "iscrowd=1 is not written as an object",
        coco(["a.jpg"], [(1, 3, BOX), (1, 7, BOX2, CROWD)]),
        row_count(1),
    ),
    Case(
        "C3",
        "coco2yolo",
        "an image without annotations gets an empty label file",
        coco(["a.jpg", "neg.jpg"], [(1, 3, BOX)]),
        row_count(0, "neg.txt"),
    ),
    Case(
        "C4",
        "coco2yolo",
        "boxes that stick out are clipped to the image",
        coco(["a.jpg"], [(1, 3, [-10, 20, 40, 30]), (1, 3, [80, 60, 30, 30])]),
        inside_image,
    ),
    Case(
        "C5",
        "coco2yolo",
        "a box of zero width is dropped and reported",
        coco(["a.jpg"], [(1, 3, [10, 20, 0, 30]), (1, 3, BOX)]),
        row_count(1),
    ),
    Case(
        "C6",
        "coco2yolo",
        "camA/x.jpg and camB/x.jpg keep their own labels",
        coco(["camA/x.jpg", "camB/x.jpg"], [(1, 3, BOX), (2, 7, BOX2), (2, 7, BOX3)]),
        row_counts(1, 2),
    ),
    Case(
        "C7",
        "coco2yolo",
        "x.jpg and x.png share a label path: refuse or rename, never overwrite",
        coco(["x.jpg", "x.png"], [(1, 3, BOX), (2, 7, BOX2), (2, 7, BOX3)]),
        row_counts(1, 2),
        "x.png",
    ),
    Case(
        "C8",
        "coco2yolo",
        "Unicode, spaces and dots in names",
        coco(["사진 é (1).jpg", "scan.v1.jpg"], [(1, 3, BOX), (2, 7, BOX2)]),
        lambda out: same({"사진 é (1).txt": 1, "scan.v1.txt": 1}, {n: len(r) for n, r in yolo_rows(out).items()}),
    ),
    Case(
        "C9",
        "coco2yolo",
        "category id 0 is a class like any other",
        coco(["a.jpg"], [(1, 0, BOX), (1, 1, BOX2)], [(0, "ant"), (1, "bee")]),
        row_count(2),
    ),
    Case(
        "C10",
        "coco2yolo",
        "class names no, 1, null, 'a: b', 'é ü' come back from the YAML as these strings",
        coco(["a.jpg"], [(1, k, BOX) for k in range(1, 6)], list(enumerate(ODD_NAMES, 1))),
        names_are(*ODD_NAMES),
    ),
    Case(
        "C11",
        "coco2yolo",
        "4000x3000 image: less than 0.05 px of error",
        coco(["a.jpg"], [(1, 3, [1234.37, 987.61, 33.13, 21.47])], size=(4000, 3000)),
        precise,
    ),
    Case(
        "C12",
        "coco2yolo",
        "an annotation without iscrowd, area, segmentation is read",
        coco(["a.jpg"], [(1, 3, BOX)], without=("iscrowd", "area", "segmentation")),
        row_count(1),
    ),
    Case(
        "C13",
        "coco2yolo",
        "unknown category_id and image_id: the rest survives and the loss is reported, or a refusal names them",
        coco(["a.jpg"], [(1, 3, BOX), (1, 555, BOX), (777, 3, BOX)]),
        row_count(1),
        "555|777",
    ),
    Case(
        "C14",
        "coco2yolo",
        "file_name ../../../../evil_edge.jpg is refused; nothing is written outside the output folder",
        coco(["a.jpg", "../../../../evil_edge.jpg"], [(1, 3, BOX), (2, 3, BOX)]),
        nothing_escaped,
        "evil_edge",
    ),
    Case(
        "V1",
        "coco2voc",
        "box [0,0,10,10] becomes corners 1, 1, 10, 10 (VOC counts from 1, inclusive)",
        coco(["a.jpg"], [(1, 3, [0, 0, 10, 10])]),
        voc_corners,
    ),
    Case(
        "V2",
        "coco2voc",
        "an image without annotations gets an XML without object",
        coco(["a.jpg", "neg.jpg"], [(1, 3, BOX)]),
        lambda out: "ok" if [p for p in out.rglob("*.xml") if p.stem == "neg"] else "WRONG no XML",
    ),
    Case(
        "V3",
        "coco2voc",
        "class 'R&D <x>' and file 'a & b.jpg' are escaped",
        coco(["a & b.jpg"], [(1, 3, BOX)], [(3, "R&D <x>")]),
        voc_class,
    ),
    Case(
        "Y1",
        "yolo2coco",
        "names as a mapping in any order: indexed by key",
        yolo({"a.jpg": ROW}, "names:\n  2: zebra\n  0: ant\n  1: bee\n"),
        lambda out: same("bee", coco_objects(out)["a.jpg"][0][0]),
    ),
    Case(
        "Y2",
        "yolo2coco",
        "empty and missing label file: image kept, nothing invented",
        yolo({"a.jpg": ROW, "empty.jpg": "", "missing.jpg": None}),
        object_counts(a=1, empty=0, missing=0),
    ),
    Case(
        "Y3",
        "yolo2coco",
        "5e-01, CRLF, blank line, trailing spaces are accepted",
        yolo({"a.jpg": "0 5e-01 0.5 2e-01 0.5  \r\n\r\n1 0.5 0.5 0.2 0.5\r\n"}),
        lambda out: same([("ant", [40, 20, 20, 40]), ("bee", [40, 20, 20, 40])], coco_objects(out)["a.jpg"]),
    ),
    Case(
        "Y4",
        "yolo2coco",
        "a segment row becomes a polygon and its enclosing box",
        yolo({"a.jpg": "2 0.1 0.1 0.5 0.1 0.5 0.6 0.3 0.7 0.1 0.6\n"}),
        polygon_kept,
    ),
    Case(
        "Y5",
        "yolo2coco",
        "pose rows (kpt_shape [4, 3]): the box is read, no polygon",
        yolo({"a.jpg": POSE}, POSE_YAML),
        lambda out: same([40, 20, 20, 40], coco_objects(out)["a.jpg"][0][1]),
    ),
    Case(
        "Y6",
        "yolo2coco",
        "EXIF orientation 6 (stored 100x80): the size is the shown one, 80x100",
        yolo({"a.jpg": "1 0.5 0.5 0.5 0.25\n"}, orientation=6),
        lambda out: same((80, 100), tuple(coco_document(out)["images"][0][k] for k in ("width", "height"))),
    ),
    Case(
        "Y7",
        "yolo2coco",
        "images/a/x.jpg and images/b/x.jpg with labels in the same sub-folders",
        yolo({"a/x.jpg": ROW, "b/x.jpg": ROW + ROW.replace("1", "2", 1)}),
        objects_in_folders,
    ),
    Case(
        "Y8",
        "yolo2coco",
        "category ids from 1, annotation ids unique, unused classes kept",
        yolo({"a.jpg": ROW, "b.jpg": ROW}),
        ids_and_classes,
    ),
    Case(
        "Y9",
        "yolo2coco",
        "one file of three has 5e-01: all three images come through",
        yolo({"a.jpg": ROW, "b.jpg": ROW, "c.jpg": "1 5e-01 0.5 0.2 0.5\n"}),
        object_counts(a=1, b=1, c=1),
    ),
    Case(
        "D1",
        "coco2dm",
        "polygons arrive in the DM document",
        coco(["a.jpg"], [(1, 3, BOX, {"segmentation": [[10, 20, 40, 20, 40, 60, 10, 60]]})]),
        lambda out: "ok" if dm_item(out).get("polygon") else "WRONG polygon dropped",
    ),
    Case(
        "D2",
        "coco2dm",
        "a crowd mask as a list of integers is read",
        coco(["a.jpg"], [(1, 3, BOX), (1, 7, BOX2, CROWD)]),
        lambda out: "ok" if dm_item(out).get("bounding_box") else "WRONG no box",
    ),
    Case(
        "D3",
        "coco2dm",
        "camA/x.jpg and camB/x.jpg become two documents",
        coco(["camA/x.jpg", "camB/x.jpg"], [(1, 3, BOX), (2, 7, BOX2)]),
        lambda out: same(2, len(list(out.rglob("json/**/*.json")))),
    ),
    Case(
        "D4",
        "yolo2dm",
        "pose rows, 4 joints of 3 numbers, become keypoints",
        yolo({"a.jpg": POSE}, POSE_YAML),
        joints_not_polygon,
    ),
    Case(
        "D5",
        "yolo2dm",
        "an image without label file is kept; a.JPG is found",
        yolo({"a.JPG": ROW, "missing.jpg": None}),
        lambda out: same(["a", "missing"], sorted(p.stem for p in out.rglob("json/**/*.json"))),
    ),
    Case(
        "D6",
        "yolo2dm",
        "EXIF orientation 6: pixel boxes in the shown frame, 80x100",
        yolo({"a.jpg": "1 0.5 0.5 0.5 0.25\n"}, orientation=6),
        lambda out: same([20, 37.5, 40, 25], [round(v, 3) for v in dm_item(out)["bounding_box"][0]["data"]]),
    ),
    Case(
        "D7",
        "dm2yolo",
        "a box that ends 1e-7 px outside is clipped, not lost",
        dm("a.jpg", [70.1, 10, 29.9000001, 20]),
        row_count(1),
    ),
    Case("D8", "dm2yolo", "an upper-case .JPG original is found", dm("a.JPG", [70, 10, 20, 20]), row_count(1)),
]


# ---- running


def verdict(case: Case, tool: str, source: Path, out: Path) -> str:
    """Convert the case with the tool and say what came out."""
    done = subprocess.run(
        tools.command(tool, case.task, source, out),
        env=tools.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    own = tools.TOOLS[tool].venv is None
    if done.returncode == 0 or (own and done.returncode in tools.FINISHED):
        try:
            found = case.judge(out)
            return found.replace("n/a (writes no YAML)", "WRONG no YAML") if own else found
        except Exception as error:  # output that cannot be read at all
            return f"WRONG {type(error).__name__}: {error}"
    message = " ".join(done.stderr.split()) if own else tools.last_error(done.stderr)
    if nothing_escaped(out) != "ok":
        return "WRONG wrote outside the output folder"
    crashed = "Traceback" in done.stderr if own else message.startswith(ACCIDENTS)
    named = bool(case.may_refuse) and re.search(case.may_refuse, message) is not None
    message = re.sub(r"\S*/edge/", "", message)[:110]
    return f"refuses: {message}" if named and not crashed else f"STOPS {message}"


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--tool", default="synapse", help="comma-separated")
    ap.add_argument("--only", default="", help="ids of cases")
    ap.add_argument("--keep", action="store_true", help="keep the sources and outputs in BENCH_DATA/edge")
    o = ap.parse_args()
    names = o.tool.split(",")
    tools.choose(o.tool, "")  # complain about an unknown or missing tool before anything is written
    work, counts, failed = tools.DATA / "edge", {n: Counter() for n in names}, False
    print(
        "| case | expected | "
        + " | ".join(f"got ({n})" if len(names) > 1 else "got" for n in names)
        + " |\n|---|---|"
        + "---|" * len(names)
    )
    for case in CASES:
        if o.only and case.id not in o.only.split(","):
            continue
        shutil.rmtree(work / case.id, ignore_errors=True)
        case.build(work / case.id)
        got = {}
        for name in tools.choose(o.tool, case.task):
            out = (
                work / "out" / "1" / "2" / "3" / f"{case.id}-{name}"
            )  # deep, so that an escape with ../ lands in the work folder
            shutil.rmtree(out, ignore_errors=True)
            got[name] = verdict(case, name, work / case.id, out)
            counts[name][got[name].split()[0].rstrip(":")] += 1
            failed |= tools.TOOLS[name].venv is None and not got[name].startswith(("ok", "refuses"))
        if got:
            print(
                f"| {case.id} | {case.expected} | "
                + " | ".join(got.get(n, "-").replace("|", "/") for n in names)
                + " |",
                flush=True,
            )
    for name, count in counts.items():
        print(f"{name}: " + ", ".join(f"{n} {word}" for word, n in sorted(count.items())))
    if not o.keep:
        shutil.rmtree(work, ignore_errors=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
