"""The regions of a Label Studio task: from results to mentions and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from raretag.corpus.document import Document, Mention
from raretag.corpus.formats.collect import Findings, Ids
from raretag.corpus.formats.json_values import as_id, as_offset, as_score, mention_of

LABEL_TYPES = ("labels", "hypertextlabels")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A labelled region as exported: its offsets are not yet checked against the text; `group` joins fragments."""

    labels: tuple[str, ...]
    start: int
    end: int
    copy: str | None
    score: float | None = None
    note: str | None = None
    id: str | None = None
    group: str | None = None


def region_of(result: dict[str, object]) -> Region | None:
    """The region in a result of an annotation or, without `value`, in a JSON_MIN label; None where it is none."""
    value = result.get("value", result)
    if not isinstance(value, dict):
        return None
    place = value.get("globalOffsets")
    offsets = place if isinstance(place, dict) else value
    start, end = as_offset(offsets.get("start")), as_offset(offsets.get("end"))
    labels: list[object] = next((value[key] for key in LABEL_TYPES if isinstance(value.get(key), list)), [])
    names = tuple(label for label in labels if isinstance(label, str) and label)
    if start is None or end is None or not names or len(names) < len(labels):
        return None
    copy = value.get("text")
    meta = result.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    lines = meta.get("text")
    note = [line for line in lines if isinstance(line, str)] if isinstance(lines, list) else []
    return Region(
        labels=names,
        start=start,
        end=end,
        copy=copy if isinstance(copy, str) else None,
        score=as_score(result.get("score")),
        note="\n".join(note) if note else None,
        id=as_id(meta["id"]) if "id" in meta else as_id(result.get("id")),
        group=as_id(meta.get("mention")),
    )


def to_code_points(regions: list[Region], *, text: str, id_: str, findings: Findings) -> list[Region]:
    """The regions with offsets in code points: converted where more copies agree if they are read as UTF-16 units."""
    as_they_are = sum(_agrees(region, text=text) for region in regions)
    if as_they_are == sum(region.copy is not None for region in regions) or not _has_astral(text):
        return regions
    units = text.encode("utf-16-le")
    converted = [_converted(region, units=units) for region in regions]
    if sum(_agrees(region, text=text) for region in converted) <= as_they_are:
        return regions
    findings.add("label-studio.utf16", document=id_)
    return converted


def mentions_of(regions: list[Region], *, text: str, id_: str, findings: Findings) -> list[Mention]:
    """The mentions: one for each label of each region, or for each group of regions that are fragments of one."""
    groups: dict[str, list[Region]] = {}
    for number, region in enumerate(regions):
        key = f"#{number}" if region.group is None else f"mention {region.group} {region.labels}"
        groups.setdefault(key, []).append(region)
    mentions = []
    for group in groups.values():
        first = group[0]
        parts = tuple(sorted((region.start, region.end) for region in group))
        for n, label in enumerate(first.labels):
            mention = mention_of(
                label,
                parts=parts,
                length=len(text),
                score=first.score,
                note=first.note,
                id_=first.id if n == 0 else None,
            )
            if mention is None:
                findings.add("json.span", document=id_, key="result")
                continue
            if any(region.copy is not None and not _agrees(region, text=text) for region in group):
                span = (mention.start, mention.end)
                findings.add("label-studio.text-differs", document=id_, span=span, label=label)
            mentions.append(mention)
    return mentions


def results_of(document: Document) -> list[dict[str, object]]:
    """The results that keep the document's mentions, and the relations among its extras."""
    ids = Ids()
    results: list[dict[str, object]] = []
    for number, mention in enumerate(document.mentions, start=1):
        results.extend(_regions(mention, number=number, text=document.text, ids=ids))
    return results + [json.loads(extra) for extra in document.extras if is_relation(extra)]


def relation(result: dict[str, object]) -> str:
    """A relation as a line for `Document.extras`: the JSON of the result."""
    return json.dumps(result, ensure_ascii=False, sort_keys=True)


def is_relation(extra: str) -> bool:
    """Whether an extra line is a relation that was read from Label Studio."""
    try:
        value = json.loads(extra) if extra.startswith("{") else None
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and value.get("type") == "relation"


def _regions(mention: Mention, *, number: int, text: str, ids: Ids) -> Iterable[dict[str, object]]:
    for start, end in mention.parts:
        meta: dict[str, object] = {"id": mention.id}
        if mention.note is not None:
            meta["text"] = [mention.note]
        if mention.fragments:
            meta["mention"] = number
        value = {"start": start, "end": end, "text": text[start:end], "labels": [mention.label]}
        region: dict[str, object] = {
            "id": ids.take(mention.id or f"r{number}"),
            "from_name": "label",
            "to_name": "text",
            "type": "labels",
            "value": value,
            "meta": meta,
        }
        yield region if mention.score is None else region | {"score": mention.score}


def _agrees(region: Region, *, text: str) -> bool:
    return region.copy is not None and text[region.start : region.end] == region.copy


def _has_astral(text: str) -> bool:
    return any(character > "\uffff" for character in text)


def _converted(region: Region, *, units: bytes) -> Region:
    start = len(units[: 2 * region.start].decode("utf-16-le", "replace"))
    end = len(units[: 2 * region.end].decode("utf-16-le", "replace"))
    return Region(
        labels=region.labels,
        start=start,
        # An end beyond the text must stay there to be found.
        end=end if 2 * region.end <= len(units) else end + region.end - len(units) // 2,
        copy=region.copy,
        score=region.score,
        note=region.note,
        id=region.id,
        group=region.group,
    )
