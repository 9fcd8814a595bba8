"""Small datasets with everything that a trainer may stumble over, and what it should find in them once they are YOLO.

Names of files and classes are odd, some images have nothing, and the three splits have other sizes. Each image of a split has a
width of its own, by which it is found again whatever it is called. Needs Pillow.
"""

import json
import math
import random
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

CLASSES = ["no", "1", "null", "a: b", "é ü", "새", 'it\'s "q"', "🐦", "n 0.5"]
FOLDER_CLASSES = ["no", "1", "null", "a: b", "é ü", "새"]
JOINTS = ["nose", "left wing", "right wing", "tail"]
NAMES = """plain.jpg|사진/새 한 마리.jpg|фото é.png|e\u0301 in two.jpg|my photos/IMG (copy).jpg|scan.v1.final.jpg|UPPER.JPG|images/inner/a.jpg
a/images/b.jpg|a/labels/b.jpg|same.jpg|same.png|camA/x.jpg|camB/x.jpg|cam#1/50%.jpg|[x]/*?.webp|bird 🐦.bmp|it's "q".jpg|.hidden.jpg
.hidden/c.jpg|page.tif|-1.jpeg|0.jpg|train.png|classes.jpg""".replace("\n", "|").split("|")
SPLITS = {"train": 60, "valid": 40, "test": 25}
BACKGROUND = 5
"""Each image of this number has nothing."""
JOIN = 0.15
"""Share of outlines that have two parts."""


@dataclass
class Object:
    """What a trainer should see of an object; fractions of the image."""

    label: str
    box: list[float]
    """Centre, width, height."""
    ring: list[float] | None = None
    """The points of the outline."""
    is_joined: bool = False
    """Whether it is of two parts, which are one outline for a trainer; how they are joined is not said here."""
    joints: list[float] | None = None


@dataclass
class Expected:
    """What a trainer should find: objects or the class of an image by split and width."""

    classes: list[str]
    objects: dict[str, dict[int, list[Object]]] = field(default_factory=dict)
    labels: dict[str, dict[int, str]] = field(default_factory=dict)


def image_names(count):
    """Odd names first, then ordinary ones."""
    return [*NAMES, *(f"{number:06d}.jpg" for number in range(len(NAMES), count))][:count]


def picture(path: Path, width, height):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = random.Random(width).randbytes(width * height * 3)
    Image.frombytes("RGB", (width, height), noise).save(path)


def make_coco(folder: Path, task) -> Expected:
    """Write a COCO dataset for a task, each split in a folder."""
    rnd, expected = random.Random(task), Expected(CLASSES[::-1])  # by their ids
    categories = [{"id": 90 - 7 * k, "name": name, "supercategory": ""} for k, name in enumerate(CLASSES)]
    if task == "pose":
        categories = [{**each, "keypoints": JOINTS, "skeleton": [[1, 2], [1, 3], [3, 4]]} for each in categories]
    for split, count in SPLITS.items():
        images, annotations, found = [], [], {}
        for number, name in enumerate(image_names(count), 1):
            width, height = 64 + number, 50 + number % 13
            picture(folder / split / name, width, height)
            images.append({"id": number, "file_name": name, "width": width, "height": height})
            objects = found[width] = []
            if number % BACKGROUND == 0:
                continue
            for _ in range(rnd.randint(1, 8)):
                index = rnd.randrange(len(CLASSES))
                annotation, seen = DRAW[task](rnd, width, height, CLASSES[index])
                more = {"id": len(annotations) + 1, "image_id": number, "category_id": 90 - 7 * index, "iscrowd": 0}
                annotations.append({**more, **annotation})
                objects.append(seen)
            annotations.append(crowd(len(annotations) + 1, number, width, height))
        document = {"images": images, "annotations": annotations, "categories": categories}
        (folder / split / "annotations.json").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        expected.objects[split] = found
    return expected


def crowd(number, image, width, height):
    """A region full of objects, of which a trainer sees nothing."""
    area = width * height
    shape = {"size": [height, width], "counts": [0, area // 2, area - area // 2]}
    box = [0, 0, width // 2, height]
    return {"id": number, "image_id": image, "category_id": 90, "iscrowd": 1, "bbox": box, "segmentation": shape}


def make_folders(folder: Path) -> Expected:
    """Write image folders: every class in every split, with folders in them that a list of classes says are none."""
    expected = Expected(sorted(FOLDER_CLASSES))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "classes.txt").write_text("".join(f"{name}\n" for name in expected.classes))
    for split, count in SPLITS.items():
        found = expected.labels[split] = {}
        for number, name in enumerate(n for n in image_names(count) if not n.startswith(".")):
            label, width = FOLDER_CLASSES[number % len(FOLDER_CLASSES)], 64 + number
            picture(folder / split / label / name, width, 50 + number % 13)
            found[width] = label
    return expected


# ---- one object


def part(rnd, width, height):
    """An upright box inside of the image, in pixels."""
    w, h = rnd.uniform(3, width * 0.7), rnd.uniform(3, height * 0.7)
    return rnd.uniform(0, width - w), rnd.uniform(0, height - h), w, h


def fractions(box, width, height):
    """Centre and size of what the image has of a box."""
    left, top = max(0, box[0]), max(0, box[1])
    right, bottom = min(width, box[0] + box[2]), min(height, box[1] + box[3])
    return [
        (left + right) / 2 / width,
        (top + bottom) / 2 / height,
        (right - left) / width,
        (bottom - top) / height,
    ]


def around(points):
    xs, ys = points[0::2], points[1::2]
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def scaled(points, width, height):
    return [value / (height if at % 2 else width) for at, value in enumerate(points)]


def boxed(rnd, width, height, label):
    """A box; one in eight reaches over the edge."""
    box = [*part(rnd, width, height)]
    if rnd.random() < 0.125:
        box[0] -= box[2] / 2 + box[0]
    return {"bbox": box}, Object(label, fractions(box, width, height))


def outline(rnd, x, y, w, h):
    """A ring of 3 to 12 points around the middle of a box."""
    count = rnd.randint(3, 12)
    angles = [2 * math.pi * (k + rnd.random() * 0.6) / count for k in range(count)]
    return [v for a in angles for v in (x + w / 2 * (1 + math.cos(a)), y + h / 2 * (1 + math.sin(a)))]


def outlined(rnd, width, height, label):
    """An outline; some are in two parts, which become one."""
    x, y, w, h = part(rnd, width, height)
    is_joined = rnd.random() < JOIN and w > 12
    rings = [outline(rnd, x, y, w * 0.45, h), outline(rnd, x + w * 0.55, y, w * 0.45, h)]
    rings = rings if is_joined else [outline(rnd, x, y, w, h)]
    points = [v for ring in rings for v in ring]
    box = around(points)
    seen = Object(label, fractions(box, width, height), scaled(points, width, height), is_joined)
    return {"bbox": box, "segmentation": rings}, seen


def posed(rnd, width, height, label):
    """A box and joints, of which some are hidden or not there."""
    x, y, w, h = box = part(rnd, width, height)
    points, seen = [], []
    for _ in JOINTS:
        visibility = rnd.choice((0, 1, 2, 2))
        point = (x + w * rnd.random(), y + h * rnd.random()) if visibility else (0, 0)
        points += [*point, visibility]
        seen += [point[0] / width, point[1] / height, visibility]
    row = {"bbox": box, "keypoints": points, "num_keypoints": sum(v > 0 for v in points[2::3])}
    return row, Object(label, fractions(box, width, height), joints=seen)


def turned(rnd, width, height, label):
    """A rectangle, turned, as an outline of four corners."""
    side = min(width, height)
    w, h, angle = rnd.uniform(4, side * 0.5), rnd.uniform(4, side * 0.5), rnd.uniform(0, math.pi)
    reach = math.hypot(w, h) / 2
    x, y = rnd.uniform(reach, width - reach), rnd.uniform(reach, height - reach)
    ring = []
    for across, down in ((-w, -h), (w, -h), (w, h), (-w, h)):
        ring.append(x + (across * math.cos(angle) - down * math.sin(angle)) / 2)
        ring.append(y + (across * math.sin(angle) + down * math.cos(angle)) / 2)
    box = around(ring)
    row = {"bbox": box, "segmentation": [ring]}
    return row, Object(label, fractions(box, width, height), scaled(ring, width, height))


DRAW = {"detect": boxed, "segment": outlined, "pose": posed, "obb": turned}
