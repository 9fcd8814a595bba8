"""The converters under comparison: where each is installed, what it can do, how one conversion is started.

Directories come from the environment, relative to the current folder by default:
BENCH_VENVS (.bench/venvs), BENCH_DATA (.bench/data), BENCH_RESULTS (.bench/results.jsonl).
Our own command line is BENCH_SYNAPSE, else the `synapse` beside the running Python, else the one on PATH.
"""

import os
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENVS = Path(os.environ.get("BENCH_VENVS", ".bench/venvs")).absolute()
DATA = Path(os.environ.get("BENCH_DATA", ".bench/data")).absolute()
RESULTS = Path(os.environ.get("BENCH_RESULTS", ".bench/results.jsonl")).absolute()

BOXES = frozenset({"coco2yolo", "coco2voc", "yolo2coco"})
DM = frozenset({"dm2yolo", "dm2coco", "coco2dm", "yolo2dm"})
READING = frozenset({"read_stdlib", "read_orjson", "read_msgspec", "copy_images", "link_images"})
TASKS = BOXES | DM | READING | {"coco2yoloseg", "voc2coco"}


@dataclass(frozen=True)
class Tool:
    """One converter in one configuration."""

    tasks: frozenset[str]
    venv: str | None = None
    """Folder below BENCH_VENVS; None for our own command line."""
    coco: str = "coco"
    """Folder of the generated data that it reads in tasks from COCO."""
    yolo: str = "yolo"
    slow: bool = False
    """Run once, whatever --repeat says, and only when named."""

    @property
    def python(self) -> Path:
        return VENVS / (self.venv or "limit") / "bin/python"

    def source(self, task: str) -> str:
        """Name of the data folder that `task` reads."""
        if task in READING:
            return "coco"
        name = task.split("2")[0]
        return {"coco": self.coco, "yolo": self.yolo}.get(name, name)


TOOLS = {
    "limit": Tool(READING, "limit"),
    "limit-orjson": Tool(BOXES | DM | {"coco2yoloseg"}, "limit"),
    "limit-same": Tool(frozenset({"coco2voc", "dm2yolo"}), "limit"),
    "limit-msgspec": Tool(frozenset({"coco2yolo"}), "limit"),
    "limit-raw": Tool(frozenset({"coco2yolo", "coco2yoloseg"}), "limit"),
    "limit-ijson": Tool(frozenset({"coco2yolo"}), "limit"),
    "datumaro": Tool(BOXES, "datumaro", "datumaro_coco", "datumaro_yolo"),
    "datumaro-stream": Tool(BOXES, "datumaro", "datumaro_coco", "datumaro_yolo"),
    "globox": Tool(BOXES, "globox"),
    "supervision-boxes": Tool(BOXES, "supervision", "coco_boxes"),
    "supervision": Tool(BOXES, "supervision", slow=True),
    "pylabel": Tool(BOXES, "pylabel", slow=True),
    "fiftyone": Tool(BOXES, "fiftyone", slow=True),
    "fiftyone-seg": Tool(frozenset({"coco2yolo"}), "fiftyone", slow=True),
    "existing-r1": Tool(DM, "existing-r1"),
    "existing-r2": Tool(DM, "existing-r2"),
    "existing-r2-boxes": Tool(frozenset({"coco2dm"}), "existing-r2", "coco_boxes"),
    "synapse": Tool(TASKS - READING),
    "synapse-alone": Tool(TASKS - READING),
    "synapse-hardlink": Tool(TASKS - READING),
}

# ---- our own converter: the one place to change when its command line changes -----------------------------------
FORMAT_ARGUMENTS = {
    "coco": ["coco"],
    "yolo": ["yolo"],
    "voc": ["voc"],
    "dm": ["dm_v2"],
    "yoloseg": ["yolo", "--task", "segment"],  # boxes (detect) are taken to be the default task
}
FINISHED = {0, 3}  # 3: finished, with losses in the report


def synapse_arguments(task: str, source: Path, out: Path, images: str) -> list[str]:
    """`synapse dataset convert SRC DST --from coco --to yolo --images none`."""
    given, wanted = task.split("2")
    return [
        *synapse_command(),
        "dataset",
        "convert",
        str(source),
        str(out),
        "--from",
        *FORMAT_ARGUMENTS[given],
        "--to",
        *FORMAT_ARGUMENTS[wanted],
        "--images",
        images,
    ]


def synapse_command() -> list[str]:
    beside = Path(sys.executable).parent / "synapse"
    return shlex.split(os.environ.get("BENCH_SYNAPSE", "")) or [str(beside) if beside.exists() else "synapse"]


# ------------------------------------------------------------------------------------------------------------------


def command(name: str, task: str, data: Path, out: Path) -> list[str]:
    """The command line that converts one generated data set `data` into the folder `out`."""
    tool = TOOLS[name]
    if tool.venv is None:
        images = "hardlink" if name.endswith("hardlink") else "none"
        alone = ["--processes", "1"] if name.endswith("alone") else []
        return synapse_arguments(task, data / tool.source(task), out, images) + alone
    return [str(tool.python), str(HERE / "convert_one.py"), name, task, str(data / tool.source(task)), str(out)]


def environment() -> dict[str, str]:
    """Variables for a conversion: quiet peers, two threads, no telemetry.

    FiftyOne starts a database of its own, unless FIFTYONE_DATABASE_URI names one that runs.
    """
    return {
        "PYTHONWARNINGS": "ignore",
        "OMP_NUM_THREADS": "2",
        "FIFTYONE_DO_NOT_TRACK": "1",
        "FIFTYONE_DATABASE_VALIDATION": "false",
        "FIFTYONE_DATABASE_DIR": str(DATA / "fiftyone"),
        **os.environ,
    }


def last_error(stderr: str) -> str:
    """The line of a Python traceback that names the exception, else the last line."""
    lines = stderr.strip().splitlines() or ["no message"]
    errors = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Assertion\w*|NotFound\w*)\b", line)]
    return errors[-1] if errors else lines[-1]


def is_installed(name: str) -> bool:
    """Whether the tool can be started here."""
    tool = TOOLS[name]
    return shutil.which(synapse_command()[0]) is not None if tool.venv is None else tool.python.exists()


def choose(names: str, task: str) -> list[str]:
    """The tools of a comma-separated list that know `task`; 'all' means every installed one that is not slow."""
    if names == "all":
        return [n for n, t in TOOLS.items() if task in t.tasks and not t.slow and is_installed(n)]
    chosen = names.split(",")
    if unknown := [n for n in chosen if n not in TOOLS]:
        raise SystemExit(f"unknown tool {', '.join(unknown)}; known: {', '.join(TOOLS)}")
    if missing := [n for n in chosen if not is_installed(n)]:
        raise SystemExit(
            f"not installed: {', '.join(missing)} (run setup_venvs.sh, or set BENCH_VENVS or BENCH_SYNAPSE)"
        )
    return [n for n in chosen if task in TOOLS[n].tasks]
