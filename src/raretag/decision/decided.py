"""What is decided about a document: mentions that stand, stretches that a person looks at, and what is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

from raretag.corpus import Mention

Route = Literal["accept", "review", "drop"]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedMention:
    """A possible mention and what becomes of it.

    mention: its `score` is the probability that it is there. route: it stands (accept), a person looks at its stretch
    of text (review), or it is not marked (drop). expected_cost: of this route, in the currency of the costs, >= 0; None
    where no costs were given.
    """

    mention: Mention
    route: Route
    expected_cost: float | None = None


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """All that is decided about one document, by start, end, then label.

    tokens: how many the document has. reviewed_tokens: how many of them a person is asked to look at. reviews: how many
    looks these are, see `stretches.looks`. expected_cost: of
    the whole document, in the currency of the costs, >= 0, with what is dropped; None where no costs were given.
    Possible mentions that are neither accepted nor sent to review are dropped; they need not be listed.
    """

    document: str
    routed: tuple[RoutedMention, ...]
    tokens: int
    reviewed_tokens: int
    reviews: int
    expected_cost: float | None = None

    @property
    def accepted(self) -> tuple[Mention, ...]:
        """The mentions that stand."""
        return tuple(one.mention for one in self.routed if one.route == "accept")

    @property
    def reviewed(self) -> tuple[Mention, ...]:
        """The stretches that a person looks at, each with its likeliest label."""
        return tuple(one.mention for one in self.routed if one.route == "review")
