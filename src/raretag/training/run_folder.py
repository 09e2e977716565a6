"""The run folder: everything a trained model is known by, written atomically, free of note text."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from raretag.errors import DataError, RaretagError
from raretag.tagging import Schema
from raretag.training.ensemble import ENSEMBLE

if TYPE_CHECKING:
    from raretag.training.inference import Predictor

MANIFEST = "manifest.json"
SCHEMA = "schema.json"
HISTORY = "history.jsonl"
RECIPE = "recipe.json"
_WRITING = ".writing"
MODEL = "model"
RESUME = ".resume"


@final
@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that `train` made, opened for reading."""

    path: Path

    @staticmethod
    def open(path: Path) -> RunFolder:
        """Raises DataError where `path` is no run folder, or its training has not finished."""
        run = RunFolder(path)
        if run.manifest["status"] != "complete":
            raise DataError(
                "training has not finished here",
                remedy="Finish it: repeat the command with --resume",
                file=path,
            )
        missing = [name for name in (SCHEMA, MODEL) if not (path / name).exists()]
        if missing:
            raise DataError(f"the run folder lacks {' and '.join(missing)}", remedy="Train again", file=path)
        return run

    @property
    def manifest(self) -> dict[str, Any]:
        """Settings, seeds, versions, data hashes, split, hardware and time."""
        return read_manifest(self.path)

    @property
    def schema(self) -> Schema:
        """Labels, tags and their training counts. Raises DataError where the file is damaged."""
        try:
            return Schema.from_json(read_json(self.path / SCHEMA))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError("the schema is damaged", remedy="Train again", file=self.path / SCHEMA) from error

    @property
    def further(self) -> tuple[RunFolder, ...]:
        """The run folders of the other models of an ensemble; none where there is one model. Raises as `open`."""
        number = len(self.manifest["settings"].get("ensemble", ()))
        return tuple(RunFolder.open(self.path / ENSEMBLE / str(place + 2)) for place in range(number))

    def predictor(self) -> Predictor:
        """The trained model, or the models of an ensemble, ready to judge documents."""
        from safetensors import SafetensorError

        from raretag.training.loading import load_predictor

        try:
            own = load_predictor(self.path / MODEL, manifest=self.manifest, schema=self.schema)
            return replace(own, others=tuple(one.predictor() for one in self.further))
        except RaretagError:
            raise
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise DataError(
                f"the model cannot be loaded ({type(error).__name__})",
                remedy="Train again",
                file=self.path / MODEL,
            ) from error

    def write(self, name: str, content: dict[str, Any]) -> Path:
        """Put a JSON file into the folder, whole or not at all."""
        target = self.path / name
        write_json(target, content)
        return target


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder. Raises DataError where it is missing or lacks what every manifest has."""
    if not (folder / MANIFEST).is_file():
        raise DataError("this is not a run folder", remedy="Name a folder that raretag train wrote", file=folder)
    content = read_json(folder / MANIFEST)
    data = content.get("data")
    whole = {"status", "settings", "precision", "encoder", "data"} <= content.keys()
    if not whole or not isinstance(data, dict) or not {"train", "validation", "test"} <= data.keys():
        raise DataError("the manifest of this run folder is damaged", remedy="Train again", file=folder / MANIFEST)
    return content


def read_json(path: Path, *, remedy: str = "Train again") -> dict[str, Any]:
    """A JSON object from a file. Raises DataError with the remedy where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError("this file cannot be read as JSON", remedy=remedy, file=path) from error
    if not isinstance(content, dict):
        raise DataError("this file does not hold a JSON object", remedy=remedy, file=path)
    return content


def is_unfinished(path: Path, name: str) -> bool:
    """Whether `path` is what a process that was killed while it wrote the file `name` has left."""
    return path.name.startswith(f".{name}.") and path.name.endswith(_WRITING)


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write beside the target, then move into place: a reader sees the old file or the new one."""
    # of this process alone, for another may write the same file
    temporary = path.with_name(f".{path.name}.{os.getpid()}{_WRITING}")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, indent=1, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
