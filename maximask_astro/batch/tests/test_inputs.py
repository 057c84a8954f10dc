import os
from pathlib import Path

import pytest

from maximask_astro.batch import Source, expand_paths
from maximask_astro.batch.inputs import fits_stem


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A directory of (empty) files that the tests run in."""
    monkeypatch.chdir(tmp_path)
    names = "b.fits a.FIT c.fts.gz d.fits.fz e.fits.bz2 night/f.fits night/g.fits"
    (tmp_path / "night").mkdir()
    for name in (*names.split(), "notes.txt", "a.fits.png"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.fixture
def write_list(files):
    def write(text, name="night/some.list"):
        (files / name).write_text(text, encoding="utf-8")
        return name

    return write


def found(paths, **kwargs):
    """The exposures found, as text; nothing may be wrong with them."""
    sources = expand_paths(paths, **kwargs)
    assert [source.problem for source in sources] == [None] * len(sources)
    return [str(source) for source in sources]


def problem(path):
    """What is wrong with the only thing found."""
    (source,) = expand_paths(path)
    return source.problem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.fits", "a"),
        ("a.fit", "a"),
        ("a.fts", "a"),
        ("A.FITS", "A"),
        ("a.fits.gz", "a"),
        ("a.fit.fz", "a"),
        ("a.FITS.FZ", "a"),
        ("a.fits.bz2", "a"),
        ("a.fits.Z", "a"),
        ("a.b.fits", "a.b"),
        ("a.fits.fits", "a.fits"),
        ("a.masks.fits", "a.masks"),
        ("mask/a.fits", "a"),
        ("a.dat", "a.dat"),
        ("fits", "fits"),
        (".fits", ".fits"),
    ],
)
def test_fits_stem(name, stem):
    assert fits_stem(name) == stem


def test_a_file_with_any_name(files):
    assert found(["b.fits", Path("a.FIT"), "notes.txt"]) == [
        "b.fits",
        "a.FIT",
        "notes.txt",
    ]


@pytest.mark.parametrize(
    ("text", "hdu"), [("2", 2), ("0", 0), ("SCI", "SCI"), (" 1 ", 1), ("-1", "-1")]
)
def test_an_hdu_of_a_file(files, text, hdu):
    assert expand_paths(f"b.fits[{text}]") == [Source(Path("b.fits"), hdu)]


def test_a_file_whose_name_has_brackets_is_that_file(files):
    (files / "b.fits[1]").touch()
    assert expand_paths("b.fits[1]") == [Source(Path("b.fits[1]"))]


def test_a_directory_in_alphabetical_order_without_its_subdirectories(files):
    names = ["a.FIT", "b.fits", "c.fts.gz", "d.fits.fz", "e.fits.bz2"]
    assert found(files) == [str(files / name) for name in names]


def test_a_path_with_the_word_mask_is_like_any_other(files):
    (files / "masks").mkdir()
    (files / "masks" / "mask.fits").touch()
    (files / "masks" / "unmasked.masks-of-zorro.fits").touch()
    assert len(found("masks")) == 2


@pytest.mark.parametrize(
    "name", ["b.masks.fits", "b.masks2.fits", "B.MASKS.FITS", "b.mask0.fits", ".b.fits"]
)
def test_a_directory_without_own_outputs_and_hidden_files(files, name):
    (files / "night" / name).touch()
    assert found("night") == ["night/f.fits", "night/g.fits"]


@pytest.mark.parametrize(
    "name",
    [
        "f_dq.fits",
        "f_DQ.fits.gz",
        "c4d_ood_v1.fits.fz",
        "c4d_oow_v1.fits",
        "f.weight.fits",
        "f_wht.fits",
    ],
)
def test_auxiliary_files_of_a_directory_are_marked(files, name):
    (files / "night" / name).touch()
    marked = [source for source in expand_paths("night") if source.auxiliary]
    assert [source.path.name for source in marked] == [name]
    assert expand_paths(f"night/{name}")[0].auxiliary is None


def test_other_patterns_of_auxiliary_files(files):
    sources = expand_paths("night", exclude=["g*"])
    assert [source.auxiliary for source in sources] == [None, "g*"]


def test_a_list_with_comments_and_empty_lines(write_list):
    name = write_list("# of the night\n\n  b.fits  \n#a.FIT\r\nb.fits[1]\n")
    assert found(name) == ["b.fits", "b.fits[1]"]


def test_an_uppercase_list(write_list):
    assert found(write_list("b.fits\n", "ALL.LIST")) == ["b.fits"]


def test_entries_relative_to_here_or_else_to_the_list(write_list, files):
    (files / "g.fits").touch()
    name = write_list("f.fits\ng.fits\n" + str(files / "a.FIT"))
    assert found(name) == ["night/f.fits", "g.fits", str(files / "a.FIT")]


def test_a_directory_and_a_list_in_a_list(write_list):
    write_list("b.fits\n", "inner.list")
    name = write_list("inner.list\nnight\n", "outer.list")
    assert found(name) == ["b.fits", "night/f.fits", "night/g.fits"]


def test_a_missing_entry_is_named_and_the_others_stay(write_list):
    sources = expand_paths(write_list("b.fits\nlost.fits\nlost.fits[1]\na.FIT\n"))
    assert [str(source.path) for source in sources] == [
        "b.fits",
        "lost.fits",
        "lost.fits[1]",
        "a.FIT",
    ]
    assert [source.problem for source in sources] == [
        None,
        "'lost.fits' in the list night/some.list does not exist.",
        "'lost.fits[1]' in the list night/some.list does not exist.",
        None,
    ]


def test_an_entry_with_another_problem_says_which(write_list, files):
    (files / "nothing").mkdir()
    sources = expand_paths(write_list(f"nothing\n{'x' * 300}.fits\nb.fits\n"))
    assert [source.problem is None for source in sources] == [False, False, True]
    assert sources[0].problem.startswith("The directory nothing has no FITS file")


@pytest.mark.parametrize("texts", [["a.list"], ["b.list", "a.list"]])
def test_lists_that_name_one_another_come_to_an_end(write_list, texts):
    for name, text in zip(("a.list", "b.list"), texts, strict=False):
        write_list(text, name)
    assert problem("a.list") == "The list a.list names itself."


def test_an_empty_list(write_list):
    assert problem(write_list("\n# nothing\n")) == (
        "The list night/some.list is empty; it must name one file a line."
    )


def test_a_list_that_is_not_text(files):
    Path("bad.list").write_bytes(b"\xff\xfe\x00")
    assert problem("bad.list").startswith("The list bad.list cannot be read: ")


@pytest.mark.parametrize("path", ["lost.fits", "lost", "lost.list", "lost.fits[1]"])
def test_a_missing_path(files, path):
    assert problem(path) == f"{path.removesuffix('[1]')} does not exist."


@pytest.mark.parametrize("path", ["b.fits[", "b.fits[]", "b.fits[1", "b.fits]"])
def test_half_an_hdu_is_part_of_the_name(files, path):
    assert problem(path) == f"{path} does not exist."


def test_a_dangling_link(files):
    os.symlink("lost.fits", "link.fits")
    assert problem("link.fits") == "link.fits does not exist."


def test_a_directory_without_exposures(files):
    (files / "nothing").mkdir()
    assert problem("nothing") == (
        "The directory nothing has no FITS file (.fits, .fit or .fts, also compressed)."
    )


def test_a_name_that_the_system_refuses(files):
    # What it says depends on the version of Python.
    assert problem("x" * 300).startswith("x" * 300 + " ")


def test_the_home_directory(files, monkeypatch):
    monkeypatch.setenv("HOME", str(files))
    assert found("~/b.fits") == [str(files / "b.fits")]


def test_one_wrong_path_leaves_the_others(files):
    sources = expand_paths(["lost.fits", "b.fits"])
    assert [source.problem is None for source in sources] == [False, True]
