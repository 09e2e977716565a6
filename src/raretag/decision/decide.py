"""Mentions with a probability, by the constrained argmax."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from raretag.corpus import Mention
from raretag.decision.viterbi import viterbi
from raretag.probability import Scores, mention_probabilities
from raretag.tagging import Schema, decode


def most_probable_mentions(scores: Sequence[Scores], *, schema: Schema) -> dict[str, tuple[Mention, ...]]:
    """The mentions on each document's most probable valid path, by document id; on each label's, if layered.

    Each mention's `score` is the probability, over all valid paths, that exactly this mention is there.
    """
    paths = viterbi([one.probabilities for one in scores], schema=schema)
    found: dict[str, tuple[Mention, ...]] = {}
    for one, path in zip(scores, paths, strict=True):
        mentions = decode(path, one.tokens, schema=schema)
        values = mention_probabilities(one, mentions, schema=schema)
        found[one.document] = tuple(
            replace(mention, score=value) for mention, value in zip(mentions, values, strict=True)
        )
    return found
