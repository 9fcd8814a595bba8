from synapse_sdk.reporting.pace import WorkProgress


def test_no_rate_is_guessed_from_one_value() -> None:
    """A step that goes on at 500 of 1,000 has not done 500 in its first second."""
    work = WorkProgress()
    work.update(500, 1000, now=0.0)

    assert work.rate(1.0) is None
    assert work.time_left(1.0) is None


def test_rate_and_time_left_follow_the_work() -> None:
    """Ten a second, and what is left at that rate."""
    work = WorkProgress()
    for second in range(11):
        work.update(10 * second, 200, now=float(second))

    assert work.rate(10.0) == 10.0
    assert work.time_left(10.0) == 10.0


def test_only_the_last_half_minute_counts() -> None:
    """After a slow start the rate is what it is now."""
    work = WorkProgress()
    work.update(0, 1000, now=0.0)
    for second in range(100, 160):
        work.update(second - 99, 1000, now=float(second))

    assert work.rate(159.0) == 1.0


def test_a_rate_falls_while_nothing_happens() -> None:
    """A stalled step does not go on promising its end in two seconds."""
    work = WorkProgress()
    work.update(0, 100, now=0.0)
    work.update(50, 100, now=5.0)

    assert work.rate(5.0) == 10.0
    assert work.rate(100.0) == 0.5
    assert work.time_left(100.0) == 100.0


def test_going_backward_is_a_fresh_start() -> None:
    """A second try begins to count anew."""
    work = WorkProgress()
    work.update(0, 100, now=0.0)
    work.update(90, 100, now=1.0)
    work.update(10, 100, now=2.0)

    assert work.rate(3.0) is None
    assert (work.current, work.total) == (10, 100)


def test_work_without_movement_has_no_rate() -> None:
    """Zero a second is no basis for a time."""
    work = WorkProgress()
    work.update(5, 10, now=0.0)
    work.update(5, 10, now=5.0)

    assert work.rate(5.0) is None
    assert work.time_left(5.0) is None


def test_done_work_has_no_time_left() -> None:
    """Nothing to do is done as well."""
    work = WorkProgress()
    work.update(0, 0, now=0.0)

    assert work.is_done
    assert work.time_left(1.0) is None


def test_a_hundred_thousand_values_take_the_space_of_a_few() -> None:
    """Memory does not grow with the number of reports."""
    work = WorkProgress()
    for number in range(100_000):
        work.update(number, 100_000, now=number / 1000)

    assert len(work._samples) <= 65  # noqa: SLF001  # the bound is the promise
    assert work.rate(100.0) is not None
