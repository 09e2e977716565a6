"""A second stage for a finished run: its encoder, another head, in a run folder of its own."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raretag.corpus import Corpus, Document
from raretag.corpus.fingerprints import gold_hash
from raretag.errors import DataError, UsageError
from raretag.tagging import Schema
from raretag.training.dataset import TrainingData, prepare
from raretag.training.inference import Predictor
from raretag.training.manifest import describe_second_stage
from raretag.training.model import tag_head
from raretag.training.run_folder import HISTORY, MANIFEST, MODEL, RECIPE, SCHEMA, RunFolder, write_json
from raretag.training.second_stage.extraction import extract_features
from raretag.training.second_stage.registry import second_stage
from raretag.training.second_stage.retraining import retrain_head
from raretag.training.settings import TaggingSettings


def second_stage_run(
    run: RunFolder,
    corpus: Corpus,
    *,
    out: Path,
    name: str,
    options: Mapping[str, object] | None = None,
    seed: int = 13,
) -> RunFolder:
    """Give the run's encoder another head, made from the run's own training documents, and write it to `out`.

    corpus: what the run was trained from. The manifest of the new run is that of `run` with `second_stage` (its name,
    options, seed, seconds and parent) and the new head's effective prior. `run` stays as it is.
    Raises UsageError where `out` is taken, the run's head is no softmax head, or an option does not fit, DataError
    where `corpus` does not hold the training documents as they were.
    """
    schema, manifest = run.schema, run.manifest
    chosen = second_stage(name, schema=schema, options=options or {})
    if run.further:
        raise UsageError(
            "this run is an ensemble, whose models have a head each",
            remedy="Train with second_stage.name, or a run of one model",
            file=run.path,
        )
    if out.exists():
        raise UsageError("this folder exists already", remedy="Name another one", file=out)
    predictor = run.predictor()
    documents = _training_documents(manifest, corpus)
    data = _prepared(documents, predictor=predictor, manifest=manifest, schema=schema)
    features = extract_features(
        predictor.model, data.dataset, pad_id=predictor.tokenizer.pad_token_id or 0, precision=predictor.precision
    )
    made = retrain_head(predictor.model, features, schema=schema, name=name, options=options, seed=seed)
    tag_head(predictor.model).load_state_dict(made.head.state_dict())
    described = describe_second_stage(manifest, made, schema=schema, name=name, options=chosen.options, seed=seed)
    parent = {"name": run.path.name, "sha256": _digest(run.path / MODEL / "model.safetensors")}
    described["second_stage"] |= {"parent": parent}
    # whoever trains by the settings of this run, as calibration out of fold does, must come to its kind of head
    described["settings"] = {**manifest["settings"], "second_stage": {"name": name, **(options or {})}}
    writing = out.with_name(f".{out.name}.writing")
    shutil.rmtree(writing, ignore_errors=True)
    shutil.copytree(run.path / MODEL, writing / MODEL)
    predictor.model.save_pretrained(writing / MODEL)
    for kept in (SCHEMA, HISTORY, RECIPE):
        if (run.path / kept).is_file():
            shutil.copyfile(run.path / kept, writing / kept)
    write_json(writing / MANIFEST, described)
    writing.replace(out)
    return RunFolder.open(out)


def _training_documents(manifest: Mapping[str, Any], corpus: Corpus) -> list[Document]:
    """The run's training documents, in the order of its manifest. Raises DataError where one is missing or changed."""
    wanted: dict[str, str] = manifest["data"]["train"]
    found = {document.id: document for document in corpus.documents if wanted.get(document.id) == document.fingerprint}
    parts = [manifest["data"][part] for part in ("train", "validation", "test")]
    known = {name: text for part in parts for name, text in part.items()}
    whole = [document for document in corpus.documents if known.get(document.id) == document.fingerprint]
    if len(whole) == len(known) and gold_hash(whole) != manifest["data"]["sha256"]:
        raise _otherwise_annotated()
    if len(found) < len(wanted):
        lost = len(wanted) - len(found)
        raise DataError(
            f"{lost} of the run's {len(wanted)} training documents are missing here or have another text",
            remedy="Give the data that the run was trained from",
        )
    return [found[name] for name in wanted]


def _prepared(
    documents: list[Document], *, predictor: Predictor, manifest: Mapping[str, Any], schema: Schema
) -> TrainingData:
    """Their windows and tags. Raises DataError where these are not the run's."""
    data = prepare(
        documents,
        labels=schema.labels,
        tagging=TaggingSettings.model_validate(manifest["settings"]["tagging"]),
        windows=predictor.windows,
        capacity=predictor.capacity,
        tokenizer=predictor.tokenizer,
        layered=schema.layered,
    )
    if data.schema != schema:
        raise _otherwise_annotated()
    return data


def _otherwise_annotated() -> DataError:
    return DataError(
        "the documents have other annotations than when the run was trained",
        remedy="Give the data that the run was trained from, or train again",
    )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
