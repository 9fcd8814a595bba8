"""Models in ONNX files annotate tasks: from a path, a storage, or the registry of the backend."""

import io
import json
import os
import shutil
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synapse_sdk.errors import ConfigurationError, StepFailedError
from synapse_sdk.formats.masks import mask_of_runs
from synapse_sdk.plugins import RuntimeContext
from synapse_sdk.plugins.actions import AddTaskDataContext, AddTaskDataParams
from synapse_sdk.plugins.actions.add_task_data.model_content import from_registry
from synapse_sdk.plugins.actions.train.models import NewModel, register_models, store_model
from synapse_sdk.storage import open_storage
from tests.unit.inference.onnx_models import bright_box, constant, failing_if_bright, names_of
from tests.unit.plugins.actions.add_task_data.world import OLD, TaskWorld, boxes_of

CAT = names_of("cat", "dog")
ONLY_CATS: dict[str, Any] = {"pre_processor_params": {"classes": ["cat"]}}
RECTANGLES = {"a.png": (10, 5, 20, 30), "b.png": (40, 0, 24, 9), "c.png": (0, 0, 50, 50)}


def bright(size: tuple[int, int], box: tuple[int, int, int, int]) -> bytes:
    """Return a dark image with a white rectangle."""
    image = Image.new("RGB", size)
    image.paste((255, 255, 255), (box[0], box[1], box[0] + box[2], box[1] + box[3]))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def cats(world: TaskWorld) -> TaskWorld:
    """Three tasks whose images have a white rectangle each."""
    for name, box in RECTANGLES.items():
        world.add(name, bright((128, 128), box), OLD)
    return world


def register(  # what of it
    world: TaskWorld,
    content: bytes,
    version: str,
    *,
    name: str = "boxes",
    **configuration: Any,  # noqa: ANN401  # JSON
) -> int:
    """Register a model, and return its id."""
    path = world.folder / f"{name}-{version}.onnx"
    path.write_bytes(content)
    new = NewModel(run=f"training-{name}-{version}", name=name, version=version, configuration=configuration)
    made = store_model(world.backend, world.backend.storages.ensure(world.store.as_uri()), path, new)
    register_models(world.backend, new.run)
    path.unlink()
    return int(made.id)


def found(world: TaskWorld) -> dict[str, Any]:
    """Return the boxes of each task, rounded."""
    return {key: boxes_of(document) for key, document in world.data().items()}


EXPECTED = {name: [("cat", [float(value) for value in box])] for name, box in RECTANGLES.items()}


@pytest.mark.parametrize("way", ["path", "file", "memory", "id", "version", "newest"])
def test_a_model_is_found_wherever_it_is(cats: TaskWorld, way: str) -> None:
    """Its boxes are to the pixel where the rectangles are."""
    content = bright_box(size=128, metadata=CAT | {"imgsz": "[128, 128]"})
    (cats.folder / "weights").mkdir()
    path = cats.folder / "weights" / "my model.onnx"
    path.write_bytes(content)
    number = register(cats, b"not this one", "1") and register(cats, content, "2")
    name = {
        "path": "weights/my model.onnx",
        "file": path.as_uri(),
        "memory": _in_memory(content),
        "id": str(number),
        "version": "boxes@2",
        "newest": "boxes",
    }[way]

    result = cats.annotate(method="inference", model=name, inference_batch_size=2, **ONLY_CATS)

    assert (result.success_count, found(cats)) == (3, EXPECTED)


def test_what_is_written_beside_a_model_describes_it(cats: TaskWorld) -> None:
    """As a file, or in the configuration of a registered one."""
    described = {"task": "detect", "classes": ["cat", "dog"]}
    content = bright_box(size=128)
    (cats.folder / "plain.onnx").write_bytes(content)
    (cats.folder / "plain.onnx.json").write_text(json.dumps(described))
    register(cats, content, "1", inference=described)

    for name in ("plain.onnx", (cats.folder / "plain.onnx").as_uri(), "boxes@1"):
        cats.annotate(method="inference", model=name, **ONLY_CATS)
        assert found(cats) == EXPECTED


def test_masks_of_a_model_become_segmentations(cats: TaskWorld) -> None:
    """Or polygons, if that is wanted."""
    output = np.array([[32, 32, 40, 20, 0.9, 1.0], [0, 0, 0, 0, 0, 0]]).T
    content = constant([output, np.ones((1, 16, 16))], metadata=names_of("cat", task="segment"))
    (cats.folder / "masks.onnx").write_bytes(content)

    cats.annotate(method="inference", model="masks.onnx")
    document: Any = cats.data()["a.png"]
    ((runs,),) = [[each["data"] for each in image["segmentation"]] for image in document["images"]]
    expected = np.zeros((128, 128), bool)
    expected[44:84, 24:104] = True
    assert mask_of_runs(runs, 128, 128) == mask_of_runs(_runs(expected), 128, 128)

    cats.annotate(method="inference", model="masks.onnx", pre_processor_params={"masks": "polygon"})
    document = cats.data()["a.png"]
    ((polygon,),) = [[each["data"] for each in image["polygon"]] for image in document["images"]]
    assert sorted(map(tuple, polygon)) == [(24, 44), (24, 84), (104, 44), (104, 84)]


def test_what_goes_wrong_with_an_image_fails_its_task(cats: TaskWorld) -> None:
    """NaN, and what is no image: counted, with the reason; the others are annotated."""
    cats.add("white.png", bright((9, 9), (0, 0, 9, 9)), OLD)
    cats.add("text.png", b"text", OLD)
    (cats.folder / "m.onnx").write_bytes(bright_box(size=128, metadata=CAT | {"imgsz": "[128, 128]"}))

    result = cats.annotate(method="inference", model="m.onnx", **ONLY_CATS)

    assert (result.success_count, result.failed_count) == (3, 2)
    reasons = {each.code: each.error for each in result.failures}
    assert "not finite (NaN or infinity)" in reasons["BAD_RESULT"]
    assert "'text.png' is no image that can be decoded" in reasons["BAD_IMAGE"]
    assert {key for key, document in cats.data().items() if document == OLD} == {"white.png", "text.png"}


def test_a_model_that_fails_for_an_image_fails_its_task_alone(cats: TaskWorld) -> None:
    """The batch is taken one by one then, so that the others are annotated."""
    cats.add("white.png", bright((9, 9), (0, 0, 9, 9)), OLD)
    (cats.folder / "m.onnx").write_bytes(failing_if_bright())

    result = cats.annotate(method="inference", model="m.onnx", **ONLY_CATS)

    assert (result.success_count, [each.code for each in result.failures]) == (3, ["MODEL_FAILED"])
    assert "has failed for a batch of 1" in result.failures[0].error


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("m.onnx", "classes that the project has not: dog"),
        ("missing.onnx", "'missing.onnx' cannot be read. No such file"),
        ("weights.pt", "is no ONNX file. it is a ZIP archive"),
        ("folder/", "cannot be read. it is a folder"),
        ("boxes", "There is no model 'boxes'"),
        ("boxes@7", "boxes"),
        ("arrays", "'arrays@1' is no ONNX file. it is a ZIP archive"),
        ("99", "99"),
        ("memory://nothing/model.onnx", "model.onnx"),
        ("memory://nothing/", "it names no file"),
        ("gopher://x/model.onnx", "gopher"),
    ],
)
def test_a_model_that_cannot_be_used_fails_the_first_step(cats: TaskWorld, name: str, words: str) -> None:
    """Before any image is fetched; nothing is left of the run."""
    (cats.folder / "m.onnx").write_bytes(bright_box(size=128, metadata=CAT | {"imgsz": "[128, 128]"}))
    (cats.folder / "weights.pt").write_bytes(b"PK\x03\x04")
    (cats.folder / "folder").mkdir()
    register(cats, b"PK\x03\x04 with something pickled in it", "1", name="arrays")

    with pytest.raises(StepFailedError, match=rf"'load_model' failed.*{words}"):
        cats.annotate(method="inference", model=name)
    assert (cats.work(), {str(data) for data in cats.data().values()}) == ([], {str(OLD)})


def test_what_was_fetched_is_kept_and_compared(cats: TaskWorld) -> None:
    """Under its digest; a copy that is spoilt is fetched anew."""
    content = bright_box(metadata=CAT)
    register(cats, content, "1")
    kept = from_registry(cats.backend, "boxes")
    (copy,) = (cats.folder / ".synapse" / "models" / "cache").iterdir()
    assert copy.name == kept.digest

    copy.write_bytes(b"spoilt")
    assert from_registry(cats.backend, "boxes").content == content
    shutil.rmtree(cats.store / "models")
    assert from_registry(cats.backend, "boxes").content == content


def test_what_was_fetched_by_half_is_removed_some_day(cats: TaskWorld) -> None:
    """A process that was killed has left it; what is perhaps being fetched now stays."""
    cache = cats.folder / ".synapse" / "models" / "cache"
    for name in (".old", ".new"):
        (cache / name).mkdir(parents=True)
        (cache / name / "model").write_bytes(b"half")
    for path in (cache / ".old" / "model", cache / ".old"):
        os.utime(path, (1e9, 1e9))
    register(cats, bright_box(metadata=CAT), "1")

    found = from_registry(cats.backend, "boxes")

    assert sorted(path.name for path in cache.iterdir()) == sorted([".new", found.digest])


def test_a_run_that_goes_on_has_the_model_that_it_began_with(cats: TaskWorld) -> None:
    """A newer version is for the next run; a file that has changed is refused."""
    register(cats, bright_box(metadata=CAT), "1")
    path = cats.folder / "m.onnx"
    path.write_bytes(bright_box(metadata=CAT))
    begun = [_context(cats, "boxes"), _context(cats, "m.onnx")]
    for each in begun:
        each.named_model()
    register(cats, bright_box(metadata=CAT, score=0.5), "2")
    path.write_bytes(bright_box(metadata=CAT, score=0.5))
    later = [_context(cats, "boxes"), _context(cats, "m.onnx")]
    for before, after in zip(begun, later, strict=True):
        after.model_reference, after.model_digest = before.model_reference, before.model_digest

    later[0].named_model()
    assert later[0].model_reference == "1"
    with pytest.raises(ConfigurationError, match=r"'m.onnx' has changed since the run began"):
        later[1].named_model()
    for each in (*begun, *later):
        each.close()


def _context(world: TaskWorld, model: str) -> AddTaskDataContext:
    params = AddTaskDataParams.model_validate(world.task_params(method="inference", model=model))
    return AddTaskDataContext(RuntimeContext(), params=params)


def _in_memory(content: bytes) -> str:
    with open_storage("memory://models/deep") as storage:
        if not storage.exists("m.onnx"):
            storage.put("m.onnx", content)
    return "memory://models/deep/m.onnx"


def _runs(pixels: Any) -> list[list[int]]:  # noqa: ANN401  # an array
    flat = np.flatnonzero(np.diff(np.concatenate(([0], pixels.ravel().astype(int), [0]))))
    return [[int(start), int(end - start)] for start, end in zip(flat[::2], flat[1::2], strict=True)]
