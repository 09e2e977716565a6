"""Divide a corpus into parts by document or patient so that rare labels are spread over them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from raretag.corpus.document import Corpus, Document
from raretag.corpus.finding import Finding
from raretag.corpus.stratification import Unit, stratify
from raretag.corpus.units import tied
from raretag.errors import DataError, UsageError

PARTS = ("train", "validation", "test")
OFFICIAL = "the corpus' own parts"
DRAWN = "drawn"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The documents of each part, in the order of their ids; a part that was not asked for is empty.

    `origin` says in a short phrase where the parts come from: "the corpus' own parts", or "drawn" and why. `findings`
    lists test documents that share their patient or text with the documents to learn from: only official parts can.
    """

    train: tuple[Document, ...]
    validation: tuple[Document, ...]
    test: tuple[Document, ...]
    origin: str
    findings: tuple[Finding, ...] = ()


def official_split(corpus: Corpus) -> Split | None:
    """The parts that the corpus itself names in `metadata["split"]`: train, validation, test.

    None where no document names one, or train or test does not occur, so that a corpus of training documents alone can
    still be divided. An absent validation stays empty. Test documents that share their `metadata["group"]` or their
    `fingerprint` with one in train or validation stay where they are and are Findings. Raises DataError for another
    name of a part, and where some documents name a part and others do not.
    """
    named = _named_parts(corpus)
    if _absent(named):
        return None
    train, validation, test = (_by_id(d for d in corpus.documents if named[d.id] == part) for part in PARTS)
    shared = tuple(_shared(test, learned=(*train, *validation)))
    return Split(train=train, validation=validation, test=test, origin=OFFICIAL, findings=shared)


def split_corpus(corpus: Corpus, *, test: float, validation: float, seed: int) -> Split:
    """The official parts where the corpus names them, else train, validation and test of the sizes asked for.

    `test` and `validation` are shares of the documents in [0, 1), together below 1; each gets round(documents x share)
    documents, but train and every share above 0 at least one. Documents of one patient (`metadata["group"]`) and
    documents with the same text stay together, which may move the sizes by a few. The same seed gives the same parts in
    whatever order the documents come.

    Method: `raretag.corpus.stratification`, which spreads the rarest labels first.

    Raises UsageError for shares out of range, DataError for fewer documents (or patients) than parts and as
    `official_split` does.
    """
    if not (0 <= test < 1 and 0 <= validation < 1 and test + validation < 1):
        raise UsageError(
            f"cannot split into test {test} and validation {validation}",
            remedy="Give two shares from 0 to below 1 that leave something to train on",
        )
    official = official_split(corpus)
    if official is not None:
        return official
    units = separable(corpus)
    shares = {"validation": validation, "test": test}
    number = len(corpus.documents)
    sizes = {part: max(1, round(number * share)) for part, share in shares.items() if share}
    _require(units, parts=1 + len(sizes))
    while sum(sizes.values()) >= number:
        sizes[max(sizes, key=lambda part: sizes[part])] -= 1
    dealt = _deal(units, sizes=[number - sum(sizes.values()), *sizes.values()], seed=seed)
    parts = dict(zip(("train", *sizes), dealt, strict=True))
    named = _named_parts(corpus)
    why = f": the corpus names no {' and no '.join(_absent(named))} part" if named else ""
    return Split(
        train=parts["train"],
        validation=parts.get("validation", ()),
        test=parts.get("test", ()),
        origin=DRAWN + why,
    )


def folds(corpus: Corpus, *, folds: int, seed: int) -> tuple[Split, ...]:
    """Cross-validation: every document is in `test` of exactly one fold and in `train` of the others.

    `folds` >= 2; the sizes differ by at most one document where none are tied together. `validation` is empty, and
    official parts are ignored. Ties, method and reproducibility as in `split_corpus`. Raises UsageError for fewer than
    two folds, DataError for fewer documents (or patients) than folds.
    """
    if folds < 2:
        raise UsageError(f"cannot cross-validate with folds = {folds}", remedy="Ask for at least 2 folds")
    units = separable(corpus)
    _require(units, parts=folds)
    each, over = divmod(len(corpus.documents), folds)
    tests = _deal(units, sizes=[each + (k < over) for k in range(folds)], seed=seed)
    return tuple(
        Split(
            train=_by_id(d for rest in tests if rest is not test for d in rest),
            validation=(),
            test=test,
            origin=f"{DRAWN}: fold {number} of {folds}",
        )
        for number, test in enumerate(tests, start=1)
    )


def _named_parts(corpus: Corpus) -> dict[str, str]:
    """The part that each document names, by its id; empty where none does. DataError where the names are no split."""
    named = {d.id: d.metadata["split"] for d in corpus.documents if d.metadata.get("split")}
    for identity, part in sorted(named.items()):
        if part not in PARTS:
            raise DataError(
                f"document {identity!r}: no such part of a split: {part!r}",
                remedy=f"Name it one of {', '.join(PARTS)} in the metadata",
            )
    unnamed = sorted(document.id for document in corpus.documents if document.id not in named)
    if named and unnamed:
        raise DataError(
            f"{len(named)} documents name a part of a split, {len(unnamed)} do not, the first of them {unnamed[0]!r}",
            remedy=f"Put all into {', '.join(PARTS)} (folders, or `split` in the metadata), or none",
        )
    return named


def _absent(named: Mapping[str, str]) -> list[str]:
    return [part for part in ("train", "test") if part not in named.values()]


def _shared(test: Iterable[Document], *, learned: Sequence[Document]) -> Iterator[Finding]:
    texts = {document.fingerprint for document in learned}
    groups = {document.metadata.get("group") for document in learned} - {None, ""}
    for document in test:
        if document.metadata.get("group") in groups:
            yield Finding(rule="split.shared-group", document=document.id)
        if document.fingerprint in texts:
            yield Finding(rule="split.shared-text", document=document.id)


def separable(corpus: Corpus) -> list[list[Document]]:
    """What is dealt into parts: documents of one patient or with one text stay together; by id, also within each."""
    documents = _by_id(corpus.documents)
    keys = [(one.id, one.fingerprint, one.metadata.get("group", "")) for one in documents]
    return [[documents[number] for number in unit] for unit in tied(keys)]


def _require(units: Sequence[object], *, parts: int) -> None:
    if len(units) < parts:
        raise DataError(
            f"{len(units)} separable documents (or patients) cannot fill {parts} parts",
            remedy="Ask for fewer parts or add documents; those of one patient or with one text count once",
        )


def _deal(units: list[list[Document]], *, sizes: Sequence[int], seed: int) -> list[tuple[Document, ...]]:
    counted = [
        Unit(documents=len(unit), mentions=Counter(m.label for document in unit for m in document.mentions))
        for unit in units
    ]
    parts = stratify(counted, sizes=sizes, seed=seed)
    return [_by_id(document for index in part for document in units[index]) for part in parts]


def _by_id(documents: Iterable[Document]) -> tuple[Document, ...]:
    return tuple(sorted(documents, key=lambda document: document.id))
