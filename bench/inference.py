#!/usr/bin/env python3
"""What giving tasks their annotations costs: by a model beside a bare onnxruntime loop, and from one COCO file.

    python -m bench.inference [--quick] [--rounds N]

A detector in ONNX, with random weights, about as large as the smallest YOLO, annotates tasks whose images are in a
folder: JPEG files of 1280 x 720. Beside it are loops of few lines over the same files, with the same onnxruntime:
decode, letterbox, run; one image after the other, or in batches with threads that decode ahead, as many as ours has.
They choose no boxes, write nothing down and submit nothing. Every client takes each round in turn, in a process of its
own; loading the model is in the time of all.

Then 100,000 tasks, which have annotations already, get others from one COCO file of five boxes an image.
"""

import argparse
import json
import os
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import batched
from pathlib import Path
from statistics import median
from typing import Any

from bench.cost import measured
from bench.export import make_items, upload
from bench.stores import BENCH_DIR, in_process

IMAGES, QUICK_IMAGES = 1_000, 40
TASKS, QUICK_TASKS = 100_000, 2_000
ROUNDS, QUICK_ROUNDS = 3, 1
SIDE, CLASSES, BATCH, FILL = 640, 80, 8, 114
THREADS = min(4, os.cpu_count() or 1)
WIDTH, HEIGHT, KINDS = 1280, 720, 50
"""Of the images, and how many different ones are drawn; their names and last bytes differ."""
CHANNELS = (16, 32, 64, 128, 256)
"""Of the layers of the model, each half as wide and high as the one before."""
BOXES = [[10.0 + 20 * number, 20.0, 9.0, 4.0] for number in range(5)]


def make_images(count: int) -> Path:
    """Return a folder with so many JPEG files, made once."""
    import numpy as np  # noqa: PLC0415  # not to be measured
    from PIL import Image  # noqa: PLC0415  # as above

    folder = BENCH_DIR / "photos" / f"{count}"
    if folder.exists():
        return folder
    part = folder.with_suffix(".part")
    (part / "images").mkdir(parents=True)
    random = np.random.default_rng(1)
    for kind in range(min(KINDS, count)):
        coarse = random.integers(0, 256, (HEIGHT // 20, WIDTH // 20, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
        path = part / "images" / f"{kind:05}.jpg"
        image.save(path, quality=90)
        for number in range(kind + KINDS, count, KINDS):
            (part / "images" / f"{number:05}.jpg").write_bytes(path.read_bytes() + f"{number}".encode())
    part.rename(folder)
    return folder


def make_model() -> Path:
    """Return a detector with the outputs of YOLOv8 and random weights, made once."""
    import numpy as np  # noqa: PLC0415  # as above
    import onnx  # noqa: PLC0415  # as above
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415  # as above

    path = BENCH_DIR / "detector.onnx"
    if path.exists():
        return path
    random, nodes, weights, before, width = np.random.default_rng(1), [], [], "images", 3
    for number, channels in enumerate((*CHANNELS, 4 + CLASSES)):
        is_last = number == len(CHANNELS)
        size = 1 if is_last else 3
        kernel = random.normal(0, (width * size * size) ** -0.5, (channels, width, size, size)).astype(np.float32)
        weights.append(numpy_helper.from_array(kernel, f"kernel{number}"))
        steps: dict[str, Any] = {
            "kernel_shape": [size, size],
            "strides": [1 if is_last else 2] * 2,
            "pads": [size // 2] * 4,
        }
        nodes.append(helper.make_node("Conv", [before, f"kernel{number}"], [f"sum{number}"], **steps))
        kind = "Sigmoid" if is_last else "Relu"
        nodes.append(helper.make_node(kind, [f"sum{number}"], [f"layer{number}"]))
        if not is_last:  # a second one that keeps the size, where the work is
            kernel = random.normal(0, (channels * 9) ** -0.5, (channels, channels, 3, 3)).astype(np.float32)
            weights.append(numpy_helper.from_array(kernel, f"same{number}"))
            same: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1] * 4}
            nodes.append(helper.make_node("Conv", [f"layer{number}", f"same{number}"], [f"deep{number}"], **same))
            nodes.append(helper.make_node("Relu", [f"deep{number}"], [f"out{number}"]))
        before, width = (f"layer{number}" if is_last else f"out{number}"), channels
    weights.append(numpy_helper.from_array(np.array([0, 4 + CLASSES, -1], np.int64), "rows"))
    nodes.append(helper.make_node("Reshape", [before, "rows"], ["output0"]))
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, ["batch", 4 + CLASSES, (SIDE // 32) ** 2])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    names = {number: f"class {number}" for number in range(CLASSES)}
    helper.set_model_props(model, {"task": "detect", "names": repr(names), "imgsz": f"[{SIDE}, {SIDE}]"})
    onnx.save(model, path)
    return path


# Clients: each takes the folder with the images, the model, and a project whose tasks are about the images.


def ours(_images: Path, model: Path, project: Path) -> None:
    """Annotate all tasks, as `synapse tasks annotate` does: journalled, and what they had is kept meanwhile."""
    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # measured
    from synapse_sdk.plugins.actions import AddTaskDataAction  # noqa: PLC0415  # as above

    os.chdir(project)
    params = {"project": "bench", "method": "inference", "model": str(model), "inference_batch_size": BATCH}
    told = {"pre_processor_params": {"confidence": 0.5, "max_detections": 20}}
    result = run_action(AddTaskDataAction, params | told, journal=str(project / "journal.db"))
    assert result.success_count == result.total_tasks, result.message


def bare(images: Path, model: Path, _project: Path) -> None:
    """Decode, letterbox and run, one image after the other."""
    session = _session(model)
    for path in sorted((images / "images").iterdir()):
        (output,) = session.run(None, {"images": letterboxed(path)[None]})
        assert output.shape[0] == 1


def bare_threads(images: Path, model: Path, _project: Path) -> None:
    """The same in batches, with threads that decode and letterbox ahead."""
    import numpy as np  # noqa: PLC0415  # measured

    session = _session(model)
    for batch in batched(_ahead(sorted((images / "images").iterdir())), BATCH):
        (output,) = session.run(None, {"images": np.stack(batch)})
        assert output.shape[0] == len(batch)


def letterboxed(path: Path) -> Any:  # noqa: ANN401  # an array
    """Return an image as the model takes it."""
    import numpy as np  # noqa: PLC0415  # measured
    from PIL import Image  # noqa: PLC0415  # as above

    with Image.open(path) as opened:
        ratio = min(SIDE / opened.width, SIDE / opened.height)
        size = round(opened.width * ratio), round(opened.height * ratio)
        small = opened.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    whole = np.full((3, SIDE, SIDE), FILL / 255, np.float32)
    left, top = (SIDE - size[0]) // 2, (SIDE - size[1]) // 2
    np.divide(
        np.asarray(small).transpose(2, 0, 1), np.float32(255), out=whole[:, top : top + size[1], left : left + size[0]]
    )
    return whole


def _ahead(paths: list[Path]) -> Iterator[Any]:
    waiting: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for path in paths:
            waiting.append(pool.submit(letterboxed, path))
            if len(waiting) > BATCH:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _session(model: Path) -> Any:  # noqa: ANN401  # of onnxruntime
    import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415  # measured

    return onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])


CLIENTS: dict[str, Callable[[Path, Path, Path], None]] = {
    "synapse annotate": ours,
    "onnxruntime, one by one": bare,
    "onnxruntime, threads": bare_threads,
}


def annotate_from_coco(project: Path, file: Path) -> None:
    """Give all tasks the annotations of a COCO file."""
    from synapse_sdk.plugins import run_action  # noqa: PLC0415  # measured
    from synapse_sdk.plugins.actions import AddTaskDataAction  # noqa: PLC0415  # as above

    os.chdir(project)
    params = {"project": "bench", "file": str(file), "file_format": "coco"}
    result = run_action(AddTaskDataAction, params, journal=str(file.with_name("journal.db")))
    assert result.success_count == result.total_tasks, result.message


def write_coco(path: Path, count: int) -> None:
    """Write a COCO file about the images of `make_items`."""
    images = [{"id": n, "file_name": f"{n:06}.jpg", "width": 640, "height": 480} for n in range(count)]
    boxes = [
        {"id": 5 * n + m, "image_id": n, "category_id": 1, "bbox": box}
        for n in range(count)
        for m, box in enumerate(BOXES)
    ]
    whole = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "car"}]}
    path.write_text(json.dumps(whole), encoding="utf-8")


def measure_inference(count: int, rounds: int) -> None:
    """Measure every client in turn, and print the best of each."""
    images, model = make_images(count), make_model()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CLIENTS}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=BENCH_DIR) as folder:
            project = Path(folder, "project")
            project.mkdir()
            upload(images, f"{folder}/store", project)
            for name, costs in found.items():
                costs.append(in_process("inference", "infer", name, str(images), str(model), str(project)))
    for name, costs in found.items():
        best = {key: min(cost[key] for cost in costs) for key in costs[0]}
        line: dict[str, object] = {"table": f"Annotating {count:,} images by a model", "client": name}
        line |= {"rounds": rounds, "s": round(best["s"], 2), "images/s": round(count / best["s"], 1)}
        for peer in (each for each in CLIENTS if each != "synapse annotate"):
            ratios = [one["s"] / other["s"] for one, other in zip(found[peer], costs, strict=True)]
            line[f"x {peer}, median"] = round(median(ratios), 3)
        line |= {"CPU ms an image": round(best["cpu"] / count * 1000, 1), "peak MB": round(best["peak"])}
        print(json.dumps(line), flush=True)


def measure_file(count: int, rounds: int) -> None:
    """Measure annotating from one COCO file, and print the best."""
    project = make_items(count)
    with tempfile.TemporaryDirectory(dir=BENCH_DIR) as folder:
        file = Path(folder, "coco.json")
        write_coco(file, count)
        costs = [in_process("inference", "coco", str(project), str(file)) for _ in range(rounds)]
        size = file.stat().st_size
    best = {key: min(cost[key] for cost in costs) for key in costs[0]}
    line = {"table": "Annotating tasks from one COCO file", "tasks": count, "MB of COCO": round(size / 1e6, 1)}
    line |= {"s": round(best["s"], 1), "tasks a second": round(count / best["s"])}
    line |= {"CPU µs a task": round(best["cpu"] / count * 1e6), "peak MB": round(best["peak"])}
    print(json.dumps(line), flush=True)


def one(what: str, *words: str) -> None:
    """Do one thing in this process, and print what it cost."""
    if what == "coco":
        tasks, file = map(Path, words)
        print(json.dumps(measured(lambda: annotate_from_coco(tasks, file))))
        return
    name, *places = words
    images, model, work = map(Path, places)
    print(json.dumps(measured(lambda: CLIENTS[name](images, model, work))))


def main() -> None:
    """Measure everything, and print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"small workloads, {QUICK_ROUNDS} round")
    parser.add_argument("--rounds", type=int, metavar="N", help=f"how often to measure each (default: {ROUNDS})")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(*arguments.one)
        return
    BENCH_DIR.mkdir(exist_ok=True)
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    measure_inference(QUICK_IMAGES if arguments.quick else IMAGES, rounds)
    measure_file(QUICK_TASKS if arguments.quick else TASKS, rounds)


if __name__ == "__main__":
    main()
