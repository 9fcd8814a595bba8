"""Resizes a folder of photos and reports what became of each: the guide's image workflow, completed."""
