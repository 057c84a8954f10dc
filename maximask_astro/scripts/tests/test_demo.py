from astropy.io import fits
from astropy.nddata import CCDData

from maximask_astro import ContaminantMap
from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.scripts.main import main


def test_demo(run, tmp_path):
    # Without anything installed: the model comes with the package.
    empty = {"MAXIMASK_ASTRO_HOME": str(tmp_path / "home")}
    done = run(
        "maximask-astro", "demo", "-o", "new/demo", environment=empty, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    header, _, *rows = done.stdout.splitlines()[:16]
    assert header.split() == ["class", "name", "bit", "pixels", "fraction", "unusable"]
    assert [row.split()[0] for row in rows] == list(ABBREVIATIONS)
    directory = tmp_path / "new" / "demo"
    assert sorted(path.name for path in directory.iterdir()) == [
        "maximask_demo.fits",
        "maximask_demo.masks.fits",
        "maximask_demo.png",
    ]
    for name in ("maximask_demo.fits", "maximask_demo.masks.fits", "maximask_demo.png"):
        assert f"new/demo/{name}" in done.stdout
    cmap = ContaminantMap.read(directory / "maximask_demo.masks.fits")
    exposure = CCDData.read(directory / "maximask_demo.fits")
    assert cmap.shape == exposure.shape
    counts = {row.split()[0]: row.split()[-3] for row in rows}
    assert {name: int(count) for name, count in counts.items()} == {
        name: cmap.class_mask(name).sum() for name in ABBREVIATIONS
    }
    # Every kind of contaminant that the example is made of is found.
    for name in ("CR", "TRL", "SAT", "SP"):
        assert cmap.class_mask(name).any()
    assert (directory / "maximask_demo.png").read_bytes().startswith(b"\x89PNG")
    with fits.open(directory / "maximask_demo.masks.fits") as file:
        file.verify("exception")


def test_where_nothing_can_be_written(call, tmp_path):
    (tmp_path / "file").touch()
    directory = tmp_path / "file" / "demo"
    done = call(main, "demo", "--output-dir", directory)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"maximask-astro demo: error: The output directory {directory} cannot be made: "
        "Not a directory.\n"
    )
