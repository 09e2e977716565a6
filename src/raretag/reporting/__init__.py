"""What people read: pages and figures made from results, each complete in itself; nothing is loaded from a network."""

from raretag.reporting.biaslab import BiasLabReport, write_bias_lab_report

__all__ = ["BiasLabReport", "write_bias_lab_report"]
