"""How little work each conversion can be, in one Python process and one thread. No validation, no report: a floor, not a product.

A function is called TASK_VARIANT and takes the source and the target folder. Variants of reading COCO:
orjson: everything as dicts; msgspec: typed, only the fields that are needed; raw: the file mapped into memory and cut into one
undecoded slice an annotation; ijson: a token stream. Variant `same` reads as orjson does, and writes all that ours writes: boxes around
outlines, and images of masks.
"""

import json
import mmap
import os
import shutil
import struct
import zlib
from collections import defaultdict
from html import escape
from pathlib import Path

import msgspec
import orjson


def put(path: str, data: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    if data:
        os.write(fd, data)
    os.close(fd)


def folder(out: Path, name: str) -> str:
    (out / name).mkdir(parents=True, exist_ok=True)
    return f"{out / name}/"


def stem(name: str) -> str:
    return os.path.splitext(name)[0]


def yolo_row(index, x, y, w, h, width, height) -> str:
    return f"{index} {(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f} {w / width:.6f} {h / height:.6f}\n"


def yolo_polygons(index, shape, width, height) -> str:
    size = width, height
    return "".join(
        [f"{index} " + " ".join([f"{v / size[k & 1]:.6f}" for k, v in enumerate(part)]) + "\n" for part in shape]
    )


def jpeg_size(path: str) -> tuple[int, int]:
    """Width and height from the header."""
    fd = os.open(path, os.O_RDONLY)
    head, i = os.read(fd, 1024), 2
    while True:
        if i + 9 > len(head):
            head += os.read(fd, 65536)
            if i + 9 > len(head):
                raise ValueError(path)
        marker = head[i + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            os.close(fd)
            return struct.unpack(">HH", head[i + 5 : i + 9])[::-1]
        i += 2 + (head[i + 2] << 8 | head[i + 3])


# ---- from COCO, as dicts


def read_coco(source: Path):
    """The document, its annotations by image, and the dense index of each category id."""
    d = orjson.loads((source / "annotations.json").read_bytes())
    by_image = defaultdict(list)
    for a in d["annotations"]:
        by_image[a["image_id"]].append(a)
    return d, by_image, {c: k for k, c in enumerate(sorted(c["id"] for c in d["categories"]))}


def coco2yolo_orjson(source: Path, out: Path) -> None:
    d, by_image, index = read_coco(source)
    labels = folder(out, "labels")
    for i in d["images"]:
        rows = [
            yolo_row(index[a["category_id"]], *a["bbox"], i["width"], i["height"])
            for a in by_image[i["id"]]
            if not a["iscrowd"]
        ]
        put(labels + stem(i["file_name"]) + ".txt", "".join(rows).encode())


def coco2yoloseg_orjson(source: Path, out: Path) -> None:
    d, by_image, index = read_coco(source)
    labels = folder(out, "labels")
    for i in d["images"]:
        rows = [
            yolo_polygons(index[a["category_id"]], a["segmentation"], i["width"], i["height"])
            for a in by_image[i["id"]]
            if not a["iscrowd"] and isinstance(a["segmentation"], list)
        ]
        put(labels + stem(i["file_name"]) + ".txt", "".join(rows).encode())


def coco2voc_orjson(source: Path, out: Path) -> None:
    d, by_image, _ = read_coco(source)
    write_voc(d, by_image, out)


def write_voc(d, by_image, out: Path) -> None:
    names = {c["id"]: escape(c["name"]) for c in d["categories"]}
    target = folder(out, "Annotations")
    for i in d["images"]:
        objects = []
        for a in by_image[i["id"]]:
            if not a["iscrowd"]:
                x, y, w, h = a["bbox"]
                x1, y1 = round(x) + 1, round(y) + 1
                x2, y2 = max(x1, round(x + w)), max(y1, round(y + h))
                objects.append(
                    f"<object><name>{names[a['category_id']]}</name><pose>Unspecified</pose><truncated>0</truncated>"
                    f"<difficult>0</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
                    "</bndbox></object>\n"
                )
        put(
            target + stem(i["file_name"]) + ".xml",
            (
                f"<annotation><folder>JPEGImages</folder><filename>{escape(i['file_name'])}</filename><size><width>{i['width']}</width>"
                f"<height>{i['height']}</height><depth>3</depth></size><segmented>0</segmented>\n{''.join(objects)}</annotation>\n"
            ).encode(),
        )


def coco2voc_same(source: Path, out: Path) -> None:
    import numpy as np
    from PIL import Image
    from pycocotools import mask as masks

    d, by_image, index = read_coco(source)
    write_voc(d, by_image, out)
    palette = list(range(256)) * 3
    folders = [folder(out, name) for name in ("SegmentationObject", "SegmentationClass")]
    for i in d["images"]:
        drawn = [np.zeros((i["height"], i["width"]), np.uint8) for _ in folders]
        for number, a in enumerate(by_image[i["id"]], 1):
            if isinstance(a["segmentation"], dict) and not a["iscrowd"]:
                pixels = masks.decode(a["segmentation"]).astype(bool)
                drawn[0][pixels], drawn[1][pixels] = number, index[a["category_id"]] + 1
        if drawn[0].any():
            for array, place in zip(drawn, folders, strict=True):
                image = Image.fromarray(array)
                image.putpalette(palette)
                image.save(f"{place}{stem(i['file_name'])}.png", "PNG", compress_type=zlib.Z_RLE)


def coco2dm_orjson(source: Path, out: Path) -> None:
    d, by_image, _ = read_coco(source)
    names = {c["id"]: c["name"] for c in d["categories"]}
    target = folder(out, "json")
    for i in d["images"]:
        boxes, polygons = [], []
        for a in by_image[i["id"]]:
            label, shape = names[a["category_id"]], a["segmentation"]
            boxes.append({"id": f"b{a['id']}", "classification": label, "attrs": [], "data": a["bbox"]})
            for k, p in enumerate(shape if isinstance(shape, list) else []):
                points = [p[j : j + 2] for j in range(0, len(p), 2)]
                polygons.append({"id": f"p{a['id']}_{k}", "classification": label, "attrs": [], "data": points})
        put(
            target + stem(i["file_name"]) + ".json",
            orjson.dumps({"images": [{"bounding_box": boxes, "polygon": polygons}]}),
        )


# ---- from COCO, typed, sliced, or as a stream


class Image(msgspec.Struct, gc=False):
    id: int
    file_name: str
    width: int
    height: int


class Category(msgspec.Struct, gc=False):
    id: int
    name: str


class ImageOf(msgspec.Struct, gc=False):
    image_id: int


class Box(ImageOf, gc=False):
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class Shape(Box, gc=False):
    segmentation: list[list[float]] | dict | None = None


class Boxes(msgspec.Struct, gc=False):
    images: list[Image]
    annotations: list[Box]
    categories: list[Category]


class Slices(msgspec.Struct, gc=False):
    images: list[Image]
    annotations: list[msgspec.Raw]
    categories: list[Category]


def dense(categories) -> dict[int, int]:
    return {c: k for k, c in enumerate(sorted(c.id for c in categories))}


def coco2yolo_msgspec(source: Path, out: Path) -> None:
    d = msgspec.json.decode((source / "annotations.json").read_bytes(), type=Boxes)
    index, by_image, labels = dense(d.categories), defaultdict(list), folder(out, "labels")
    for a in d.annotations:
        by_image[a.image_id].append(a)
    for i in d.images:
        rows = [yolo_row(index[a.category_id], *a.bbox, i.width, i.height) for a in by_image[i.id] if not a.iscrowd]
        put(labels + stem(i.file_name) + ".txt", "".join(rows).encode())


def from_slices(source: Path, out: Path, kind, row) -> None:
    """One pass cuts the mapped file into annotations; each is decoded when its image is written, so no shape stays in memory."""
    with open(source / "annotations.json", "rb") as f:
        d = msgspec.json.decode(mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ), type=Slices)
    index, by_image, labels = dense(d.categories), defaultdict(list), folder(out, "labels")
    image_of, whole = msgspec.json.Decoder(ImageOf).decode, msgspec.json.Decoder(kind).decode
    for a in d.annotations:
        by_image[image_of(a).image_id].append(a)
    d.annotations.clear()
    for i in d.images:
        rows = [row(index[a.category_id], a, i) for a in map(whole, by_image.pop(i.id, ())) if not a.iscrowd]
        put(labels + stem(i.file_name) + ".txt", "".join(rows).encode())


def coco2yolo_raw(source: Path, out: Path) -> None:
    from_slices(source, out, Box, lambda k, a, i: yolo_row(k, *a.bbox, i.width, i.height))


def coco2yoloseg_raw(source: Path, out: Path) -> None:
    def row(k, a, i):
        return yolo_polygons(k, a.segmentation, i.width, i.height) if isinstance(a.segmentation, list) else ""

    from_slices(source, out, Shape, row)


def coco2yolo_ijson(source: Path, out: Path) -> None:
    import ijson

    def stream(key):
        with open(source / "annotations.json", "rb") as f:
            yield from ijson.items(f, f"{key}.item", use_float=True)

    index = {c: k for k, c in enumerate(sorted(c["id"] for c in stream("categories")))}
    by_image, labels = defaultdict(list), folder(out, "labels")
    for a in stream("annotations"):
        if not a["iscrowd"]:
            by_image[a["image_id"]].append((index[a["category_id"]], *a["bbox"]))
    for i in stream("images"):
        rows = [yolo_row(*a, i["width"], i["height"]) for a in by_image[i["id"]]]
        put(labels + stem(i["file_name"]) + ".txt", "".join(rows).encode())


# ---- from YOLO


def read_yolo(source: Path):
    """Each image with its size and its boxes in pixels."""
    images, labels = f"{source / 'images'}/", f"{source / 'labels'}/"
    for name in sorted(os.listdir(images)):
        width, height = jpeg_size(images + name)
        boxes = []
        try:
            with open(labels + stem(name) + ".txt", "rb") as f:
                for line in f.read().splitlines():
                    c, cx, cy, w, h = line.split()
                    w, h = float(w) * width, float(h) * height
                    boxes.append((int(c), [float(cx) * width - w / 2, float(cy) * height - h / 2, w, h]))
        except FileNotFoundError:
            pass
        yield name, width, height, boxes


def yolo2coco_orjson(source: Path, out: Path) -> None:
    names = (source / "classes.txt").read_text().splitlines()
    images, annotations = [], []
    for i, (name, width, height, boxes) in enumerate(read_yolo(source), 1):
        images.append({"id": i, "file_name": name, "width": width, "height": height})
        for c, box in boxes:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": c + 1,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                    "segmentation": [],
                }
            )
    categories = [{"id": k, "name": n, "supercategory": ""} for k, n in enumerate(names, 1)]
    (out / "annotations.json").write_bytes(
        orjson.dumps({"images": images, "annotations": annotations, "categories": categories})
    )


def yolo2dm_orjson(source: Path, out: Path) -> None:
    names = (source / "classes.txt").read_text().splitlines()
    target, k = folder(out, "json"), 0
    for name, _, _, boxes in read_yolo(source):
        rows = [
            {"id": f"b{k + n}", "classification": names[c], "attrs": [], "data": box}
            for n, (c, box) in enumerate(boxes, 1)
        ]
        k += len(rows)
        put(target + stem(name) + ".json", orjson.dumps({"images": [{"bounding_box": rows}]}))


# ---- from DM v2


def read_dm(source: Path):
    """Each document with the stem and the size of its image."""
    documents, images = f"{source / 'json'}/", f"{source / 'original_files'}/"
    for name in sorted(os.listdir(documents)):
        with open(documents + name, "rb") as f:
            item = orjson.loads(f.read())["images"][0]
        yield stem(name), jpeg_size(images + stem(name) + ".jpg"), item


def dm2yolo_orjson(source: Path, out: Path) -> None:
    write_yolo(
        [
            (name, size, [(b["classification"], b["data"]) for b in item["bounding_box"]])
            for name, size, item in read_dm(source)
        ],
        out,
    )


def dm2yolo_same(source: Path, out: Path) -> None:
    write_yolo(
        [
            (
                name,
                size,
                [(b["classification"], b["data"]) for b in item["bounding_box"]]
                + [(p["classification"], box_around(p["data"])) for p in item["polygon"]],
            )
            for name, size, item in read_dm(source)
        ],
        out,
    )


def box_around(points) -> list[float]:
    xs, ys = [q[0] for q in points], [q[1] for q in points]
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def write_yolo(found, out: Path) -> None:
    index = {c: k for k, c in enumerate(sorted({c for _, _, rows in found for c, _ in rows}))}
    labels = folder(out, "labels")
    for name, size, rows in found:
        put(labels + name + ".txt", "".join([yolo_row(index[c], *box, *size) for c, box in rows]).encode())


def dm2coco_orjson(source: Path, out: Path) -> None:
    images, annotations, index = [], [], {}
    for i, (name, (width, height), item) in enumerate(read_dm(source), 1):
        images.append({"id": i, "file_name": name + ".jpg", "width": width, "height": height})
        shapes = [(b["classification"], b["data"], []) for b in item["bounding_box"]]
        shapes += [
            (p["classification"], box_around(p["data"]), [[v for q in p["data"] for v in q]]) for p in item["polygon"]
        ]
        for label, box, polygons in shapes:
            category = index.setdefault(label, len(index) + 1)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": category,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                    "segmentation": polygons,
                }
            )
    categories = [{"id": k, "name": n} for n, k in index.items()]
    (out / "annotations.json").write_bytes(
        orjson.dumps({"images": images, "annotations": annotations, "categories": categories})
    )


# ---- parts of the work alone


def read_stdlib(source: Path, out: Path) -> None:
    json.loads((source / "annotations.json").read_text())


def read_orjson(source: Path, out: Path) -> None:
    orjson.loads((source / "annotations.json").read_bytes())


def read_msgspec(source: Path, out: Path) -> None:
    msgspec.json.decode((source / "annotations.json").read_bytes(), type=Boxes)


def jpegs(source: Path) -> list[str]:
    return [name for name in os.listdir(source) if name.endswith(".jpg")]


def copy_images(source: Path, out: Path) -> None:
    target = folder(out, "images")
    for name in jpegs(source):
        shutil.copyfile(source / name, target + name)


def link_images(source: Path, out: Path) -> None:
    target = folder(out, "images")
    for name in jpegs(source):
        os.link(source / name, target + name)
