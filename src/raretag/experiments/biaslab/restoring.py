"""How the empirical prior is put back, given what objective and sampler teach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from raretag.experiments.biaslab.shares import by_label
from raretag.objectives.btl import BTL
from raretag.objectives.cross_entropy import CrossEntropy
from raretag.probability import restore_prior, undo_relabelling
from raretag.sampling.per_class import PerClass
from raretag.tagging import Schema
from raretag.training.learner import Learner

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Restoring:
    """effective: what is predicted where no text explains a tag; empirical: the shares of the training part; both
    float64, shaped as one token's probabilities. batches: with unweighted relabelled batches, the share of those about
    each label, float64 (labels,); None with all others.
    """

    effective: Array
    empirical: Array
    batches: Array | None
    schema: Schema

    @staticmethod
    def of(learner: Learner) -> Restoring:
        """What is known of a learner before it has taken a step."""
        schema = learner.data.schema
        counts = schema.label_tag_counts if schema.layered else np.asarray(schema.tag_counts)
        return Restoring(
            effective=learner.prior(),
            empirical=counts / counts.sum(axis=-1, keepdims=True),
            batches=None if schema.layered else _relabelled_batches(learner),
            schema=schema,
        )

    def effective_shares(self, *, votes: float) -> Array:
        """By label, `O` first, float64 (labels + 1,), of a mixture in which neighbours have the share `votes`.

        Neighbours that know no more than the model vote as the training part is.
        """
        taught, empirical = (by_label(one[None], schema=self.schema)[0] for one in (self.effective, self.empirical))
        return np.asarray(votes * empirical + (1 - votes) * taught)

    def restored(self, probabilities: Floats) -> Floats:
        """Probabilities with the empirical prior; where text explains nothing they become exactly that."""
        if self.batches is not None:
            return undo_relabelling(probabilities, shares=self.batches, groups=self.schema.groups)
        return self.shifted(probabilities)

    def shifted(self, probabilities: Floats) -> Floats:
        """The same by a shift of logits, whatever the batches: it leaves no probability at 0 that was above it."""
        return restore_prior(probabilities, effective=self.effective, empirical=self.empirical)


def _relabelled_batches(learner: Learner) -> Array | None:
    """A shift of logits undoes relabelling only where text explains nothing; division does always, if unweighted."""
    drawn, loss = learner.sampler, learner.objective
    unweighted = isinstance(loss, CrossEntropy) or (isinstance(loss, BTL) and loss.options.weight == "none")
    if not unweighted or not isinstance(drawn, PerClass) or drawn.options.others != "relabel":
        return None
    return drawn.batch_shares if drawn.options.without is None else None
