import errno
import os
import stat
import subprocess
import sys

import pytest

from maximask_astro.utils import InputError
from maximask_astro.utils.files import append_whole, atomic_path, check_writable


def names(directory):
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize(
    "name", ["a.fits", "a.fits.gz", "a", "a b.c.d.fits", ".hidden"]
)
def test_file_appears_when_all_went_well(tmp_path, name):
    target = tmp_path / name
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.name.endswith("".join(target.suffixes[-2:]))
        temporary.write_text("new")
        assert not target.exists()
    assert names(tmp_path) == [name]
    assert target.read_text() == "new"


def test_permissions_are_the_usual_ones(tmp_path):
    (tmp_path / "usual").write_text("")
    with atomic_path(tmp_path / "atomic") as temporary:
        temporary.write_text("")
    modes = {stat.S_IMODE(os.stat(path).st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


@pytest.mark.parametrize("exists", [True, False])
def test_nothing_changes_after_an_error(tmp_path, exists):
    target = tmp_path / "a.fits"
    if exists:
        target.write_text("old")

    def write():
        with atomic_path(target, overwrite=True) as temporary:
            temporary.write_text("half")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        write()
    assert names(tmp_path) == (["a.fits"] if exists else [])
    assert not exists or target.read_text() == "old"


def test_existing_files_are_replaced_only_on_demand(tmp_path):
    target = tmp_path / "a.fits"
    target.write_text("old")
    with pytest.raises(FileExistsError, match=r"a\.fits exists"), atomic_path(target):
        pytest.fail("the block must not run")
    assert target.read_text() == "old"
    with atomic_path(str(target), overwrite=True) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"
    assert names(tmp_path) == ["a.fits"]


def test_appending(tmp_path):
    path = tmp_path / "a.out"
    append_whole(path, "first\n")
    append_whole(str(path), "second\nthird \udcff\n")
    assert path.read_bytes() == b"first\nsecond\nthird \xff\n"


# Says so when it is ready, and then appends: 200 times two long lines.
APPENDING = """
import sys
from maximask_astro.utils.files import append_whole
path, name = sys.argv[1:]
print("ready", flush=True)
sys.stdin.read()
for number in range(200):
    append_whole(path, (f"{name} {number} ".ljust(9000, ".") + chr(10)) * 2)
"""


def test_several_processes_lose_and_mix_no_lines(tmp_path):
    path = tmp_path / "a.out"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", APPENDING, path, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for name in "abcd"
    ]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.close()
    for process in processes:
        assert process.wait() == 0
        process.stdout.close()
    lines = path.read_text().splitlines()
    assert {len(line) for line in lines} == {9000}
    found = [tuple(line.rstrip(".").split()) for line in lines]
    assert found[::2] == found[1::2]  # the two lines of a call are neighbors
    wanted = [(name, str(number)) for name in "abcd" for number in range(200)]
    assert sorted(found[::2]) == sorted(wanted)


def test_what_does_not_fit_on_the_disk_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a.out"
    path.write_text("first\n")
    write = os.write
    monkeypatch.setattr(os, "write", lambda where, content: write(where, content[:3]))
    with pytest.raises(OSError, match="No space left") as caught:
        append_whole(path, "second\n")
    assert caught.value.errno == errno.ENOSPC
    assert path.read_text() == "first\n"


def test_appending_without_locks(tmp_path, monkeypatch):
    monkeypatch.setattr("maximask_astro.utils.files.fcntl", None)
    append_whole(tmp_path / "a.out", "first\n")
    assert (tmp_path / "a.out").read_text() == "first\n"


def test_a_directory_to_write_to(tmp_path):
    check_writable(tmp_path / "new" / "masks")
    assert names(tmp_path / "new" / "masks") == []
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "masks"
    with pytest.raises(InputError, match="cannot be written to: Not a directory"):
        check_writable(path)
