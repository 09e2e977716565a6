"""Label Studio's JSON: a list of tasks, each with its data and its annotations."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, final

from raretag.corpus.document import Document
from raretag.corpus.finding import Finding
from raretag.corpus.formats.base import Format
from raretag.corpus.formats.collect import Findings, Ids
from raretag.corpus.formats.files import Source, sources
from raretag.corpus.formats.json_values import as_id, parse
from raretag.corpus.formats.label_studio_regions import (
    is_relation,
    mentions_of,
    region_of,
    relation,
    results_of,
    to_code_points,
)
from raretag.corpus.formats.label_studio_tasks import Object, data_of, metadata_of, results_in, text_of
from raretag.errors import DataError

_SAMPLE = 5
_TASKS = re.compile(r'\s*\[\s*(?:\]|\{.*?"(?:data|annotations|predictions|label|text)"\s*:)', re.DOTALL)


@final
class LabelStudio(Format):
    """Label Studio's JSON and JSON_MIN exports of text labelling (https://labelstud.io/guide/export).

    The text is `data.text`, or the only string among the data. Of several annotations the ground truth is used, else
    the first that was not cancelled; predictions are not. Offsets are code points; where the regions' copies of the
    text agree only as UTF-16 units they are converted. A region with several labels is a mention for each. Relations
    are kept in `Document.extras` as the JSON of the result.

    Written is a file to import: the document's id is `data.id`, its metadata `data.meta`, its extras `data.extras`; a
    mention's score and note are the region's, its id `meta.id`; fragments are regions with the same `meta.mention`.
    """

    name: ClassVar[str] = "label-studio"
    description: ClassVar[str] = "a JSON list of Label Studio tasks"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)
    holds: ClassVar[frozenset[str]] = frozenset({"metadata", "extras", "score", "note", "fragments", "overlap"})

    def _recognise(self, root: Path) -> bool:
        found = sources(root, suffixes=self.suffixes)[:_SAMPLE]
        return bool(found) and all(_TASKS.match(source.head()) for source in found)

    def _read(self, root: Path) -> tuple[list[Document], list[Finding]]:
        documents: list[Document] = []
        everything: list[Finding] = []
        ids = Ids()
        for source in sources(root, suffixes=self.suffixes):
            findings = Findings(file=source.file)
            documents.extend(_documents(source, ids=ids, findings=findings))
            everything.extend(findings.found)
        return documents, everything

    def _write(self, documents: Sequence[Document], *, target: Path) -> list[Finding]:
        tasks = [_task(document, number=number) for number, document in enumerate(documents, start=1)]
        target.write_bytes((json.dumps(tasks, ensure_ascii=False, indent=1) + "\n").encode())
        return []


def _documents(source: Source, *, ids: Ids, findings: Findings) -> list[Document]:
    tasks, replaced = parse(source.text(), path=source.path, line=1)
    if not isinstance(tasks, list):
        remedy = "Export the project as JSON or JSON_MIN"
        raise DataError("not a list of Label Studio tasks", remedy=remedy, file=source.path)
    if replaced:
        findings.add("text.character")
    documents = []
    for number, task in enumerate(tasks, start=1):
        text = text_of(data_of(task)) if isinstance(task, dict) else None
        if text is None:
            findings.add("json.record", document=f"{source.stem}-{number}")
            continue
        wanted = as_id(data_of(task).get("id")) or as_id(task.get("id")) or f"{source.stem}-{number}"
        id_ = ids.take(wanted)
        if id_ != wanted:
            findings.add("id.duplicate", document=id_)
        documents.append(_document(task, text=text, id_=id_, source=source, findings=findings))
    return documents


def _document(task: Object, *, text: str, id_: str, source: Source, findings: Findings) -> Document:
    data = data_of(task)
    regions = []
    kept = data.get("extras")
    extras = [extra for extra in kept if isinstance(extra, str)] if isinstance(kept, list) else []
    for result in results_in(task, document=id_, findings=findings):
        kind = result.get("type", "labels")
        region = region_of(result) if kind in ("labels", "hypertextlabels") else None
        if region is not None:
            regions.append(region)
            if region.score is None and result.get("score") is not None:
                findings.once("json.value", document=id_, key="score")
        elif kind == "relation":
            extras.append(relation(result))
        elif kind in ("labels", "hypertextlabels"):
            findings.add("json.span", document=id_, key="result")
        else:
            findings.once("label-studio.result", document=id_)
    regions = to_code_points(regions, text=text, id_=id_, findings=findings)
    metadata = metadata_of(task, text=text, document=id_, findings=findings)
    return Document(
        id=id_,
        text=text,
        mentions=tuple(mentions_of(regions, text=text, id_=id_, findings=findings)),
        metadata={**source.metadata, **metadata},
        extras=tuple(extras),
    )


def _task(document: Document, *, number: int) -> Object:
    data = {
        "text": document.text,
        "id": document.id,
        "meta": dict(document.metadata),
        "extras": [extra for extra in document.extras if not is_relation(extra)],
    }
    return {"id": number, "data": data, "annotations": [{"result": results_of(document)}]}
