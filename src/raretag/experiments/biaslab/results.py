"""What the bias lab finds: one record a run, and over the seeds of a mechanism one summary and one conclusion."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from raretag.evaluation import Reading

Part = Literal["training", "held_out"]
Prior = Literal["raw", "restored"]
Verdict = Literal["preserves", "amplifies", "flattens", "reverses", "shifts", "undecided"]

PARTS: Final[tuple[Part, ...]] = get_args(Part)
READINGS: Final[tuple[Reading, ...]] = get_args(Reading)
PRIORS: Final[tuple[Prior, ...]] = get_args(Prior)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Cell(_Record):
    """Predicted against empirical shares of the labels, `O` first, in one part, by one reading.

    hard: counts of decided tags. soft: sums of probabilities. sampled: counts of tags drawn from them. restored: after
    the empirical prior took the place of the effective one. predicted: shares by label, summing to 1; the measures are
    those of `raretag.evaluation.Fidelity`, kl in nats; exponents are None where planted shares differ by less than a
    fifth, for then the slope is that of noise. p_value: as `judging` has it, None where none is defined.
    """

    part: Part
    reading: Reading
    prior: Prior
    predicted: tuple[float, ...]
    tv: float
    kl: float
    relative_error: float
    amplification: float | None
    amplification_among_labels: float | None
    never_predicted: tuple[str, ...]
    p_value: float | None = None


class Measurement(_Record):
    """All cells at one step.

    memorised: 1 − Σ log p(label) / Σ log π(label) over the training tokens whose label is drawn, π their shares, p with
    the prior restored by a shift of logits: 0 where only the shares are known, 1 where every label is, below 0 where p
    is worse than the shares.
    """

    step: int
    memorised: float
    cells: tuple[Cell, ...]


class Shares(_Record):
    """The ledger by windows of steps: (windows, labels); None where undefined.

    labels: `O` first unless the head keeps labels apart. steps: the step at which each window ends. loss, gradient:
    shares that sum to 1. pull, push: forces as `raretag.training.ledger` has them.
    """

    labels: tuple[str, ...]
    steps: tuple[int, ...]
    loss: tuple[tuple[float | None, ...], ...]
    gradient: tuple[tuple[float | None, ...], ...]
    pull: tuple[tuple[float | None, ...], ...]
    push: tuple[tuple[float | None, ...], ...]


class Run(_Record):
    """One mechanism, trained once on labels drawn once.

    planted, empirical: shares of the labels, `O` first, that the design draws from and that it has drawn. tokens:
    judged ones. effective_prior: what objective, sampler and neighbours teach where no text explains a label. seconds:
    of the steps and measurements of the training, which mechanisms may share.
    """

    mechanism: str
    marginals: str
    seed: int
    labels: tuple[str, ...]
    tokens: dict[Part, int]
    planted: dict[Part, tuple[float, ...]]
    empirical: dict[Part, tuple[float, ...]]
    effective_prior: tuple[float, ...]
    prior_is_unique: bool
    steps: int
    seconds: float
    curve: Annotated[tuple[Measurement, ...], Field(min_length=1)]
    ledger: Shares


class Spread(_Record):
    """A figure over seeds: mean, least and greatest of those where it is defined, and how many those are."""

    mean: float | None
    low: float | None
    high: float | None
    seeds: int


class SummaryCell(_Record):
    """A cell over seeds. predicted: mean shares. never_predicted: in how many seeds a label was never predicted."""

    part: Part
    reading: Reading
    prior: Prior
    predicted: tuple[float, ...]
    tv: Spread
    kl: Spread
    relative_error: Spread
    amplification: Spread
    amplification_among_labels: Spread
    never_predicted: dict[str, int]
    p_value: Spread


class Phase(_Record):
    """All cells of one time of training: before labels are memorised, or at the end."""

    step: Spread
    memorised: Spread
    cells: tuple[SummaryCell, ...]

    def cell(self, part: Part, reading: Reading, prior: Prior) -> SummaryCell:
        """The one cell of the grid."""
        return next(c for c in self.cells if (c.part, c.reading, c.prior) == (part, reading, prior))


class Summary(_Record):
    """A mechanism at one set of marginals, over its seeds; shares are means. seconds: the sum over the seeds.

    before: the last measurement at which less than a tenth was memorised, None where some seed has none; it is the last
    of all where a mechanism never memorises.
    """

    mechanism: str
    about: str
    marginals: str
    labels: tuple[str, ...]
    seeds: tuple[int, ...]
    planted: dict[Part, tuple[float, ...]]
    empirical: dict[Part, tuple[float, ...]]
    effective_prior: tuple[float, ...]
    prior_is_unique: bool
    seconds: float
    before: Phase | None
    end: Phase


class Conclusion(_Record):
    """What a mechanism does to the probabilities, in two sentences."""

    mechanism: str
    marginals: str
    verdict: Verdict
    sentences: tuple[str, str]


class LabText(_Record):
    """The text that labels were drawn for: its name, documents and judged tokens of each part, and a hash over it."""

    name: str
    documents: dict[Part, int]
    tokens: dict[Part, int]
    sha256: str


class BiasLabResults(_Record):
    """Everything, as `biaslab.json` holds it. complete: whether every training that was asked for has ended."""

    raretag: str
    complete: bool = True
    text: LabText
    settings: dict[str, Any]
    runs: tuple[Run, ...]
    summaries: tuple[Summary, ...]
    conclusions: tuple[Conclusion, ...]
