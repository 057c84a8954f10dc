"""Networks are built, and run a few times, here."""

import pytest

from maximask_astro.tests.helpers import quick_compilation


@pytest.fixture(scope="module", autouse=True)
def _quickly():
    with quick_compilation():
        yield
