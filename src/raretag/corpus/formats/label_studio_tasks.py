"""The parts of a Label Studio task: its text, its metadata, and the one annotation to use."""

from __future__ import annotations

from raretag.corpus.formats.collect import Findings
from raretag.corpus.formats.json_values import is_empty, strings
from raretag.corpus.formats.label_studio_regions import LABEL_TYPES

_RESERVED = frozenset({"text", "id", "meta", "extras"})
# What a task of the export JSON_MIN holds beside its data.
_MIN_KEYS = frozenset(
    {
        "id",
        "annotator",
        "annotation_id",
        "created_at",
        "updated_at",
        "lead_time",
        "agreement",
    }
)

Object = dict[str, object]


def data_of(task: Object) -> Object:
    """The data of a task: its `data`, or in JSON_MIN the task itself without what Label Studio adds."""
    data = task.get("data")
    if isinstance(data, dict):
        return data
    kept = {key: value for key, value in task.items() if key not in _MIN_KEYS and not isinstance(value, list)}
    return {} if "data" in task else kept


def text_of(data: Object) -> str | None:
    """The text: the value of `text`, else the only string among the data, else None."""
    text = data.get("text")
    if isinstance(text, str):
        return text
    found = [value for key, value in data.items() if isinstance(value, str) and key not in _RESERVED]
    return found[0] if len(found) == 1 else None


def metadata_of(task: Object, *, text: str, document: str, findings: Findings) -> dict[str, str]:
    """Plain values of the data other than the text, overlaid with `meta` of the task and of the data, as strings."""
    data = data_of(task)
    plain = {key: value for key, value in data.items() if key not in _RESERVED and value != text}
    found: dict[str, str] = {}
    for key, value in (("data", plain), ("meta", task.get("meta")), ("meta", data.get("meta"))):
        found |= strings(value, findings=findings, key=key, document=document)
    return found


def results_in(task: Object, *, document: str, findings: Findings) -> list[Object]:
    """The results of the annotation to use: the ground truth, else the first that was not cancelled."""
    if not isinstance(task.get("data"), dict):
        lists = [value for value in task.values() if isinstance(value, list)]
        return [
            item
            for value in lists
            for item in value
            if isinstance(item, dict) and any(kind in item for kind in LABEL_TYPES)
        ]
    if not is_empty(task.get("predictions")):
        findings.add("label-studio.predictions", document=document)
    given = task.get("annotations", task.get("completions"))
    annotations = [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    usable = [item for item in annotations if not item.get("was_cancelled")]
    if len(annotations) > 1:
        findings.add("label-studio.annotators", document=document)
    if annotations and not usable:
        findings.add("label-studio.cancelled", document=document)
    chosen = next((item for item in usable if item.get("ground_truth")), usable[0] if usable else {})
    results = chosen.get("result")
    return [item for item in results if isinstance(item, dict)] if isinstance(results, list) else []
