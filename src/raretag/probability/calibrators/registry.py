"""Every calibrator by name: its class, one line about it, and its source; and how a fitted one is read back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from raretag.entry import Entry, choose
from raretag.errors import DataError
from raretag.probability.calibrators.base import Calibration, Calibrator
from raretag.probability.calibrators.expectation_maximisation import ExpectationMaximisation
from raretag.probability.calibrators.frequency_groups import FrequencyGroups
from raretag.probability.calibrators.marginal_matching import MarginalMatching
from raretag.probability.calibrators.prior_shift import LogitAdjustment, PriorRestore
from raretag.probability.calibrators.scaling import BiasCorrectedTemperature, DirichletDiagonal, Temperature, Vector
from raretag.probability.calibrators.tau_norm import TauNorm

_SAERENS: Final = "Saerens, Latinne & Decaestecker 2002, Neural Computation 14"

CALIBRATORS: Mapping[str, Entry[Calibrator[Any]]] = MappingProxyType(
    {
        "temperature": Entry(Temperature, "one sharpness for all tags", "Guo et al. 2017, arXiv 1706.04599"),
        "bias-corrected-temperature": Entry(
            BiasCorrectedTemperature,
            "one sharpness, and a bias for each tag",
            "Alexandari et al. 2020, arXiv 1901.06852",
        ),
        "vector": Entry(
            Vector, "a scale and a bias for each tag, held together where tokens are few", "Guo et al. 2017, 1706.04599"
        ),
        "dirichlet-diagonal": Entry(
            DirichletDiagonal, "as vector, on log p instead of centred logits", "Kull et al. 2019, arXiv 1910.12656"
        ),
        "frequency-groups": Entry(
            FrequencyGroups, "a sharpness for O, head, medium and tail labels", "Kranzlein, Liu & Schneider 2021 (TFG)"
        ),
        "prior-restore": Entry(PriorRestore, "takes back the prior that weights and sampling taught", _SAERENS),
        "logit-adjustment": Entry(
            LogitAdjustment, "divides by the prior to the power tau", "Menon et al. 2021, arXiv 2007.07314"
        ),
        "tau-norm": Entry(
            TauNorm, "brings the head's rows of weights nearer to one length", "Kang et al. 2020, arXiv 1910.09217"
        ),
        "expectation-maximisation": Entry(
            ExpectationMaximisation, "finds the prior of another place from its texts alone", _SAERENS
        ),
        "marginal-matching": Entry(
            MarginalMatching, "offsets that give predicted tags their shares in the data", "Jia et al. 2020, 2005.06251"
        ),
    }
)


def calibrator(name: str, options: Mapping[str, object] | None = None) -> Calibrator[Any]:
    """The calibrator `name`, ready to be fitted. Raises UsageError for a name or an option that does not exist."""
    method, checked = choose(CALIBRATORS, "calibrator", name, options or {})
    return method(options=checked)


def load_calibration(name: str, parameters: Mapping[str, Any]) -> Calibration:
    """What `Calibration.model_dump` gave of the calibrator `name`. Raises DataError for anything else."""
    entry = CALIBRATORS.get(name)
    if entry is None:
        raise DataError(f"the calibration is of a method {name!r} that is unknown", remedy="Calibrate again")
    try:
        return entry.method.calibration_type.model_validate(parameters)
    except ValidationError as error:
        fields = ", ".join(sorted({".".join(map(str, one["loc"])) for one in error.errors()}))
        raise DataError(f"the calibration is damaged: {fields}", remedy="Calibrate again") from error
