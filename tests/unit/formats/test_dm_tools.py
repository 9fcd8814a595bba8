"""Tools of DM documents that others add, and the typed view of documents."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.formats.dm import DM_TOOLS, BaseTool, DmDocument, DocumentConverter, DocumentLoss, ObjectTool, Version
from synapse_sdk.types import JsonObject, JsonValue
from tests.unit.formats.dm_documents import SAMPLE_V1, SAMPLE_V2, annotation, codes, fresh, to_v2, v1_of, v2_of


class LassoTool:
    """A tool that owes nothing to this package."""

    tool_name = "lasso"

    def to_v2(self, v1_annotation: JsonObject, v1_data: JsonObject) -> dict[str, JsonValue]:
        """Return an annotation of version 2."""
        return {"id": v1_annotation["id"], "classification": "rope", "attrs": [], "data": v1_data["loop"]}

    def to_v1(self, v2_annotation: JsonObject) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
        """Return both entries of version 1."""
        entry: dict[str, JsonValue] = {"id": v2_annotation["id"], "tool": "lasso", "classification": {"class": "rope"}}
        return entry, {"id": v2_annotation["id"], "loop": v2_annotation["data"]}


class CenteredBoxTool(BaseTool):
    """Boxes by their centre, in place of those that everybody has."""

    tool_name = "bounding_box"

    def data_of(self, v1_data: JsonObject) -> JsonValue:
        """Return the centre."""
        return v1_data["center"]

    def payload_of(self, v2_annotation: JsonObject) -> dict[str, JsonValue]:
        """Return the centre."""
        return {"center": v2_annotation["data"]}


LASSO: tuple[Mapping[str, Any], Mapping[str, Any]] = (
    {"id": "l1", "tool": "lasso", "classification": {"class": "rope"}},
    {"id": "l1", "loop": [1, 2]},
)


def test_a_tool_that_is_registered_is_used_by_that_converter_alone() -> None:
    """Nothing is registered for the whole process."""
    converter = DocumentConverter()
    converter.register(LassoTool())
    v1 = v1_of({"image_1": [LASSO]})

    v2 = converter.to_v2(v1, [])

    assert v2["annotation_data"]["images"][0]["lasso"] == [annotation("l1", "rope", [1, 2])]
    assert converter.to_v1(v2) == v1
    assert converter.to_v1(v2["annotation_data"])["annotationsData"] == v1["annotationsData"]
    with pytest.raises(InvalidDocumentError, match="lasso"):
        to_v2(v1)


def test_a_tool_may_take_the_place_of_another() -> None:
    """Of the same name, for this converter."""
    converter = DocumentConverter([CenteredBoxTool()])
    v1 = v1_of({"image_1": [({"id": "b1", "tool": "bounding_box"}, {"id": "b1", "center": [5, 6]})]})

    found = converter.to_v2(v1, [])["annotation_data"]

    assert found["images"][0]["bounding_box"][0]["data"] == [5, 6]
    assert converter.to_v1(found)["annotationsData"] == v1["annotationsData"]


def test_installed_packages_offer_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under `synapse.dm_tools`; every converter finds them."""
    package = tmp_path / "lassos-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: lassos\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[synapse.dm_tools]\nlasso = lassos_for_dm:LassoTool\n")
    (tmp_path / "lassos_for_dm.py").write_text(
        "from synapse_sdk.formats.dm import ObjectTool\nclass LassoTool(ObjectTool):\n    tool_name = 'lasso'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    found, losses = to_v2(v1_of({"image_1": [LASSO]}))

    assert found["images"][0]["lasso"] == [annotation("l1", "rope", {"loop": [1, 2]})]
    assert losses == []
    assert DM_TOOLS.names()[-1] == "lasso"


def test_what_a_tool_raises_names_the_annotation() -> None:
    """Also an error that it did not mean to raise; a converter that is not strict goes on."""
    v1 = v1_of(
        {"image_1": [({"id": "l1", "tool": "lasso"}, {"id": "l1"}), ({"id": "y1", "tool": "classification"}, None)]}
    )
    losses: list[DocumentLoss] = []

    with pytest.raises(InvalidDocumentError, match="'l1' of 'image_1'"):
        DocumentConverter([LassoTool()]).to_v2(v1)
    found = DocumentConverter([LassoTool()], is_strict=False).to_v2(v1, losses)["annotation_data"]

    assert [*found["images"][0]] == ["classification"]
    assert codes(losses) == [("failed", "INVALID_RECORD", "image_1", "l1")]


def test_a_converter_that_is_not_strict_leaves_out_what_is_wrong() -> None:
    """In both directions, and says so."""
    converter = DocumentConverter(is_strict=False)
    losses: list[DocumentLoss] = []
    v1 = v1_of(
        {"image_1": [({"id": "b1", "tool": "bounding_box"}, {"id": "b1"}), ({"id": "l1", "tool": "lasso"}, None)]}
    )
    v2 = v2_of({"polygon": [annotation("p1", "x", [[1]]), annotation("p2", "x", [[1, 2]])]})

    assert converter.to_v2(v1, losses)["annotation_data"]["images"] == [{}]
    assert [each["id"] for each in converter.to_v1(v2, losses=losses)["annotations"]["image_1"]] == ["p2"]
    assert codes(losses) == [
        ("failed", "INVALID_RECORD", "image_1", "b1"),
        ("failed", "UNKNOWN_TOOL", "image_1", "l1"),
        ("failed", "INVALID_RECORD", "image_1", "p1"),
    ]


@pytest.mark.parametrize("name", [name for name in DM_TOOLS.names() if name != "lasso"])
def test_every_tool_is_called_as_it_is_offered(name: str) -> None:
    """And made without arguments."""
    assert DM_TOOLS.load(name)().tool_name == name


@pytest.mark.parametrize(
    "document",
    [
        fresh(SAMPLE_V1),
        fresh(SAMPLE_V2),
        {"annotation_data": fresh(SAMPLE_V2), "annotation_meta": fresh(SAMPLE_V1)},
        {"annotation_data": fresh(SAMPLE_V2), "annotation_meta": None},
        v2_of({"segmentation": [annotation("s1", "x", [[5, 3]], encoding="dm_rle", other=1)]}, unknown=[1]),
    ],
    ids=["v1", "v2", "wrapped", "without meta", "odd"],
)
def test_a_document_is_dumped_as_it_was_read(document: dict[str, Any]) -> None:
    """Every tool and every key stays."""
    assert DmDocument.of(document).dump() == document


def test_a_document_tells_version_and_annotations() -> None:
    """Both entries of version 1 in one."""
    one, other = DmDocument.of(fresh(SAMPLE_V1)), DmDocument.of(fresh(SAMPLE_V2))

    assert (one.version, other.version) == (Version.V1, Version.V2)
    assert [(media, tool) for media, tool, _ in one.records()] == [
        ("image_1", tool) for tool in ("bounding_box", "polygon", "relation", "classification")
    ]
    assert [record["id"] for _, _, record in other.records()] == ["b1", "p1", "r1", "y1"]
    record = next(one.records())[2]
    assert (record["classification"], record["coordinate"]) == (
        {"class": "car", "color": "red"},
        {"x": 10, "y": 20, "width": 30, "height": 15, "rotation": 0.2},
    )


@pytest.mark.parametrize("document", [5, [], {}, {"images": 5}, {"annotations": 5}, {"images": [{"polygon": [5]}]}])
def test_what_is_no_document_is_refused(document: Any) -> None:  # noqa: ANN401  # JSON
    """With what was found."""
    with pytest.raises(InvalidDocumentError, match="no DM document"):
        DmDocument.of(document)


def test_a_tool_whose_data_is_an_object_needs_its_name_alone() -> None:
    """As those of this package."""

    class NoteTool(ObjectTool):
        tool_name = "note"

    v1 = v1_of({"text_1": [({"id": "n1", "tool": "note"}, {"id": "n1", "text": "?"})]})

    assert DocumentConverter([NoteTool()]).to_v2(v1)["annotation_data"]["texts"] == [
        {"note": [annotation("n1", "", {"text": "?"})]}
    ]
