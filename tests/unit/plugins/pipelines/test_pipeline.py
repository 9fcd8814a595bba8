"""Several actions as one run: what happens, in which order, and what is recorded of it."""

from typing import Any

import pytest

from synapse_sdk.errors import JournalFullError, PlanChangedError, RunEndedError, StepFailedError
from synapse_sdk.journal import MemoryJournal, read_state
from synapse_sdk.plugins import (
    RuntimeContext,
    cancel_run,
    describe_run,
    follow_run,
    resume_run,
    rollback_run,
    run_action,
)
from synapse_sdk.plugins.journalling import create_run, journalled
from synapse_sdk.plugins.pipelines import ActionPipeline, Part
from synapse_sdk.plugins.runner import execute_durably
from synapse_sdk.plugins.steps import BaseStep, BaseStepContext, StepRegistry, StepResult
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import RunFinished, RunStarted, StepStarted
from synapse_sdk.testing import FakeClock
from tests.unit.plugins.durable_runs import DeathError, MortalJournal
from tests.unit.plugins.pipelines.actions import HAPPENED, GatherAction, TrainingAction, UseAction

RUN = "7f3a00112233"
FAILING = ActionPipeline([GatherAction, TrainingAction, Part(action=UseAction, params={"fails": True})])
WHOLE = ActionPipeline([GatherAction, UseAction], name="nesting")


def dead_in_second_action() -> MortalJournal:
    """Return the journal of a run of `WHOLE` whose process has died when its second action was about to begin."""
    journal = MortalJournal(FakeClock())
    action = WHOLE.action({}, RuntimeContext(job_id=RUN))

    def die(_number: int, _count: int, name: str) -> None:
        if name == "use":
            journal.die()

    action.progress_callback = die
    create_run(journal, RUN, WHOLE.action, {})
    with pytest.raises(DeathError), journalled(journal, RUN) as durable:
        execute_durably(action, durable)
    journal.come_back()
    return journal


@pytest.fixture(autouse=True)
def _nothing_has_happened() -> None:
    HAPPENED.clear()


def test_actions_run_one_after_the_other_and_forget_when_all_are_done() -> None:
    """Each commits at its own end; what only undoing needs is dropped at the end of the whole."""
    result = run_action(WHOLE.action, {}, job_id=RUN)

    assert result.results["use"] == "used tree"
    assert result.results["gather"].count == 3
    assert [
        "look",
        "gather 3",
        "commit gather",
        "use tree",
        "commit use",
        f"forget gather of {RUN}-gather",
        f"forget use of {RUN}-use",
    ] == HAPPENED


def test_a_failing_action_undoes_those_before_it_the_last_one_first() -> None:
    """Also those that had committed; nothing was forgotten meanwhile."""
    with pytest.raises(StepFailedError, match="Step 'use' failed: Step 'use' failed: it is to fail"):
        FAILING.execute()

    done, undone = HAPPENED[: HAPPENED.index("use tree") + 1], HAPPENED[HAPPENED.index("use tree") + 1 :]
    assert done == ["look", "gather 3", "commit gather", "train with {}", "use tree"]
    assert undone == ["undo use tree", "undo gather 3", "undo look"]


def test_the_callback_hears_of_each_action_that_begins() -> None:
    """Its number, how many there are, its name; what it raises harms nobody."""
    heard: list[tuple[int, int, str]] = []

    def hear(number: int, count: int, name: str) -> None:
        heard.append((number, count, name))
        raise RuntimeError

    WHOLE.execute(progress_callback=hear)

    assert heard == [(1, 2, "gather"), (2, 2, "use")]


def test_the_bar_moves_with_the_steps_of_each_action_by_its_weight() -> None:
    """And is full when the whole has come to its end."""
    reporter = MemoryReporter()
    parts = [Part(action=GatherAction, weight=0.8), Part(action=UseAction, weight=0.2)]

    ActionPipeline(parts).execute(ctx=RuntimeContext(reporter=reporter))

    assert reporter.percents == [40, 80, 99, 100]


def test_those_who_watch_see_the_steps_of_an_action_within_its_own() -> None:
    """A run within a step, with a start and an end."""
    reporter = MemoryReporter()

    WHOLE.execute(ctx=RuntimeContext(reporter=reporter, job_id=RUN))

    told = [event for event in reporter.events if isinstance(event, RunStarted | StepStarted | RunFinished)]
    shown = [getattr(event, "step", getattr(event, "within", "end")) for event in told]
    assert shown == [None, "gather", "gather", "look", "gather", "end", "use", "use", "use", "end", "end"]
    assert {event.run_id for event in told if isinstance(event, RunStarted)} == {RUN, f"{RUN}-gather", f"{RUN}-use"}


def test_a_pipeline_is_one_run_in_the_journal() -> None:
    """Its actions are its steps, and each has its own."""
    journal = MemoryJournal()

    run_action(WHOLE.action, {}, journal=journal, job_id=RUN)

    (record,) = journal.runs()
    report = describe_run(RUN, journal=journal)
    assert (record.source.action, str(record.status)) == ("nesting", "succeeded")
    assert {step.name: [inner.name for inner in step.steps] for step in report.steps} == {
        "gather": ["look", "gather"],
        "use": ["use"],
    }


def test_a_recorded_pipeline_is_replayed_as_it_was_seen() -> None:
    """By whoever watches from another process."""
    journal, reporter = MemoryJournal(), MemoryReporter()

    with pytest.raises(StepFailedError):
        run_action(WHOLE.action, {"use": {"fails": True}}, journal=journal, reporter=reporter, job_id=RUN)

    kinds = (RunStarted, StepStarted, RunFinished)
    replayed = [event for event in follow_run(RUN, journal=journal, waits=False) if isinstance(event, kinds)]
    seen = [event for event in reporter.events if isinstance(event, kinds)]
    assert [(type(each), getattr(each, "step", None), getattr(each, "within", None)) for each in replayed] == [
        (type(each), getattr(each, "step", None), getattr(each, "within", None)) for each in seen
    ]


def test_a_resumed_pipeline_goes_on_with_the_action_that_was_running() -> None:
    """With the parameters that it had, and the results of those before it."""
    journal = dead_in_second_action()
    HAPPENED.clear()

    result = resume_run(RUN, journal=journal, action=WHOLE.action)

    assert result.results["use"] == "used tree"
    assert HAPPENED[:2] == ["use tree", "commit use"]


def test_ctrl_c_in_an_action_undoes_all_of_them() -> None:
    """And goes on as what it is."""
    journal = MemoryJournal()

    class Pressed(TrainingAction):
        def execute(self) -> dict[str, Any]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_action(ActionPipeline([GatherAction, Pressed, UseAction]).action, {}, journal=journal, job_id=RUN)

    assert HAPPENED[-2:] == ["undo gather 3", "undo look"]
    assert str(journal.run(RUN).status) == "rolled_back"


def test_a_pipeline_that_was_cancelled_while_it_was_dead_is_undone() -> None:
    """Also if somebody resumes it."""
    journal = dead_in_second_action()
    cancel_run(RUN, journal=journal, by="a test")

    with pytest.raises(RunEndedError):
        resume_run(RUN, journal=journal, action=WHOLE.action)

    assert HAPPENED[-2:] == ["undo gather 3", "undo look"]
    assert str(journal.run(RUN).status) == "rolled_back"


def test_what_begun_actions_were_given_does_not_change_any_more() -> None:
    """The author may mend what has not begun."""
    journal = dead_in_second_action()
    mended = ActionPipeline(
        [Part(action=GatherAction, params={"count": 9}), Part(action=UseAction, params={"note": "well"})]
    )

    rolled_back = resume_run(RUN, journal=journal, action=mended.action)

    assert rolled_back.results["gather"].count == 3
    assert HAPPENED[-2:] == [f"forget gather of {RUN}-gather", f"forget use of {RUN}-use"]
    assert "use tree well" in HAPPENED


def test_actions_are_undone_also_when_nothing_more_can_be_recorded() -> None:
    """By what had been recorded until then."""
    journal = MortalJournal(FakeClock())

    class DiskFull(TrainingAction):
        def execute(self) -> dict[str, Any]:
            journal.broken = [JournalFullError("The disk of the journal is full")] * 100
            msg = "no room"
            raise OSError(msg)

    with pytest.raises(StepFailedError):
        run_action(ActionPipeline([GatherAction, DiskFull]).action, {}, journal=journal, job_id=RUN)

    assert HAPPENED[-2:] == ["undo gather 3", "undo look"]


def test_what_an_action_could_not_undo_is_undone_later() -> None:
    """The pipeline counts as not undone until then, and its other actions are."""
    journal, stuck = MemoryJournal(), [True]

    class Stuck(GatherAction):
        def setup_steps(self, registry: StepRegistry[Any]) -> None:
            super().setup_steps(registry)
            registry.register(StuckStep(stuck))

    pipeline = ActionPipeline([GatherAction, Stuck, Part(action=UseAction, params={"nest": "x", "fails": True})])
    with pytest.raises(StepFailedError):
        run_action(pipeline.action, {}, journal=journal, job_id=RUN)
    first = describe_run(RUN, journal=journal)
    stuck.clear()

    record = rollback_run(RUN, journal=journal, action=pipeline.action)

    assert str(first.status) == "rollback_incomplete"
    assert first.leftovers == {"stuck": "Action 'stuck' is not undone as a whole: step 'stick': it is stuck"}
    assert str(record.status) == "rolled_back"
    assert HAPPENED.count("undo gather 3") == 2


def test_an_action_with_other_steps_than_at_first_is_not_gone_on_with() -> None:
    """Nor is anything undone, until somebody says so."""
    journal = MortalJournal(FakeClock())

    class Dying(GatherAction):
        has_more = False

        def setup_steps(self, registry: StepRegistry[Any]) -> None:
            super().setup_steps(registry)
            registry.register(DyingStep(journal))
            if self.has_more:
                registry.register(StuckStep([]))

    pipeline = ActionPipeline([GatherAction, Dying])
    with pytest.raises(DeathError):
        run_action(pipeline.action, {}, journal=journal, job_id=RUN)
    journal.come_back()
    Dying.has_more = True

    with pytest.raises(PlanChangedError, match="steps of the action"):
        resume_run(RUN, journal=journal, action=pipeline.action)

    assert "undo look" not in HAPPENED
    assert str(journal.run(RUN).status) == "running"
    resume_run(RUN, journal=journal, action=pipeline.action, force=True)
    assert str(journal.run(RUN).status) == "succeeded"


class StuckStep(BaseStep[BaseStepContext]):
    """Cannot be undone as long as there is something in a list."""

    name, progress_weight = "stick", 0.1

    def __init__(self, stuck: list[bool]) -> None:
        self._stuck = stuck

    def execute(self, context: BaseStepContext) -> StepResult:
        """Do nothing."""
        return StepResult()

    def rollback(self, context: BaseStepContext, result: StepResult) -> None:
        """Raise, or do nothing."""
        if self._stuck:
            msg = "it is stuck"
            raise ValueError(msg)


class DyingStep(BaseStep[BaseStepContext]):
    """Dies when it is executed for the first time."""

    name, progress_weight = "die", 0.1

    def __init__(self, journal: MortalJournal) -> None:
        self._journal = journal

    def execute(self, context: BaseStepContext) -> StepResult:
        """Die, or do nothing."""
        if not self._journal.was_dead:
            self._journal.die()
        return StepResult()


def test_secrets_are_written_nowhere() -> None:
    """Neither as parameters of the run nor as what is needed to undo an action."""
    journal = MemoryJournal()

    run_action(WHOLE.action, {"use": {"key": "s3cret"}}, journal=journal, job_id=RUN)

    assert journal.run(RUN).source.hidden == ("use",)
    written = journal.run(RUN).source.params + "".join(frame.text for frame in journal.frames(RUN))
    assert "s3cret" not in written


def test_a_pipeline_in_a_pipeline_is_undone_with_it() -> None:
    """Its parts are parts of parts."""
    inner = ActionPipeline([GatherAction, UseAction], name="inner")
    fails = Part(action=UseAction, name="last", params={"nest": "${inner.results.gather.place}", "fails": True})
    journal = MemoryJournal()

    with pytest.raises(StepFailedError):
        run_action(ActionPipeline([inner.action, fails]).action, {}, journal=journal, job_id=RUN)

    assert HAPPENED[-4:] == ["undo use tree", "undo use tree", "undo gather 3", "undo look"]
    state = read_state(journal, RUN)
    assert str(state.parts["inner"].parts["gather"].status) == "rolled_back"


def test_actions_inside_a_pipeline_in_a_pipeline_forget_at_the_end_of_the_whole() -> None:
    """Not at the end of the inner one."""
    inner = ActionPipeline([GatherAction, UseAction], name="inner")
    last = Part(action=UseAction, name="last", params={"nest": "hole"})

    run_action(ActionPipeline([inner.action, last]).action, {}, job_id=RUN)

    assert [each for each in HAPPENED if each.startswith(("forget", "use"))] == [
        "use tree",
        "use hole",
        f"forget gather of {RUN}-inner-gather",
        f"forget use of {RUN}-inner-use",
        f"forget use of {RUN}-last",
    ]
