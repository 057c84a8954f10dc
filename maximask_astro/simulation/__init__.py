"""Simulate labeled exposures on the accelerator."""

from maximask_astro.simulation.exposure import (
    DEFAULT_FREQUENCIES,
    SimulationConfig,
    simulate,
)

__all__ = ["DEFAULT_FREQUENCIES", "SimulationConfig", "simulate"]
