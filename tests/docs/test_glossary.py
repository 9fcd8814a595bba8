"""The glossary gives each word one meaning, and lists words that are in use."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
ENTRY = re.compile(r"^\| \*\*([\w -]+)\*\* \| (.+) \|$", re.MULTILINE)


def test_a_word_is_given_one_meaning() -> None:
    """No word is listed twice, and each meaning is a sentence."""
    entries = ENTRY.findall(GLOSSARY.read_text(encoding="utf-8"))
    words = [word for word, _ in entries]

    assert len(entries) > 20
    assert sorted(words) == sorted(set(words))
    assert [meaning for _, meaning in entries if not meaning.endswith(".")] == []


def test_words_of_the_glossary_are_in_use() -> None:
    """A word that neither code nor pages use is not ours to define."""
    files = (*(ROOT / "synapse_sdk").rglob("*.py"), *(ROOT / "docs").rglob("*.md"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in files if path != GLOSSARY).lower()

    words = [word for word, _ in ENTRY.findall(GLOSSARY.read_text(encoding="utf-8"))]

    assert [word for word in words if not re.search(rf"\b{word.replace(' ', '[ _]')}s?\b", text)] == []
