"""Loss propagation: which windows share a batch, and how often each comes."""

from raretag.sampling.token_budget import TokenBudget

__all__ = ["TokenBudget"]
