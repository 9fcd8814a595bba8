#!/usr/bin/env python3
"""Write a deterministic COCO-like data set, and the same data in other layouts.

    gen_coco.py --images 20000 --out DIR [--layouts coco,yolo,dm] [--profile plain|hard] [--variant 1]

Layouts, each complete in its own folder of DIR; images are hard links to a few small JPEGs:
    coco           annotations.json beside the images: 80 classes with gaps in the ids (1..90), about 7 objects an image
                   (heavy tail), polygons of 6-34 points (8% in two parts), 1% crowd (RLE as integers), 0.5% masks
                   (RLE as text), 3% of the images with nothing
    coco_boxes     the same without "segmentation"
    yolo           images/ labels/ dataset.yaml classes.txt (boxes)
    voc            JPEGImages/ Annotations/
    dm             json/ original_files/, DM v2, one document an image
    datumaro_coco  images/{train,val} annotations/instances_{train,val}.json      (all but one image in train)
    datumaro_yolo  images/{train,val} labels/{train,val} data.yaml
DIR/facts.json holds the counts that a correct converter reproduces; DIR/.complete names the layouts that are whole.

Profile plain has flat, unique ASCII names: every peer reads it. Profile hard has sub-folders, equal base names in different
sub-folders, Unicode, spaces, dots, an upper-case suffix, shuffled categories and annotations, ids with gaps, and a few boxes
that stick out of the image by 0.6 px. Same arguments, same bytes. Needs Pillow.
"""

import argparse
import json
import math
import os
import random
import shutil
from collections import defaultdict
from pathlib import Path
from xml.sax.saxutils import escape

CLASSES = """person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,bird,cat,
dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,
baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,sandwich,
orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,toilet,tv,laptop,mouse,remote,keyboard,
cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush""".replace(
    "\n", ""
).split(",")
GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}  # ids that COCO never used
CATEGORY_IDS = [i for i in range(1, 91) if i not in GAPS]
INDEX = {c: k for k, c in enumerate(CATEGORY_IDS)}
SIZES = [(640, 480), (480, 640), (500, 375), (640, 427), (426, 640), (320, 240)]
IMAGES_PER_BLOCK = (
    20_000  # each block has its own JPEGs, so that no file collects more hard links than ext4 allows (65,000)
)


def link(source, target):
    """Hard-link, or copy where the file system refuses."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        pass
    except OSError:
        shutil.copyfile(source, target)


def make_jpegs(folder, variant, images):
    """12 textured JPEGs (6 sizes) for each block of images."""
    from PIL import Image, ImageFilter

    for k in range(12):
        width, height = SIZES[k % 6]
        noise = random.Random(variant * 1000 + k).randbytes((width // 4) * (height // 4) * 3)
        small = Image.frombytes("RGB", (width // 4, height // 4), noise).filter(ImageFilter.GaussianBlur(1.5))
        for block in range(1 + (images - 1) // IMAGES_PER_BLOCK):
            path = folder / str(block) / f"{k}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                small.resize((width, height), Image.BICUBIC).save(path, "JPEG", quality=80)


def compress_counts(runs):
    """COCO's printable form of run lengths (5 bits a character, delta to the run two before)."""
    out = []
    for i, count in enumerate(runs):
        x = count - runs[i - 2] if i > 2 else count
        more = True
        while more:
            bits = x & 0x1F
            x >>= 5
            more = x != (-1 if bits & 0x10 else 0)
            out.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(out)


def ellipse_runs(x0, y0, w, h, width, height):
    """Column-major run lengths of a filled ellipse, its area in pixels, and its tight box."""
    runs, area, last_end = [], 0, 0
    left, top, right, bottom = width, height, -1, -1
    cx, cy, rx, ry = x0 + w / 2, y0 + h / 2, w / 2, h / 2
    for x in range(x0, min(width, x0 + w)):
        t = 1 - ((x + 0.5 - cx) / rx) ** 2
        if t <= 0:
            continue
        half = ry * math.sqrt(t)
        a, b = max(0, math.ceil(cy - half - 0.5)), min(height, math.floor(cy + half - 0.5) + 1)
        if b <= a:
            continue
        runs += [x * height + a - last_end, b - a]
        last_end = x * height + b
        area += b - a
        left, top, right, bottom = min(left, x), min(top, a), max(right, x + 1), max(bottom, b)
    runs.append(width * height - last_end)
    return runs, area, [float(v) for v in (left, top, right - left, bottom - top)]


def polygon(rnd, x, y, w, h):
    n = rnd.randint(6, 34)
    points = []
    for k in range(n):
        angle = 2 * math.pi * (k + rnd.random() * 0.6) / n
        r = 0.72 + rnd.random() * 0.28
        points.append(
            (round(x + w / 2 + math.cos(angle) * w / 2 * r, 2), round(y + h / 2 + math.sin(angle) * h / 2 * r, 2))
        )
    return points


def area_of(points):
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True))) / 2


def file_name(rnd, i, hard):
    if not hard:
        return f"{i:012d}.jpg"
    r = rnd.random()
    if random.Random(f"pair{i // 2}").random() < 0.06:
        return f"cam{'AB'[i % 2]}/frame_{i // 2:06d}.jpg"
    for below, name in (
        (0.05, f"한국어/사진_{i:06d}.jpg"),
        (0.08, f"фото {i:06d} é.jpg"),
        (0.13, f"my photos/IMG {i:06d} (copy).jpg"),
        (0.15, f"scan.v1.{i:06d}.final.jpg"),
        (0.16, f"IMG_{i:06d}.JPG"),
    ):
        if r < below:
            return name
    return f"train/{i:012d}.jpg"


def random_object(rnd, width, height, hard, pick_category):
    """Shape, area, crowd flag, box and category id of one object."""
    w = min(width * 0.95, width * math.exp(rnd.uniform(math.log(0.02), math.log(0.8))))
    h = min(height * 0.95, height * math.exp(rnd.uniform(math.log(0.03), math.log(0.8))))
    x, y = rnd.uniform(0, width - w), rnd.uniform(0, height - h)
    category = CATEGORY_IDS[pick_category()]
    kind = rnd.random()
    if kind < 0.015 and w >= 8 and h >= 8:
        runs, area, box = ellipse_runs(int(x), int(y), int(w), int(h), width, height)
        crowd = kind < 0.010
        return (
            {"counts": runs if crowd else compress_counts(runs), "size": [height, width]},
            area,
            int(crowd),
            box,
            category,
        )
    if rnd.random() < 0.08 and w > 12:
        parts = [polygon(rnd, x, y, w * 0.45, h), polygon(rnd, x + w * 0.55, y, w * 0.45, h)]
    else:
        parts = [polygon(rnd, x, y, w, h)]
    xs, ys = [p[0] for q in parts for p in q], [p[1] for q in parts for p in q]
    box = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    if hard and rnd.random() < 0.005:
        box[2] += width - (box[0] + box[2]) + 0.6
    shape = [[v for p in q for v in p] for q in parts]
    return shape, round(sum(map(area_of, parts)), 4), 0, [round(v, 2) for v in box], category


def generate(count, variant, hard):
    """Images, annotations and categories as COCO dicts; `_jpeg` tells which picture stands behind an image."""
    rnd = random.Random(variant)
    order = list(range(80))
    rnd.shuffle(order)  # which class is frequent; person first, as in COCO
    order.remove(0)
    order.insert(0, 0)
    picks = iter(rnd.choices(order, [1 / (k + 1.5) for k in range(80)], k=count * 12))
    images, annotations, annotation_id = [], [], 1
    for i in range(1, count + 1):
        jpeg = rnd.randrange(12)
        width, height = SIZES[jpeg % 6]
        image_id = i * 7 + 3 if hard else i
        images.append(
            {
                "license": 1,
                "file_name": file_name(rnd, i, hard),
                "height": height,
                "width": width,
                "date_captured": "2013-11-14 17:02:52",
                "id": image_id,
                "_jpeg": f"{(i - 1) // IMAGES_PER_BLOCK}/{jpeg}.jpg",
            }
        )
        if rnd.random() < 0.03:
            continue
        for _ in range(min(60, 1 + int(rnd.expovariate(1 / 6.6)))):
            shape, area, crowd, box, category = random_object(rnd, width, height, hard, lambda: next(picks, order[0]))
            annotations.append(
                {
                    "segmentation": shape,
                    "area": area,
                    "iscrowd": crowd,
                    "image_id": image_id,
                    "bbox": box,
                    "category_id": category,
                    "id": annotation_id,
                }
            )
            annotation_id += rnd.randint(1, 5) if hard else 1
    categories = [{"supercategory": "thing", "id": i, "name": n} for i, n in zip(CATEGORY_IDS, CLASSES, strict=True)]
    if hard:
        rnd.shuffle(categories)
        rnd.shuffle(annotations)
    return images, annotations, categories


class Writer:
    """Writes one generated data set in any of the layouts."""

    def __init__(self, root, images, annotations, categories):
        self.root, self.images, self.annotations, self.categories = root, images, annotations, categories
        self.by_image = defaultdict(list)
        for a in annotations:
            self.by_image[a["image_id"]].append(a)

    def place(self, image, target):
        link(self.root / ".jpegs" / image["_jpeg"], target)

    def coco_json(self, path, images, annotations, without=()):
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(
                '{"info": {"description": "synthetic", "version": "1.0", "year": 2026}, "licenses": [{"url": "", "id": 1, "name": "CC0"}]'
            )
            for key, rows in (("images", images), ("annotations", annotations), ("categories", self.categories)):
                f.write(f', "{key}": [')
                for k, row in enumerate(rows):
                    f.write(
                        (", " if k else "") + json.dumps({x: y for x, y in row.items() if x not in ("_jpeg", *without)})
                    )
                f.write("]")
            f.write("}")

    def coco(self, name="coco", without=()):
        for image in self.images:
            self.place(image, self.root / name / image["file_name"])
        self.coco_json(self.root / name / "annotations.json", self.images, self.annotations, without)

    def coco_boxes(self):
        self.coco("coco_boxes", without=("segmentation",))

    def datumaro_coco(self):
        d = self.root / "datumaro_coco"
        for split, images in (("val", self.images[:1]), ("train", self.images[1:])):
            ids = {i["id"] for i in images}
            self.coco_json(
                d / f"annotations/instances_{split}.json", images, [a for a in self.annotations if a["image_id"] in ids]
            )
            for image in images:
                self.place(image, d / "images" / split / image["file_name"])

    def yolo(self, name="yolo", split=lambda k: "", config="dataset.yaml", train="images", val="images"):
        d = self.root / name
        for k, image in enumerate(self.images):
            self.place(image, d / "images" / split(k) / image["file_name"])
            label = (d / "labels" / split(k) / image["file_name"]).with_suffix(".txt")
            label.parent.mkdir(parents=True, exist_ok=True)
            width, height, rows = image["width"], image["height"], []
            for a in self.by_image[image["id"]]:
                if not a["iscrowd"]:
                    x, y, w, h = a["bbox"]
                    centre = f"{(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f}"
                    rows.append(f"{INDEX[a['category_id']]} {centre} {w / width:.6f} {h / height:.6f}\n")
            label.write_text("".join(rows))
        (d / config).write_text(f"path: .\ntrain: {train}\nval: {val}\nnc: 80\nnames: {json.dumps(CLASSES)}\n")
        (d / "classes.txt").write_text("\n".join(CLASSES) + "\n")

    def datumaro_yolo(self):
        self.yolo("datumaro_yolo", lambda k: "train" if k else "val", "data.yaml", "images/train", "images/val")

    def voc(self):
        d = self.root / "voc"
        (d / "Annotations").mkdir(parents=True, exist_ok=True)
        for image in self.images:
            name, objects = image["file_name"].replace("/", "__"), ""
            self.place(image, d / "JPEGImages" / name)
            for a in self.by_image[image["id"]]:
                if not a["iscrowd"]:
                    x, y, w, h = a["bbox"]
                    x1, y1 = round(x) + 1, round(y) + 1
                    x2, y2 = max(x1, round(x + w)), max(y1, round(y + h))
                    objects += (
                        f"<object><name>{CLASSES[INDEX[a['category_id']]]}</name><difficult>0</difficult><bndbox><xmin>{x1}</xmin>"
                        f"<ymin>{y1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
                    )
            (d / "Annotations" / (Path(name).stem + ".xml")).write_text(
                f"<annotation><folder>JPEGImages</folder><filename>{escape(name)}</filename><size><width>{image['width']}</width>"
                f"<height>{image['height']}</height><depth>3</depth></size><segmented>0</segmented>{objects}</annotation>"
            )

    def dm(self):
        d = self.root / "dm"
        (d / "json").mkdir(parents=True, exist_ok=True)
        for image in self.images:
            name = image["file_name"].replace("/", "__")
            self.place(image, d / "original_files" / name)
            item = {"bounding_box": [], "polygon": [], "polyline": [], "keypoint": [], "relation": [], "group": []}
            for a in self.by_image[image["id"]]:
                label = CLASSES[INDEX[a["category_id"]]]
                item["bounding_box"].append(
                    {"id": f"b{a['id']}", "classification": label, "attrs": [], "data": a["bbox"]}
                )
                for k, s in enumerate(a["segmentation"] if isinstance(a["segmentation"], list) else []):
                    points = [s[j : j + 2] for j in range(0, len(s), 2)]
                    item["polygon"].append(
                        {"id": f"p{a['id']}_{k}", "classification": label, "attrs": [], "data": points}
                    )
            labels = {tool: sorted({x["classification"] for x in item[tool]}) for tool in ("bounding_box", "polygon")}
            document = {"classification": {t: names for t, names in labels.items() if names}, "images": [item]}
            (d / "json" / (Path(name).stem + ".json")).write_text(json.dumps(document, ensure_ascii=False))

    def facts(self):
        size = {i["id"]: i["width"] for i in self.images}
        shapes = [a["segmentation"] for a in self.annotations]
        bases = defaultdict(int)
        for i in self.images:
            bases[Path(i["file_name"]).stem] += 1
        return {
            "images": len(self.images),
            "annotations": len(self.annotations),
            "categories": 80,
            "crowd": sum(a["iscrowd"] for a in self.annotations),
            "yolo_rows": sum(not a["iscrowd"] for a in self.annotations),
            "images_without_annotations": sum(not self.by_image[i["id"]] for i in self.images),
            "images_with_only_crowd": sum(
                bool(rows) and all(a["iscrowd"] for a in rows) for rows in self.by_image.values()
            ),
            "multi_part": sum(isinstance(s, list) and len(s) > 1 for s in shapes),
            "polygons": sum(len(s) for s in shapes if isinstance(s, list)),
            "rle_as_text": sum(isinstance(s, dict) and isinstance(s["counts"], str) for s in shapes),
            "images_with_equal_base_name": sum(n for n in bases.values() if n > 1),
            "boxes_out_of_image": sum(
                a["bbox"][0] + a["bbox"][2] > size[a["image_id"]] + 1e-6 for a in self.annotations
            ),
        }


LAYOUTS = ("coco", "coco_boxes", "yolo", "voc", "dm", "datumaro_coco", "datumaro_yolo")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--images", type=int, required=True)
    ap.add_argument("--out", type=Path, required=True)
    ap.add_argument("--layouts", default="coco", help=f"comma-separated, of {', '.join(LAYOUTS)}")
    ap.add_argument("--profile", choices=("plain", "hard"), default="plain")
    ap.add_argument("--variant", type=int, default=1, help="another number gives other data")
    o = ap.parse_args()
    layouts = o.layouts.split(",")
    if unknown := set(layouts) - set(LAYOUTS):
        ap.error(f"unknown layout {', '.join(sorted(unknown))}")
    make_jpegs(o.out / ".jpegs", o.variant, o.images)
    (o.out / ".complete").mkdir(exist_ok=True)
    writer = Writer(o.out, *generate(o.images, o.variant, o.profile == "hard"))
    for layout in layouts:
        getattr(writer, layout)()
        (o.out / ".complete" / layout).touch()
    facts = {**writer.facts(), "profile": o.profile, "variant": o.variant}
    (o.out / "facts.json").write_text(json.dumps(facts, indent=1))
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
