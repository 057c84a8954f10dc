import os
import stat

import pytest

from maximask_astro.utils.files import atomic_path


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
