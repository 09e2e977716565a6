"""A recipe with all that it says, and the folder that its trainings share with every recipe that trains alike."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from raretag.decision.after_training import AfterTraining
from raretag.decision.costs import Costs
from raretag.decision.policy_fitting import Asked, check_asked
from raretag.errors import UsageError
from raretag.tagging import Schema, resolve_encoder
from raretag.training.settings import TrainSettings
from raretag.training.settings_file import load_recipe


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """name: as it was asked for. settings: of training, the seed left to each run. after: calibration and policy."""

    name: str
    settings: TrainSettings
    after: AfterTraining

    @property
    def unused(self) -> tuple[str, ...]:
        """Settings of it that folds do not look at, where they are not the defaults."""
        told, usual = self.settings, TrainSettings()
        looked_at = {
            "seed": (told.seed, usual.seed),
            "split": (told.split, usual.split),
            "optimiser.patience": (told.optimiser.patience, usual.optimiser.patience),
        }
        return tuple(name for name, (value, default) in looked_at.items() if value != default)

    def for_folds(self) -> Contestant:
        """Without a patience, which folds never ask for, as they train all epochs."""
        return replace(self, settings=self.settings.without_patience())

    def seeded(self, seed: int) -> TrainSettings:
        """Its settings with one of the seeds."""
        return self.settings.model_copy(update={"seed": seed})

    def asked(self, costs: Costs | None, *, schema: Schema | None = None) -> Asked:
        """Its policy, priced where costs are given. Raises UsageError where these do not go together.

        schema: of the corpus, by which names of labels and groups are checked, too.
        """
        asked = replace(self.after.policy.asked, costs=costs)
        try:
            check_asked(asked, schema=schema)
        except UsageError as error:
            raise UsageError(f"recipe {self.name}: {error.what}", remedy=error.remedy) from error
        return asked

    def key(self, *, seed: int, data: str, folds: int) -> str:
        """What trainings are kept under: one hash over settings, encoder, data and folds: what differs never mixes."""
        settings = self.seeded(seed).model_dump(mode="json", exclude={"split", "checkpoint_seconds", "ledger_steps"})
        weights = resolve_encoder(self.settings.encoder).sha256
        content = json.dumps([settings, weights, data, folds], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def contestant(
    name: str,
    *,
    overrides: Sequence[str] = (),
    encoder: str | None = None,
    mentions: Mapping[str, int] | None = None,
) -> Contestant:
    """A recipe by its name, or a file of settings by its path (it ends in .yaml or .yml), with overrides.

    mentions: of each label in the corpus, for the recipe's rules.

    Raises UsageError as `load_recipe`.
    """
    file = Path(name) if _is_file(name) else None
    settings, after, _ = load_recipe(
        recipe_name=None if file is not None else name,
        config=file,
        overrides=overrides,
        encoder=encoder,
        mentions=mentions,
        problems_after=AfterTraining.problems,
    )
    made = Contestant(name=called(name), settings=settings, after=AfterTraining.of(after))
    try:
        made.after.check(settings)
    except UsageError as error:
        raise UsageError(f"recipe {made.name}: {error.what}", remedy=error.remedy) from error
    return made


def called(name: str) -> str:
    """What a contestant goes by: a recipe's name, or that of its file without folder and ending."""
    return Path(name).stem if _is_file(name) else name


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))
