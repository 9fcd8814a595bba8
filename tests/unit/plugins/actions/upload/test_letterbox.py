"""How the thread that decides hears of what others have done."""

import threading
from functools import partial

import pytest

from synapse_sdk.plugins.actions.upload.crew import Crew
from synapse_sdk.plugins.actions.upload.letterbox import Letterbox

LONG = 60.0
"""Seconds that nobody waits for."""


def test_notes_come_in_the_order_in_which_they_were_left() -> None:
    """None is lost, and none comes twice."""
    letterbox, done = Letterbox(), list[int]()
    for number in range(5):
        letterbox.post(partial(done.append, number))

    for note in letterbox.collect(0.0, expected=0):
        note()

    assert done == [0, 1, 2, 3, 4]
    assert list(letterbox.collect(0.0, expected=0)) == []


@pytest.mark.parametrize(("expected", "posted"), [(1, 1), (3, 1), (16, 4), (64, 16)])
def test_a_part_of_what_is_expected_is_enough(expected: int, posted: int) -> None:
    """Whoever waits is woken by the note that makes them enough, however the threads take turns."""
    letterbox = Letterbox()
    others = [threading.Thread(target=letterbox.post, args=(list,)) for _ in range(posted)]
    for other in others:
        other.start()

    found = len(list(letterbox.collect(LONG, expected)))

    for other in others:
        other.join()
    assert found + len(list(letterbox.collect(0.0, 0))) == posted


def test_an_urgent_note_does_not_wait_for_others() -> None:
    """There is something to decide: more can be sent now."""
    letterbox = Letterbox()
    other = threading.Thread(target=letterbox.post, args=(list,), kwargs={"is_urgent": True})
    other.start()

    assert len(list(letterbox.collect(LONG, expected=64))) == 1
    other.join()


def test_a_crew_ends_what_was_begun_and_begins_nothing_else() -> None:
    """When it is dismissed, nobody is at work any more."""
    crew, gate, begun, done = Crew(1, is_inline=False), threading.Event(), threading.Event(), list[str]()

    def work() -> None:
        begun.set()
        gate.wait(LONG)
        done.append("first")

    crew.do(work, is_long=False)
    crew.do(lambda: done.append("second"), is_long=False)
    begun.wait(LONG)
    opener = threading.Timer(0.0, gate.set)
    opener.start()
    crew.dismiss()
    opener.join()

    assert done[0] == "first"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("upload_")]
