import os
import signal
from functools import partial

import distributed
import pytest
from astropy.io import fits

from maximask_astro.batch import process
from maximask_astro.masking import ContaminantMasker
from maximask_astro.tests.helpers import make_exposure
from maximask_astro.utils.errors import InputError

IMAGE = make_exposure((64, 80)).astype("i2")
N_FILES = 6


@pytest.fixture(scope="module")
def scheduler():
    """Address of a scheduler with two workers, processes of their own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit=0, dashboard_address=":0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def night(tmp_path):
    directory = tmp_path / "night"
    directory.mkdir()
    for number in range(N_FILES):
        fits.writeto(directory / f"{number}.fits", IMAGE + number)
    (directory / "bad.fits").write_text("bad")
    return directory


class Deadly:
    """A masker whose process is killed, once."""

    def __init__(self, masker, flag):
        self._masker, self._flag = masker, flag

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__["_masker"], name)

    def stream(self, *args, **options):
        try:
            os.close(os.open(self._flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return self._masker.stream(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)


def masks_of(directory):
    """Names and pixels of all files in a directory."""
    return {path.name: fits.getdata(path) for path in directory.iterdir()}


@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "worker killed"])
def test_workers_do_what_one_process_does(night, scheduler, masker, tmp_path, killed):
    calls = []
    run = partial(process, night, on_result=lambda *call: calls.append(call[:2]))
    expected = run(masker, output_dir=tmp_path / "here")
    assert [result.ok for result in expected] == N_FILES * [True] + [False]
    there = masker if not killed else Deadly(masker, tmp_path / "flag")
    calls.clear()
    found = run(there, output_dir=tmp_path / "there", scheduler=scheduler)
    assert (tmp_path / "flag").exists() == killed
    assert calls == [(number + 1, N_FILES + 1) for number in range(N_FILES + 1)]
    for ours, theirs in zip(expected, found, strict=True):
        assert (ours.status, ours.message) == (theirs.status, theirs.message)
        assert ours.hdus == theirs.hdus
    here, elsewhere = masks_of(tmp_path / "here"), masks_of(tmp_path / "there")
    assert here.keys() == elsewhere.keys()
    assert all((here[name] == elsewhere[name]).all() for name in here)


def test_processes_are_started_on_demand(night, masker, tmp_path):
    results = process(
        [night / "0.fits", night / "1.fits"], masker, output_dir=tmp_path, jobs=2
    )
    assert [result.status for result in results] == ["masked", "masked"]
    assert "NPROC" not in os.environ


def test_existing_outputs_are_found_before_the_work(night, scheduler, masker):
    (night / "0.masks.fits").write_text("precious")
    results = process(night / "0.fits", masker, scheduler=scheduler)
    assert results[0].message.endswith("exists; choose to overwrite or to skip it.")
    assert (night / "0.masks.fits").read_text() == "precious"


def test_no_scheduler_is_an_error(night, tiny_model, monkeypatch):
    masker = ContaminantMasker(tiny_model)
    with pytest.raises(InputError, match="no Dask scheduler at nowhere:1; give"):
        process(night, masker, scheduler="nowhere:1")


@pytest.mark.parametrize("jobs", [0, -1])
def test_no_jobs(night, masker, jobs):
    with pytest.raises(ValueError, match=f"jobs must be at least 1, not {jobs}"):
        process(night, masker, jobs=jobs)


def test_a_source_waits_for_what_may_not_write_its_output(scheduler, masker, tmp_path):
    """The first fails, so that the second may take its place."""
    whole = tmp_path / "a.fits.gz"
    fits.writeto(whole, make_exposure((200, 200)))
    damaged = tmp_path / "a.fits"
    damaged.write_bytes(b"nothing")
    results = process([damaged, whole], masker, scheduler=scheduler)
    assert [result.status for result in results] == ["failed", "masked"]
