"""What is compared with what, which wins from where on, and whether the sentences say so."""

import math

import pytest

from tests.support.measurements import line, measurement
from views.gpu_speedup import verdicts
from views.gpu_speedup.contenders import DASHED, DOTTED, SOLID, line_of, lines_of
from views.gpu_speedup.contests import (
    ACROSS,
    Contest,
    Side,
    all_contests,
    fastest,
    pairs,
    results,
    table,
    turns,
)
from views.gpu_speedup.verdicts import verdict

ONE, TWO = Side("torch", "cpu", 1), Side("torch", "cpu", 2)
GPU, RECORDED = Side("torch", "cuda", 2), Side("torch", "cuda", 16, recorded=True)


THREADS = Contest(ONE, TWO)


def ended(slower, faster, contest=THREADS):
    [one], [other] = lines_of(slower), lines_of(faster)
    [result] = results([contest], {contest.slower: one, contest.faster: other})
    return result


def sentence(result, size_name):
    return verdict(result.contest.named, result.turn, size_name)


def answer(guess, result, size_name):
    return verdicts.answer(guess, result.turn, result.contest.framework, size_name)


def test_a_gpu_of_the_server_comes_before_a_recorded_one_and_threads_come_last():
    assert all_contests([ONE, TWO, RECORDED, GPU]) == [
        Contest(TWO, GPU),
        Contest(TWO, RECORDED),
        Contest(ONE, TWO),
    ]


def test_a_recorded_gpu_is_compared_with_its_own_cpu_first_and_with_its_transfer_next():
    own, way = Side("torch", "cpu", 16, recorded=True), RECORDED._replace(transfer=True)
    first, second, third, _ = all_contests([ONE, TWO, way, RECORDED, own])
    assert first == Contest(own, RECORDED)
    assert first.said == "the GPU against 16 threads, recorded"
    assert second == Contest(own, way)
    assert second.said == "the GPU with its transfer against 16 threads, recorded"
    assert third == Contest(TWO, RECORDED)
    assert third.said == "the GPU against 2 threads of the server"


def test_the_threads_of_a_recording_compete_too():
    own = [Side("torch", "cpu", threads, recorded=True) for threads in (1, 16)]
    assert all_contests([*own, ONE, TWO]) == [Contest(ONE, TWO), Contest(*own)]


def test_machines_that_differ_are_drawn_differently():
    own, way = Side("torch", "cpu", 16, recorded=True), RECORDED._replace(transfer=True)
    sides = (ONE, TWO, RECORDED, way, own)
    found = {side: line_of(*side[:3], recorded=side.recorded) for side in sides}
    drawn = pairs(all_contests(sides), found)
    assert [pair.look.dash for pair in drawn] == [DASHED, DOTTED, ACROSS, SOLID]
    assert len({pair.look.label for pair in drawn}) == 4


def test_few_samples_settle_nothing():
    result = ended(line(1e-6, 10), [one._replace(samples=2) for one in line(11e-6, 40)])
    assert "not known. Nowhere do both have 3 samples" in sentence(result, "n")


def test_where_one_has_few_samples_the_sizes_before_decide():
    slower = [*line(1e-6, 10)]
    slower[-1] = slower[-1]._replace(samples=1)
    result = ended(slower, line(11e-6, 40))
    assert "ahead **from about n = 43 on**" in sentence(result, "n")
    assert f"at n = {slower[-2].size:,}. Of larger sizes there are fewer" in sentence(result, "n")
    two = lines_of([*slower, *(one._replace(threads=2) for one in line(11e-6, 40))])
    assert f"At n = {slower[-2].size:,} the shortest call is that of **PyTorch, 2" in fastest(
        two, "n"
    )
    assert f"n = {slower[-1].size:,}" not in fastest(two, "n")


def test_what_is_too_close_to_tell_is_said_with_its_reason_and_wins_nothing():
    slower, faster = line(1e-6, 10), line(1e-6, 12)
    wide = [
        [one._replace(low=one.median / 2, high=2 * one.median) for one in each]
        for each in (slower, faster)
    ]
    assert "their quartiles overlap" in sentence(ended(*wide), "n")
    two = lines_of([*wide[0], *(one._replace(threads=2) for one in wide[1])])
    assert "Between PyTorch, 2 threads and PyTorch, 1 thread it is too close" in fastest(two, "n")
    level = ended(slower, line(1e-6, 10.1))
    assert "the medians lie within a twentieth of each other" in sentence(level, "n")
    assert answer(64, level, "n").endswith("For PyTorch these numbers cannot tell.")


def test_a_winner_of_two_contests_is_ahead_of_somebody():
    one, two = Contest(ONE, GPU), Contest(TWO, GPU)
    ends = [ended(line(1e-6, 10), line(11e-6, 40), contest) for contest in (one, two)]
    assert [mark.label for mark in turns(ends)] == [
        "PyTorch: the GPU against 1 thread",
        "PyTorch: the GPU against 2 threads",
    ]
    assert [mark.label for mark in turns(ends[:1])] == ["the GPU ahead"]


def test_a_tie_among_wins_is_named_and_is_no_crossing():
    slower, faster = line(1e-6, 10), line(0.5e-6, 40)
    faster[2] = faster[2]._replace(**{k: getattr(slower[2], k) for k in ("low", "median", "high")})
    text = sentence(ended(slower, faster), "n")
    assert "**ahead** wherever these numbers can tell" in text
    assert "At n = 256 it is too close to tell." in text
    assert "from" not in text


def test_hidden_units_are_not_called_n():
    result = ended(line(1e-6, 10), line(11e-6, 40))
    assert "from about 43 hidden units on" in sentence(result, "hidden units")
    assert "from 64 hidden units on" in answer(64, result, "hidden units")


def test_each_framework_has_contests_of_its_own():
    numpy = [Side("numpy", "cpu", 1), Side("numpy", "cpu", 2)]
    assert all_contests([*numpy, ONE, TWO]) == [Contest(*numpy), Contest(ONE, TWO)]
    assert all_contests([numpy[0], ONE]) == []
    assert all_contests([GPU]) == []


def test_a_crossing_is_said_where_it_is_and_by_how_much_at_the_end():
    # 1 µs and 10 GFLOP/s against 11 µs and 40: level where 2n³ takes 10 µs more, at n = 40.5.
    result = ended(line(1e-6, 10), line(11e-6, 40))
    assert result.turn.verdict == "crosses"
    assert result.turn.size == pytest.approx(40.5, rel=0.15)
    text = sentence(result, "n")
    assert text.startswith("**PyTorch**, 2 threads against 1 thread: ahead **from about")
    assert "from about n = 43 on" in text
    assert "4 times as fast at n = 1,024" in text
    assert turns([result]) == [(result.turn.size, "2 threads ahead", "crossing")]


def test_who_never_wins_is_said_to_be_slower():
    result = ended(line(1e-6, 40), line(1e-6, 20))
    assert "**not ahead** at n = 1,024. There it takes 2 times as long" in sentence(result, "n")
    assert turns([result]) == []


def test_who_always_wins_is_said_to_be_faster():
    result = ended(line(1e-6, 20), line(0.5e-6, 40), Contest(TWO, GPU))
    assert "the GPU against 2 threads: **ahead at every size**" in sentence(result, "n")
    assert "2 times as fast at n = 1,024" in sentence(result, "n")


def test_where_quartiles_overlap_nobody_wins():
    result = ended(line(1e-6, 20), line(1e-6, 21))
    assert "too close to tell" in sentence(result, "n")
    assert turns([result]) == []


def test_what_was_not_measured_at_one_size_by_both_is_no_contest():
    [one], [other] = lines_of(line(1e-6, 20, sizes=(16, 32))), lines_of(line(1e-6, 20, sizes=(64,)))
    assert results([Contest(ONE, TWO)], {ONE: one, TWO: other}) == []
    empty = one._replace(measurements=())
    assert results([Contest(ONE, TWO)], {ONE: one, TWO: empty}) == []


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        (32, "from n = 32 on**. For PyTorch that was measured, to a factor of two"),
        (1024, "from n = 1,024 on**. For PyTorch it was **from about n = 43 on"),
        (math.inf, "never**. For PyTorch it was **from about n = 43 on"),
    ],
)
def test_a_guess_stands_beside_what_was_measured(guess, said):
    assert said in answer(guess, ended(line(1e-6, 10), line(11e-6, 40)), "n")


def test_a_guess_of_never_can_be_right():
    never = ended(line(1e-6, 40), line(1e-6, 20))
    assert "it is so" in answer(math.inf, never, "n")
    assert "**not ahead** at n = 1,024" in answer(64, never, "n")


def test_a_guess_about_what_is_always_so():
    always = ended(line(1e-6, 20), line(0.5e-6, 40))
    assert "that was measured" in answer(16, always, "n")
    assert "from n = 16 on" in answer(256, always, "n")


def test_the_table_has_both_ends_and_the_best_speed():
    [one] = lines_of([measurement(16, 2e-6), measurement(256, 1e-3), measurement(64, 1e-5)])
    text = table([one, one._replace(measurements=())], "n").splitlines()
    assert len(text) == 3
    # 2·64³ in 10 µs are 52.4 billion a second, 2·256³ in a millisecond 33.6.
    assert text[2] == ("| PyTorch, 1 thread | 2 µs at n = 16 | 1 ms at n = 256 | 52.4 GFLOP/s |")


def test_the_fastest_at_either_end_is_named_with_the_slowest():
    [numpy] = lines_of(line(1e-6, 10, framework="numpy"))
    [torch] = lines_of(line(4e-6, 40))
    [late] = lines_of(line(1e-6, 10, sizes=(16, 64), threads=2))
    text = fastest([numpy, torch], "n")
    assert text.startswith("At n = 16 the shortest call is that of **NumPy, 1 thread**, 1.82 µs")
    assert "At n = 1,024 the shortest call is that of **PyTorch, 1 thread**" in text
    assert "that of NumPy, 1 thread, 4 times as long." in text
    assert "n = 64" in fastest([numpy, torch, late], "n")  # the largest that all of them have
    assert fastest([numpy], "n") == ""
