"""The example that trains: real handwritten digits, a real network, and what it reads of what it has never seen."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits.action import SIDE, TrainDigits
from digits.images import read_images
from digits.network import Network, load, save
from write_digits import write_digits

from synapse_sdk.backend import Backend, open_backend
from synapse_sdk.errors import ConfigurationError, StepFailedError
from synapse_sdk.plugins import run_plugin
from synapse_sdk.plugins.actions.model_files import fetch_model
from synapse_sdk.testing.crash_process import CrashProcess

PLUGIN = Path(__file__).parents[3] / "examples" / "digits_train"
IMAGES = 1797


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The handwritten digits of scikit-learn, as images in folders."""
    folder = tmp_path_factory.mktemp("data") / "digits"
    assert write_digits(folder) == IMAGES
    return folder


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few of them, where it does not matter how well they are read."""
    folder = tmp_path_factory.mktemp("data") / "few"
    write_digits(folder, 200)
    return folder


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    """A project without models."""
    (tmp_path / ".synapse").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNAPSE_BACKEND", raising=False)
    with open_backend() as backend:
        yield backend


def train(digits: Path, **params: Any) -> Any:  # noqa: ANN401  # parameters and result of a plugin
    """Run the example."""
    return run_plugin(str(PLUGIN), "train", {"path": str(digits), "name": "digits", **params}, journal=False)


def accuracy(path: Path, digits: Path) -> float:
    """Return the share of held-out images that the network in a file reads correctly."""
    network, classes, side = load(path)
    images = read_images(digits / "test", side=side, classes=classes)
    return float((network.probabilities(images.pixels).argmax(1) == images.labels).mean())


def test_of_digits_it_has_never_seen_it_reads_more_than_95_percent(digits: Path, backend: Backend) -> None:
    """From images to a registered network, as its file is on another machine."""
    result = train(digits, version="1")

    model = backend.models.find("digits", "1")
    assert [each.name for each in backend.models.list()] == ["digits-onnx", "digits"]
    assert result["model"] == {"id": model.id, "name": "digits", "version": "1"}
    reported = result["metrics"]["test"]["accuracy"]
    assert reported > 0.95
    assert model.configuration["metrics"] == result["metrics"]
    assert accuracy(fetch_model(backend, model, Path("elsewhere.npz")), digits) == pytest.approx(reported)


def test_a_training_may_go_on_with_a_registered_network(few: Path, backend: Backend) -> None:
    """One epoch more makes it no worse than nothing, and one from scratch is worse."""
    train(few, version="1", epochs=10)

    further = train(few, epochs=1, checkpoint="digits@1")["metrics"]["test"]["accuracy"]

    assert further > train(few, epochs=1)["metrics"]["test"]["accuracy"]
    settings = backend.models.find("digits", "1").configuration["hyperparameters"]
    assert settings == {"epochs": 10, "hidden": 64, "rate": 0.1, "batch": 32, "seed": 7, "onnx": True}


def test_a_rate_that_is_too_large_registers_nothing(few: Path, backend: Backend) -> None:
    """The loss is no number any more."""
    with np.errstate(all="ignore"), pytest.raises(StepFailedError, match="the training has diverged"):
        train(few, rate=1e20)

    assert backend.models.list() == []


@pytest.mark.usefixtures("backend")
def test_killed_it_comes_to_the_same_network(few: Path, tmp_path: Path) -> None:
    """To the last bit: the checkpoint has the momentum, and the order of the images depends on the epoch alone."""
    params = {"path": str(few), "name": "digits", "version": "1", "epochs": 12}
    keys = []
    for name, moment in (("whole", None), ("killed", ("train.saving", 2))):
        (tmp_path / name / "world" / ".synapse").mkdir(parents=True)
        with CrashProcess((PLUGIN, "train"), params, {}, tmp_path / name, timeout=120.0) as process:
            run_id = process.new_run()
            if moment is None:
                outcome = process.do("run", run_id)
            else:
                assert process.do("run", run_id, dies_at=moment).is_killed
                outcome = process.do("resume", run_id)
        assert outcome.status == "succeeded", outcome.error
        with open_backend(tmp_path / name / "world" / ".synapse" / "backend.db") as made:
            keys.append(made.models.find("digits").file.sha256)

    assert keys[0] == keys[1]


def test_without_onnx_the_network_alone_is_registered(
    few: Path, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If that is wanted; else the missing package is named before anything is trained."""
    monkeypatch.setitem(sys.modules, "onnx", None)

    with pytest.raises(ConfigurationError, match="pip install onnx, or go without: --set onnx=false"):
        train(few, epochs=1)
    train(few, epochs=1, onnx=False)

    assert [each.name for each in backend.models.list()] == ["digits"]


def test_a_file_with_something_pickled_in_it_is_not_read(tmp_path: Path) -> None:
    """Reading a network runs no code."""
    network = Network.new(SIDE * SIDE, 4, 2, np.random.default_rng(1))
    save(tmp_path / "good.npz", network, ("a", "b"), SIDE)
    with (tmp_path / "bad.npz").open("wb") as file:
        np.savez(file, weights_0=np.array([object()], dtype=object))

    assert load(tmp_path / "good.npz")[1:] == (("a", "b"), SIDE)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load(tmp_path / "bad.npz")


def test_images_that_make_no_dataset_are_named(tmp_path: Path) -> None:
    """With what is expected."""
    (tmp_path / "cat").mkdir()

    with pytest.raises(ValueError, match="There are no PNG files below"):
        read_images(tmp_path, side=SIDE)
    with pytest.raises(ValueError, match="classes that the training has not seen: cat"):
        read_images(tmp_path, side=SIDE, classes=("dog",))
    assert TrainDigits.action_name == "train_digits"
