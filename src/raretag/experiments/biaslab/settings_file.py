"""The lab's settings from a YAML file and single overrides; everything wrong in them is told at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from raretag.experiments.biaslab.mechanisms import Mechanism
from raretag.experiments.biaslab.settings import LabSettings
from raretag.probability import NeighbourSettings
from raretag.tagging import WindowSettings
from raretag.training.settings_layers import merged, override, problems_of, read_settings, unusable


def load_lab_settings(
    *, config: Path | None = None, named: Mapping[str, Any] | None = None, overrides: Sequence[str] = ()
) -> LabSettings:
    """File, then `named` settings, then `key=value` overrides: the later wins; mechanisms are replaced as a whole.

    Raises UsageError that lists every unknown key and unusable value with what is allowed.
    """
    content = read_settings(config) if config is not None else {}
    content |= dict(named or {})
    for one in overrides:
        content = merged(content, override(one))
    try:
        return LabSettings.model_validate(content)
    except ValidationError as error:
        raise unusable(problems_of(error, suggestion=_suggestion), file=config) from error


def _suggestion(location: tuple[int | str, ...]) -> str:
    """What keys there are beside the unknown one, the likeliest first; a method's options are told elsewhere."""
    *path, key = (str(part) for part in location)
    models: Mapping[tuple[str, ...], type[BaseModel]] = {
        (): LabSettings,
        ("windows",): WindowSettings,
        ("mechanisms", "*"): Mechanism,
        ("mechanisms", "*", "neighbours"): NeighbourSettings,
    }
    place = ("mechanisms", "*", *path[2:]) if path[:1] == ["mechanisms"] and len(path) > 1 else tuple(path)
    if place not in models:
        return "; its options: see raretag objectives, samplers or heads"
    known = list(models[place].model_fields)
    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known)}"
