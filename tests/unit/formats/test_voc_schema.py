"""The rules for XML files of Pascal VOC that all other tests of what is written go by: they find what is wrong."""

import pytest

from tests.unit.formats.test_voc_writing import EXACT
from tests.unit.formats.voc_schema import faults_of_document


def test_a_file_as_the_devkit_has_it_is_without_fault() -> None:
    """With all that may be there."""
    assert faults_of_document(EXACT.encode()) == []
    assert (
        faults_of_document(
            EXACT.replace(
                "</bndbox>",
                "</bndbox><part><name>leg</name><bndbox><xmin>1</xmin>"
                "<ymin>2.5</ymin><xmax>3</xmax><ymax>-4</ymax></bndbox></part>",
            ).encode()
        )
        == []
    )


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("<folder>Images</folder>", "", "annotation has no folder"),
        ("<filename>a.png</filename>", "<filename> </filename>", "annotation/filename is ' '"),
        ("<database>Unknown</database>", "", "annotation/source has no database"),
        ("<depth>3</depth>", "<depth>3.0</depth>", "annotation/size/depth is '3.0'"),
        ("<width>100</width><height>50</height>", "<height>50</height><width>100</width>", "has no width in its place"),
        ("<segmented>0</segmented>", "<segmented>no</segmented>", "annotation/segmented is 'no'"),
        ("<name>bee</name>", "", "annotation/object has no name"),
        ("<truncated>0</truncated>", "<truncated>false</truncated>", "annotation/object/truncated is 'false'"),
        ("<difficult>0</difficult>", "<difficult>0</difficult>" * 2, "has difficult where it should not"),
        ("<xmin>11</xmin>", "<xmin>1.1e1</xmin>", "annotation/object/bndbox/xmin is '1.1e1'"),
        ("<xmax>30</xmax>", "", "annotation/object/bndbox has no xmax"),
        ("<ymax>30</ymax>", "<ymax>30</ymax><zmax>1</zmax>", "has zmax where it should not"),
        ("<bndbox>", '<bndbox made="up">', "annotation/object/bndbox has made='up'"),
        ("<object>", "<object>bee", "annotation/object has text between its elements"),
        ("annotation>", "annotations>", "the root is 'annotations'"),
    ],
)
def test_what_is_wrong_is_found(before: str, after: str, fault: str) -> None:
    """Elements that are missing, too many, in another order, or of another type."""
    assert before in EXACT

    assert any(fault in each for each in faults_of_document(EXACT.replace(before, after).encode()))
