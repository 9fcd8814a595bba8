"""The limit in memory: what Python itself charges, from a bare loop up to the least that does what the guide shows.

modes
  call          for f in functions: f()    N distinct functions, each counts itself
  call-empty    the same with `def f(): pass`: loop and call, nothing else
  call-ctx      f(context)
  guide-result  f(context) returning the guide's dataclass StepResult (two dicts, datetime.now())
  slot-result   f(context) returning a slotted result (dicts made on use, time_ns)
  naive         the guide's flow written down word for word (properties, can_skip, try, append, progress)
  limit-none    what one step cannot do without: name, skip test, execute, result, success test, progress when the whole
                percent changes; everything else is computed before the loop; steps return None, which stands for one
                shared result
  limit-result  the same, each step returns a fresh slotted result: THE limit for an engine with the guide's API
  rollback      limit-none whose last step fails, then the N-1 rollbacks in reverse order
"""

from _common import Bench

MODES = (
    "call",
    "call-empty",
    "call-ctx",
    "guide-result",
    "slot-result",
    "naive",
    "limit-none",
    "limit-result",
    "rollback",
)
bench = Bench("python-floor", modes=MODES, repeat=20)
with bench.importing():
    import time
    from dataclasses import dataclass, field
    from datetime import datetime
bench.note(version=bench.record["python"])
mode = bench.mode


@dataclass
class GuideResult:
    success: bool = True
    data: dict = field(default_factory=dict)
    error: str | None = None
    rollback_data: dict = field(default_factory=dict)
    skipped: bool = False
    timestamp: datetime = field(default_factory=datetime.now)


class SlotResult:
    __slots__ = ("_data", "_rollback_data", "error", "skipped", "success", "time_ns")

    def __init__(self, success=True, data=None, error=None, rollback_data=None, skipped=False, _now=time.time_ns):
        self.success = success
        self._data = data
        self.error = error
        self._rollback_data = rollback_data
        self.skipped = skipped
        self.time_ns = _now()


class Context:
    def __init__(self):
        self.ran = self.rolled_back = 0
        self.step_results = []
        self.current_step = None


class Base:
    def can_skip(self, context):
        return False

    def rollback(self, context, result):
        context.rolled_back += 1


class PropertyStep(Base):
    """A step as the guide writes it."""

    def __init__(self, i):
        self._name = f"s{i}"

    @property
    def name(self):
        return self._name

    @property
    def progress_weight(self):
        return 1.0

    def execute(self, context):
        context.ran += 1
        return GuideResult()


class NoneStep(Base):
    def __init__(self, i, fails=False):
        self.name, self.progress_weight, self.fails = f"s{i}", 1.0, fails

    def execute(self, context):
        context.ran += 1
        if self.fails:
            raise ValueError(self.name)


class ResultStep(NoneStep):
    def execute(self, context):
        context.ran += 1
        return SlotResult()


def naive(steps, context, progress):
    total, done, executed = sum(s.progress_weight for s in steps), 0.0, []
    for step in steps:
        context.current_step = step.name
        if step.can_skip(context):
            result = GuideResult(skipped=True)
        else:
            try:
                result = step.execute(context)
            except Exception as error:  # noqa: BLE001  # as the guide has it
                result = GuideResult(success=False, error=str(error))
            executed.append((step, result))
        context.step_results.append(result)
        if not result.success:
            raise RuntimeError(result.error)
        done += step.progress_weight
        progress(int(done / total * 100), 100)
    context.current_step = None


def planned(steps):
    """(name, can_skip or None, execute, percent or None) of each step; None where nothing is to be done."""
    total, weight, shown, plan = sum(s.progress_weight for s in steps), 0.0, 0, []
    for step in steps:
        weight += step.progress_weight
        percent = int(weight / total * 100 + 1e-9)
        can_skip = None if type(step).can_skip is Base.can_skip else step.can_skip
        plan.append((step.name, can_skip, step.execute, percent if percent != shown else None))
        shown = percent
    return plan


SHARED = SlotResult()


def limit(plan, context, progress):
    append, shared = context.step_results.append, SHARED
    for name, can_skip, execute, percent in plan:
        context.current_step = name
        if can_skip is not None and can_skip(context):
            append(SlotResult(skipped=True))
        else:
            result = execute(context)
            if result is None:
                result = shared
            append(result)
            if not result.success:
                raise RuntimeError(result.error)
        if percent is not None:
            progress(percent, 100)
    context.current_step = None


def build(n):
    if mode in ("call", "call-empty"):
        body = "C[0] += 1" if mode == "call" else "pass"
        names = {"C": [0]}
        exec("\n".join(f"def f{i}(): {body}" for i in range(n)), names)
        return [names[f"f{i}"] for i in range(n)], names["C"]
    context = Context()
    if mode in ("call-ctx", "guide-result", "slot-result"):
        made = {"call-ctx": None, "guide-result": GuideResult, "slot-result": SlotResult}[mode]

        def plain(context):
            context.ran += 1

        def with_result(context):
            context.ran += 1
            return made()

        return [plain if made is None else with_result] * n, context
    if mode == "naive":
        return [PropertyStep(i) for i in range(n)], context
    kind = ResultStep if mode == "limit-result" else NoneStep
    steps = [kind(i, fails=mode == "rollback" and i == n - 1) for i in range(n)]
    return (planned(steps), steps), context


def no_progress(current, total):
    pass


def run(obj):
    work, context = obj
    if mode in ("call", "call-empty"):
        for f in work:
            f()
    elif mode in ("call-ctx", "guide-result", "slot-result"):
        for f in work:
            f(context)
    elif mode == "naive":
        naive(work, context, no_progress)
    elif mode == "rollback":
        plan, steps = work
        try:
            limit(plan, context, no_progress)
        except ValueError:
            for i in range(len(context.step_results) - 1, -1, -1):
                steps[i].rollback(context, context.step_results[i])
    else:
        limit(work[0], context, no_progress)


def check(returned, obj, n):
    context = obj[1]
    if mode == "call":
        assert context[0] == n, context
    elif mode != "call-empty":
        assert context.ran == n, context.ran
        assert context.rolled_back == (n - 1 if mode == "rollback" else 0), context.rolled_back


bench.measure(build, run, check)
bench.emit()
