import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
TOO_DEAR = {"asyncio", "logging", "json", "concurrent.futures", "signal", "threading", "traceback", "pydantic"}


def _loaded_by(statement: str) -> set[str]:
    """Return the modules that a fresh interpreter has after a statement and had not before."""
    program = (
        "import sys\nsys.path.insert(0, '.')\nbefore = set(sys.modules)\n"
        f"{statement}\nloaded = set(sys.modules) - before\nimport json\nprint(json.dumps(sorted(loaded)))"
    )
    child = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(child.stdout))


def test_the_engine_loads_the_standard_library_alone() -> None:
    """It starts in a script as in a service."""
    roots = {name.partition(".")[0] for name in _loaded_by("import synapse_sdk.plugins.steps")}

    assert roots - sys.stdlib_module_names == {"synapse_sdk"}


def test_the_engine_loads_nothing_that_most_runs_do_not_need() -> None:
    """Each of these costs more than the engine itself."""
    loaded = _loaded_by("import synapse_sdk.plugins.steps")

    assert loaded & TOO_DEAR == set()


def test_the_package_itself_loads_nothing() -> None:
    """`synapse_sdk.__version__` is free."""
    assert _loaded_by("import synapse_sdk") == {"synapse_sdk"}


def test_public_names_of_the_engine_are_all_there() -> None:
    """Those that are loaded on use, too; and no others."""
    loaded = _loaded_by(
        "import synapse_sdk.plugins.steps as steps\n"
        "for name in steps.__all__:\n    assert getattr(steps, name).__name__ == name\n"
        "try:\n    steps.Nothing\nexcept AttributeError as error:\n    assert 'Nothing' in str(error)\n"
        "else:\n    raise SystemExit('Nothing is there')"
    )

    assert {"synapse_sdk.plugins.steps.plan", "synapse_sdk.plugins.steps.rollback"} <= loaded
