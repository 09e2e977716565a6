"""Fix the policy of a run, and say by documents that no fit saw what it comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

from raretag.corpus import Document, Mention
from raretag.decision.decide import most_probable_mentions
from raretag.decision.decided import Decision
from raretag.decision.openings import Openings
from raretag.decision.policy_file import OpenedBefore, PolicyFile
from raretag.decision.policy_fitting import Asked, check_asked, policy_of
from raretag.errors import DataError
from raretag.probability.calibrated import Calibrated
from raretag.probability.calibration_data import CalibrationData
from raretag.probability.candidates import Candidates
from raretag.probability.mention_calibration import Judged, fit_mention_calibration, judge_candidates

# parts that take turns in being left out
PARTS: Final = 5
# documents, or patients: one is judged by what is fitted on a second and checked on a third
_LEAST: Final = 3


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrossDecided:
    """decisions: by document id. promised: labels, together, for which the policy of every part promised a recall.

    promised_labels: those that every part promised a recall for, alone or together with others. A part has fewer
    documents than all: what can be promised on these may be out of its reach.
    """

    decisions: Mapping[str, Decision]
    promised: frozenset[tuple[str, ...]]
    promised_labels: frozenset[str]


@final
class Deciding:
    """Calibration documents with all their candidates, read once: any number of policies is then fixed in seconds."""

    def __init__(self, data: CalibrationData, *, seed: int = 0) -> None:
        """seed: of the parts that documents are dealt into, patients whole."""
        self._seed = seed
        self._whole = _Grounds.of(data)

    def policy(
        self, asked: Asked, *, calibrated: Calibrated | None = None, openings: Openings | None = None
    ) -> PolicyFile:
        """The policy that is asked for, fixed on all documents.

        Each is seen with probabilities of a calibration that was fitted on others, as new ones will be. calibrated:
        that of the run, which will calibrate new documents. Raises UsageError for what cannot be asked, DataError for
        too few documents.
        """
        check_asked(asked, schema=self._whole.data.schema)
        temperature = self._temperature
        fixed = _fixed(asked, self._whole, found=_as_new(self._whole, temperature=temperature, seed=self._seed))
        before = () if openings is None else openings.openings
        return fixed.model_copy(
            update={
                "calibration": None if calibrated is None else calibrated.identity,
                "opened_before": tuple(
                    OpenedBefore(at=one.at, documents=len(one.documents), sha256=one.sha256) for one in before
                ),
            }
        )

    def cross_decided(self, asked: Mapping[str, Asked]) -> dict[str, CrossDecided]:
        """By name of what is asked: each document decided by a policy that was fixed on other documents.

        Five parts, each left out in turn: calibration and policy are fitted on the other four alone, just as the run's
        are on all, so that nothing looked at the document's gold. Raises as `policy`.
        """
        for one in asked.values():
            check_asked(one, schema=self._whole.data.schema)
        if len({one.unit for one in self.gold}) < _LEAST:
            raise _too_few(len(self._whole.data.gold))
        whole, decisions = self._whole, {name: dict[str, Decision]() for name in asked}
        promised: dict[str, list[set[tuple[str, ...]]]] = {name: [] for name in asked}
        for part in _parts(whole.data, seed=self._seed):
            others = whole.only([number for number in range(len(whole.judged)) if number not in part])
            mentions = fit_mention_calibration(others.judged, schema=whole.data.schema)
            grounds = _as_new(others, temperature=mentions.temperature, seed=self._seed)
            policies = {name: _fixed(one, others, found=grounds) for name, one in asked.items()}
            for name, policy in policies.items():
                units = () if policy.promise is None else policy.promise.units
                promised[name].append({unit.labels for unit in units})
            for number in part:
                found = mentions.apply(whole.judged[number].found[mentions.temperature], schema=whole.data.schema)
                argmax = mentions.carried(whole.data.scores[number], whole.argmax[number], schema=whole.data.schema)
                for name, policy in policies.items():
                    decisions[name][found.document] = policy.decide(found, schema=whole.data.schema, argmax=argmax)
        return {
            name: CrossDecided(
                decisions=decisions[name],
                promised=frozenset(set.intersection(*promised[name])),
                promised_labels=frozenset.intersection(*(frozenset().union(*some) for some in promised[name])),
            )
            for name in asked
        }

    @cached_property
    def _temperature(self) -> float:
        """The one that a calibration on all documents has."""
        return fit_mention_calibration(self._whole.judged, schema=self._whole.data.schema).temperature

    @property
    def gold(self) -> tuple[Document, ...]:
        """The documents with blanks for text, in the order of the data."""
        return tuple(one.blank for one in self._whole.data.gold)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Grounds:
    """What a policy is fixed on."""

    data: CalibrationData
    judged: tuple[Judged, ...]
    argmax: tuple[tuple[Mention, ...], ...]

    @staticmethod
    def of(data: CalibrationData) -> _Grounds:
        paths = most_probable_mentions(data.scores, schema=data.schema)
        return _Grounds(
            data=data,
            judged=tuple(
                judge_candidates(scores, own.mentions, schema=data.schema)
                for scores, own in zip(data.scores, data.gold, strict=True)
            ),
            argmax=tuple(paths[own.id] for own in data.gold),
        )

    def only(self, numbers: Sequence[int]) -> _Grounds:
        return _Grounds(
            data=self.data.only(numbers),
            judged=tuple(self.judged[number] for number in numbers),
            argmax=tuple(self.argmax[number] for number in numbers),
        )


def _parts(data: CalibrationData, *, seed: int) -> list[list[int]]:
    parts = data.parts(PARTS, seed=seed)
    if len(parts) < 2:
        raise _too_few(len(data.gold))
    return parts


def _too_few(documents: int) -> DataError:
    return DataError(
        f"the run's calibration documents ({documents}) are too few to fix a policy on",
        remedy=f"Calibrate on at least {_LEAST}, of as many patients",
    )


def _as_new(grounds: _Grounds, *, temperature: float, seed: int) -> list[Candidates]:
    """The candidates of each document by a calibration that saw others, at the temperature new ones will be read at."""
    data, found = grounds.data, dict[int, Candidates]()
    for part in _parts(data, seed=seed):
        others = [one for number, one in enumerate(grounds.judged) if number not in part]
        mentions = fit_mention_calibration(others, schema=data.schema, temperatures=[temperature])
        for number in part:
            found[number] = mentions.apply(grounds.judged[number].found[temperature], schema=data.schema)
    return [found[number] for number in range(len(data.gold))]


def _fixed(asked: Asked, grounds: _Grounds, *, found: Sequence[Candidates]) -> PolicyFile:
    data = grounds.data
    return policy_of(
        asked,
        found=found,
        gold=[one.blank for one in data.gold],
        fingerprints={one.id: one.fingerprint for one in data.gold},
        schema=data.schema,
        argmax={own.id: paths for own, paths in zip(data.gold, grounds.argmax, strict=True)},
    )
