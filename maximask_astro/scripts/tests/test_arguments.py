import argparse

import pytest

from maximask_astro.scripts.arguments import (
    boolean,
    class_and_number,
    class_list,
    number_within,
    positive_integer,
    radius,
    saturation,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        *((boolean, text, True) for text in ("True", "true", "yes", "T", "y", "1")),
        *((boolean, text, False) for text in ("False", "FALSE", "no", "f", "N", "0")),
        (positive_integer, "1", 1),
        (positive_integer, "016", 16),
        (number_within("(0, 1)"), "1e-7", 1e-7),
        (number_within("(0, 1]"), "1", 1.0),
        (number_within("[0, 1]"), "0", 0.0),
        (number_within("[0, 1]"), "1.0", 1.0),
        (radius, "0", 0.0),
        (radius, "2.5", 2.5),
        (saturation, "50000", 50000.0),
        (saturation, "None", None),
        (saturation, "Header", "header"),
        (saturation, "satmax", ("satmax",)),
        (saturation, "A,B", ("A", "B")),
        (class_list, "all", "all"),
        (class_list, "unusable", "unusable"),
        (class_list, "CR", ["CR"]),
        (class_list, "CR,SAT,STL", ["CR", "SAT", "TRL"]),
        (class_and_number("prior"), "CR=0.1", ("CR", 0.1)),
        (class_and_number("prior"), "CR=1e-7", ("CR", 1e-7)),
        (class_and_number("prior"), "STL=None", ("TRL", None)),
        (class_and_number("threshold"), "CR=0", ("CR", 0.0)),
        (class_and_number("threshold"), "CR=1", ("CR", 1.0)),
        (class_and_number("threshold"), "stl=fpr=1e-3", ("TRL", "fpr=1e-3")),
        (class_and_number("threshold"), "fpr=1e-3", (None, "fpr=1e-3")),
    ],
)
def test_values(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        *((boolean, text, "is neither True nor False") for text in ("", "maybe", "2")),
        *(
            (positive_integer, text, "is not a positive whole number")
            for text in ("0", "-1", "1.5", "some", "", "\N{SUPERSCRIPT TWO}")
        ),
        *(
            (number_within("(0, 1)"), text, "is not a number in (0, 1)")
            for text in ("0", "1", "-0.1", "1.1", "nan", "inf", "half", "")
        ),
        (number_within("(0, 1]"), "0.0", "is not a number in (0, 1]"),
        (number_within("[0, 1]"), "-1e-9", "is not a number in [0, 1]"),
        *(
            (radius, text, "is not a radius from 0 to 1000")
            for text in ("-1", "1000", "nan", "inf", "far", "")
        ),
        *(
            (saturation, text, "it must be a positive number")
            for text in ("0", "-1", "nan", "inf")
        ),
        *(
            (saturation, text, "keywords must be names of header cards")
            for text in ("", "A,", "A,5")
        ),
        *((class_list, text, "XYZ") for text in ("XYZ", "CR,XYZ")),
        *((class_list, text, "class") for text in ("", "CR,,SAT")),
        (class_and_number("prior"), "CR", "'CR' must be CLASS=NUMBER"),
        (class_and_number("prior"), "XYZ=0.1", "XYZ"),
        *(
            (class_and_number("prior"), f"CR={text}", "a number between 0 and 1, both")
            for text in ("0", "1", "-0.1", "nan", "many", "", "0.1=0.2")
        ),
        *(
            (class_and_number("threshold"), f"CR={text}", "must be a number from 0 to")
            for text in ("-0.1", "1.1", "nan", "none", "")
        ),
        *(
            (class_and_number("threshold"), text, "must be fpr= and a number from 0")
            for text in ("fpr=0", "fpr=2", "CR=fpr=many", "CR=fpr=nan")
        ),
        (class_and_number("prior"), "CR=fpr=0.1", "a number between 0 and 1, both"),
    ],
)
def test_what_is_refused(parse, text, message):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert not str(caught.value).endswith(".")
