"""Gold mentions of a document without its text: all that decisions are fitted on and judged by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from raretag.corpus import Document, Mention


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GoldDocument:
    """A document's gold mentions, and the patient it belongs to; `group` is empty where none is named."""

    id: str
    group: str = ""
    mentions: tuple[Mention, ...] = ()

    @staticmethod
    def of(document: Document) -> GoldDocument:
        """What is kept of a document."""
        return GoldDocument(id=document.id, group=document.metadata.get("group", ""), mentions=document.mentions)

    @property
    def unit(self) -> tuple[str, str]:
        """What the document is drawn with: its patient, where one is named, else itself."""
        return ("group", self.group) if self.group else ("document", self.id)
