"""Trainings of a comparison on many machines."""

from raretag.experiments.distributed.ray_cells import run_cells_on_ray

__all__ = ["run_cells_on_ray"]
