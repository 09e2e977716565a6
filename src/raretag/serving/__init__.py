"""A trained model at work on notes."""

from raretag.serving.annotate import Annotated, annotate

__all__ = ["Annotated", "annotate"]
