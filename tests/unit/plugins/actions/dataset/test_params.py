"""What may be asked for, and what is said about the rest."""

import re
from typing import Any

import pytest

from synapse_sdk.errors import InvalidParamsError
from synapse_sdk.plugins.actions.dataset import DatasetAction, DatasetOperation, DatasetParams


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, "dataset: .*must name the version to download"),
        ({"dataset": 1, "path": "x"}, "dataset: .*is downloaded into 'output'"),
        ({"operation": "convert"}, "dataset: .*or 'path' must name what is converted"),
        ({"operation": "convert", "dataset": 1, "path": "x"}, "dataset: .*cannot both be converted"),
        ({"operation": "turn", "dataset": 1}, "operation: .*'download' or 'convert'"),
        ({"dataset": " "}, "dataset.*blank"),
        ({"dataset": 1, "target_format": "yol"}, "target_format: .*Did you mean 'yolo'"),
        ({"operation": "convert", "path": "x", "source_format": "xyz"}, "source_format: .*there is no format 'xyz'"),
        ({"operation": "convert", "path": "x", "output": "x/y"}, "output: .*lies in the dataset 'x'"),
        ({"dataset": 1, "filter": {"categry": "train"}}, "filter: .*categry"),
        ({"dataset": 1, "splits": {"train": {"category": "?"}}}, "splits: .*train: "),
        ({"dataset": 1, "splits": {"a/b": {}}}, "splits: .*a/b: must be the name of one folder"),
        ({"dataset": 1, "splits": {"valid": {}, "val": {}}}, "splits: .*both 'valid' and 'val'"),
        ({"dataset": 1, "max_failed": -1}, "max_failed: "),
        ({"dataset": 1, "images": "move"}, "images: "),
        ({"dataset": 1, "class_order": "size"}, "class_order: "),
        ({"dataset": 1, "datset": 2}, "datset: there is no such parameter; did you mean 'dataset'"),
    ],
)
def test_what_does_not_fit_is_named(params: dict[str, Any], problem: str) -> None:
    """Each problem begins with the field."""
    with pytest.raises(InvalidParamsError) as caught:
        DatasetAction.validate_params(params)

    assert len(caught.value.problems) == 1

    assert re.match(problem, caught.value.problems[0]), caught.value.problems


def test_a_format_has_one_name() -> None:
    """Aliases are for people."""
    params = DatasetParams(operation=DatasetOperation.CONVERT, dataset=1, target_format="voc")

    assert params.target_format == "pascal"


def test_operations_are_words() -> None:
    """As the guide has them."""
    assert {each.name: each.value for each in DatasetOperation} == {"DOWNLOAD": "download", "CONVERT": "convert"}


def test_a_subclass_that_says_pass_works() -> None:
    """And may have parameters of its own."""

    class Mine(DatasetAction):  # type: ignore[type-arg]  # as people write it
        pass

    class MyParams(DatasetParams):
        extra: int = 1

    class Other(DatasetAction[MyParams]):
        pass

    assert Mine.validate_params({"dataset": 1}).operation is DatasetOperation.DOWNLOAD
    assert Other.validate_params({"dataset": 1, "extra": 3}).extra == 3
    assert Mine.action_name == "mine"
