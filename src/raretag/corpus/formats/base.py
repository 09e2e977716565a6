"""What every format does: recognise, read and write, with the checks in one place."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, final

from raretag.corpus.document import Corpus, Document, Mention
from raretag.corpus.finding import Finding
from raretag.corpus.formats.collect import Findings
from raretag.corpus.formats.files import clean, passed_by, refuse_irregular
from raretag.corpus.formats.walk import walk
from raretag.errors import DataError


class Format(ABC):
    """A way to keep annotated notes in files.

    `suffixes` are those that belong to it in a folder; a single file may have any. `folder` tells whether it writes a
    folder or a file. `holds` names what it can keep beyond flat mentions: `metadata` (or single keys of it), `extras`,
    `score`, `note`, `fragments`, `overlap`; what it cannot is reported when writing.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    holds: ClassVar[frozenset[str]]
    folder: ClassVar[bool] = False

    @final
    def recognise(self, path: Path | str) -> bool:
        """Whether the file or folder looks like this format, judged by the start of its first files.

        Raises DataError where the path is missing or empty.
        """
        return self._recognise(existing(path))

    @final
    def read(self, path: Path | str) -> Corpus:
        """Read a file or, recursively and in sorted order, a folder; Findings say what could not be used as it is.

        Raises DataError where the path is missing or empty, a file is not UTF-8, a folder or file cannot be read, or
        nothing in it can be used.
        """
        root = existing(path)
        documents, findings = self._read(root)
        if not documents:
            remedy = f"A path in the format {self.name} holds {self.description}; try another format"
            raise DataError(f"no document in the format {self.name}", remedy=remedy, file=root)
        findings.extend(passed_by(root, suffixes=self.suffixes))
        return Corpus(documents=tuple(documents), findings=tuple(findings), format=self.name)

    @final
    def write(self, corpus: Corpus, path: Path | str) -> tuple[Finding, ...]:
        """Write the corpus to a new path, whole or not at all; the Findings say what the format could not hold.

        Raises DataError where the corpus has no documents, the path is taken, or the disk refuses.
        """
        target = Path(path)
        if not corpus.documents:
            raise DataError("the corpus has no documents to write", remedy="Check what was read", file=target)
        if not target.name or "\0" in str(target):
            raise DataError("not a name for a file or folder", remedy="Choose another path", file=target)
        findings = Findings()
        documents = [_encodable(document, findings=findings) for document in corpus.documents]
        self._report_lost(documents, findings=findings)
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            _refuse_taken(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            if self.folder:
                part.mkdir()
            findings.found.extend(self._write(documents, target=part))
            part.replace(target)
        except OSError as error:
            what = f"cannot be written ({error.strerror})"
            raise DataError(what, remedy="Choose another path", file=target) from None
        finally:
            _remove(part)
        return tuple(findings.found)

    def _report_lost(self, documents: Sequence[Document], *, findings: Findings) -> None:
        for document in documents:
            if "metadata" not in self.holds:
                for key in document.metadata.keys() - self.holds:
                    findings.once("write.lost", key=key)
            if document.extras and "extras" not in self.holds:
                findings.once("write.lost", key="extras")
            for mention in document.mentions:
                if mention.score is not None and "score" not in self.holds:
                    findings.once("write.lost", key="score")
                if mention.note is not None and "note" not in self.holds:
                    findings.once("write.lost", key="note")

    @abstractmethod
    def _recognise(self, root: Path) -> bool: ...

    @abstractmethod
    def _read(self, root: Path) -> tuple[list[Document], list[Finding]]: ...

    @abstractmethod
    def _write(self, documents: Sequence[Document], *, target: Path) -> list[Finding]: ...


def existing(path: Path | str) -> Path:
    """The path, if it is a regular file or a folder with something in it; else DataError."""
    root = Path(path)
    try:
        if "\0" in str(root) or not root.exists():
            raise DataError("does not exist", remedy="Check the path", file=root)
        refuse_irregular(root)
        if root.is_dir() and not walk(root).files:
            remedy = "It should hold annotated notes; hidden files, README, LICENSE and run folders do not count"
            raise DataError("the folder holds no files", remedy=remedy, file=root)
        if not root.is_dir() and root.stat().st_size == 0:
            raise DataError("the file is empty", remedy="It should hold annotated notes", file=root)
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", remedy="Check its permissions", file=root) from None
    return root


def _refuse_taken(target: Path) -> None:
    taken = any(target.iterdir()) if target.is_dir() else target.exists() and target.stat().st_size > 0
    if taken:
        remedy = "Remove it or choose another path; nothing is overwritten"
        raise DataError("already exists and is not empty", remedy=remedy, file=target)


def _remove(part: Path) -> None:
    with contextlib.suppress(OSError):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()


def _encodable(document: Document, *, findings: Findings) -> Document:
    texts = [document.id, document.text, *document.metadata, *document.metadata.values(), *document.extras]
    for mention in document.mentions:
        texts += [mention.label, mention.note or "", mention.id or ""]
    if all(clean(text) == text for text in texts):
        return document
    findings.add("text.character", document=clean(document.id))
    return Document(
        id=clean(document.id),
        text=clean(document.text),
        mentions=tuple(_encodable_mention(mention) for mention in document.mentions),
        metadata={clean(key): clean(value) for key, value in document.metadata.items()},
        extras=tuple(clean(extra) for extra in document.extras),
    )


def _encodable_mention(mention: Mention) -> Mention:
    note = None if mention.note is None else clean(mention.note)
    return dataclasses.replace(
        mention,
        label=clean(mention.label),
        note=note,
        id=None if mention.id is None else clean(mention.id),
    )
