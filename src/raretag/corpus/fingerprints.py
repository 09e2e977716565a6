"""One hash over many documents: whether two commands looked at the same texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from raretag.corpus.document import Document


def fingerprints(documents: Iterable[Document]) -> dict[str, str]:
    """The fingerprint of each document's text, by id."""
    return {document.id: document.fingerprint for document in documents}


def fingerprints_hash(by_id: Mapping[str, str]) -> str:
    """sha256 over ids and fingerprints, whatever their order."""
    return hashlib.sha256(json.dumps(dict(by_id), sort_keys=True).encode()).hexdigest()
