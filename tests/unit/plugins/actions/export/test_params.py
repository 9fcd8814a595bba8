"""What may be set about an export."""

from typing import Any

import pytest

from synapse_sdk.errors import InvalidParamsError
from synapse_sdk.plugins.actions.export import DefaultExportAction, ExportParams

GOOD: dict[str, Any] = {"name": "out", "storage": "./exports", "target": "task"}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": "한국어"},
        {"name": "x" * 255},
        {"name": "a\u00a0b\u3000c"},
        {"name": "👩‍👩‍👧"},
        {"name": "..."},
        {"path": "a"},
        {"path": "a/b c/한"},
        {"storage": 3},
        {"storage": "s3://bucket/x"},
        {"extra_params": {"classes": ["cat"], "Name": 1}},
        {"on_error": "stop", "when_taken": "refuse", "target_format": "dm", "save_original_file": False},
    ],
)
def test_good_parameters_fit(params: dict[str, Any]) -> None:
    """Names in any script among them."""
    assert isinstance(DefaultExportAction.validate_params({**GOOD, **params}), ExportParams)


BAD: dict[str, Any] = {
    "name": [
        "",
        "   ",
        ".",
        "..",
        "a/b",
        "/",
        "a\nb",
        "a\x00",
        "\x1b[2J",
        "\x85",
        "x" * 256,
        "한" * 86,
        "\ud800",
        5,
        None,
    ],
    "storage": ["", " ", None, "s3://user:secret@bucket", "s3://b?secret_access_key=x", []],
    "path": ["/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\nb", "a\x00", None, 5],
    "when_taken": ["overwrite", None],
    "target": ["tasks", "TASK", "", None, 5],
    "filter": [None, "project=1", ["project"], {1: 2}],
    "target_format": ["tfrecord", None],
    "save_original_file": ["perhaps", None],
    "extra_params": [None, [], "x", {1: 2}]
    + [{name: 1} for name in ("name", "count", "save_original_file", "project_id", "configuration")]
    + [{name: 1} for name in ("self", "ctx", "export_items", "path_root")],
    "on_error": ["ignore", None],
    "download_max_workers": [0, 257, -1, "many"],
    "download_max_retries": [-1, 21],
    "colour": ["red"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_bad_parameters_are_refused_by_name(name: str, value: object) -> None:
    """X9: also extra ones that would hide what every exporter is told; no secret is shown."""
    with pytest.raises(InvalidParamsError) as raised:
        DefaultExportAction.validate_params({**GOOD, name: value})

    assert raised.value.problems
    assert all(problem.startswith(name) for problem in raised.value.problems)
    assert "secret@" not in str(raised.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """One line each."""
    wrong = {name: values[0] for name, values in BAD.items()}

    with pytest.raises(InvalidParamsError) as raised:
        DefaultExportAction.validate_params(wrong)

    for name in BAD:
        assert any(problem.startswith(name) for problem in raised.value.problems)


def test_an_unknown_target_is_answered_with_a_near_one() -> None:
    """And with all there are."""
    with pytest.raises(InvalidParamsError, match=r"Did you mean 'ground_truth'\? Use one of: task, assignment, ground"):
        DefaultExportAction.validate_params({**GOOD, "target": "groundtruth"})
