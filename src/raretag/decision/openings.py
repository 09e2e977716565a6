"""Which test documents were opened, and when: what is fixed afterwards may have been chosen by what they showed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, final

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from raretag.corpus.fingerprints import fingerprints_hash
from raretag.errors import DataError
from raretag.training.run_folder import RunFolder, read_json

OPENINGS: Final = "openings.json"
_LOCK: Final = ".openings.lock"
_REMEDY: Final = "Restore it, or remove it and say so beside every figure"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@final
class Opening(_Record):
    """The first time that these documents were judged against their gold."""

    at: str = Field(description="ISO 8601 in UTC")
    documents: Mapping[str, str] = Field(description="id to the fingerprint of the text")

    @property
    def sha256(self) -> str:
        """One hash over the documents."""
        return fingerprints_hash(self.documents)


@final
class Openings(_Record):
    """All openings of a run, in the order of time; the file `openings.json`."""

    openings: tuple[Opening, ...]

    @staticmethod
    def of(run: RunFolder) -> Openings:
        """What the run folder tells. Raises DataError where the file is damaged."""
        file = run.path / OPENINGS
        if not file.is_file():
            return Openings(openings=())
        try:
            return Openings.model_validate(read_json(file, remedy=_REMEDY))
        except ValidationError as error:
            raise DataError("the record of openings is damaged", remedy=_REMEDY, file=file) from error

    def with_opened(self, documents: Mapping[str, str]) -> Openings:
        """The same and now, if the same documents, id to fingerprint, were not opened together before."""
        if _recorded(self, documents):
            return self
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Openings(openings=(*self.openings, Opening(at=now, documents=dict(documents))))


def _recorded(openings: Openings, documents: Mapping[str, str]) -> bool:
    return any(one.documents == documents for one in openings.openings)


def record_opening(run: RunFolder, documents: Mapping[str, str]) -> None:
    """Write down that documents, id to fingerprint, are judged now.

    Raises DataError where it cannot be written: what was seen and not recorded would make every later policy look
    as if it had been fixed before.
    """
    if _recorded(Openings.of(run), documents):
        return
    try:
        # two evaluations at once must not lose each other's
        with FileLock(run.path / _LOCK):
            after = Openings.of(run).with_opened(documents)
            run.write(OPENINGS, after.model_dump(mode="json"))
    except OSError as error:
        raise DataError(
            f"that these documents are opened cannot be written into the run folder ({error.strerror})",
            remedy="Make it writable, or evaluate a copy that is",
            file=run.path,
        ) from error
