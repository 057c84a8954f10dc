"""Steps for reductions with ccdproc: CCDData in, a new CCDData out."""

from maximask_astro.reduction.contaminants import flag_contaminants, mask_contaminants
from maximask_astro.reduction.tracking import tracking_quality

__all__ = ["flag_contaminants", "mask_contaminants", "tracking_quality"]
