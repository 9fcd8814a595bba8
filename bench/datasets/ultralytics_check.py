#!/usr/bin/env python3
"""Whether Ultralytics takes what `synapse dataset convert --to yolo` writes: ultralytics_check.py [--task detect,...] [--keep]

Makes a dataset for each task, converts it, and lets the trainer's own code check the dataset and read every label and image
of every split, as training does. It must find each image, no corrupt one, and each object: its class, its box within 1e-5 of
the image, its outline or joints likewise. Then copies are spoiled one by one, which the same comparison must notice. Prints a
line a task; the exit code is 1 if anything disagrees. Run it with the Python of the `ultralytics` environment.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import trainer_data

import tools

WORK = tools.DATA / "ultralytics"
FONTS = ("Arial.ttf", "Arial.Unicode.ttf")


def stay_offline() -> None:
    """Keep the trainer's settings below the work folder, and it from the network: it fetches fonts that it does not find."""
    config = WORK / "config" / "Ultralytics"
    config.mkdir(parents=True, exist_ok=True)
    for font in FONTS:
        (config / font).touch()
    os.environ |= {
        "YOLO_CONFIG_DIR": str(config.parent),
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_VERBOSE": "false",
        "MPLCONFIGDIR": str(config.parent),
    }


stay_offline()  # before it is imported

import numpy as np  # noqa: E402
import torch  # noqa: E402
import ultralytics  # noqa: E402
from PIL import Image  # noqa: E402
from ultralytics.cfg import get_cfg  # noqa: E402
from ultralytics.data.dataset import ClassificationDataset, YOLODataset  # noqa: E402
from ultralytics.data.utils import check_cls_dataset, check_det_dataset, load_dataset_cache_file  # noqa: E402

try:
    import torchvision
except RuntimeError:  # built for another build of torch: its operators, which nothing here calls, cannot be described
    OPERATORS = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        OPERATORS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

TASKS = ("detect", "segment", "pose", "obb", "classify")
NEAR = 1e-5
"""Fractions of an image."""
KEYS = {"train": "train", "valid": "val", "test": "test"}


def convert(source: Path, target: Path, task: str) -> None:
    given = "imagefolder" if task == "classify" else "coco"
    command = [*tools.synapse_command(), "dataset", "convert", str(source), str(target), "--from", given]
    done = subprocess.run([*command, "--to", "yolo", "--task", task], capture_output=True, text=True, check=False)
    if done.returncode not in tools.FINISHED:
        raise SystemExit(f"{task}: synapse ended with {done.returncode}\n{done.stderr}")


# ---- what the trainer finds


def disagreements(folder: Path, task: str, expected) -> list[str]:
    """Say where what the trainer reads is not what was in the source."""
    try:
        return [*(classified(folder, expected) if task == "classify" else labelled(folder, task, expected))]
    except Exception as error:
        return [f"refused: {type(error).__name__}: {error}"]


def labelled(folder: Path, task: str, expected):
    """Compare a dataset with label files."""
    data = check_det_dataset(str(folder / "dataset.yaml"))
    if [*data["names"].values()] != expected.classes:
        yield f"classes are {data['names']}"
    if task == "pose" and data["kpt_shape"] != [len(trainer_data.JOINTS), 3]:
        yield f"kpt_shape is {data['kpt_shape']}"
    for split, objects in expected.objects.items():
        dataset = YOLODataset(img_path=data[KEYS[split]], data=data, task=task, imgsz=64, augment=False, hyp=get_cfg())
        cache = load_dataset_cache_file(Path(dataset.label_files[0]).parent.with_suffix(".cache"))
        found, missing, empty, corrupt, total = cache["results"]
        figures = {"images": total, "label files": found, "without": missing, "empty": empty, "corrupt": corrupt}
        empty = sum(not each for each in objects.values())
        wanted = {"images": len(objects), "label files": len(objects), "without": 0, "empty": empty, "corrupt": 0}
        if figures != wanted:
            yield f"{split}: {figures}, not {wanted}"
        yield from (f"{split}: {message}" for message in cache["msgs"])
        yield from compared(split, dataset, objects, expected.classes)
        for number in range(len(dataset)):
            dataset[number]  # decoded and transformed, as for training


def compared(split, dataset, objects, classes):
    """Compare the labels of each image."""
    for label in dataset.labels:
        wanted = objects.get(label["shape"][1])
        name = f"{split}: {Path(label['im_file']).name}"
        if wanted is None:
            yield f"{name} is none of the images"
            continue
        numbers = [classes.index(each.label) for each in wanted]
        if [*map(int, label["cls"].ravel())] != numbers:
            yield f"{name} has classes {label['cls'].ravel()}, not {numbers}"
            continue
        for at, each in enumerate(wanted):
            yield from (f"{name}: {words}" for words in different(label, at, each))


def different(label, at, wanted):
    """Compare one object."""
    if (far := distance(label["bboxes"][at], wanted.box)) > NEAR:
        yield f"the box of object {at} is {far:.6f} away"
    if wanted.joints is not None and (far := distance(label["keypoints"][at], wanted.joints)) > NEAR:
        yield f"the joints of object {at} are {far:.6f} away"
    far = 0.0
    if wanted.is_joined:
        far = points_distance(label["segments"][at], wanted.ring)
    elif wanted.ring is not None:
        far = ring_distance(label["segments"][at], wanted.ring)
    if far > NEAR:
        yield f"the outline of object {at} is {far:.6f} away"


def distance(one, other) -> float:
    one, other = np.asarray(one, dtype=float).ravel(), np.asarray(other, dtype=float)
    return float(abs(one - other).max()) if one.shape == other.shape else float("inf")


def ring_distance(one, other) -> float:
    """The distance of two rings, whichever point and direction they begin with."""
    points = np.asarray(other).reshape(-1, 2)
    turns = [np.roll(each, turn, axis=0) for each in (points, points[::-1]) for turn in range(len(points))]
    return min(distance(one, turn.ravel()) for turn in turns)


def points_distance(one, other) -> float:
    """How far the farthest of the points that should be there is from the next one that is."""
    wanted = np.asarray(other).reshape(-1, 1, 2)
    return float(abs(wanted - np.asarray(one)).max(axis=2).min(axis=1).max())


def classified(folder: Path, expected):
    """Compare a dataset of image folders."""
    data = check_cls_dataset(folder)
    if [*data["names"].values()] != expected.classes:
        yield f"classes are {data['names']}"
    for split, labels in expected.labels.items():
        root = data[KEYS[split]]
        dataset = ClassificationDataset(root, args=get_cfg(), prefix=split, names=data["names"])
        cache = load_dataset_cache_file(Path(root).with_suffix(".cache"))
        found, corrupt = cache["results"][:2]
        if (found, corrupt) != (len(labels), 0):
            yield f"{split}: {found} images and {corrupt} corrupt, not {len(labels)} and 0"
        yield from (f"{split}: {message}" for message in cache["msgs"])
        for path, index, *_ in dataset.samples:
            with Image.open(path) as image:
                wanted = labels.get(image.width)
            if data["names"][index] != wanted:
                yield f"{split}: {Path(path).name} is {data['names'][index]!r}, not {wanted!r}"
        for number in range(len(dataset)):
            dataset[number]


# ---- spoiling


def first_label(folder: Path) -> Path:
    return next(path for path in sorted((folder / "train/labels").rglob("*.txt")) if path.stat().st_size)


def change_row(change):
    """Spoil the first row of a label file."""

    def spoil(folder: Path) -> None:
        path = first_label(folder)
        first, *rest = path.read_text().splitlines()
        path.write_text("\n".join([" ".join(change(first.split())), *rest]) + "\n")

    return spoil


def drop_row(folder: Path) -> None:
    path = first_label(folder)
    path.write_text("\n".join(path.read_text().splitlines()[1:]))


def first_image(folder: Path) -> Path:
    return next(path for path in sorted((folder / "train").rglob("*.jpg")))


def move_image(folder: Path) -> None:
    path = first_image(folder)
    others = [each for each in sorted((folder / "train").iterdir()) if each.is_dir() and each not in path.parents]
    path.rename(others[0] / "moved.jpg")


OF_IMAGES = {
    "an image that is none": lambda folder: first_image(folder).write_bytes(b"no image"),
    "an image cut short": lambda folder: os.truncate(first_image(folder), 300),
    "an image less": lambda folder: first_image(folder).unlink(),
}
OF_LABELS = {
    "a coordinate of 1.5": change_row(lambda row: [row[0], "1.5", *row[2:]]),
    "a class that there is not": change_row(lambda row: ["99", *row[1:]]),
    "another class": change_row(lambda row: ["1" if row[0] == "0" else "0", *row[1:]]),
    "a number less": change_row(lambda row: row[:-1]),
    "a number that is a word": change_row(lambda row: [row[0], "left", *row[2:]]),
    "a number that is off by 0.001": change_row(lambda row: [row[0], f"{float(row[1]) + 0.001:.6f}", *row[2:]]),
    "an object less": drop_row,
    "no label file": lambda folder: first_label(folder).unlink(),
    **OF_IMAGES,
}
OF_CLASSES = {"an image of another class": move_image, **OF_IMAGES}


def unnoticed(folder: Path, task: str, expected) -> tuple[list[str], int]:
    """Spoil copies, and return in which ways nobody noticed, and how many ways there are."""
    ways = OF_CLASSES if task == "classify" else OF_LABELS
    missed = []
    for name, spoil in ways.items():
        copy = folder.with_name(f"{task}-spoiled")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*.cache"))
        spoil(copy)
        if not disagreements(copy, task, expected):
            missed.append(name)
    return missed, len(ways)


# ---- running


def check(task: str) -> bool:
    """Check one task, print what came out, and return whether all is well."""
    source, target = WORK / f"{task}-source", WORK / task
    for folder in (source, target):
        shutil.rmtree(folder, ignore_errors=True)
    expected = trainer_data.make_folders(source) if task == "classify" else trainer_data.make_coco(source, task)
    convert(source, target, task)
    found = disagreements(target, task, expected)
    missed, ways = unnoticed(target, task, expected)
    images = [each for split in (expected.objects or expected.labels).values() for each in split.values()]
    objects = sum(map(len, images)) if expected.objects else len(images)
    backgrounds = sum(not each for each in images)
    what = f"{len(images)} images, {backgrounds} without objects, {objects} objects in {', '.join(KEYS.values())}"
    verdict = f"{len(found)} disagreements" if found else "accepted, and the same"
    print(f"{task}: {what}: {verdict}; {ways - len(missed)} of {ways} spoiled copies noticed", flush=True)
    for words in found[:20]:
        print(f"  {words}")
    for name in missed:
        print(f"  not noticed: {name}")
    return not found and not missed


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--task", default=",".join(TASKS), help="comma-separated")
    ap.add_argument("--keep", action="store_true", help="keep the datasets in BENCH_DATA/ultralytics")
    o = ap.parse_args()
    if unknown := set(o.task.split(",")) - set(TASKS):
        ap.error(f"unknown task {', '.join(sorted(unknown))}")
    versions = f"torch {torch.__version__}, torchvision {torchvision.__version__}, Python {sys.version.split()[0]}"
    print(f"ultralytics {ultralytics.__version__}, {versions}")
    results = [check(task) for task in o.task.split(",")]
    if not o.keep:
        shutil.rmtree(WORK)
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main())
