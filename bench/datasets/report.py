#!/usr/bin/env python3
"""Print the results as Markdown tables: report.py [RESULTS]

Wall, CPU and memory are the best of the runs. `x limit` is the median over the rounds of CPU(tool) / CPU(limit-orjson), both taken
from the same round, so that load on the machine cancels out.
"""

import json
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import tools

COLUMNS = (
    "| tool | wall s | CPU s | peak MB | private MB | images/s | x limit | files | rows | runs |\n|---|" + "---:|" * 9
)


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else tools.RESULTS
    groups, ratios, limit = defaultdict(lambda: defaultdict(list)), defaultdict(list), {}
    for line in path.read_text().splitlines():
        r = json.loads(line)
        key = r["task"], r["images"]
        groups[key][r["tool"]].append(r)
        if r["rc"] == 0 and r["tool"] == "limit-orjson":
            limit[key] = r["cpu_s"]
        if r["rc"] == 0 and key in limit:
            ratios[*key, r["tool"]].append(r["cpu_s"] / limit[key])
    for (task, count), runs in sorted(groups.items()):
        print(f"\n### {task}, {count:,} images\n\n{COLUMNS}")
        for tool, results in runs.items():
            print(row(tool, count, results, ratios[task, count, tool]))


def row(tool, count, results, ratios):
    good = [r for r in results if r["rc"] == 0]
    if not good:
        return f"| {tool} | {results[-1].get('why', 'failed')} " + "| " * 8 + "|"
    wall, cpu, peak, private = (
        min(r.get(k, float("nan")) for r in good) for k in ("wall_s", "cpu_s", "peak_mb", "private_mb")
    )
    ratio = f"{statistics.median(ratios):.1f}" if ratios else ""
    return (
        f"| {tool} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {private:.0f} | {count / wall:,.0f} | {ratio} | "
        f"{good[-1].get('files', '')} | {good[-1].get('rows', '')} | {len(results)} |"
    )


if __name__ == "__main__":
    main()
