"""Annotating images of digits with a registered model."""
