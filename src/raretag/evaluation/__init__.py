"""Order-free scoring in character space against the untouched gold, and fidelity to the empirical probabilities."""

from raretag.evaluation.counts import CORRECT, GOLD, PREDICTED, Counts, count_matches
from raretag.evaluation.evaluate import evaluate
from raretag.evaluation.fidelity import Fidelity, fidelity
from raretag.evaluation.figures import (
    Evaluation,
    EvaluationCounts,
    Figures,
    GroupFigures,
    LabelFigures,
    MacroFigures,
    MicroFigures,
    Resampling,
    SchemeFigures,
)
from raretag.evaluation.intervals import Interval, bootstrap_weights, percentile_interval, resample
from raretag.evaluation.matching import SCHEMES, Scheme, overlap_matches, strict_matches, type_matches
from raretag.evaluation.planted_null import Reading, planted_p_value
from raretag.evaluation.rates import macro_rates, micro_rates, rates
from raretag.evaluation.summary import scheme_figures
from raretag.evaluation.table import TableRow, table_rows

__all__ = [
    "CORRECT",
    "GOLD",
    "PREDICTED",
    "SCHEMES",
    "Counts",
    "Evaluation",
    "EvaluationCounts",
    "Fidelity",
    "Figures",
    "GroupFigures",
    "Interval",
    "LabelFigures",
    "MacroFigures",
    "MicroFigures",
    "Reading",
    "Resampling",
    "Scheme",
    "SchemeFigures",
    "TableRow",
    "bootstrap_weights",
    "count_matches",
    "evaluate",
    "fidelity",
    "macro_rates",
    "micro_rates",
    "overlap_matches",
    "percentile_interval",
    "planted_p_value",
    "rates",
    "resample",
    "scheme_figures",
    "strict_matches",
    "table_rows",
    "type_matches",
]
