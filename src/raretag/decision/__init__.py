"""From probabilities to mentions: the most probable path, thresholds, least expected cost, promises and review."""

from raretag.decision.bayes_risk import least_expected_cost
from raretag.decision.budget import Budget, fit_budget
from raretag.decision.cost_table import CostTable
from raretag.decision.costs import Costs
from raretag.decision.costs_file import read_costs
from raretag.decision.decide import most_probable_mentions
from raretag.decision.decided import Decision, RoutedMention
from raretag.decision.expected_cost import priced
from raretag.decision.outcomes import Outcomes, outcomes
from raretag.decision.policy import ArgmaxPolicy, CostPolicy, Policy, ThresholdPolicy
from raretag.decision.policy_file import PolicyFile
from raretag.decision.policy_fitting import Asked, policy_of
from raretag.decision.promise import Promise
from raretag.decision.promising import fit_promise
from raretag.decision.scheduling import best_together
from raretag.decision.threshold_fitting import fit_thresholds
from raretag.decision.thresholds import Thresholds
from raretag.decision.viterbi import viterbi

__all__ = [
    "ArgmaxPolicy",
    "Asked",
    "Budget",
    "CostPolicy",
    "CostTable",
    "Costs",
    "Decision",
    "Outcomes",
    "Policy",
    "PolicyFile",
    "Promise",
    "RoutedMention",
    "ThresholdPolicy",
    "Thresholds",
    "best_together",
    "fit_budget",
    "fit_promise",
    "fit_thresholds",
    "least_expected_cost",
    "most_probable_mentions",
    "outcomes",
    "policy_of",
    "priced",
    "read_costs",
    "viterbi",
]
