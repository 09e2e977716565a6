"""Fine-tune the BERT you already use so that rare, critical clinical labels are not missed."""

__version__ = "0.1.0"
