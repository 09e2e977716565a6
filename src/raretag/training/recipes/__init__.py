"""Named settings: one YAML file a recipe, each opening with the command that runs it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final, final

import yaml

from raretag.errors import UsageError
from raretag.training.setting_names import override_key


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Other settings for a kind of corpus, laid upon the recipe's where all conditions hold that are given.

    every_label_at_least: mentions of the rarest label. fewer_mentions_than: of all labels together. why: one line that
    the user is told.
    """

    why: str
    settings: dict[str, Any]
    every_label_at_least: int | None = None
    fewer_mentions_than: int | None = None

    def holds(self, mentions: Mapping[str, int]) -> bool:
        """For a corpus with so many mentions of each label; never for one without labels."""
        if not mentions:
            return False
        common = self.every_label_at_least is None or min(mentions.values()) >= self.every_label_at_least
        small = self.fewer_mentions_than is None or sum(mentions.values()) < self.fewer_mentions_than
        return common and small


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe's name, one line about it, its source, and what it sets.

    settings: those of training that differ from the defaults. calibration, policy: what `raretag calibrate` and
    `raretag decide` do with a run of it where they are not told otherwise; empty is their own default. rules: for what
    one setting cannot serve; the first that holds counts.
    """

    name: str
    about: str
    source: str
    settings: dict[str, Any]
    calibration: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def rule_for(self, mentions: Mapping[str, int]) -> Rule | None:
        """The rule that holds for a corpus with so many mentions of each label, if any."""
        return next((rule for rule in self.rules if rule.holds(mentions)), None)


DEFAULT: Final = "rare"
PLAIN: Final = "plain"
# who chooses one of these chooses a single model of his own
_OWN_MODEL: Final = frozenset({"objective", "regularisers", "sampler", "head", "second_stage", "ensemble"})
RECIPES: Final = (DEFAULT, PLAIN, "inverse-sqrt")


def default_recipe(overrides: Sequence[str]) -> str:
    """What is meant where no recipe is named: `rare`, or `plain` where overrides choose how one model learns."""
    keys = {override_key(one).partition(".")[0] for one in overrides}
    return PLAIN if keys & _OWN_MODEL else DEFAULT


def recipe(name: str) -> Recipe:
    """Read the recipe `name`. Raises UsageError for a name that does not exist."""
    content = yaml.safe_load(recipe_text(name))
    rules = tuple(Rule(**one.pop("when"), **one) for one in content.pop("rules", ()))
    return Recipe(name=name, rules=rules, **content)


def recipe_text(name: str) -> str:
    """The file of the recipe `name`, comments and all. Raises UsageError for a name that does not exist."""
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise UsageError(f"there is no recipe {name!r}{meant}", remedy=f"Choose one of: {', '.join(RECIPES)}")
    return (files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")


def settings_text(name: str) -> str:
    """The recipe as a file of settings for `--config`: its keys without `about`, `source` and the level `settings`.

    Rules for some corpora are left out, and named in the header: a file says what it says for every corpus.
    """
    one = recipe(name)
    content = {**one.settings}
    for part in ("calibration", "policy"):
        if getattr(one, part):
            content[part] = getattr(one, part)
    header = f"# raretag train DATA --out RUN --config THIS-FILE\n# recipe {name}: {one.about}\n# {one.source}\n"
    for rule in one.rules:
        header += f"# a rule for some corpora is left out: {rule.why}\n"
    return header + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
