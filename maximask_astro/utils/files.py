"""Write files so that nobody ever sees half of one."""

import errno
import os
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

from maximask_astro.utils.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = ["append_whole", "atomic_path", "check_writable"]


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


def append_whole(path, text):
    """
    Append to a file that other processes may be appending to as well.

    The text goes in by one call of the system under a lock, so that it is never
    mixed with that of others. If it does not fit on the disk, none of it stays.

    Parameters
    ----------
    path : path-like
        The file; it is made if needed.

    text : str
        What to append, with the last line's end.

    Raises
    ------
    OSError
        The file cannot be written, or the disk is full.
    """
    content = os.fsencode(text)  # names of files come back as they were
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        if fcntl is not None:
            with suppress(OSError):  # there are file systems without locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # until it is closed
        size = os.fstat(descriptor).st_size
        if os.write(descriptor, content) < len(content):
            os.ftruncate(descriptor, size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(descriptor)


def check_writable(directory):
    """
    Find out before the work whether its result can be written.

    Parameters
    ----------
    directory : `~pathlib.Path`
        Where it is to be written; it is made if needed.

    Raises
    ------
    InputError
        It cannot be made, or no file can be made in it.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise InputError(
            f"The output directory {directory} cannot be written to: "
            f"{error.strerror or error}."
        ) from error
