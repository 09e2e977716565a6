"""Whether a run folder holds a run to go on with, and whether what is given now is what it was begun with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from raretag.errors import UsageError
from raretag.objectives.base import processes
from raretag.training.processes import is_first, rank
from raretag.training.run_folder import MANIFEST, RECIPE, RESUME, is_unfinished, read_json, read_manifest
from raretag.training.settings import TrainSettings


def begun_run(out: Path, *, settings: TrainSettings, resume: bool) -> dict[str, Any] | None:
    """The manifest of a run to go on with, None for a new one. Raises UsageError where `out` is something else."""
    if out.exists() and not out.is_dir():
        raise UsageError("this is a file, not a folder", remedy="Choose another --out", file=out)
    if not out.exists() or not any(out.iterdir()):
        return None
    if not resume:
        raise UsageError(
            "this folder is not empty",
            remedy="Add --resume to go on with it, or choose another --out",
            file=out,
        )
    if not (out / MANIFEST).is_file():
        # it was broken off before its first manifest was whole
        left = [path for path in out.iterdir() if path.name not in {RESUME, RECIPE}]
        if all(is_unfinished(path, MANIFEST) or is_unfinished(path, RECIPE) for path in left):
            return None
        raise UsageError("this is not a run folder", remedy="Choose another --out", file=out)
    begun = read_manifest(out)
    if _settings(begun) != _of_the_model(settings):
        raise UsageError(
            "this run was begun with other settings", remedy="Repeat the first command and add --resume", file=out
        )
    return begun


def _settings(begun: dict[str, Any]) -> dict[str, Any] | None:
    """What a run was begun with; settings that its version did not have yet are at their defaults."""
    try:
        return _of_the_model(TrainSettings.model_validate(begun["settings"]))
    except ValidationError:
        return None


def _of_the_model(settings: TrainSettings) -> dict[str, Any]:
    """What decides how the model turns out, and not how often is written down what it does."""
    return settings.model_dump(exclude={"ledger_steps", "checkpoint_seconds"})


def check_recipe(out: Path, recipe: Mapping[str, Any]) -> None:
    """Raises UsageError where the run was begun with another calibration or policy for the time after training."""
    file = out / RECIPE
    begun = read_json(file).get("after", {}) if file.is_file() else {}
    if begun != recipe["after"]:
        raise UsageError(
            "this run was begun with another calibration or policy",
            remedy="Repeat the first command and add --resume; raretag calibrate and decide can be told others",
            file=out,
        )


def check_same(begun: dict[str, Any], part: str, now: object, *, out: Path) -> None:
    """Raises UsageError where the data or the encoder is not what the run was begun with."""
    if begun[part] != now:
        what = {"data": "other documents", "encoder": "another encoder"}[part]
        raise UsageError(f"this run was begun with {what}", remedy=f"Give the same {part}, or another --out", file=out)


def check_alike(first: dict[str, Any], *, data: dict[str, Any], encoder: dict[str, Any]) -> None:
    """Raises UsageError where this process reads other data or another encoder than the first; first: its manifest."""
    for part, now, what in (("data", data, "documents"), ("encoder", encoder, "encoder files")):
        if first[part] != now and not is_first():
            raise UsageError(
                f"process {rank()} of {processes()} reads other {what} than process 0",
                remedy="Give every machine the same files and the same versions",
            )
