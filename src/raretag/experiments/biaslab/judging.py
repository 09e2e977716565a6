"""Whether chance explains what a run predicts: p-values, from its record and the design alone."""

from __future__ import annotations

import numpy as np

from raretag.evaluation import planted_p_value
from raretag.experiments.biaslab.designs import Design
from raretag.experiments.biaslab.mechanisms import Mechanism
from raretag.experiments.biaslab.results import Cell, Run


def judged(run: Run, *, design: Design, mechanism: Mechanism, simulations: int) -> Run:
    """The run with p-values: how often predictions that know shares, and nothing of single labels, are as far off.

    On the held-out part they know the shares that were drawn for a training part, on the training part the planted
    probabilities. Where mentions are labelled, shares are those among the labels, for `O` is not drawn. None where text
    explains labels (word types), and for counts of decided tags of a head that may give a token several labels.
    """
    curve = []
    for measured in run.curve:
        values = [_p_value(cell, run, design, mechanism, simulations=simulations) for cell in measured.cells]
        cells = [cell.model_copy(update={"p_value": p}) for cell, p in zip(measured.cells, values, strict=True)]
        curve.append(measured.model_copy(update={"cells": tuple(cells)}))
    return run.model_copy(update={"curve": tuple(curve)})


def _p_value(cell: Cell, run: Run, design: Design, mechanism: Mechanism, *, simulations: int) -> float | None:
    predicted = np.asarray(cell.predicted[design.first :])
    several = mechanism.head.name == "per-label" and cell.reading == "hard"
    if design.name == "word-type" or several or predicted.sum() == 0:
        return None
    return planted_p_value(
        predicted,
        np.asarray(run.empirical[cell.part][design.first :]),
        planted=design.probabilities,
        sizes=design.units[cell.part].sizes,
        reading=cell.reading,
        learned=design.units["training"].sizes if cell.part == "held_out" else None,
        simulations=simulations,
        seed=run.seed,
    )
