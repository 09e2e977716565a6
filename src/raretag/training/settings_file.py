"""Settings from a recipe, a YAML file and single overrides; everything wrong in them is told at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from raretag.errors import UsageError
from raretag.objectives import OBJECTIVES, REGULARISERS
from raretag.options import Options
from raretag.sampling import SAMPLERS
from raretag.training.heads import HEADS
from raretag.training.recipes import RECIPES, Recipe, recipe
from raretag.training.second_stage.registry import SECOND_STAGES
from raretag.training.settings import TrainSettings
from raretag.training.settings_layers import merged, override, problems_of, read_settings, unusable

_REGISTRIES: Mapping[str, Mapping[str, Any]] = {
    "objective": OBJECTIVES,
    "sampler": SAMPLERS,
    "head": HEADS,
    "second_stage": SECOND_STAGES,
}
# what a recipe says of the time after training, and the first key of each
_AFTER = {"calibration": "name", "policy": "rule"}
# what every method of a role has, so that another one keeps it
_OF_THE_ROLE = ("start",)


class RecipeSettings(NamedTuple):
    """Settings of training, and what the recipe, the file and the overrides say of the time after: see `Recipe`.

    after: under `calibration` and `policy`, not yet checked. why: that of the recipe's rule which
    holds for the corpus, where it changes something that file and overrides leave.
    """

    training: TrainSettings
    after: dict[str, Any]
    why: str | None = None


def load_recipe(
    *,
    recipe_name: str | None = None,
    config: Path | None = None,
    overrides: Sequence[str] = (),
    encoder: str | None = None,
    mentions: Mapping[str, int] | None = None,
    problems_after: Callable[[Mapping[str, Any]], Sequence[str]] = lambda _: (),
) -> RecipeSettings:
    """Recipe, its rule for the corpus, file, `key=value` overrides, then the encoder's name: the later wins.

    mentions: of each label in the corpus, which a recipe's rules look at; None: no corpus is known, and no rule holds.
    A file may name its recipe under the key `recipe`. Keys are dotted paths such as `optimiser.epochs`, values YAML.
    problems_after: what is wrong in what is told of the time after, a line each, to be told with the rest.
    Raises UsageError that lists every unknown key and unusable value with what is allowed.
    """
    from_file = read_settings(config) if config is not None else {}
    in_file = from_file.pop("recipe", None)
    from_overrides: dict[str, Any] = {}
    for one in overrides:
        from_overrides = merged(from_overrides, override(one))
    base = recipe(recipe_name) if recipe_name is not None else _recipe_of(config, in_file)
    after: dict[str, Any] = {}
    problems: list[str] = []
    for part in _AFTER:
        content: dict[str, Any] = dict(getattr(base, part)) if base is not None else {}
        for layer in (from_file.pop(part, {}), from_overrides.pop(part, {})):
            if not isinstance(layer, Mapping):
                problems.append(f"{part}: it holds keys such as {part}.{_AFTER[part]}, and is not {layer!r:.60}")
                continue
            if layer.get("rule", "thresholds") != "thresholds":
                # it is of the thresholds that this layer does not want
                content.pop("beta", None)
            replaced = "name" in layer and layer["name"] != content.get("name", layer["name"])
            # another method does not inherit the options of the one that was named
            content = dict(layer) if replaced else merged(content, layer)
        if content:
            after[part] = content
    rule = None if base is None or mentions is None else base.rule_for(mentions)
    own = {} if base is None else base.settings
    content = _laid_upon(_laid_upon(own, from_file), from_overrides)
    why = None
    if rule is not None:
        without = content
        content = _laid_upon(_laid_upon(_laid_upon(own, rule.settings), from_file), from_overrides)
        if merged(content, rule.settings) == content:
            why = rule.why
        elif content != without:
            # a file or an override undid some of it
            why = f"in part, as the rest is set otherwise: {rule.why}"
    if encoder is not None:
        content = merged(content, {"encoder": encoder})
    training, wrong = _read(content)
    problems = [*wrong, *problems, *problems_after(after)]
    if training is None or problems:
        raise unusable(problems, file=config)
    return RecipeSettings(training, after, why)


def _recipe_of(config: Path | None, name: object) -> Recipe | None:
    """The recipe that a file builds on, if any. Raises UsageError with the file for what is none."""
    if name is None:
        return None
    if not isinstance(name, str):
        raise UsageError(f"recipe: {name!r:.60} is no name", remedy=f"Name one of {', '.join(RECIPES)}", file=config)
    try:
        return recipe(name)
    except UsageError as error:
        remedy = f"{error.remedy}; a file cannot build on another file"
        raise UsageError(f"recipe: {error.what}", remedy=remedy, file=config) from error


def load_settings(
    *,
    recipe_name: str | None = None,
    config: Path | None = None,
    overrides: Sequence[str] = (),
    encoder: str | None = None,
) -> TrainSettings:
    """The settings of training alone, as `load_recipe` reads them; what is told of the time after is left aside."""
    return load_recipe(recipe_name=recipe_name, config=config, overrides=overrides, encoder=encoder).training


def _read(content: dict[str, Any]) -> tuple[TrainSettings | None, list[str]]:
    """The settings of training, or what is wrong in them."""
    try:
        return TrainSettings.model_validate(content), []
    except ValidationError as error:
        return None, problems_of(error, suggestion=lambda location: _suggestion(location, content))


def _laid_upon(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """A layer upon the one below; another method does not inherit the options of the one that was named there."""
    kept = dict(base)
    for role in _REGISTRIES:
        old, new = base.get(role), over.get(role)
        if not isinstance(old, Mapping) or not isinstance(new, Mapping) or old.get("name") is None:
            continue
        if new.get("name", old["name"]) != old["name"]:
            kept[role] = {key: value for key, value in old.items() if key in _OF_THE_ROLE}
    return merged(kept, over)


def _suggestion(location: tuple[int | str, ...], content: Mapping[str, Any]) -> str:
    """What keys there are beside the unknown one, the likeliest first."""
    if location[0] == "ensemble" and len(location) > 2:
        # a part of a further model is written as the run's own
        return _suggestion(location[2:], content["ensemble"][int(location[1])])
    *path, key = (str(part) for part in location)
    name, options = _method(path, content)
    own = list(options.model_fields)
    known = [*_fields(path), *own, *([] if path else _AFTER)]
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; options of {name}: {', '.join(own) or 'none'}" if name else f"; there are: {', '.join(known)}"


def _fields(path: Sequence[str]) -> list[str]:
    """The keys at `path` that do not depend on a method."""
    model: type[BaseModel] = TrainSettings
    for part in path:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return []
        model = field.annotation
    return list(model.model_fields)


def _method(path: Sequence[str], content: Mapping[str, Any]) -> tuple[str | None, type[Options]]:
    """The method whose options stand at `path`, and what they are; no name and no options where there is none."""
    role = path[0] if path else ""
    if role == "regularisers":
        return path[-1], REGULARISERS[path[-1]].options
    if path[1:] == ["objective_options"]:
        loss = str(_given(content, role, "objective") or "cross-entropy")
        return loss, OBJECTIVES[loss].options
    name = _given(content, role, "name")
    if role == "sampler" and name is None:
        name = OBJECTIVES[str(_given(content, "objective", "name") or "cross-entropy")].sampler
    registry = _REGISTRIES.get(role, {})
    return (str(name), registry[name].options) if name in registry else (None, Options)


def _given(content: Mapping[str, Any], role: str, key: str) -> Any:
    """What the settings say of a method, None where they do not."""
    section = content.get(role)
    return section.get(key) if isinstance(section, Mapping) else None
