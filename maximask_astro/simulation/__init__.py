"""Simulate labeled exposures on the accelerator."""

from maximask_astro.simulation.exposure import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate,
)
from maximask_astro.simulation.real import RealSkies, spoil_skies
from maximask_astro.simulation.scene import Scene
from maximask_astro.simulation.simulated_exposure import (
    SimulatedExposure,
    simulate_exposure,
)
from maximask_astro.simulation.tracking import TrackingTruth, simulate_tracking

__all__ = [
    "DEFAULT_FREQUENCIES",
    "RealSkies",
    "Scene",
    "SimulatedExposure",
    "SimulationConfig",
    "TrackingTruth",
    "simulate",
    "simulate_exposure",
    "simulate_tracking",
    "spoil_skies",
]
