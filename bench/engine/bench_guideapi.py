"""Any engine with the guide's API: BaseStep, StepResult, StepRegistry, Orchestrator, BaseStepContext.

    python bench_guideapi.py --dist synapse-sdk             the existing implementation, in its own environment
    python bench_guideapi.py --label ours [--path FOLDER]   ours; --path puts a source folder first on the import path

modes
  plain     N steps that do nothing but count
  rollback  the last step fails; n or n-1 rollbacks are noted
  skip      every step is skipped
  wrapped   LoggingStep(TimingStep(step))
  insert    the registry is built by insert_after (see build_s)
  report    each step also calls context.set_progress 10 times
"""

import sys

from _common import Bench

MODES = ("plain", "rollback", "skip", "wrapped", "insert", "report")
bench = Bench(
    "guide-api",
    modes=MODES,
    repeat=10,
    extra={
        "--module": {"default": "synapse_sdk.plugins.steps"},
        "--dist": {"help": "distribution whose version is noted"},
        "--path": {"help": "folder put first on the import path"},
        "--label": {"help": "name in the record"},
    },
)
if bench.args.path:
    sys.path.insert(0, bench.args.path)
with bench.importing():
    import importlib

    steps = importlib.import_module(bench.args.module)
if bench.args.dist:
    bench.version_of(bench.args.dist)
bench.note(engine=bench.args.label or bench.args.dist or bench.args.module)

from dataclasses import dataclass  # after the timed import, which may need it too  # noqa: E402

mode, StepResult = bench.mode, steps.StepResult


class Runtime:
    """Takes what a runtime context takes, and only counts."""

    logger = None
    job_id = None
    calls = 0

    def log(self, *args, **kwargs):
        Runtime.calls += 1

    set_progress = set_metrics = log


@dataclass
class Context(steps.BaseStepContext):
    ran: int = 0
    rolled_back: int = 0


class CountingStep(steps.BaseStep):
    def __init__(self, i, last=False):
        self._name, self._last = f"s{i}", last

    @property
    def name(self):
        return self._name

    @property
    def progress_weight(self):
        return 1.0

    def execute(self, context):
        context.ran += 1
        return StepResult()

    def rollback(self, context, result):
        context.rolled_back += 1


class SkippedStep(CountingStep):
    def can_skip(self, context):
        return True


class LastFailsStep(CountingStep):
    def execute(self, context):
        context.ran += 1
        return StepResult(success=False, error="boom") if self._last else StepResult()


class ReportingStep(CountingStep):
    def execute(self, context):
        context.ran += 1
        for i in range(10):
            context.set_progress(i, 10)
        return StepResult()


STEP = {"skip": SkippedStep, "rollback": LastFailsStep, "report": ReportingStep}.get(mode, CountingStep)


def build(n):
    registry, wrap = steps.StepRegistry(), lambda step: step
    if mode == "wrapped":
        utils = importlib.import_module(bench.args.module + ".utils")

        def wrap(step):
            return utils.LoggingStep(utils.TimingStep(step))

    for i in range(n):
        step = wrap(STEP(i, last=i == n - 1))
        if mode == "insert" and i:
            registry.insert_after(f"s{i - 1}", step)
        else:
            registry.register(step)
    context = Context(runtime_ctx=Runtime())
    return steps.Orchestrator(
        registry=registry, context=context, progress_callback=lambda current, total: None
    ), context


def run(obj):
    try:
        return obj[0].execute()
    except RuntimeError:
        if mode != "rollback":
            raise


def check(returned, obj, n):
    context = obj[1]
    assert context.ran == (0 if mode == "skip" else n), context.ran
    if mode == "rollback":
        assert context.rolled_back in (n, n - 1), context.rolled_back
        bench.note(rollbacks=context.rolled_back)


bench.measure(build, run, check)
bench.emit()
