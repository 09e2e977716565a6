"""What `calibration.json` holds: how a run's scores become calibrated ones, and what this was learned from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
from pydantic import ValidationError

from raretag.corpus import Mention
from raretag.errors import DataError
from raretag.probability.calibrators import Calibration, load_calibration
from raretag.probability.candidates import Candidates
from raretag.probability.mention_calibration import MentionCalibration, tempered
from raretag.probability.paths import mention_probabilities
from raretag.probability.scores import Scores
from raretag.tagging import Schema
from raretag.training.run_folder import RunFolder, read_json

CALIBRATION: Final = "calibration.json"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrated:
    """The fitted maps of tokens and of mentions.

    method: the calibrator of tokens, by its registered name, with options. documents: what it was fitted on, id to the
    fingerprint of the text; sha256: one hash over them. folds: how many models judged them out of fold, None where the
    run's own model did. fitted: when, ISO 8601 in UTC.
    """

    schema: Schema
    method: str
    options: Mapping[str, Any]
    tokens: Calibration
    mentions: MentionCalibration
    documents: Mapping[str, str]
    sha256: str
    folds: int | None
    fitted: str

    def scores(self, raw: Scores) -> Scores:
        """Calibrated probabilities of tags."""
        return self.tokens.apply(raw, schema=self.schema)

    def candidates(self, raw: Scores) -> Candidates:
        """All mentions that are likely enough, with calibrated probabilities.

        They are read from the model's own probabilities, not from the calibrated ones of tokens: what is true of tokens
        on average multiplies along a mention, and rare labels would vanish.
        """
        return self.mentions.candidates(raw, schema=self.schema)

    def mention_probabilities(self, raw: Scores, mentions: Sequence[Mention]) -> list[float | None]:
        """The calibrated probability of each of `mentions`, predicted or not; None where no tags express it."""
        heated = tempered(raw, temperature=self.mentions.temperature)
        found = mention_probabilities(heated, mentions, schema=self.schema)
        numbers = {label: number for number, label in enumerate(self.schema.labels)}
        told = [place for place, value in enumerate(found) if value is not None]
        covered = [
            np.searchsorted(raw.tokens.starts, mentions[place].end)
            - np.searchsorted(raw.tokens.starts, mentions[place].start)
            for place in told
        ]
        values = self.mentions.values(
            np.array([found[place] for place in told], dtype=np.float64),
            np.array([numbers[mentions[place].label] for place in told], dtype=np.int64),
            lengths=np.array(covered, dtype=np.int64),
            schema=self.schema,
        )
        calibrated = dict(zip(told, values.tolist(), strict=True))
        return [calibrated.get(place) for place in range(len(mentions))]

    def carried(self, raw: Scores, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
        """The same mentions, each with its calibrated probability as `score`."""
        values = self.mention_probabilities(raw, mentions)
        return tuple(replace(mention, score=value) for mention, value in zip(mentions, values, strict=True))

    def to_json(self) -> dict[str, Any]:
        """Built-in types only."""
        return {
            "method": self.method,
            "options": dict(self.options),
            "tokens": self.tokens.model_dump(mode="json"),
            "mentions": self.mentions.model_dump(mode="json"),
            "fitted_on": {"documents": dict(self.documents), "sha256": self.sha256, "folds": self.folds},
            "fitted": self.fitted,
        }

    @staticmethod
    def of(run: RunFolder) -> Calibrated | None:
        """The run's calibration, None where it has none. Raises DataError where the file is damaged."""
        file = run.path / CALIBRATION
        if not file.is_file():
            return None
        content = read_json(file)
        try:
            on = content["fitted_on"]
            return Calibrated(
                schema=run.schema,
                method=content["method"],
                options=content["options"],
                tokens=load_calibration(content["method"], content["tokens"]),
                mentions=MentionCalibration.model_validate(content["mentions"]),
                documents=on["documents"],
                sha256=on["sha256"],
                folds=on["folds"],
                fitted=content["fitted"],
            )
        except (KeyError, TypeError, ValidationError) as error:
            raise DataError("the calibration is damaged", remedy="Calibrate again", file=file) from error
