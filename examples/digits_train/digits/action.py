"""The action: what is learned, epoch by epoch, with checkpoints to go on from."""

from pathlib import Path

import numpy as np

from digits.images import Images, read_images
from digits.network import Network, load, save
from digits.onnx_file import check_onnx
from digits.params import DigitParams
from digits.register_onnx import RegisterOnnxStep
from synapse_sdk.plugins.actions.train import BaseTrainAction, TrainContext
from synapse_sdk.plugins.steps import StepRegistry

__all__ = ["TrainDigits"]

SIDE = 8
"""Pixels; the handwritten digits of scikit-learn have as many."""
EPOCHS_BETWEEN = 5
"""Epochs from one checkpoint to the next."""


class TrainDigits(BaseTrainAction[DigitParams]):
    """Learn to read handwritten digits."""

    params_model = DigitParams
    target_format = "imagefolder"

    def setup_steps(self, registry: StepRegistry[TrainContext]) -> None:
        """Register the built-in steps, and the one for the ONNX file."""
        super().setup_steps(registry)
        if self.params.onnx:
            check_onnx()  # not after an hour of training
            registry.insert_before("upload_model", RegisterOnnxStep())

    def train(self, context: TrainContext) -> Path:
        """Train on the split `train`, judge by the split `test`, and leave the network as `.npz`."""
        params, folder = self.params, Path(context.data_path)
        learned = read_images(folder / "train", side=SIDE)
        held_out = read_images(folder / "test", side=SIDE, classes=learned.classes)
        network, first = self._begin(context, learned)
        for epoch in range(first, params.epochs):
            loss = self._epoch(network, learned, epoch)
            context.report_metrics({"loss": loss}, epoch=epoch)
            if (epoch + 1) % EPOCHS_BETWEEN == 0:
                with context.new_checkpoint(epoch=epoch) as place:
                    save(place / "network.npz", network, learned.classes, SIDE, with_momentum=True)
            context.set_progress(epoch + 1, params.epochs)
        context.report_metrics({"accuracy": _accuracy(network, held_out)}, category="test")
        path = context.model_folder / "digits.npz"
        save(path, network, learned.classes, SIDE)
        return path

    def _begin(self, context: TrainContext, images: Images) -> tuple[Network, int]:
        """Return the network to go on with, and the epoch to begin with."""
        if (last := context.last_checkpoint) is not None:  # this run was interrupted
            return load(last.path / "network.npz")[0], int(str(last.state["epoch"])) + 1
        if (begin := context.get_checkpoint()) is not None:  # the user has named a model
            network, classes, _ = load(Path(begin["path"]))
            if classes != images.classes:
                msg = f"Model {begin['name']!r} knows {', '.join(classes)}, and the images show {images.classes}"
                raise ValueError(msg)
            return network, 0
        rng = np.random.default_rng(self.params.seed)
        return Network.new(images.pixels.shape[1], self.params.hidden, len(images.classes), rng), 0

    def _epoch(self, network: Network, images: Images, epoch: int) -> float:
        """Look at all images once, in an order that the epoch decides, and return the mean loss."""
        order = np.random.default_rng((self.params.seed, epoch)).permutation(len(images.labels))
        batches = [order[at : at + self.params.batch] for at in range(0, len(order), self.params.batch)]
        losses = [network.step(images.pixels[each], images.labels[each], self.params.rate) for each in batches]
        return float(np.mean(losses))


def _accuracy(network: Network, images: Images) -> float:
    """Return the share of images that are read as what they show."""
    return float((network.probabilities(images.pixels).argmax(1) == images.labels).mean())
