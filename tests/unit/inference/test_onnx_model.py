"""Models in ONNX files: which are taken, what they are told, and what becomes of bad ones."""

import io
import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from PIL import Image

from synapse_sdk.errors import ConfigurationError, InvalidImageError, InvalidModelError, ModelOutputError
from synapse_sdk.inference import ModelInput, open_onnx
from synapse_sdk.inference.description import InputDescription, Resizing
from synapse_sdk.inference.metadata import describe
from synapse_sdk.inference.preprocessing import prepared
from tests.unit.inference.conftest import Ask
from tests.unit.inference.onnx_models import bright_box, constant, identity, model_of, names_of, node

TWO = {"task": "classify", "classes": ["cat", "dog"]}


def classifier(values: Any, **metadata: str) -> bytes:  # noqa: ANN401  # scores
    """Return a classifier that says the same of every image."""
    return constant([np.array(values)], metadata=metadata)


def test_a_classifier_says_the_most_likely_class(ask: Ask) -> None:
    """Probabilities as they are; logits become some."""
    names = names_of("cat", "dog", task="classify")
    sure = open_onnx(classifier([0.25, 0.75], **names), "test")
    logits = open_onnx(classifier([1.0, 3.0]), "test", {**TWO, "scores": "logits"})

    assert sure([ask()]) == [[{"label": "dog", "score": 0.75}]]
    assert logits([ask()])[0][0]["score"] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-6)
    assert sure([ask(confidence=0.8), ask(classes=["cat"])]) == [[], [{"label": "cat", "score": 0.25}]]
    wrong = open_onnx(classifier([1.0, 3.0]), "test", TWO)([ask()])[0]
    assert isinstance(wrong, ModelOutputError)
    assert "are no probabilities" in str(wrong)


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_batches_are_as_large_as_the_model_takes(ask: Ask, batch: int | str) -> None:
    """One that takes a fixed number gets that, and nobody sees what fills it."""
    model = open_onnx(bright_box(batch=batch, metadata=names_of("cat", "dog")), "test")
    boxes = [(number, 2 * number, 10 + number, 20) for number in range(1, 7)]

    found = model([ask(box=box) for box in boxes])

    assert [each[0]["box"] for each in found] == [[*map(float, box)] for box in boxes]


def test_nan_is_about_the_image_that_it_is_about(ask: Ask) -> None:
    """The others of the batch are answered."""
    model = open_onnx(bright_box(metadata=names_of("cat", "dog")), "test")

    good, bad, other = model([ask(box=(5, 5, 9, 9)), ask(box=(0, 0, 64, 64)), ask(box=(7, 7, 7, 7))])

    assert (len(good), len(other)) == (1, 1)
    assert isinstance(bad, ModelOutputError)
    assert "not finite" in str(bad)


def test_the_description_is_put_together_field_by_field() -> None:
    """What is beside the file counts before what is in it, and our key before what the exporter says."""
    metadata = names_of("cat", "dog", imgsz="[32, 64]", synapse=json.dumps({"iou": 0.3, "input": {"fill": 0}}))
    content = model_of(
        [
            node("ReduceMean", ["images"], ["mean"], axes=[2], keepdims=0),
            node("Concat", ["mean", "mean"], ["out"], axis=1),
        ],
        ["b", 3, 32, 64],
        {"out": ["b", 6, 64]},
        metadata=metadata,
    )

    found = open_onnx(content, "test", {"confidence": 0.5, "input": {"mean": [0.5]}}).description

    assert (found.task, found.classes, found.iou, found.confidence) == ("detect", ("cat", "dog"), 0.3, 0.5)
    assert (found.input.size, found.input.fill, found.input.mean) == ((64, 32), 0, (0.5,))


@pytest.mark.parametrize(
    ("metadata", "head"),
    [
        ({"end2end": "True", "args": "{'batch': 1, 'half': False, 'nms': False}"}, "end_to_end"),
        ({"end2end": "False", "args": "{'batch': 1, 'half': False, 'nms': True}"}, "end_to_end"),
        ({"end2end": "False", "args": "{'batch': 1, 'half': False, 'nms': False}"}, None),
        ({"args": "__import__('os').abort()"}, None),
        ({}, None),
    ],
)
def test_what_ultralytics_writes_is_understood(metadata: dict[str, str], head: str | None) -> None:
    """Texts of Python literals, as version 8.4 writes them for YOLO11 and YOLO26; nothing of them is run."""
    written = {
        "description": "Ultralytics YOLO26n model trained on coco.yaml",
        "author": "Ultralytics",
        "version": "8.4.190",
        "stride": "32",
        "task": "detect",
        "batch": "1",
        "imgsz": "[32, 64]",
        "names": "{0: 'person', 1: \"driver's cab\"}",
        "channels": "3",
        **metadata,
    }

    found = describe("test", written, None)

    assert (found.task, found.classes, found.head) == ("detect", ("person", "driver's cab"), head)
    assert found.input.size == (64, 32)


@pytest.mark.parametrize(
    ("content", "beside", "words"),
    [
        (identity(["b", 3, 64, 64]), None, "description of the model 'test' does not do.*task: Field required"),
        (classifier([0.5, 0.5]), {"task": "classify", "classes": ["a", "a"]}, "needs a name of its own"),
        (classifier([0.5, 0.5]), {**TWO, "clases": 1}, "clases: Extra inputs"),
        (classifier([0.5, 0.5]), {**TWO, "input": {"size": 0}}, "sides are 1 to"),
        (classifier([0.5, 0.5]), {**TWO, "input": {"mean": [1, 2]}}, "mean has 2 numbers for 3 channels"),
        (classifier([0.5] * 3), TWO, r"returns float32 \(1, 3\).*2 classes returns one output \(1, 2\)"),
        (classifier([0.5, 0.5]), {**TWO, "task": "detect"}, r"one output \(1, 6, N\), \(1, N, 7\) or \(1, N, 6\)"),
        (classifier([0.5, 0.5]), {**TWO, "input": {"size": 32}}, r"takes 'images' tensor\(float\) \(\?, 3, 64, 64\)"),
        (identity(["b", 3, "h", "w"]), TWO, "takes images of any size.*'input': |\"input\""),
        (identity(["b", 64]), TWO, r"takes 'images' tensor\(float\) \(\?, 64\).*4 dimensions"),
        (identity(["b", 3, 64, 64], TensorProto.INT64), TWO, r"tensor\(int64\)"),
        (classifier([0.5, 0.5], **names_of("a", "b", task="pose")), None, "made for the task 'pose'"),
        (classifier([0.5, 0.5], synapse="{"), None, "metadata 'synapse' of the model 'test' are no JSON"),
        (classifier([0.5, 0.5], synapse="[]"), None, "are no JSON object"),
        (constant([np.zeros((3, 8)), np.zeros(2)]), {**TWO, "task": "segment"}, "two outputs"),
        (constant([np.zeros((6, 8))]), {**TWO, "task": "detect", "head": "yolov5"}, "of the head yolov5"),
    ],
)
def test_a_model_that_is_not_what_is_described_is_refused(content: bytes, beside: Any, words: str) -> None:  # noqa: ANN401  # JSON
    """Before any image is fetched; what was found, and what is expected."""
    with pytest.raises(InvalidModelError, match=words):
        open_onnx(content, "test", beside)


def evil() -> object:
    """Return something that would leave a file when it is unpickled."""

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (Path("unpickled"),)

    return Evil()


def pickled() -> bytes:
    """Return a pickle."""
    return pickle.dumps(evil())


def torch_file() -> bytes:
    """Return a file as PyTorch writes it: a pickle in a ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickled())
    return buffer.getvalue()


def npz() -> bytes:
    """Return arrays of numpy with pickled objects in them."""
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.array([evil()], dtype=object))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pickled(), "a pickle"),
        (torch_file(), "a ZIP archive, as PyTorch"),
        (npz(), "a ZIP archive"),
        (b"", "no graph"),
        (b"hello", "no ONNX file"),
        (b"\x08\x01" * 50, "no graph"),
        (b"\xff" * 50, "no ONNX file"),
    ],
)
def test_other_files_are_no_models(content: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """F29: nothing in them is unpickled."""
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InvalidModelError, match=words):
        open_onnx(content, "weights.pt", TWO)

    assert [*tmp_path.iterdir()] == []


def test_half_a_model_is_refused() -> None:
    """Wherever it was cut."""
    whole = bright_box(metadata=names_of("cat", "dog"))

    for size in range(0, len(whole), 97):
        with pytest.raises(InvalidModelError):
            open_onnx(whole[:size], "test")


def test_weights_in_other_files_are_refused() -> None:
    """They could be any file of this machine; also where the tensor is inside of a node or a branch."""
    for number, place in enumerate(("initializer", "attribute")):
        tensor = onnx.numpy_helper.from_array(np.zeros(4, np.float32), "value")
        onnx.external_data_helper.set_external_data(tensor, "/etc/passwd")
        tensor.ClearField("raw_data")
        model = onnx.load_model_from_string(identity(["b", 3, 4, 4]))
        if place == "initializer":
            model.graph.initializer.append(tensor)
        else:
            inner = onnx.helper.make_graph(
                [onnx.helper.make_node("Constant", [], [f"c{number}"], value=tensor)],
                "inner",
                [],
                [onnx.helper.make_tensor_value_info(f"c{number}", TensorProto.FLOAT, [4])],
            )
            model.graph.node.append(
                onnx.helper.make_node("If", ["images"], ["x"], then_branch=inner, else_branch=inner)
            )
        with pytest.raises(InvalidModelError, match="has weights in other files"):
            open_onnx(model.SerializeToString(), "test", TWO)


def test_what_is_no_image_fails_alone(ask: Ask) -> None:
    """By its name and why; images of 16 bits, grey ones and those with transparency are taken."""
    model = open_onnx(bright_box(metadata=names_of("cat", "dog")), "test")

    for content, words in ((b"text", "its format is not known"), (ask().content[:60], "photo.png")):
        with pytest.raises(InvalidImageError, match=words):
            model.prepare(ModelInput(name="photo.png", content=content, params={}))
    for mode, white in (("L", 255), ("RGBA", (255, 255, 255, 255)), ("P", 1), ("I;16", 65535), ("1", 1), ("CMYK", 0)):
        image = Image.new(mode, (64, 64), 0 if mode != "CMYK" else (255, 255, 255, 255))
        if mode == "P":
            image.putpalette([0, 0, 0, 255, 255, 255])
        image.paste(white if mode != "CMYK" else (0, 0, 0, 0), (8, 8, 24, 40))
        buffer = io.BytesIO()
        image.save(buffer, "TIFF" if mode == "CMYK" else "PNG")
        (found,) = model([ModelInput(name="photo", content=buffer.getvalue(), params={})])
        assert [each["box"] for each in found] == [[8.0, 8.0, 16.0, 32.0]], mode


def test_an_image_is_what_the_model_was_trained_with() -> None:
    """Scale, mean, standard deviation, order of colours, layout, fill and type."""
    image = Image.new("RGB", (4, 2), (255, 0, 51))
    described = InputDescription.model_validate(
        {"channels": "bgr", "mean": [0.5, 0, 0], "std": [0.5, 1, 2], "fill": 0, "layout": "nhwc"}
    )

    values, place = prepared(image, (4, 4), described, np.float32)
    plain, _ = prepared(image, (4, 4), InputDescription(resize=Resizing.CROP), np.uint8)

    assert (values.shape, place.top) == ((4, 4, 3), 1)
    assert values[1, 0].tolist() == pytest.approx([(0.2 - 0.5) / 0.5, 0, 0.5])
    assert values[0, 0].tolist() == pytest.approx([-1, 0, 0])
    assert plain.dtype == np.uint8
    assert plain[:, 0, 0].tolist() == [255, 0, 51]


def test_classes_that_a_project_does_not_have_are_named() -> None:
    """Before the run begins; they may be left out."""
    model = open_onnx(classifier([0.5, 0.5]), "test", TWO)

    model.check_classes([], {})
    model.check_classes(["cat"], {"classes": ["cat"]})
    with pytest.raises(ConfigurationError, match="classes that the project has not: dog"):
        model.check_classes(["cat"], {})
    with pytest.raises(ConfigurationError, match="The model has no class 'cow'"):
        model.check_classes(["cat"], {"classes": ["cow"]})
    with pytest.raises(
        ConfigurationError, match=r"confidense: Extra inputs.*pre_processor_params of an ONNX model are"
    ):
        model.check_classes(["cat"], {"confidense": 1})


def test_without_onnxruntime_the_extra_is_named(tmp_path: Path) -> None:
    """And whoever uses no model never loads it."""
    (tmp_path / "model.onnx").write_bytes(classifier([0.5, 0.5]))
    script = """
import sys
from pathlib import Path
import synapse_sdk.plugins.actions, synapse_sdk.plugins.actions.add_task_data.action, synapse_sdk.inference.onnx_model
from synapse_sdk.inference import open_onnx
print("onnxruntime" in sys.modules, "onnx" in sys.modules)
sys.modules["onnxruntime"] = None
try:
    open_onnx(Path("model.onnx").read_bytes(), "model.onnx")
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)

    first, second = done.stdout.splitlines()
    assert first == "False False"
    assert second.startswith("ConfigurationError Models in ONNX files need onnxruntime")
    assert second.endswith("pip install 'synapse-sdk[onnx]'")
