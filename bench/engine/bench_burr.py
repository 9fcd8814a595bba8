"""Apache Burr: N actions in a linear state machine.

modes
  chain  N distinct actions
  loop   one action N times
"""

import os

from _common import Bench

os.environ |= {"BURR_TELEMETRY_ENABLED": "false", "HAMILTON_TELEMETRY_ENABLED": "false"}
bench = Bench("burr", modes=("chain", "loop"), repeat=3)
with bench.importing():
    from burr.core import ApplicationBuilder, State, action, default, expr
    from burr.core.action import Action
bench.version_of("apache-burr")


@action(reads=["n"], writes=["n"])
def step(state: State) -> State:
    return state.update(n=state["n"] + 1)


class Done(Action):
    @property
    def reads(self):
        return []

    @property
    def writes(self):
        return []

    def run(self, state):
        return {}

    def update(self, result, state):
        return state


def build(n):
    names = ["step"] if bench.mode == "loop" else [f"s{i}" for i in range(n)]
    if bench.mode == "loop":
        transitions = [("step", "step", expr(f"n < {n}")), ("step", "done", default)]
    else:
        transitions = list(zip(names, [*names[1:], "done"], strict=True))
    builder = ApplicationBuilder().with_actions(**dict.fromkeys(names, step), done=Done())
    return builder.with_transitions(*transitions).with_state(n=0).with_entrypoint(names[0]).build()


def run(application):
    return application.run(halt_before=["done"])


def check(returned, application, n):
    assert application.state["n"] == n, application.state["n"]


bench.measure(build, run, check)
bench.emit()
