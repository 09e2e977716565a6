"""What a loss makes of labels that no text explains: the optimum of a model of biases alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

# far below any trained logit, yet finite, so that a softmax gives 0 and no gradient instead of NaN
UNSEEN_LOGIT: Final = -1e4


def bias_only_optimum(loss: Callable[[Tensor], Tensor], *, seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """softmax(b*), float64 (tags,), where b* minimises `loss`, starting from b = 0; 0 where a tag is not `seen`.

    loss: from logits float64 (tags,) to a scalar. Found by L-BFGS (Liu & Nocedal 1989), whose steps stay in the span
    of the gradients, so that among equally good optima it is the one that gradient descent from 0 finds. Newton's
    method takes the last steps: a tag of one token among millions hardly shows in the value of the loss.
    """
    places = torch.from_numpy(np.flatnonzero(seen))

    def logits(biases: Tensor) -> Tensor:
        return torch.full((len(seen),), UNSEEN_LOGIT, dtype=torch.float64).scatter(0, places, biases)

    def value(biases: Tensor) -> Tensor:
        return loss(logits(biases))

    with torch.enable_grad():
        biases = _newton(value, _descended(value, torch.zeros(len(places), dtype=torch.float64)))
    return np.asarray(torch.softmax(logits(biases), dim=0).numpy())


def _descended(value: Callable[[Tensor], Tensor], biases: Tensor) -> Tensor:
    """Where L-BFGS ends."""
    biases = biases.clone().requires_grad_()
    optimiser = torch.optim.LBFGS(
        [biases], max_iter=40, history_size=50, tolerance_grad=1e-12, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def evaluate() -> Tensor:
        optimiser.zero_grad()
        found = value(biases)
        found.backward()  # type: ignore[no-untyped-call, unused-ignore]
        return found

    optimiser.step(evaluate)
    return biases.detach()


def _newton(value: Callable[[Tensor], Tensor], biases: Tensor, *, steps: int = 50) -> Tensor:
    """Newton's method in coordinates scaled by 1/√p, in which rare and frequent tags are alike.

    Directions in which the loss is flat are left as they are; no bias moves by more than 1 in a step.
    """
    for _ in range(steps):
        slope: Tensor = torch.autograd.functional.jacobian(value, biases)  # type: ignore[no-untyped-call, unused-ignore]
        bend: Tensor = torch.autograd.functional.hessian(value, biases)  # type: ignore[no-untyped-call, unused-ignore]
        scale = torch.softmax(biases, dim=0).clamp(min=torch.finfo(torch.float64).tiny).rsqrt()
        curvatures, directions = torch.linalg.eigh(scale[:, None] * bend * scale)
        curved = curvatures.abs() > 1e-9 * curvatures.abs().max()
        along = directions[:, curved]
        step = -scale * (along @ (along.T @ (scale * slope) / curvatures[curved].abs()))
        flat = scale[:, None] * directions[:, ~curved]
        if flat.shape[1]:
            step = step - flat @ torch.linalg.lstsq(flat, step[:, None]).solution[:, 0]
        biases = biases + step / step.abs().max().clamp(min=1)
        if step.abs().max() < 1e-10:
            break
    return biases
