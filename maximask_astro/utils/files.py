"""Write files so that nobody ever sees half of one."""

import errno
import glob
import hashlib
import os
import re
import socket
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from maximask_astro.utils.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

__all__ = [
    "append_whole",
    "atomic_path",
    "check_writable",
    "file_sha256",
    "remove_leftovers",
]

# Temporary files of processes on other machines are left over after so many seconds.
_LEFT_OVER = 86400.0


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
        prefix=f".{path.name}.{_this_process()}-",
        suffix="".join(path.suffixes[-2:]),
        dir=path.parent,
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


def file_sha256(path):
    """
    Digest a file.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    digest : str
        Its SHA-256, 64 hexadecimal digits.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _this_process():
    """Host and number, as part of a file's name."""
    host = re.sub("[^A-Za-z0-9]", "_", socket.gethostname())
    return f"{host}-{os.getpid()}"


def _is_alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True


def remove_leftovers(path):
    """
    Remove what processes that were killed have left of a file.

    Parameters
    ----------
    path : path-like
        The file that they were writing with `atomic_path`. Temporary files of
        processes that are still running are left alone, and those of other
        machines for a day.
    """
    path = Path(path)
    host, _, own = _this_process().rpartition("-")
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\w+)-(\d+)-")
    for other in path.parent.glob(f".{glob.escape(path.name)}.*"):
        match = pattern.match(other.name)
        if match is None or match[2] == own:
            continue
        with suppress(OSError):
            if match[1] == host:
                gone = not _is_alive(int(match[2]))
            else:
                gone = time.time() - other.stat().st_mtime > _LEFT_OVER
            if gone:
                other.unlink()


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
