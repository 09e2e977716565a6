"""Trainings to be run by one process or by several: python trained_by_several.py JOBS.json

JOBS.json: a list of {"out": folder, "settings": settings}. The corpus is a copy of the tests', read from "notes".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from raretag.corpus.formats import read_corpus
from raretag.training import train
from raretag.training.settings import TrainSettings


def main(jobs: Path) -> None:
    """Train each, going on where it was broken off."""
    told = json.loads(jobs.read_text(encoding="utf-8"))
    corpus = read_corpus(Path(told["notes"]))
    for job in told["jobs"]:
        train(corpus, out=Path(job["out"]), settings=TrainSettings.model_validate(job["settings"]), resume=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
