"""Images that models are asked about."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from synapse_sdk.inference import ModelInput

type Ask = Callable[..., ModelInput]


@pytest.fixture
def ask() -> Ask:
    """Return a function that makes the input for a dark image with a white rectangle."""

    def made(
        size: tuple[int, int] = (64, 64),
        box: tuple[int, int, int, int] | None = None,
        **params: Any,  # noqa: ANN401  # of the model
    ) -> ModelInput:
        image = Image.new("RGB", size, (5, 5, 5))
        if box is not None:
            left, top, width, height = box
            image.paste((255, 255, 255), (left, top, left + width, top + height))
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return ModelInput(name="photo.png", content=buffer.getvalue(), params=params)

    return made
