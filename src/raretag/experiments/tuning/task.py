"""What is asked of a study, and the hashes by which it knows that it is asked the same again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

from raretag.corpus import Corpus
from raretag.corpus.fingerprints import drawn_hash
from raretag.corpus.inventory import mention_counts
from raretag.corpus.splitting import OFFICIAL, split_corpus
from raretag.errors import UsageError
from raretag.experiments.comparison.contestant import Contestant, contestant
from raretag.experiments.cross_validation import check_cut
from raretag.experiments.tuning.checking import check_space
from raretag.experiments.tuning.goal import Goal, check_goal
from raretag.experiments.tuning.space import Choice, Parameter, Space, Value
from raretag.tagging import counted_schema, resolve_encoder
from raretag.training.heads import HEADS
from raretag.training.setting_names import override_key
from raretag.training.settings import SplitSettings, TrainSettings

# what is tuned on trained folds
_AFTER = ("second_stage", "calibration", "policy")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """corpus: the documents to tune on, and no others. baseline: the recipe with what `--set` adds.

    mentions: of each label in the whole corpus, for the recipe's rules. left: how many test documents were set aside,
    unopened. origin: where the parts come from.
    """

    corpus: Corpus
    mentions: Mapping[str, int]
    left: int
    origin: str
    recipe: str
    overrides: tuple[str, ...]
    encoder: str | None
    baseline: Contestant
    space: Space
    goal: Goal
    folds: int
    out: Path
    data: str

    def contestant(self, told: Mapping[str, Value]) -> Contestant:
        """The recipe with these settings. Raises UsageError where they do not go together."""
        found = contestant(
            self.recipe,
            overrides=[*self.overrides, *(f"{key}={json.dumps(value)}" for key, value in told.items())],
            encoder=self.encoder,
            mentions=self.mentions,
        )
        return replace(found, name=self.baseline.name)

    @property
    def is_cheap(self) -> bool:
        """Whether all that is tuned comes after training, so that the folds are trained once."""
        return all(key.split(".")[0] in _AFTER for key in self.space.keys)

    @property
    def seed(self) -> int:
        """Of folds, trainings and proposals."""
        return self.baseline.settings.seed

    @property
    def baseline_parameters(self) -> dict[str, Value]:
        """The recipe's own values of what is tuned, by the name of the parameter, as far as they could be proposed."""
        settings = self.baseline.settings
        content: dict[str, Any] = {
            **settings.model_dump(mode="json"),
            "sampler": {**settings.sampler.model_dump(mode="json"), "name": settings.sampler_name},
            **self.baseline.after.model_dump(mode="json"),
        }
        told: dict[str, Value] = {}
        named: dict[str, Value] = {}
        for one in self.space.parameters:
            value = _at(one.key, content)
            if one.is_open(told) and one.values.holds(value):
                told[one.key] = named[one.name] = value
        return named

    def identity(self) -> dict[str, str]:
        """A hash of each thing that makes it another study, by its name for a person."""
        told = {
            "data": self.data,
            "search space": self.space.to_json(),
            "goal": self.goal.to_json(),
            "recipe or settings": [
                self.baseline.settings.model_dump(mode="json", exclude={"checkpoint_seconds", "ledger_steps"}),
                self.baseline.after.model_dump(mode="json"),
            ],
            "encoder": resolve_encoder(self.baseline.settings.encoder).sha256,
            "number of folds": self.folds,
        }
        return {
            name: hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest()[:16]
            for name, one in told.items()
        }


def task_of(
    corpus: Corpus,
    *,
    recipe: str,
    space: Space,
    goal: Goal,
    folds: int,
    out: Path,
    overrides: tuple[str, ...] = (),
    encoder: str | None = None,
    space_name: str | None = None,
) -> Task:
    """Set the test documents aside and check all that can be checked before anything is trained.

    recipe: a name, or a file of settings. overrides: `key=value`, for the baseline and every trial. The parts are
    those that `raretag train` makes with the same settings. Raises UsageError and DataError with what is wrong.
    """
    mentions = mention_counts(corpus)
    base = contestant(recipe, overrides=overrides, encoder=encoder, mentions=mentions)
    shares, seed = base.settings.split, base.settings.seed
    split = split_corpus(corpus, test=shares.test, validation=shares.validation, seed=seed)
    if split.origin == OFFICIAL and shares != SplitSettings():
        raise UsageError(
            "the corpus brings its own parts, so split.test and split.validation would have no effect",
            remedy="Leave them out, or take the names of the parts (train, dev, test) from folders or metadata",
        )
    learned = replace(corpus, documents=(*split.train, *split.validation), findings=())
    # what cannot be cut is told before the first training
    check_cut(learned, folds=folds, seeds=[seed])
    learned_mentions = mention_counts(learned)
    check_goal(goal, mentions=learned_mentions)
    task = Task(
        corpus=learned,
        mentions=mentions,
        left=len(split.test),
        origin=split.origin,
        recipe=recipe,
        overrides=overrides,
        encoder=encoder,
        baseline=base,
        space=space,
        goal=goal,
        folds=folds,
        out=out,
        data=drawn_hash(learned.documents),
    )
    if base.settings.ensemble and base.settings.second_stage.name is not None:
        raise UsageError(
            f"the models of the ensemble {recipe!r} have a head each, and no one head can be made anew after training",
            remedy="Tune a recipe of one model, or without second_stage",
        )
    heads = [head for one in space.parameters if one.key == "head.name" for head in _choices(one)]
    closed = closed_parts(base.settings, heads=heads or [base.settings.head.name])
    schema = counted_schema(learned_mentions)
    base.asked(None, schema=schema)
    check_space(
        space,
        settings_of=lambda told: task.contestant(told).asked(None, schema=schema),
        overridden=frozenset(map(override_key, overrides)),
        closed={**goal.blind_to, **closed, **_mixed_heads(heads, goal=goal)},
        file=space_name,
    )
    return task


def closed_parts(settings: TrainSettings, *, heads: Sequence[str]) -> dict[str, str]:
    """What a recipe of these settings cannot have with any of `heads`, and why: by the parts of the settings."""
    closed = {}
    if settings.ensemble:
        closed["second_stage"] = "the models of the ensemble have a head each, and no one head can be made anew"
    elif "softmax" not in heads:
        closed["second_stage"] = f"it makes a softmax head anew, and the recipe has {' or '.join(heads)}"
    if all(HEADS[head].method.layered for head in heads if head in HEADS):
        closed["augmentation.replacement"] = "the head keeps labels apart"
    return closed


def _choices(parameter: Parameter) -> list[str]:
    return [str(one) for one in parameter.values.choices] if isinstance(parameter.values, Choice) else []


def _mixed_heads(heads: Sequence[str], *, goal: Goal) -> dict[str, str]:
    """Why heads cannot be tuned where the goal would compare what does not compare."""
    layered = {HEADS[name].method.layered for name in heads if name in HEADS}
    if goal.name != "brier" or len(layered) < 2:
        return {}
    return {"head.name": "a Brier score of labels that are kept apart is not that of labels that share their tags"}


def _at(key: str, content: Mapping[str, Any]) -> Any:
    """What stands at a key with dots; something that no parameter holds where there is nothing."""
    found: Any = content
    for part in key.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return ()
        found = found[part]
    return found
