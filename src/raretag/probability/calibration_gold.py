"""The documents that a run is calibrated on: their gold mentions and where their scores lie, without their text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from raretag.corpus import Document, Mention
from raretag.corpus.units import tied
from raretag.probability.score_cache import text_key


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class GoldDocument:
    """A document's gold mentions without its text.

    text: `text_key` of the text. fingerprint: as of `Document`, to be recognised under another name. group: the
    patient, empty where none is named. characters: the length of the text.
    """

    id: str
    text: str
    fingerprint: str
    group: str
    characters: int
    mentions: tuple[Mention, ...]

    @staticmethod
    def of(document: Document) -> GoldDocument:
        """What is kept of a document."""
        return GoldDocument(
            id=document.id,
            text=text_key(document),
            fingerprint=document.fingerprint,
            group=document.metadata.get("group", ""),
            characters=len(document.text),
            mentions=tuple(
                Mention(label=one.label, start=one.start, end=one.end, fragments=one.fragments)
                for one in document.mentions
            ),
        )

    @property
    def blank(self) -> Document:
        """The document with blanks in place of its text: offsets are all that tagging looks at."""
        metadata = {"group": self.group} if self.group else {}
        return Document(id=self.id, text=" " * self.characters, mentions=self.mentions, metadata=metadata)

    def to_json(self) -> dict[str, Any]:
        """Built-in types only; a mention is its label and the bounds of its parts."""
        return {
            "id": self.id,
            "text": self.text,
            "fingerprint": self.fingerprint,
            "group": self.group,
            "characters": self.characters,
            "mentions": [[one.label, *(list(part) for part in one.parts)] for one in self.mentions],
        }

    @staticmethod
    def from_json(content: Mapping[str, Any]) -> GoldDocument:
        """Read what `to_json` wrote. Raises KeyError, TypeError or ValueError where it is something else."""
        mentions = []
        for label, *told in content["mentions"]:
            parts = tuple((int(start), int(end)) for start, end in told)
            mentions.append(
                Mention(label=label, start=parts[0][0], end=parts[-1][1], fragments=parts if len(parts) > 1 else ())
            )
        return GoldDocument(
            id=str(content["id"]),
            text=str(content["text"]),
            fingerprint=str(content["fingerprint"]),
            group=str(content["group"]),
            characters=int(content["characters"]),
            mentions=tuple(mentions),
        )


def with_ties(documents: Sequence[GoldDocument]) -> tuple[GoldDocument, ...]:
    """The same, those with one text in one `group`: that of a patient, else called by the text's fingerprint."""
    found = list(documents)
    for unit in tied([(one.id, one.fingerprint, one.group) for one in documents]):
        if len(unit) > 1:
            groups = sorted({documents[number].group for number in unit} - {""})
            name = groups[0] if groups else documents[unit[0]].fingerprint
            for number in unit:
                found[number] = replace(found[number], group=name)
    return tuple(found)
