"""A network with one hidden layer, its training by gradient descent with momentum, and its file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Network", "load", "save"]

type Array = NDArray[np.float32]

MOMENTUM = np.float32(0.9)


@dataclass
class Network:
    """Weights and biases of both layers, and their momentum, which only training needs."""

    weights: list[Array]
    momentum: list[Array]

    @classmethod
    def new(cls, inputs: int, hidden: int, outputs: int, rng: np.random.Generator) -> "Network":
        """Return a network with random weights (He et al., 2015)."""
        sizes = ((inputs, hidden), (hidden, outputs))
        weights: list[Array] = []
        for above, below in sizes:
            spread = np.sqrt(2.0 / above)
            weights += [rng.normal(0, spread, (above, below)).astype(np.float32), np.zeros(below, np.float32)]
        return cls(weights, [np.zeros_like(each) for each in weights])

    def probabilities(self, pixels: Array) -> Array:
        """Return how likely each class is, a row for each image."""
        return self._forward(pixels)[1]

    def step(self, pixels: Array, labels: NDArray[np.int64], rate: float) -> float:
        """Learn from a batch, and return the mean cross-entropy before that."""
        second = self.weights[2]
        hidden, likely = self._forward(pixels)
        rows = np.arange(len(labels))
        loss = float(-np.log(likely[rows, labels] + 1e-12).mean())
        error = likely.copy()
        error[rows, labels] -= 1
        error /= np.float32(len(labels))
        back = (error @ second.T) * (hidden > 0)
        gradients: list[Array] = [pixels.T @ back, back.sum(0), hidden.T @ error, error.sum(0)]
        for number, gradient in enumerate(gradients):
            self.momentum[number] *= MOMENTUM
            self.momentum[number] -= np.float32(rate) * gradient
            self.weights[number] += self.momentum[number]
        return loss

    def _forward(self, pixels: Array) -> tuple[Array, Array]:
        first, first_bias, second, second_bias = self.weights
        hidden = np.maximum(pixels @ first + first_bias, 0)
        scores = hidden @ second + second_bias
        powers = np.exp(scores - scores.max(1, keepdims=True))
        return hidden, powers / powers.sum(1, keepdims=True)


def save(path: Path, network: Network, classes: tuple[str, ...], side: int, *, with_momentum: bool = False) -> None:
    """Write a network as `.npz`, numbers and texts only: nothing in it is pickled."""
    arrays = {f"weights_{number}": each for number, each in enumerate(network.weights)}
    if with_momentum:
        arrays |= {f"momentum_{number}": each for number, each in enumerate(network.momentum)}
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, classes=np.array(classes), side=np.array(side), **arrays)


def load(path: Path) -> tuple[Network, tuple[str, ...], int]:
    """Read a network, its classes and the side of its images.

    Raises:
        ValueError: It is none, or has something pickled in it.
    """
    with np.load(path, allow_pickle=False) as arrays:
        weights = [arrays[f"weights_{number}"] for number in range(4)]
        momentum = [
            arrays[name] if (name := f"momentum_{number}") in arrays else np.zeros_like(each)
            for number, each in enumerate(weights)
        ]
        return Network(weights, momentum), tuple(map(str, arrays["classes"])), int(arrays["side"])
