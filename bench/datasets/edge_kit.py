"""Building blocks of the edge cases: small sources in every layout, and what a converter made of them, read back."""

import json
from pathlib import Path

import yaml
from PIL import Image

CLASSES = ["ant", "bee", "zebra"]
CATEGORIES = [(90, "zebra"), (3, "ant"), (7, "bee")]


# ---- building the sources


def picture(path: Path, width=100, height=80, orientation=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    Image.new("RGB", (width, height), (90, 120, 60)).save(path, exif=exif.tobytes() if orientation else b"")


def coco(names, boxes, categories=CATEGORIES, size=(100, 80), without=()):
    """COCO with one image a name; boxes are (number of the image from 1, category id, box, more keys)."""

    def build(d: Path):
        images = [{"id": i, "file_name": n, "width": size[0], "height": size[1]} for i, n in enumerate(names, 1)]
        annotations = []
        for k, (image, category, box, *more) in enumerate(boxes, 1):
            a = {
                "id": k,
                "image_id": image,
                "category_id": category,
                "bbox": box,
                "area": max(0, box[2] * box[3]),
                "iscrowd": 0,
                "segmentation": [],
            }
            a |= more[0] if more else {}
            annotations.append({x: y for x, y in a.items() if x not in without})
        document = {
            "info": {},
            "licenses": [],
            "images": images,
            "annotations": annotations,
            "categories": [{"id": i, "name": n, "supercategory": ""} for i, n in categories],
        }
        other = {
            **document,
            "images": [{"id": 99999, "file_name": "zz_val.jpg", "width": 10, "height": 10}],
            "annotations": [],
        }
        for path, content in (
            ("coco/annotations.json", document),
            ("coco_boxes/annotations.json", document),
            ("datumaro_coco/annotations/instances_train.json", document),
            ("datumaro_coco/annotations/instances_val.json", other),
        ):
            (d / path).parent.mkdir(parents=True, exist_ok=True)
            (d / path).write_text(json.dumps(content, ensure_ascii=False))
        picture(d / "datumaro_coco/images/val/zz_val.jpg", 10, 10)
        for name in names:
            if ".." not in name:
                for folder in ("coco", "coco_boxes", "datumaro_coco/images/train"):
                    picture(d / folder / name, *size)

    return build


def yolo(labels, more="names: [ant, bee, zebra]\n", orientation=None):
    """YOLO with one image a key of `labels`; None means that there is no label file."""

    def build(d: Path):
        for folder, sub, config in (("yolo", "", "dataset.yaml"), ("datumaro_yolo", "train/", "data.yaml")):
            (d / folder / "labels").mkdir(parents=True)
            for name, text in labels.items():
                picture(d / folder / "images" / (sub + name), orientation=orientation)
                if text is not None:
                    path = (d / folder / "labels" / (sub + name)).with_suffix(".txt")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(text.encode())
            (d / folder / config).write_text(f"path: .\ntrain: images/{sub}\nval: images/{sub}\nnc: 3\n{more}")
            (d / folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")

    return build


def dm(image, box):
    """One DM v2 document with one box."""

    def build(d: Path):
        picture(d / "dm/original_files" / image)
        item = {
            "bounding_box": [{"id": "b1", "classification": "ant", "attrs": [], "data": box}],
            "polygon": [],
            "keypoint": [],
        }
        document = {"classification": {"bounding_box": ["ant"]}, "images": [item]}
        (d / "dm/json").mkdir()
        (d / "dm/json" / (Path(image).stem + ".json")).write_text(json.dumps(document))

    return build


# ---- reading what came out


def yolo_rows(out: Path) -> dict[str, list[list[str]]]:
    """Rows by label file, relative to its labels folder, without the split."""
    found = {}
    for path in sorted(out.rglob("*.txt")):
        if "labels" in path.parts and path.stem != "zz_val":
            parts = path.parts[path.parts.index("labels") + 1 :]
            name = "/".join(parts[1:] if parts[0] in ("train", "val") and len(parts) > 1 else parts)
            found[name] = [line.split() for line in path.read_text().splitlines() if line.strip()]
    return found


def yolo_names(out: Path) -> list | None:
    for path in out.rglob("*.yaml"):
        names = yaml.safe_load(path.read_text()).get("names")
        return [names[k] for k in sorted(names)] if isinstance(names, dict) else names
    return None


def coco_document(out: Path) -> dict:
    for path in sorted(out.rglob("*.json"), key=lambda p: "val" in p.name):
        d = json.loads(path.read_text())
        if isinstance(d, dict) and "images" in d and "annotations" in d:
            return d
    raise FileNotFoundError("no COCO document")


def coco_objects(out: Path) -> dict[str, list]:
    """(class, rounded box) by file name."""
    d = coco_document(out)
    classes, files = (
        {c["id"]: c["name"] for c in d["categories"]},
        {i["id"]: Path(i["file_name"]).name for i in d["images"]},
    )
    found = {name: [] for name in files.values()}
    for a in d["annotations"]:
        found[files[a["image_id"]]].append((classes.get(a["category_id"]), [round(v, 2) for v in a["bbox"]]))
    return found


def dm_item(out: Path, name="a") -> dict:
    return json.loads(next(out.rglob(f"{name}.json")).read_text())["images"][0]
