"""Every link within the repository leads somewhere, and every page can be reached."""

import re
import string
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "examples").rglob("*.md")))
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that the headings of a page have in the built site."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    kept = {*string.ascii_lowercase, *string.digits, "_", "-", " "}
    lowered = [heading.lower() for heading in HEADING.findall(text)]
    return {re.sub(r"[-\s]+", "-", "".join(sign for sign in heading if sign in kept).strip()) for heading in lowered}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """A relative link names a file that exists and, if it has an anchor, a heading of that file."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    links = [first or second for first, second in LINK.findall(text)]
    broken = []
    for link in (link for link in links if not re.match(r"[a-z]+:", link)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


def test_every_test_that_a_page_names_exists() -> None:
    """A promise without its test is only a word."""
    page = (DOCS / "explanation" / "guarantees.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[^`]+)`", page)

    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_page_of_the_site_is_in_its_menu() -> None:
    """A page that nobody can find is not documentation."""
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    menu = re.findall(r"[\w/-]+\.md", settings[settings.index("\nnav:") :])

    assert sorted(menu) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))
