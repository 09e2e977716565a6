"""The bias lab's report: three figures for each set of marginals, and one page that holds and explains them."""

from raretag.reporting.biaslab.report import BiasLabReport, write_bias_lab_report

__all__ = ["BiasLabReport", "write_bias_lab_report"]
