"""A trained model at work on notes."""

from raretag.serving.annotate import annotate

__all__ = ["annotate"]
