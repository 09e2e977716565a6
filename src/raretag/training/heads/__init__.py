"""Tag heads: the layer between the encoder and the tags; one registry, one contract."""

from raretag.training.heads.base import Head, to_probabilities
from raretag.training.heads.files import load_model, save_model
from raretag.training.heads.registry import HEADS, head

__all__ = ["HEADS", "Head", "head", "load_model", "save_model", "to_probabilities"]
