import logging
from typing import Any

import pytest

from synapse_sdk.plugins.context import RuntimeContext
from synapse_sdk.plugins.environment import PluginEnvironment
from synapse_sdk.reporting import MemoryReporter
from synapse_sdk.reporting.events import Logged, LogLevel


@pytest.fixture
def reporter() -> MemoryReporter:
    """What keeps everything."""
    return MemoryReporter()


def test_it_is_made_of_nothing() -> None:
    """A script starts with this."""
    context = RuntimeContext()

    assert (context.job_id, context.client, context.checkpoint, context.reporter) == (None, None, None, None)


def test_what_it_is_given_is_there() -> None:
    """As it was given."""
    client, checkpoint = object(), {"id": 1, "path": "x"}

    context = RuntimeContext(job_id="job-1", client=client, checkpoint=checkpoint)

    assert (context.job_id, context.client, context.checkpoint) == ("job-1", client, checkpoint)


def test_a_log_line_reaches_the_reporter_with_all_its_parts(reporter: MemoryReporter) -> None:
    """As one event."""
    RuntimeContext(reporter=reporter).log("resize_failed", {"n": 1}, "cat.jpg", "resize", "warning")

    assert reporter.events == [Logged("resize_failed", {"n": 1}, LogLevel.WARNING, "cat.jpg", "resize")]


def test_a_log_line_is_kept_as_it_was(reporter: MemoryReporter) -> None:
    """The caller may go on changing its dictionary."""
    data = {"n": 1}
    RuntimeContext(reporter=reporter).log("counted", data)
    data["n"] = 2

    assert reporter.logs == [("counted", {"n": 1})]


def test_a_log_line_needs_no_particulars(reporter: MemoryReporter) -> None:
    """The word may say it all."""
    RuntimeContext(reporter=reporter).log("ready")

    assert reporter.logs == [("ready", {})]


def test_an_unknown_level_is_refused(reporter: MemoryReporter) -> None:
    """Rather than shown as something else."""
    with pytest.raises(ValueError, match="loud"):
        RuntimeContext(reporter=reporter).log("ready", level="loud")


def test_a_message_is_for_people(reporter: MemoryReporter) -> None:
    """With a level and a category."""
    RuntimeContext(reporter=reporter).log_message("Almost there", "success", "resize")

    assert reporter.events == [Logged("message", {"message": "Almost there"}, LogLevel.SUCCESS, None, "resize")]


@pytest.mark.parametrize("options", [{"category": "resize"}, {"step": "resize"}])
def test_progress_and_metrics_have_a_category(reporter: MemoryReporter, options: dict[str, Any]) -> None:
    """Which may be called `step`."""
    context = RuntimeContext(reporter=reporter)

    context.set_progress(1, 4, **options)
    context.set_metrics({"kept": 1}, **options)
    context.set_metrics({"lost": 2}, **options)

    assert reporter.progress == {"resize": (1, 4)}
    assert reporter.metrics == {"resize": {"kept": 1, "lost": 2}}


def test_without_a_reporter_logs_go_to_the_standard_library(caplog: pytest.LogCaptureFixture) -> None:
    """Progress and metrics are not shown."""
    context = RuntimeContext()
    caplog.set_level(logging.INFO, "synapse_sdk.run")

    context.log("photo_resized", {"path": "cat.jpg"})
    context.set_progress(1, 2)
    context.set_metrics({"n": 1})

    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "photo_resized" in record.getMessage()
    assert "cat.jpg" in record.getMessage()


def test_a_logger_of_ones_own_is_used(caplog: pytest.LogCaptureFixture) -> None:
    """For the lines that no reporter takes."""
    own = logging.getLogger("own")
    caplog.set_level(logging.INFO, "own")
    context = RuntimeContext(logger=own)

    context.log("ready", level="warning")

    assert context.logger is own
    assert [(record.name, record.levelno) for record in caplog.records] == [("own", logging.WARNING)]


def test_the_logger_writes_to_the_reporter(reporter: MemoryReporter) -> None:
    """A library that logs is seen beside the steps."""
    context = RuntimeContext(reporter=reporter)

    context.logger.warning("careful with %s", "cat.jpg")

    assert context.logger is context.logger
    (event,) = reporter.events
    assert isinstance(event, Logged)
    assert event.level is LogLevel.WARNING
    assert "careful with cat.jpg" in str(event.data)


def test_the_environment_is_that_of_the_process_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read on first use, and the same from then on."""
    monkeypatch.setenv("OWN_SETTING", "4")
    context = RuntimeContext()

    assert context.env.get_int("OWN_SETTING") == 4
    assert context.env is context.env


def test_an_environment_may_be_a_mapping_or_made() -> None:
    """A mapping gets the typed getters."""
    made = PluginEnvironment({"N": "4"})

    assert RuntimeContext(env={"N": "4"}).env.get_int("N") == 4
    assert RuntimeContext(env={}).env.to_dict() == {}
    assert RuntimeContext(env=made).env is made
