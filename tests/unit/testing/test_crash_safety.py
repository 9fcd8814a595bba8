"""`assert_crash_safe` lets safe actions pass, and finds what is wrong with others."""

import http.server
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from synapse_sdk.plugins import BaseAction, run_action
from synapse_sdk.testing import Status, assert_crash_safe, snapshot_tree
from synapse_sdk.testing.crash_moments import Moment, least_tried, moments_of, spread
from synapse_sdk.testing.trees import difference
from tests.unit.testing import crash_actions
from tests.unit.testing.crash_actions import SafeAction

if TYPE_CHECKING:
    from collections.abc import Callable

    from synapse_sdk.journal import Journal
    from synapse_sdk.testing import CrashReport, FaultProxy

PLUGIN = {
    "config.yaml": """
name: Words
code: words
actions:
  write:
    entrypoint: words:WriteAction
""",
    "words.py": """
from pathlib import Path
from pydantic import BaseModel, SecretStr
from synapse_sdk.plugins import BaseAction, run_action
from synapse_sdk.plugins.steps import BaseStep, StepResult

class Params(BaseModel):
    file: Path
    word: SecretStr

class Write(BaseStep):
    name = "write"
    progress_weight = 1.0
    def __init__(self, params):
        self.params = params
    def execute(self, context):
        context.record_undo()
        self.params.file.write_text(self.params.word.get_secret_value() + context.runtime_ctx.env.get_str("END", ""))
        return StepResult()
    def rollback(self, context, result):
        self.params.file.unlink(missing_ok=True)

class WriteAction(BaseAction[Params]):
    def setup_steps(self, registry):
        registry.register(Write(self.params))
""",
}


def test_a_safe_action_passes_at_every_moment(crash_safe: "Callable[..., CrashReport]", tmp_path: Path) -> None:
    """Forward and backward, and each recovery as well; nothing outside of the sandbox is touched."""
    report = crash_safe(SafeAction)

    assert report.left_out == 0
    assert report.cases > 50
    assert {"undo.recorded", "rollback.stepped", "run.restored", "progress.saved"} <= report.kills.keys()
    assert {path.name for path in tmp_path.iterdir()} == {"crash"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ForgetfulAction", ["run with a failure after 'write_files'", "should not be there: two.txt"]),
        ("TardyAction", ["killed at journal.commit", "then rolled back", "should not be there: one.txt"]),
        ("OnlyOnceAction", ["the run is rollback_incomplete", "No such file or directory: 'one.txt'"]),
        ("RepeatingAction", ["killed at journal.commit", "then resumed", "  changed: one.txt"]),
        ("FailingAction", ["Undisturbed, the run fails", "there is no result"]),
        ("DyingAction", ["Undisturbed, the run fails", "ended by itself, with code 3"]),
        ("change_always", ["Two undisturbed runs lead to different worlds", "changed: now.txt"]),
        ("append_word", ["run with a failure after 'append_word'", "should not be there: words.txt"]),
    ],
)
def test_an_action_that_is_not_safe_is_found_out(name: str, told: list[str]) -> None:
    """The message says where it was killed, what was done then, and what is wrong with the world."""
    params = {"file": "words.txt", "word": "hello"}

    with pytest.raises(AssertionError) as failure:
        assert_crash_safe(getattr(crash_actions, name), params if name == "append_word" else {})

    assert [part for part in told if part not in str(failure.value)] == []


def test_an_action_without_steps_that_changes_something_is_found_out() -> None:
    """There is nothing that could take its effects back."""
    with pytest.raises(AssertionError, match="should not be there: made"):
        assert_crash_safe(crash_actions.SteplessAction)


def test_an_action_that_takes_too_long_is_ended() -> None:
    """No test waits for ever."""
    with pytest.raises(AssertionError, match=r"not done within 0\.5 seconds"):
        assert_crash_safe(crash_actions.EndlessAction, timeout=0.5)


def test_nothing_goes_on_when_the_test_is_killed(tmp_path: Path) -> None:
    """The run that was under way ends as well."""
    script = "from tests.unit.testing.crash_actions import EndlessAction as E; from synapse_sdk.testing import *; "
    script += f"assert_crash_safe(E, sandbox={str(tmp_path)!r})"
    pid = tmp_path / "world" / "pid"

    with subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[3]) as process:
        wait_until(pid.exists)
        process.kill()

    wait_until(lambda: not is_alive(int(pid.read_text(encoding="utf-8"))))


def wait_until(is_so: "Callable[[], bool]") -> None:
    """Wait until something is so, which takes a moment in another process."""
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether there is a process, one that has ended and is not waited for aside."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_plugin_with_secrets_and_settings_is_tried_in_a_copy_of_a_folder(tmp_path: Path) -> None:
    """Parameters may depend on where the copy is; the folder itself stays as it is."""
    for name, text in PLUGIN.items():
        (tmp_path / "words" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "words" / name).write_text(text, encoding="utf-8")
    (tmp_path / "world").mkdir()
    (tmp_path / "world" / "other.txt").write_text("mine", encoding="utf-8")
    before = snapshot_tree(tmp_path / "world")

    report = assert_crash_safe(
        (tmp_path / "words", "write"),
        lambda folder: {"file": str(folder / "word.txt"), "word": "hush"},
        world=tmp_path / "world",
        env={"END": "!"},
        sandbox=tmp_path / "sandbox",
        limit=4,
    )

    assert report.left_out > 0
    assert (tmp_path / "sandbox/world/other.txt").read_text(encoding="utf-8") == "mine"
    assert snapshot_tree(tmp_path / "world") == before


def test_a_world_may_be_more_than_a_folder(tmp_path: Path) -> None:
    """What makes it anew and what looks at it run in the test."""
    resets: list[Path] = []

    def make(folder: Path) -> None:
        resets.append(folder)
        (folder / "one.txt").write_text("there before", encoding="utf-8")

    report = assert_crash_safe(
        crash_actions.write_nothing,
        world=make,
        look=lambda folder: (folder / "one.txt").read_text(encoding="utf-8"),
        limit=3,
        sandbox=tmp_path,
    )

    assert len(resets) >= report.cases
    assert set(resets) == {tmp_path / "world"}


def test_what_another_process_cannot_find_or_load_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is tried."""

    class Inner(BaseAction[dict[str, Any]]):
        pass

    with pytest.raises(ValueError, match="write it at the top of a module"):
        assert_crash_safe(Inner)
    monkeypatch.setattr(crash_actions.not_an_action, "__module__", "__main__")
    with pytest.raises(ValueError, match="in a script"):
        assert_crash_safe(crash_actions.not_an_action)
    monkeypatch.undo()
    with pytest.raises(RuntimeError, match="is not an action"):
        assert_crash_safe(crash_actions.not_an_action)
    with pytest.raises(RuntimeError, match="PluginNotFoundError"):
        assert_crash_safe((str(tmp_path / "nowhere"), "write"))
    with pytest.raises(ValueError, match="is not a folder"):
        assert_crash_safe(SafeAction, world=tmp_path / "nowhere")


def test_moments_are_spread_evenly_and_over_all_failpoints() -> None:
    """The first and the last of each are among them."""
    moments = moments_of(["run.created", *["journal.commit", "journal.committed"] * 50])

    chosen = spread(moments, 11)

    assert len(chosen) == 11
    assert [each.hit for each in chosen if each.name == "journal.commit"] == [1, 13, 25, 37, 50]
    assert Moment("run.created", 1, 1) in chosen
    assert spread(moments, 200) == moments
    assert len(spread(moments, 1)) == 1


def test_recoveries_die_in_turn_at_every_failpoint() -> None:
    """And not always at the same hit of it."""
    tried: Counter[str] = Counter()
    died = []
    for _ in range(6):
        moment = least_tried(["journal.commit", "rollback.step", "journal.commit"], tried)
        assert moment is not None
        tried[moment.name] += 1
        died.append((moment.name, moment.hit))

    assert died[::2] == [("journal.commit", 1), ("journal.commit", 2), ("journal.commit", 1)]
    assert set(died[1::2]) == {("rollback.step", 1)}
    assert least_tried([], tried) is None


def test_a_run_can_be_journalled_in_memory(synapse_journal: "Journal") -> None:
    """For tests that look at what was recorded."""
    run_action(crash_actions.NothingAction, {}, journal=synapse_journal)

    assert [run.status for run in synapse_journal.runs()] == ["succeeded"]


def test_requests_can_be_made_to_fail(fault_proxy: "Callable[..., FaultProxy]") -> None:
    """The proxy listens as long as the test runs."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        proxy = fault_proxy("127.0.0.1", server.server_port)
        proxy.faults(Status(503))
        with pytest.raises(urllib.error.HTTPError, match="503") as failure:
            urllib.request.urlopen(proxy.url, timeout=10)  # noqa: S310  # an address of our own
        failure.value.close()
        server.shutdown()
        thread.join()


def test_an_action_in_a_file_that_nobody_can_import_is_found(tmp_path: Path) -> None:
    """As tests are, which pytest loads by their path."""
    path = tmp_path / "odd.py"
    path.write_text("from tests.unit.testing.crash_actions import NothingAction\nclass Odd(NothingAction): pass\n")
    spec = spec_from_file_location("odd", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["odd"] = module_from_spec(spec)
    spec.loader.exec_module(module)

    assert assert_crash_safe(module.Odd, limit=2).cases > 0

    path.write_text("import os; os._exit(7)\n")
    with pytest.raises(RuntimeError, match="ended by itself"):
        assert_crash_safe(module.Odd)
    del sys.modules["odd"]


def test_worlds_of_any_kind_are_compared() -> None:
    """What is different is said in a line for each thing, or as a whole."""
    assert difference({"a": "1"}, {"a": "1"}) == ""
    assert difference([1], [2]) == "  wanted: [1]\n  found: [2]"
