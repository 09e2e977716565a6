"""Calibrators: from what a model says to how often it is right, fitted on documents that training did not see."""

from raretag.probability.calibrators.base import Calibration, Calibrator, Context
from raretag.probability.calibrators.registry import CALIBRATORS, calibrator, load_calibration

__all__ = ["CALIBRATORS", "Calibration", "Calibrator", "Context", "calibrator", "load_calibration"]
