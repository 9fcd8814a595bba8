#!/usr/bin/env python3
"""One conversion with one converter's Python API: convert_one.py TOOL TASK SOURCE OUT. Started by the other scripts.

SOURCE is one layout of gen_coco.py. Prints one JSON line with the seconds for the import and for the conversion.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path

started = time.perf_counter()
imported_at = started


def imported():
    global imported_at  # noqa: PLW0603
    imported_at = time.perf_counter()


def names_in_order(source: Path) -> list[str]:
    """Class names of a COCO source, by category id."""
    return [
        c["name"]
        for c in sorted(json.loads((source / "annotations.json").read_text())["categories"], key=lambda c: c["id"])
    ]


def names_in_file(source: Path) -> list[str]:
    return (source / "classes.txt").read_text().splitlines()


def limit(tool, task, source, out):
    import limit as floor

    imported()
    getattr(floor, f"{task}_{tool.partition('-')[2]}".rstrip("_"))(source, out)


def datumaro(tool, task, source, out):
    import datumaro as dm

    imported()
    given, wanted = {
        "coco2yolo": ("coco_instances", "yolo_ultralytics"),
        "coco2voc": ("coco_instances", "voc_detection"),
        "yolo2coco": ("yolo", "coco_instances"),
    }[task]
    kind = dm.StreamDataset if tool.endswith("stream") else dm.Dataset
    kind.import_from(str(source), given).export(str(out), wanted, save_media=False)


def supervision(tool, task, source, out):
    import supervision as sv

    imported()
    if task == "yolo2coco":
        ds = sv.DetectionDataset.from_yolo(str(source / "images"), str(source / "labels"), str(source / "dataset.yaml"))
        return ds.as_coco(annotations_path=str(out / "annotations.json"))
    ds = sv.DetectionDataset.from_coco(str(source), str(source / "annotations.json"))
    if task == "coco2voc":
        return ds.as_pascal_voc(annotations_directory_path=str(out / "Annotations"))
    return ds.as_yolo(annotations_directory_path=str(out / "labels"), data_yaml_path=str(out / "data.yaml"))


def globox(tool, task, source, out):
    from globox import AnnotationSet

    imported()
    if task == "yolo2coco":
        found = AnnotationSet.from_yolo_v5(source / "labels", image_folder=source / "images", image_extension=".jpg")
        found = found.map_labels({str(i): n for i, n in enumerate(names_in_file(source))})
        return found.save_coco(out / "annotations.json", auto_ids=True)
    found = AnnotationSet.from_coco(source / "annotations.json")
    if task == "coco2voc":
        return found.save_pascal_voc(out / "Annotations")
    return found.save_yolo_v5(out / "labels", label_to_id={n: i for i, n in enumerate(names_in_order(source))})


def pylabel(tool, task, source, out):
    from pylabel import importer

    imported()
    if task == "yolo2coco":
        ds = importer.ImportYoloV5(
            path=str(source / "labels"), path_to_images="../images", cat_names=names_in_file(source)
        )
        return ds.export.ExportToCoco(output_path=str(out / "annotations.json"))
    ds = importer.ImportCoco(str(source / "annotations.json"), path_to_images=".")
    if task == "coco2voc":
        return ds.export.ExportToVoc(output_path=str(out / "Annotations"))
    return ds.export.ExportToYoloV5(
        output_path=str(out / "labels"), yaml_file="dataset.yaml", copy_images=False, cat_id_index=0
    )


def fiftyone(tool, task, source, out):
    import fiftyone as fo

    imported()
    try:
        if task == "yolo2coco":
            ds = fo.Dataset.from_dir(
                dataset_dir=str(source),
                dataset_type=fo.types.YOLOv5Dataset,
                yaml_path="dataset.yaml",
                split="train",
                name="bench_tmp",
                overwrite=True,
            )
            return ds.export(
                labels_path=str(out / "annotations.json"),
                dataset_type=fo.types.COCODetectionDataset,
                label_field="ground_truth",
                export_media=False,
            )
        ds = fo.Dataset.from_dir(
            data_path=str(source),
            labels_path=str(source / "annotations.json"),
            dataset_type=fo.types.COCODetectionDataset,
            label_types=["segmentations" if tool.endswith("seg") else "detections"],
            name="bench_tmp",
            overwrite=True,
        )
        field = next(f for f in ("segmentations", "ground_truth", "detections") if f in ds.get_field_schema())
        if task == "coco2voc":
            return ds.export(
                labels_path=str(out / "Annotations"),
                dataset_type=fo.types.VOCDetectionDataset,
                label_field=field,
                export_media=False,
            )
        return ds.export(
            export_dir=str(out),
            dataset_type=fo.types.YOLOv5Dataset,
            label_field=field,
            classes=names_in_order(source),
            export_media=False,
        )
    finally:
        if fo.dataset_exists("bench_tmp"):
            fo.delete_dataset("bench_tmp")


def existing(tool, task, source, out):
    module, name = {
        "dm2yolo": ("yolo.from_dm", "FromDMToYOLOConverter"),
        "dm2coco": ("coco.from_dm", "FromDMToCOCOConverter"),
        "coco2dm": ("coco.to_dm", "COCOToDMConverter"),
        "yolo2dm": ("yolo.to_dm", "YOLOToDMConverter"),
    }[task]
    kind = getattr(import_module(f"synapse_sdk.utils.converters.{module}"), name)
    if tool.startswith("existing-r2") and task.startswith("dm"):
        contract = import_module("synapse_sdk.utils.converters.dm.types").build_export_contract("instance")
        imported()
        if task == "dm2coco":
            return merge_items(kind(contract), source, out)
        converter = kind(root_dir=source, is_single_conversion=True, export_contract=contract)
    else:
        imported()
        converter = kind(root_dir=str(source) if task == "coco2dm" else source)
    converter.convert()
    return converter.save_to_folder(out)


def merge_items(converter, source, out):
    """R2 converts DM to COCO an item at a time and leaves merging to the caller."""
    from PIL import Image

    images, annotations, categories = [], [], {}
    for i, path in enumerate(sorted((source / "json").glob("*.json")), 1):
        picture = source / "original_files" / (path.stem + ".jpg")
        with Image.open(picture) as opened:
            width, height = opened.size
        result = converter.convert_item(
            json.loads(path.read_text()),
            annotation_meta=None,
            item_id=path.stem,
            file_name=f"images/{picture.name}",
            width=width,
            height=height,
        )
        found = result.datasets["instances"]
        names = {c.id: c.name for c in found.categories}
        images.append({**found.images[0].model_dump(), "id": i})
        for a in found.annotations:
            category = categories.setdefault(names[a.category_id], len(categories) + 1)
            annotations.append({**a.model_dump(), "id": len(annotations) + 1, "image_id": i, "category_id": category})
    document = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": v, "name": k} for k, v in categories.items()],
    }
    (out / "annotations.json").write_text(json.dumps(document))


def main():
    tool, task, source, out = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    out.mkdir(parents=True, exist_ok=True)
    answer = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # some peers print progress
    peers = {
        "limit": limit,
        "datumaro": datumaro,
        "supervision": supervision,
        "globox": globox,
        "pylabel": pylabel,
        "fiftyone": fiftyone,
        "existing": existing,
    }
    next(f for name, f in peers.items() if tool.startswith(name))(tool, task, source, out)
    seconds = {"import_s": round(imported_at - started, 3), "convert_s": round(time.perf_counter() - imported_at, 3)}
    os.write(answer, (json.dumps(seconds) + "\n").encode())


if __name__ == "__main__":
    main()
