import pytest

from maximask_astro.flags import ABBREVIATIONS
from maximask_astro.scripts.config_files import read_config_file, read_config_files
from maximask_astro.utils import InputError

# The original's spelling of the class of trails.
ORIGINAL = [name if name != "TRL" else "STL" for name in ABBREVIATIONS]


def write(directory, kind, values, names=ORIGINAL):
    rows = [f"{name} {value}" for name, value in zip(names, values, strict=True)]
    path = directory / f"classes.{kind}"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def directory(tmp_path):
    """Three files in the original's spelling, with every other class selected."""
    write(tmp_path, "flags", [1, 0] * 7)
    write(tmp_path, "priors", [0.01 * number for number in range(1, 15)])
    write(tmp_path, "thresh", [0.05 * number for number in range(14)])
    return tmp_path


def test_the_three_files(directory):
    classes, priors, thresholds = read_config_files(directory)
    assert classes == ["CR", "DCL", "DP", "TRL", "NEB", "SP", "BBG"]
    assert list(priors) == list(thresholds) == list(ABBREVIATIONS)
    assert priors["CR"] == 0.01
    assert priors["TRL"] == pytest.approx(0.07)
    assert thresholds["CR"] == 0
    assert thresholds["BG"] == pytest.approx(0.65)


def test_files_that_are_not_needed_need_not_be_there(directory):
    (directory / "classes.priors").unlink()
    (directory / "classes.thresh").unlink()
    classes, priors, thresholds = read_config_files(
        directory, priors=False, thresholds=False
    )
    assert (len(classes), priors, thresholds) == (7, None, None)


@pytest.mark.parametrize("text", ["{} {}\n", "{}\t{}\r\n", "  {}   {}  \n\n"])
def test_white_space(tmp_path, text):
    path = tmp_path / "classes.thresh"
    path.write_text("".join(text.format(name, 0.25) for name in ABBREVIATIONS))
    assert read_config_file(path, "threshold") == dict.fromkeys(ABBREVIATIONS, 0.25)


@pytest.mark.parametrize("kind", ["flag", "prior", "threshold"])
@pytest.mark.parametrize("n_rows", [0, 13, 15])
def test_the_number_of_rows(tmp_path, kind, n_rows):
    path = tmp_path / "file"
    path.write_text("CR 1\n" * n_rows)
    with pytest.raises(InputError) as caught:
        read_config_file(path, kind)
    assert str(caught.value) == (
        f"The configuration file {path} has {n_rows} rows; it must have one for each "
        "of the 14 classes."
    )


@pytest.mark.parametrize(
    ("kind", "row", "sentence"),
    [
        ("flag", "HCL 2", "has 2; a flag must be 0 or 1."),
        ("flag", "HCL yes", "has 'yes' where a number must be."),
        ("prior", "HCL 0", "has 0; a prior must be between 0 and 1, both excluded."),
        (
            "prior",
            "HCL 1.0",
            "has 1.0; a prior must be between 0 and 1, both excluded.",
        ),
        ("prior", "HCL -1", "has -1; a prior must be between 0 and 1, both excluded."),
        (
            "prior",
            "HCL nan",
            "has nan; a prior must be between 0 and 1, both excluded.",
        ),
        ("prior", "HCL many", "has 'many' where a number must be."),
        ("threshold", "HCL -0.1", "has -0.1; a threshold must be from 0 to 1."),
        ("threshold", "HCL 1.1", "has 1.1; a threshold must be from 0 to 1."),
        ("threshold", "HCL", "must be a class and a number, not ['HCL']."),
        (
            "threshold",
            "HCL 1 2",
            "must be a class and a number, not ['HCL', '1', '2'].",
        ),
        ("threshold", "XYZ 0.5", "is about 'XYZ'; it must be about HCL."),
        ("threshold", "CR 0.5", "is about 'CR'; it must be about HCL."),
    ],
)
def test_a_row(tmp_path, kind, row, sentence):
    number = 1 if kind == "flag" else 0.5
    rows = [f"{name} {number}" for name in ABBREVIATIONS]
    path = tmp_path / "file"
    path.write_text("\n".join([rows[0], row, *rows[2:]]))
    with pytest.raises(InputError) as caught:
        read_config_file(path, kind)
    assert str(caught.value) == f"Row 2 of the configuration file {path} {sentence}"


def test_no_class(directory):
    write(directory, "flags", [0] * 14)
    with pytest.raises(InputError, match=r"classes\.flags selects no class; at least"):
        read_config_files(directory)


def test_a_file_that_is_missing(directory):
    path = directory / "classes.priors"
    path.unlink()
    with pytest.raises(InputError) as caught:
        read_config_files(directory)
    assert str(caught.value) == (
        f"The configuration file {path} cannot be read: No such file or directory."
    )


def test_a_file_that_is_not_text(directory):
    (directory / "classes.flags").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"classes\.flags cannot be read: 'utf-8'"):
        read_config_files(directory)
