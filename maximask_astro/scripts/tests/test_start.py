import os
import subprocess
import sys

import pytest

CODE = """
import os, sys
if {version!r} is not None:
    os.confstr = lambda name: {version!r}
else:
    del os.confstr
from maximask_astro.scripts.start import without_thread_caches
print("started", flush=True)
without_thread_caches()
print(os.environ.get("GLIBC_TUNABLES"), sys.argv, os.getpid())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="about a C library of Linux")
@pytest.mark.parametrize(
    ("version", "before", "starts", "after"),
    [
        ("glibc 2.36", None, 2, "glibc.malloc.tcache_count=0"),
        ("glibc 2.4", "", 2, "glibc.malloc.tcache_count=0"),
        (
            "glibc 2.38",
            "glibc.malloc.perturb=0",
            2,
            "glibc.malloc.perturb=0:glibc.malloc.tcache_count=0",
        ),
        (
            "glibc 2.36",
            "glibc.malloc.tcache_count=3",
            1,
            "glibc.malloc.tcache_count=3",
        ),
        ("glibc 2.39", None, 1, "None"),
        ("musl", None, 1, "None"),
        (None, None, 1, "None"),
    ],
)
def test_a_command_starts_again_where_memory_would_fall_to_pieces(
    version, before, starts, after
):
    environment = {**os.environ, "GLIBC_TUNABLES": before or ""}
    if before is None:
        del environment["GLIBC_TUNABLES"]
    with subprocess.Popen(
        [sys.executable, "-c", CODE.format(version=version), "a b", "--c"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    expected = [*["started"] * starts, f"{after} ['-c', 'a b', '--c'] {process.pid}"]
    assert output.splitlines() == expected
