import threading
import time

import pytest

from maximask_astro.batch.threads import StoppedError, map_in_threads, stop_if_asked

ITEMS = [(index, f"{index}.fits") for index in range(6)]


def test_three_at_a_time_and_no_more():
    under_way, most, together = set(), [], threading.Barrier(3)

    def work(source):
        under_way.add(source)
        together.wait(10)
        most.append(len(under_way))
        together.wait(10)
        under_way.discard(source)
        return source.upper()

    results = list(map_in_threads(work, ITEMS))
    assert sorted(results) == [(index, name.upper()) for index, name in ITEMS]
    assert set(most) == {3}


def test_sources_are_taken_as_threads_become_free():
    taken = []

    def items():
        for item in ITEMS:
            taken.append(item[0])
            yield item

    worked_on = map_in_threads(str, items())
    next(worked_on)
    assert len(taken) <= 3
    assert len(list(worked_on)) == 5


def test_waiting_until_nothing_is_under_way():
    under_way = []

    def work(source):
        time.sleep(0.05)
        under_way.remove(source)

    def items():
        for index, source in ITEMS:
            if index % 3 == 2:
                yield None
                assert not under_way
            under_way.append(source)
            yield index, source

    assert len(list(map_in_threads(work, items()))) == len(ITEMS)


@pytest.mark.parametrize("how", ["raise", "close"])
def test_what_ends_one_stops_the_others(how):
    begun, stopped = threading.Event(), threading.Event()

    def work(source):
        if source == "0.fits":
            begun.wait(10)
            if how == "raise":
                raise KeyboardInterrupt
            return source
        begun.set()
        try:
            for _ in range(1000):
                stop_if_asked()
                time.sleep(0.01)
        except StoppedError:
            stopped.set()
            raise

    worked_on = map_in_threads(work, ITEMS)
    if how == "raise":
        with pytest.raises(KeyboardInterrupt):
            list(worked_on)
    else:
        next(worked_on)
        worked_on.close()
    assert stopped.is_set()


def test_nothing_stops_outside_of_threads():
    stop_if_asked()
