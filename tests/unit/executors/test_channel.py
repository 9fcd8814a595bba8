import contextlib
import os
import threading
from collections.abc import Iterator

import pytest

from synapse_sdk.errors import InvalidDocumentError
from synapse_sdk.executors.channel import Channel, EventSender, read_messages, replay
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import Logged, RunProgressed


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe: the reading and the writing end."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):  # a test has closed it
            os.close(end)


def dead() -> bool:
    """Say that the writer is gone."""
    return False


def test_messages_of_several_threads_arrive_whole(pipe: tuple[int, int]) -> None:
    """Short ones, and ones larger than a pipe holds."""
    channel = Channel(pipe[1])
    long = "고양이" * 100_000

    def talk(number: int) -> None:
        for count in range(20):
            channel.send({"number": number, "count": count, "text": long if count % 7 == 0 else ""})

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    messages = read_messages(pipe[0], lambda: True)
    heard = [next(messages) for _ in range(80)]
    for thread in threads:
        thread.join()

    assert {(each["number"], each["count"]) for each in heard} == {(a, b) for a in range(4) for b in range(20)}
    assert all(each["text"] in {"", long} for each in heard)


def test_the_end_of_the_pipe_ends_the_messages(pipe: tuple[int, int]) -> None:
    """A line that was cut off is left out."""
    Channel(pipe[1]).send({"a": 1})
    os.write(pipe[1], b'{"a": 2}\n{"a": 3')
    os.close(pipe[1])

    assert list(read_messages(pipe[0], lambda: True)) == [{"a": 1}, {"a": 2}]


def test_a_pipe_that_is_held_open_does_not_hide_the_writers_death(pipe: tuple[int, int]) -> None:
    """Its last words are heard."""
    Channel(pipe[1]).send({"a": 1})

    assert list(read_messages(pipe[0], dead)) == [{"a": 1}]


def test_everything_a_reporter_is_told_arrives(pipe: tuple[int, int]) -> None:
    """As the same calls."""
    sender, reporter = EventSender(Channel(pipe[1])), MemoryReporter()
    sender.observe(RunProgressed(50))
    sender.set_progress(1, 2, "resize")
    sender.observe(Logged("odd", {"value": object}))
    sender.close()

    for message in read_messages(pipe[0], dead):
        replay(message["event"], reporter)

    assert reporter.percents == [50]
    assert reporter.progress == {"resize": (1, 2)}
    assert reporter.logs == [("odd", {"value": "<class 'object'>"})]


def test_a_reader_that_is_gone_breaks_the_pipe(pipe: tuple[int, int]) -> None:
    """Whoever sends is told."""
    os.close(pipe[0])

    with pytest.raises(BrokenPipeError):
        Channel(pipe[1]).send({})


def test_what_is_not_an_event_is_refused() -> None:
    """It does not reach the reporter."""
    with pytest.raises(InvalidDocumentError):
        replay({"type": "Nonsense"}, MemoryReporter())


def test_a_forked_process_has_no_say(pipe: tuple[int, int]) -> None:
    """An exception in it may come as far as the code that sends the outcome."""
    channel = Channel(pipe[1])
    child = os.fork()
    if child == 0:
        channel.send({"outcome": {"exit": 1}})
        os._exit(0)
    os.waitpid(child, 0)
    channel.send({"outcome": {"result": 1}})

    assert list(read_messages(pipe[0], dead)) == [{"outcome": {"result": 1}}]
