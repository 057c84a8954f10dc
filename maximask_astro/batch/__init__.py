"""Files in, files out: mask or judge FITS files, lists and directories."""

from maximask_astro.batch.inputs import AUXILIARY_FILES, Source, expand_paths
from maximask_astro.batch.judge import judge
from maximask_astro.batch.outputs import CONTENTS, output_path
from maximask_astro.batch.process import IF_EXISTS, process
from maximask_astro.batch.results import FileResult, HDUResult, SourceResult, summarize
from maximask_astro.batch.verdicts import ExposureVerdict, FileVerdict, verdict_table

__all__ = [
    "AUXILIARY_FILES",
    "CONTENTS",
    "IF_EXISTS",
    "ExposureVerdict",
    "FileResult",
    "FileVerdict",
    "HDUResult",
    "Source",
    "SourceResult",
    "expand_paths",
    "judge",
    "output_path",
    "process",
    "summarize",
    "verdict_table",
]
