"""Work on many machines: a Ray cluster, joined for a while, and calls that outlive the loss of a machine."""

from raretag.cluster.calls import called_on_cluster
from raretag.cluster.joining import joined

__all__ = ["called_on_cluster", "joined"]
