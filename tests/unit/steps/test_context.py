import logging
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.steps import BaseStepContext, StepResult
from synapse_sdk.reporting import MemoryReporter
from tests.unit.steps.scripted import ScriptedStep, execute, new_context, observed_context, raising


class _DuckContext:
    """A runtime context of somebody else's: only the calls of the guide."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def log(self, event: str, data: dict[str, Any], file: str | None) -> None:
        self.calls.append(("log", event, data, file))

    def set_progress(self, current: float, total: float, category: str | None) -> None:
        self.calls.append(("progress", current, total, category))

    def set_metrics(self, value: dict[str, Any], category: str | None) -> None:
        self.calls.append(("metrics", value, category))


class _BrokenContext:
    """A runtime context that nothing can be said to."""

    def __init__(self) -> None:
        self.log = self.set_progress = self.set_metrics = raising(OSError("disk full"))


def _duck_context(**fields: Any) -> tuple[BaseStepContext, _DuckContext]:  # noqa: ANN401  # fields of the context
    duck = _DuckContext()
    return BaseStepContext(cast("RuntimeContext", duck), **fields), duck


def test_a_new_context_is_empty() -> None:
    """Only the runtime context must be given."""
    context = BaseStepContext(runtime_ctx=RuntimeContext())

    assert (context.step_results, context.errors, context.current_step) == ([], [], None)


def test_contexts_do_not_share_their_lists() -> None:
    """Two runs do not see each other's results."""
    first, second = new_context(), new_context()

    first.errors.append("boom")
    first.step_results.append(StepResult())

    assert (second.errors, second.step_results) == ([], [])


def test_the_fields_of_the_base_can_be_given() -> None:
    """As in the guide, all four are ordinary fields."""
    results, errors = [StepResult()], ["old"]

    context = BaseStepContext(RuntimeContext(), step_results=results, errors=errors, current_step="resume")

    assert (context.step_results, context.errors, context.current_step) == (results, errors, "resume")


def test_a_subclass_may_add_fields_without_defaults() -> None:
    """The guide's `GoodContext` has one."""

    @dataclass
    class GoodContext(BaseStepContext):
        config_path: str
        results: list[str] = field(default_factory=list)

    context = GoodContext(runtime_ctx=RuntimeContext(), config_path="config.toml")

    assert (context.config_path, context.results, context.errors) == ("config.toml", [], [])


def test_the_runs_private_state_is_not_part_of_the_data() -> None:
    """What a snapshot of the context sees are its fields only."""
    context = new_context()
    before = (repr(context), vars(context).keys() - {"_scope", "_sink_failures"})

    execute(ScriptedStep("a"), context=context)
    context.step_results.clear()

    assert (repr(context), vars(context).keys() - {"_scope", "_sink_failures"}) == before


def test_a_log_line_reaches_the_runtime_context_as_it_is() -> None:
    """Any object with the guide's three methods will do."""
    context, duck = _duck_context()

    context.log("saved", {"files": 3}, "out.json")
    context.log("done", {})

    assert duck.calls == [("log", "saved", {"files": 3}, "out.json"), ("log", "done", {}, None)]


@pytest.mark.parametrize("category", [None, ""])
def test_progress_and_metrics_without_a_category_belong_to_the_current_step(category: str | None) -> None:
    """Empty counts as not given."""
    context, duck = _duck_context(current_step="resize")

    context.set_progress(3, 4, category)
    context.set_metrics({"bytes": 7}, category)

    assert duck.calls == [("progress", 3, 4, "resize"), ("metrics", {"bytes": 7}, "resize")]


def test_a_category_is_passed_on() -> None:
    """Who names a category gets it."""
    context, duck = _duck_context(current_step="resize")

    context.set_progress(3, 4, category="overall")
    context.set_metrics({"bytes": 7}, category="overall")

    assert duck.calls == [("progress", 3, 4, "overall"), ("metrics", {"bytes": 7}, "overall")]


def test_outside_a_step_there_is_no_category() -> None:
    """None is passed on, as in the guide."""
    context, duck = _duck_context()

    context.set_progress(3, 4)
    context.set_metrics({"bytes": 7})

    assert duck.calls == [("progress", 3, 4, None), ("metrics", {"bytes": 7}, None)]


def test_the_orchestrator_sets_the_category_for_each_step() -> None:
    """Key behaviour 2 of the guide: auto-category."""
    context, duck = _duck_context()

    def report(context: BaseStepContext) -> StepResult:
        context.set_progress(1, 2)
        context.set_metrics({"n": 1})
        return StepResult()

    execute(ScriptedStep("a", does=report), ScriptedStep("b", does=report), context=context)

    assert duck.calls == [
        ("progress", 1, 2, "a"),
        ("metrics", {"n": 1}, "a"),
        ("progress", 1, 2, "b"),
        ("metrics", {"n": 1}, "b"),
    ]


def test_an_empty_work_list_may_report_none_of_none() -> None:
    """`(0, 0)` is passed on and is not an error."""
    context, duck = _duck_context(current_step="a")

    context.set_progress(0, 0)

    assert duck.calls == [("progress", 0, 0, "a")]
    assert context.sink_failures.counts == {}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ((5, 4), (4, 4)),
        ((-1, 4), (0, 4)),
        ((1, -4), (0, 0)),
        ((float("nan"), 4), (0, 4)),
        ((1, float("nan")), (0, 0)),
        ((float("inf"), 4), (4, 4)),
    ],
)
def test_progress_out_of_range_is_clamped_and_reported(
    said: tuple[float, float], shown: tuple[float, float], caplog: pytest.LogCaptureFixture
) -> None:
    """A miscounting step neither fails nor confuses whoever watches; the log says so once."""
    context, duck = _duck_context(current_step="a")

    context.set_progress(*said)
    context.set_progress(*said)

    assert duck.calls == [("progress", *shown, "a")] * 2
    assert context.sink_failures.counts == {"progress of a step": 2}
    assert caplog.text.count("step 'a' reported progress") == 1


@pytest.mark.parametrize("said", [("three", 4), (None, None), (object(), 4), (float("inf"), float("inf"))])
def test_progress_that_is_no_number_never_fails_a_step(said: tuple[Any, Any]) -> None:
    """It is counted like any other failure of reporting."""
    context = new_context()

    def report(context: BaseStepContext) -> StepResult:
        context.set_progress(*said)
        return StepResult()

    assert execute(ScriptedStep("a", does=report), context=context)["success"] is True


def test_a_broken_sink_never_fails_a_step(caplog: pytest.LogCaptureFixture) -> None:
    """Logs, progress and metrics may all be refused; each kind is logged once, with its cause, and then summed up."""
    context = BaseStepContext(cast("RuntimeContext", _BrokenContext()))

    def report(context: BaseStepContext) -> StepResult:
        for _ in range(3):
            context.log("event", {})
            context.set_progress(1, 2)
            context.set_metrics({"n": 1})
        return StepResult()

    result = execute(ScriptedStep("a", does=report), context=context)

    assert result["success"] is True
    for sink in ("log sink", "progress sink", "metrics sink"):
        assert caplog.text.count(f"The {sink} failed, and the run goes on") == 1
        assert caplog.text.count(f"The {sink} failed 3 times during the run") == 1
    assert caplog.text.count("OSError: disk full") == 3


def test_a_context_without_a_runtime_context_runs() -> None:
    """A step can be tested with `None` for all services."""
    context = BaseStepContext(cast("RuntimeContext", None))

    def report(context: BaseStepContext) -> StepResult:
        context.log("event", {})
        context.set_progress(1, 2)
        context.set_metrics({"n": 1})
        return StepResult()

    assert execute(ScriptedStep("a", does=report), context=context)["success"] is True


def test_even_a_logger_that_raises_never_fails_a_run() -> None:
    """The place where reporting failures are told may itself be broken."""

    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError(28, "No space left on device")

    logger, handler = logging.getLogger("synapse_sdk.steps"), Broken()
    logger.addHandler(handler)
    try:
        result = execute(ScriptedStep("a"), ScriptedStep("b"), progress_callback=raising(ValueError("no")))
    finally:
        logger.removeHandler(handler)

    assert result["success"] is True


def test_a_step_can_be_tested_alone() -> None:
    """Outside a run a context keeps undo entries and saved progress to itself."""
    context = new_context()

    context.record_undo(path="a")
    context.record_undo(path="b", size=3)
    context.save_progress(offset=1, part="x")
    context.save_progress(offset=2)

    assert context.undo_log == [{"path": "a"}, {"path": "b", "size": 3}]
    assert context.saved_progress == {"offset": 2, "part": "x"}


def test_what_was_recorded_before_a_run_does_not_leak_into_it() -> None:
    """A run starts with a clean slate."""
    context = new_context()
    context.record_undo(path="old")
    context.save_progress(offset=1)
    seen: list[object] = []

    def look(context: BaseStepContext) -> StepResult:
        seen.extend([list(context.undo_log), dict(context.saved_progress)])
        return StepResult()

    execute(ScriptedStep("a", does=look), context=context)

    assert seen == [[], {}]


def test_a_reporter_sees_what_a_step_says() -> None:
    """With our own runtime context everything reaches the reporter."""
    context, reporter = observed_context()

    def report(context: BaseStepContext) -> StepResult:
        context.log("resized", {"path": "cat.jpg"})
        context.set_progress(1, 4)
        context.set_metrics({"bytes": 7})
        context.set_metrics({"files": 1})
        return StepResult()

    execute(ScriptedStep("a", does=report), context=context)

    assert reporter.logs == [("resized", {"path": "cat.jpg"})]
    assert reporter.progress == {"a": (1, 4)}
    assert reporter.metrics == {"a": {"bytes": 7, "files": 1}}


def test_a_hundred_thousand_reports_keep_nothing_but_the_last() -> None:
    """Progress costs the same however often and by however many categories it is reported (E8)."""

    class LastOnly(MemoryReporter):
        def set_progress(self, current: float, total: float, category: str | None) -> None:
            self.progress[category] = (current, total)

    reporter = LastOnly()
    context = BaseStepContext(RuntimeContext(reporter=reporter))

    def report(context: BaseStepContext) -> StepResult:
        for number in range(100_000):
            context.set_progress(number + 1, 100_000)
        return StepResult()

    execute(ScriptedStep("a", does=report), context=context)

    assert reporter.progress == {"a": (100_000, 100_000)}
    assert reporter.percents == list(range(1, 101))
