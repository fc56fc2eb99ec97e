"""A contender is a process of its own: it has its threads, answers, refuses, and can be lost."""

import os
import time
from contextlib import closing

import psutil
import pytest

from engines.benchmark import contender
from engines.benchmark.clock import Measured
from engines.benchmark.contender import HOW, THREADS, Contender, LostError, Process, Question
from tests.support.processes import children_of, ended, plain_main

NUMPY = Contender("numpy", "cpu", 1)
QUICKLY = Question("square", 16, seconds=0.05)


class Fake:
    """A framework of which nothing is real but that it takes its time."""

    OUT_OF_MEMORY = ZeroDivisionError

    def __init__(self, prepare):
        self.prepare = prepare


@pytest.fixture(autouse=True, scope="module")
def no_script():
    with plain_main():
        yield


@pytest.fixture(scope="module")
def numpy(no_script):
    with closing(Process(NUMPY)) as process:
        assert process.loaded()
        yield process


def test_one_that_has_loaded_answers_again_and_again(numpy):
    assert 0 < numpy.load_seconds < 30
    assert numpy.libraries["numpy"]
    for how in [how for how in HOW if how != "without end"]:  # which measures nothing
        answer = numpy.ask(QUICKLY._replace(how=how))
        assert isinstance(answer, Measured)
        assert 0 < min([answer.first, *answer.samples]) < 1


def test_the_first_call_is_a_sample_nowhere_but_where_there_is_no_warm_up(numpy):
    naive = numpy.ask(QUICKLY._replace(how="without warm-up"))
    assert (naive.samples, naive.calls) == ([naive.first], 10)
    assert numpy.ask(QUICKLY._replace(how="one by one")).calls == 1
    assert numpy.ask(QUICKLY).calls > 1


def test_the_process_has_the_threads_and_this_one_keeps_its_own(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "5")
    before = dict(os.environ)
    known = children_of(psutil.Process())
    with closing(Process(Contender("numpy", "cpu", 3))) as process:
        assert os.environ == before
        assert process.loaded()
        (started,) = children_of(psutil.Process()) - known
        theirs = started.environ()
    assert {theirs[name] for name in THREADS} == {"3"}
    assert ended([started])


@pytest.mark.parametrize("threads", [1, 2])
def test_numpy_computes_on_as_many_threads_as_were_asked_for(threads):
    before = children_of(psutil.Process())
    with closing(Process(Contender("numpy", "cpu", threads))) as process:
        assert process.loaded()
        assert process.ask(Question("square", 512, seconds=0.05))
        (started,) = children_of(psutil.Process()) - before
        # OpenBLAS starts no more threads than there are cores.
        assert started.num_threads() == min(threads, os.cpu_count())


@pytest.mark.parametrize(
    "lost",
    [
        Contender("numpy", "cuda", 1),  # NumPy has none
        Contender("nothing", "cpu", 1),
    ],
)
def test_one_that_fails_is_lost_and_stays_lost(lost, capfd):
    with closing(Process(lost)) as process:
        with pytest.raises(LostError):
            process.loaded() and process.ask(QUICKLY)
        for _ in range(2):
            with pytest.raises(LostError):
                process.ask(QUICKLY)
    assert "Error" in capfd.readouterr().err


def test_one_that_is_killed_while_it_answers_is_lost():
    before = children_of(psutil.Process())
    with closing(Process(NUMPY)) as process:
        assert process.loaded()
        process.begin(Question("square", 512, seconds=30, how="one by one"))
        for child in children_of(psutil.Process()) - before:
            child.kill()
        with pytest.raises(LostError):
            process.ask(QUICKLY)
        with pytest.raises(LostError):
            process.ask(QUICKLY)


def test_closing_ends_one_that_computes():
    before = children_of(psutil.Process())
    process = Process(NUMPY)
    process.loaded()
    process.begin(Question("square", 1024, seconds=30))
    started = children_of(psutil.Process()) - before
    assert started
    process.close()
    assert ended(started, seconds=1)


def test_one_that_takes_too_long_to_load_is_not_waited_for():
    with closing(Process(Contender("torch", "cpu", 1))) as process:
        start = time.monotonic()
        assert process.loaded(0.05) is False
        assert process.loaded(-3) is False
        assert time.monotonic() - start < 0.5
        with pytest.raises(LostError, match="not loaded"):
            process.ask(QUICKLY)


@pytest.mark.parametrize("error", [MemoryError, Fake.OUT_OF_MEMORY])
def test_too_little_memory_is_an_answer(error):
    def prepare(*_, transfer):
        raise error

    assert contender._measured(Fake(prepare), "cpu", QUICKLY) is None


def test_drawing_the_numbers_is_part_of_the_time():
    calls = []

    def prepare(*_, transfer):
        time.sleep(0.3)
        return lambda: calls.append(time.sleep(0.01)), lambda: None

    answer = contender._measured(Fake(prepare), "cpu", QUICKLY._replace(seconds=0.2))
    assert (answer.samples, len(calls)) == ([], 1)
