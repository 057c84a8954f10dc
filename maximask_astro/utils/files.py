"""Write files so that nobody ever sees half of one."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

__all__ = ["atomic_path"]


@contextmanager
def atomic_path(path, *, overwrite=False):
    """
    Give a temporary path that becomes the real one when all went well.

    Parameters
    ----------
    path : path-like
        Where the file is to be in the end.

    overwrite : bool, optional
        Whether an existing file is replaced.

    Yields
    ------
    temporary : `~pathlib.Path`
        Where to write: a new name in the same directory, with the same
        suffixes. It is removed if an exception is raised.

    Raises
    ------
    FileExistsError
        The file exists and ``overwrite`` is False.
    """
    path = Path(path)
    if not overwrite and path.exists():
        raise FileExistsError(f"{path} exists; allow overwriting to replace it.")
    descriptor, name = tempfile.mkstemp(
        prefix=f".{path.name}.", suffix="".join(path.suffixes[-2:]), dir=path.parent
    )
    os.close(descriptor)
    temporary = Path(name)
    try:
        # mkstemp makes private files; the result gets the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
