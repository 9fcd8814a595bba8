"""Apache Hamilton: N functions are N nodes of a graph, executed by the default driver in this process.

modes
  chain  node i depends on node i-1
  wide   N independent nodes
"""

import itertools
import os
import sys
import types

from _common import Bench

os.environ["HAMILTON_TELEMETRY_ENABLED"] = "false"
bench = Bench("hamilton", modes=("chain", "wide"), repeat=5)
sys.setrecursionlimit(10**6)
with bench.importing():
    from hamilton import base, driver
bench.version_of("sf-hamilton")
ran = [0]
serial = itertools.count()


def build(n):
    ran[0] = 0
    source = ["def s0() -> int:\n    _ran[0] += 1\n    return 0\n"]
    for i in range(1, n):
        argument, value = ("", "0") if bench.mode == "wide" else (f"s{i - 1}: int", f"s{i - 1} + 1")
        source.append(f"def s{i}({argument}) -> int:\n    _ran[0] += 1\n    return {value}\n")
    module = types.ModuleType(f"ham_{n}_{next(serial)}")
    module.__dict__["_ran"] = ran
    module.__file__ = os.path.join(bench.dir, module.__name__ + ".py")  # Hamilton reads the source
    with open(module.__file__, "w") as file:
        file.write("\n".join(source))
    exec(compile("\n".join(source), module.__file__, "exec"), module.__dict__)
    for value in list(module.__dict__.values()):
        if callable(value):
            value.__module__ = module.__name__
    sys.modules[module.__name__] = module
    graph = driver.Builder().with_modules(module).with_adapters(base.DictResult()).build()
    return graph, [f"s{i}" for i in (range(n) if bench.mode == "wide" else [n - 1])]


def run(obj):
    graph, wanted = obj
    return graph.execute(wanted)


def check(returned, obj, n):
    assert ran[0] == n, (ran[0], n)


bench.measure(build, run, check)
bench.emit()
