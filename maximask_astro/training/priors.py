"""How frequent contaminants are, unless users say otherwise, for our own models."""

from types import MappingProxyType

from maximask_astro.flags import CLASSES

__all__ = ["DEFAULT_PRIORS"]

# MaxiMask's, but for classes that exposures have more often than it expects: of fifty
# real images that were looked through (``benchmarks/frequencies.py``), hot and dead
# lines are 7e-5 and 1e-4 of the pixels, hot pixels 1e-3 (most of these in one dark),
# and nebulae 0.02. Dead pixels and fringes are on too few of them to tell, and are
# assumed.
DEFAULT_PRIORS = MappingProxyType(
    {
        **{flag.abbreviation: flag.prior for flag in CLASSES},
        "HCL": 1e-4,
        "HP": 1e-4,
        "DP": 1e-5,
        "FR": 5e-3,
        "NEB": 5e-3,
    }
)
