"""The figures in bench/README.md: one table of targets, then a section for each suite."""

from collections.abc import Mapping, Sequence

TARGETS = "Targets"
HEAD = "| suite | target | measured | met |\n| --- | --- | --: | --- |"
NOT_MEASURED = "Not measured."


def rendered(titles: Sequence[str], sections: Mapping[str, str], targets: Sequence[str]) -> str:
    """Return figures as text: the targets, and the section of each title that there is."""
    table = "\n".join([HEAD, *targets]) if targets else "None for these suites."
    parts = [f"### {TARGETS}\n\n{table}\n"]
    parts += [f"### {title}\n\n{sections[title].strip()}\n" for title in titles if title in sections]
    return "\n".join(parts)


def merged(old: str, titles: Sequence[str], sections: Mapping[str, str], targets: Sequence[str]) -> str:
    """Return figures in which the suites that were measured have new ones, and all others those that they had.

    Args:
        old: The figures so far.
        titles: All suites, in their order.
        sections: Title of each suite that was measured to its text.
        targets: Lines of the table of targets of those suites.
    """
    kept = split(old)
    rows = [row for row in kept.pop(TARGETS, "").splitlines() if row.startswith("| ")][2:]
    by_suite = {title: [row for row in rows if suite_of(row) == title] for title in titles}
    by_suite |= {title: [row for row in targets if suite_of(row) == title] for title in sections}
    texts = {title: sections.get(title, kept.get(title, NOT_MEASURED)) for title in titles}
    return rendered(titles, texts, [row for title in titles for row in by_suite[title]])


def split(text: str) -> dict[str, str]:
    """Return the sections of figures by their titles."""
    parts = f"\n{text}".split("\n### ")[1:]
    return {title.strip(): body for title, _, body in (part.partition("\n") for part in parts)}


def suite_of(row: str) -> str:
    """Return the title of the suite that a line of the table of targets belongs to."""
    return row.split("|")[1].strip()
