import numpy as np
import pytest

from maximask_astro.utils.verdict import why_no_verdict

SEVENS = np.full((3, 4), 7.0)
NAN = np.full((3, 4), np.nan)
TRUE = np.ones((3, 4), bool)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ([], "every pixel is masked, NaN or infinite"),
        ([(NAN, None), (SEVENS, TRUE)], "every pixel is masked, NaN or infinite"),
        ([(NAN, None), (SEVENS, None)], "every pixel with a value is 7"),
        ([(SEVENS, None), (SEVENS + 1, TRUE)], "every pixel with a value is 7"),
        ([(SEVENS, None), (SEVENS + 1, ~TRUE)], None),
        ([(np.arange(12).reshape(3, 4), None)], None),
    ],
)
def test_reasons(parts, reason):
    assert why_no_verdict(parts) == reason


def test_no_more_is_read_than_is_needed():
    def parts():
        yield SEVENS, None
        yield np.eye(3), None
        raise AssertionError

    assert why_no_verdict(parts()) is None
