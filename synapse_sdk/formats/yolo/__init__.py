"""YOLO: a text file for each image, a row for each object, and one YAML file for the dataset."""

from synapse_sdk.formats.yolo.format import YoloFormat

__all__ = ["YoloFormat"]
