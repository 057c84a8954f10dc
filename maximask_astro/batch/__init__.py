"""Files in, files out: mask FITS files, lists and directories."""

from maximask_astro.batch.inputs import AUXILIARY_FILES, Source, expand_paths
from maximask_astro.batch.outputs import CONTENTS, output_path
from maximask_astro.batch.process import IF_EXISTS, process
from maximask_astro.batch.results import FileResult, HDUResult, summarize

__all__ = [
    "AUXILIARY_FILES",
    "CONTENTS",
    "IF_EXISTS",
    "FileResult",
    "HDUResult",
    "Source",
    "expand_paths",
    "output_path",
    "process",
    "summarize",
]
