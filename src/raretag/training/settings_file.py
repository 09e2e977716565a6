"""Settings from a recipe, a YAML file and single overrides; everything wrong in them is told at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from raretag.errors import UsageError
from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.sampling import SAMPLERS
from raretag.training.heads import HEADS
from raretag.training.recipes import recipe
from raretag.training.second_stage.registry import SECOND_STAGES
from raretag.training.settings import TrainSettings

_REGISTRIES: Mapping[str, Mapping[str, Any]] = {
    "objective": OBJECTIVES,
    "sampler": SAMPLERS,
    "head": HEADS,
    "second_stage": SECOND_STAGES,
}


def load_settings(
    *,
    recipe_name: str | None = None,
    config: Path | None = None,
    overrides: Sequence[str] = (),
    encoder: str | None = None,
) -> TrainSettings:
    """Recipe, then file, then `key=value` overrides, then the encoder's name: the later wins.

    A file may name its recipe under the key `recipe`. Keys are dotted paths such as `optimiser.epochs`, values YAML.
    Raises UsageError that lists every unknown key and unusable value with what is allowed.
    """
    from_file = _read(config) if config is not None else {}
    named = recipe_name if recipe_name is not None else from_file.pop("recipe", None)
    from_file.pop("recipe", None)
    content = _merged(recipe(str(named)).settings if named is not None else {}, from_file)
    for override in overrides:
        content = _merged(content, _override(override))
    if encoder is not None:
        content = _merged(content, {"encoder": encoder})
    try:
        return TrainSettings.model_validate(content)
    except ValidationError as error:
        raise UsageError(_explain(error, content), remedy="Mend the settings above", file=config) from error


def _read(config: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "this settings file cannot be read", remedy="Check its path and encoding", file=config
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise UsageError(
            "this settings file is not YAML",
            remedy="Mend the line, for example its indentation",
            file=config,
            line=None if mark is None else mark.line + 1,
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UsageError("this settings file holds no keys", remedy="Write key: value lines", file=config)
    return content


def _override(text: str) -> dict[str, Any]:
    path, sign, value = text.partition("=")
    if not sign or not path.strip():
        raise UsageError(f"--set {text!r} is not key=value", remedy="Write for example --set optimiser.epochs=8")
    try:
        content: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        content = value
    if isinstance(content, str):
        # YAML 1.1 takes 3e-4 for a text
        with suppress(ValueError):
            content = float(content)
    for key in reversed(path.strip().split(".")):
        content = {key: content}
    return dict(content)


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid upon `base`, key by key; another objective does not inherit the former one's options."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        renamed = (
            isinstance(value, Mapping)
            and isinstance(old, Mapping)
            and value.get("name", old.get("name")) != old.get("name")
        )
        merged[key] = (
            _merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) and not renamed else value
        )
    return merged


def _explain(error: ValidationError, content: Mapping[str, Any]) -> str:
    problems = error.errors(include_url=False)
    lines = [f"{len(problems)} setting{'s' if len(problems) > 1 else ''} cannot be used:"]
    for problem in problems:
        path = ".".join(str(part) for part in problem["loc"]) or "settings"
        if problem["type"] == "extra_forbidden":
            lines.append(f"  {path}: there is no such key{_suggestion(problem['loc'], content)}")
        else:
            lines.append(f"  {path}: {problem['msg']}, not {problem['input']!r:.60}")
    return "\n".join(lines) + "\n"


def _suggestion(location: tuple[int | str, ...], content: Mapping[str, Any]) -> str:
    """What keys there are beside the unknown one, the likeliest first."""
    *path, key = (str(part) for part in location)
    known = _keys(path, content)
    near = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known) or 'none'}"


def _keys(path: Sequence[str], content: Mapping[str, Any]) -> list[str]:
    """The keys that are allowed at `path`, those of the named method included."""
    model: type[BaseModel] = TrainSettings
    for part in path:
        if part == "regularisers":
            return list(REGULARISERS[path[-1]].options.model_fields)
        annotation = model.model_fields[part].annotation
        model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model
    named = content.get(path[0]) if path else None
    registry = _REGISTRIES.get(path[0]) if path else None
    name = named.get("name") if isinstance(named, Mapping) else None
    if registry is None or name not in registry:
        return list(model.model_fields)
    return [*model.model_fields, *registry[str(name)].options.model_fields]
