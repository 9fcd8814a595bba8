from synapse_sdk.plugins.actions.upload.in_flight import InFlightLimit


def drive(limit: InFlightLimit, seconds: float, rate_of: "dict[int, float] | float", *, start: float = 0.0) -> None:
    """Report files that are sent at a rate that depends on how many are under way."""
    now = start
    while now < start + seconds:
        rate = rate_of if isinstance(rate_of, float) else rate_of.get(limit.limit, max(rate_of.values()))
        now += 1 / rate
        limit.note_done(now)


def test_more_files_are_sent_at_a_time_while_that_is_faster() -> None:
    """A distant storage takes as many as it can get."""
    limit = InFlightLimit(start=16, most=64, now=0.0)
    now = 0.0

    for _ in range(20_000):
        now += 0.04 / limit.limit  # each answer takes 40 ms, however many are under way
        limit.note_done(now)

    assert limit.limit == 64


def test_it_stays_where_more_is_not_faster() -> None:
    """A disk writes no faster for being asked by many."""
    limit = InFlightLimit(start=4, most=64, now=0.0)

    drive(limit, 30.0, 500.0)

    assert limit.limit == 4


def test_a_complaint_halves_it_and_a_burst_of_complaints_counts_once() -> None:
    """The files that were already under way complain as well."""
    limit = InFlightLimit(start=32, most=64, now=0.0)

    for number in range(16):
        limit.note_trouble(5.0 + number / 100)

    assert limit.limit == 16


def test_it_never_falls_below_one() -> None:
    """Something is always tried."""
    limit = InFlightLimit(start=4, most=64, now=0.0)

    for number in range(10):
        limit.note_trouble(number * 10.0)

    assert limit.limit == 1


def test_after_a_complaint_it_probes_again() -> None:
    """A storage that was busy for a moment is not punished for ever."""
    limit = InFlightLimit(start=16, most=64, now=0.0)
    limit.note_trouble(1.0)
    now = 5.0

    for _ in range(20_000):
        now += 0.04 / limit.limit
        limit.note_done(now)

    assert limit.limit == 64


def test_what_was_asked_for_is_never_exceeded() -> None:
    """`upload_max_workers` is a promise."""
    assert InFlightLimit(start=16, most=3, now=0.0).limit == 3
