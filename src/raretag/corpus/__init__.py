"""Notes, the mentions in them, and the formats they come in."""

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.finding import RULES, Finding

__all__ = ["RULES", "Corpus", "Document", "Finding", "Mention"]
