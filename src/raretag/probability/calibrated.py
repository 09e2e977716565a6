"""What `calibration.json` holds: how a run's scores become calibrated ones, and what this was learned from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from pydantic import ValidationError

from raretag.corpus import Mention
from raretag.errors import DataError
from raretag.probability.calibrators import Calibration, load_calibration
from raretag.probability.candidates import Candidates
from raretag.probability.mention_calibration import MentionCalibration
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
        return self.mentions.mention_probabilities(raw, mentions, schema=self.schema)

    def carried(self, raw: Scores, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
        """The same mentions, each with its calibrated probability as `score`."""
        return self.mentions.carried(raw, mentions, schema=self.schema)

    @property
    def identity(self) -> str:
        """One hash over the maps and what they were fitted on: what reads other probabilities was fixed on others."""
        content = {name: value for name, value in self.to_json().items() if name != "fitted"}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

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
        content = read_json(file, remedy="Calibrate again")
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
