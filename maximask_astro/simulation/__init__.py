"""Simulate labeled exposures on the accelerator."""

from maximask_astro.simulation.exposure import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate,
)
from maximask_astro.simulation.scene import Scene
from maximask_astro.simulation.simulated_exposure import (
    SimulatedExposure,
    simulate_exposure,
)

__all__ = [
    "DEFAULT_FREQUENCIES",
    "Scene",
    "SimulatedExposure",
    "SimulationConfig",
    "simulate",
    "simulate_exposure",
]
