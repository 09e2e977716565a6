"""One hash over many documents: whether two commands looked at the same texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Protocol

from raretag.corpus.document import Document, Mention


def fingerprints(documents: Iterable[Document]) -> dict[str, str]:
    """The fingerprint of each document's text, by id."""
    return {document.id: document.fingerprint for document in documents}


class Annotated(Protocol):
    """What a document and a document without its text have in common."""

    @property
    def id(self) -> str:
        """The document's name."""
        ...

    @property
    def fingerprint(self) -> str:
        """As `Document.fingerprint`."""
        ...

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """The gold mentions."""
        ...


def gold_hash(documents: Iterable[Annotated]) -> str:
    """sha256 over ids, texts and mentions, whatever the order of documents and mentions."""
    rows = sorted(
        f"{one.id}\t{one.fingerprint}\t{sorted((m.label, m.parts) for m in one.mentions)}" for one in documents
    )
    return hashlib.sha256("\n".join(rows).encode("utf-8", "surrogatepass")).hexdigest()


def drawn_hash(documents: Iterable[Document]) -> str:
    """sha256 over all that folds follow but their number and seed: gold, and whose documents are; else `gold_hash`."""
    documents = tuple(documents)
    patients = sorted((one.id, one.metadata["group"]) for one in documents if one.metadata.get("group"))
    if not patients:
        return gold_hash(documents)
    return hashlib.sha256(json.dumps([gold_hash(documents), patients]).encode()).hexdigest()


def fingerprints_hash(by_id: Mapping[str, str]) -> str:
    """sha256 over ids and fingerprints, whatever their order."""
    return hashlib.sha256(json.dumps(dict(by_id), sort_keys=True).encode()).hexdigest()
