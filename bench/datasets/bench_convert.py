#!/usr/bin/env python3
"""Measure conversions: wall seconds, CPU seconds, peak memory, images a second, and what came out.

    bench_convert.py [--tool all] [--task coco2yolo] [--images 1000] [--repeat 3] [--limit-s 600] [--limit-gb 8]

Lists are comma-separated; --task table stands for the five tasks of the published table. Run it with the Python of the `limit`
environment. Data is made on demand. With several tools the runs go round and round, so that a noisy neighbour hits all alike;
compare CPU within a round (report.py does). One JSON line a run is appended to BENCH_RESULTS.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import tools

PAGE = os.sysconf("SC_PAGE_SIZE")
TABLE = ("coco2yolo", "yolo2coco", "coco2voc", "dm2yolo", "dm2coco")


def prepare(count: int, layouts: set[str]) -> Path:
    """The folder of the generated data, with at least these layouts."""
    data = tools.DATA / f"plain-{count}"
    if missing := sorted(n for n in layouts if not (data / ".complete" / n).exists()):
        print(f"generating {count} images: {', '.join(missing)}", file=sys.stderr)
        subprocess.run(
            [
                sys.executable,
                tools.HERE / "gen_coco.py",
                "--images",
                str(count),
                "--out",
                data,
                "--layouts",
                ",".join(missing),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return data


class Watch(threading.Thread):
    """Samples the memory of a process tree and stops it at a limit.

    peak: most resident bytes, as the kernel counts them (the high-water mark of the first process, the sampled sum of the tree).
    private: the same without pages of files, so a mapped input does not count.

    Looks are cheap, since they are taken while the conversion runs, which may need every processor: of the processes of
    this machine, each is asked once who started it.
    """

    def __init__(self, process: subprocess.Popen, limit_s: float, limit_gb: float):
        super().__init__(daemon=True)
        self.process, self.limit_s, self.limit_bytes = process, limit_s, limit_gb * 1e9
        self.peak = self.private = 0
        self.stopped_for = None
        self.over = threading.Event()
        self.tree, self.seen = {str(process.pid)}, set()

    def run(self):
        began = time.perf_counter()
        while not self.over.wait(0.02):
            self.sample()
            if self.peak > self.limit_bytes:
                self.stopped_for = f"over {self.limit_bytes / 1e9:g} GB"
            elif time.perf_counter() - began > self.limit_s:
                self.stopped_for = f"over {self.limit_s:g} s"
            if self.stopped_for:
                os.killpg(self.process.pid, signal.SIGKILL)
                return

    def sample(self):
        for name in os.listdir("/proc"):
            if name.isdigit() and name not in self.seen:
                self.seen.add(name)
                after_name = read(f"/proc/{name}/stat").rpartition(") ")[2].split()
                if after_name and after_name[1] in self.tree:
                    self.tree.add(name)
        resident = private = 0
        for name in self.tree:
            if fields := read(f"/proc/{name}/statm").split():
                resident += int(fields[1]) * PAGE
                private += (int(fields[1]) - int(fields[2])) * PAGE
        status = read(f"/proc/{self.process.pid}/status").splitlines()
        high_water = next((int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")), 0)
        self.peak = max(self.peak, high_water, resident)
        self.private = max(self.private, private)


def read(path: str) -> str:
    """What a file of the kernel says; nothing if the process has ended."""
    try:
        with open(path) as f:
            return f.read()
    except OSError:
        return ""


def measure(tool: str, task: str, count: int, o) -> dict:
    """Run one conversion and describe it."""
    source = tools.TOOLS[tool].source(task)
    data, out = prepare(count, {source}), tools.DATA / f"out-{os.getpid()}"
    shutil.rmtree(out, ignore_errors=True)
    warm_page_cache(data / source)
    load, began = os.getloadavg()[0], time.perf_counter()
    process = subprocess.Popen(
        tools.command(tool, task, data, out),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=tools.environment(),
        process_group=0,
    )
    watch, said = Watch(process, o.limit_s, o.limit_gb), {}
    readers = [
        threading.Thread(target=lambda k=k: said.update({k: getattr(process, k).read().decode(errors="replace")}))
        for k in ("stdout", "stderr")
    ]
    for thread in (*readers, watch):
        thread.start()
    _, status, usage = os.wait4(process.pid, 0)  # CPU of the whole tree; nobody else may wait for this process
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.over.set()
    for thread in (*readers, watch):
        thread.join()
    finished = process.returncode == 0 or (tools.TOOLS[tool].venv is None and process.returncode in tools.FINISHED)
    result = {
        "tool": tool,
        "task": task,
        "images": count,
        "rc": 0 if finished else process.returncode,
        "wall_s": round(wall, 3),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_mb": round(watch.peak / 1e6, 1),
        "private_mb": round(watch.private / 1e6, 1),
        "images_s": round(count / wall, 1),
        "load_before": round(load, 2),
    }
    if not finished:
        result["why"] = f"stopped: {watch.stopped_for}" if watch.stopped_for else tools.last_error(said["stderr"])[:300]
    elif tools.TOOLS[tool].venv:
        result |= json.loads(said["stdout"].strip().splitlines()[-1])
    result |= count_output(task, out)
    shutil.rmtree(out, ignore_errors=True)
    return result


def warm_page_cache(source: Path) -> None:
    for path in source.glob("*.json"):
        with open(path, "rb") as f:
            while f.read(1 << 20):
                pass


def count_output(task: str, out: Path) -> dict:
    """Files and objects, counted from what was written."""
    kind = task.partition("2")[2]
    files = rows = 0
    if kind in ("yolo", "yoloseg"):
        for path in out.rglob("*.txt"):
            if "labels" in path.parts:
                files, rows = files + 1, rows + sum(1 for line in path.read_bytes().splitlines() if line.strip())
    elif kind == "voc":
        for path in out.rglob("*.xml"):
            files, rows = files + 1, rows + path.read_bytes().count(b"<object>")
    elif kind == "coco":
        for path in out.rglob("*.json"):
            d = json.loads(path.read_bytes())
            if isinstance(d, dict) and "annotations" in d and "images" in d:
                files, rows = files + len(d["images"]), rows + len(d["annotations"])
    elif kind == "dm":
        for path in out.rglob("json/*.json"):
            d = json.loads(path.read_bytes())
            files, rows = files + 1, rows + len(d["images"][0]["bounding_box"])
    return {"files": files, "rows": rows} if kind else {}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument(
        "--tool", default="all", help=f"of {', '.join(tools.TOOLS)}; all: every installed one that is not slow"
    )
    ap.add_argument("--task", default="coco2yolo", help=f"of {', '.join(sorted(tools.TASKS))}, or table")
    ap.add_argument("--images", default="1000", help="sizes of the data sets")
    ap.add_argument("--repeat", type=int, default=3)
    ap.add_argument("--limit-s", type=float, default=600)
    ap.add_argument("--limit-gb", type=float, default=8)
    o = ap.parse_args()
    tasks = [task for name in o.task.split(",") for task in (TABLE if name == "table" else [name])]
    if unknown := set(tasks) - tools.TASKS:
        ap.error(f"unknown task {', '.join(sorted(unknown))}")
    tools.RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for count in map(int, o.images.split(",")):
        for task in tasks:
            chosen = tools.choose(o.tool, task)
            prepare(count, {tools.TOOLS[t].source(task) for t in chosen})
            for round_number in range(o.repeat):
                for tool in chosen:
                    if round_number and tools.TOOLS[tool].slow:
                        continue
                    result = measure(tool, task, count, o)
                    with open(tools.RESULTS, "a") as f:
                        f.write(json.dumps(result) + "\n")
                    print(" ".join(f"{k}={v}" for k, v in result.items()), flush=True)


if __name__ == "__main__":
    main()
