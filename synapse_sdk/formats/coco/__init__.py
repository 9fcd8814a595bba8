"""COCO: one JSON file for a dataset, or for each of its splits, with boxes, outlines, masks and joints."""

from synapse_sdk.formats.coco.format import CocoFormat

__all__ = ["CocoFormat"]
