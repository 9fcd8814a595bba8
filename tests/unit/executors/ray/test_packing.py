from pathlib import Path

import pytest

from synapse_sdk.errors import ConfigurationError
from synapse_sdk.executors.ray.packing import pack, unpack


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """A plugin's folder, with what belongs there and what does not."""
    folder = tmp_path / "greeter"
    for name in (
        "config.yaml",
        "greeter/steps.py",
        "greeter/__pycache__/steps.pyc",
        ".git/config",
        "data/big.bin",
        "run.sh",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "run.sh").chmod(0o755)
    (folder / "linked.txt").symlink_to(folder / "config.yaml")
    return folder


def arrived(plugin: Path) -> dict[str, str]:
    """Return what arrives of a folder: names and content."""
    there = plugin.parent / "there"
    unpack(pack(plugin), there)
    return {path.relative_to(there).as_posix(): path.read_text() for path in there.rglob("*") if path.is_file()}


def test_a_folder_arrives_without_what_its_code_does_not_need(plugin: Path) -> None:
    """Links to files become files, and programs stay programs."""
    names = ("config.yaml", "greeter/steps.py", "data/big.bin", "run.sh")

    assert arrived(plugin) == {**{name: name for name in names}, "linked.txt": "config.yaml"}
    assert (plugin.parent / "there/run.sh").stat().st_mode & 0o111


def test_the_author_says_what_stays_behind(plugin: Path) -> None:
    """By name, by path and by pattern."""
    (plugin / ".synapseignore").write_text("# data\ndata/\n\n*.sh\ngreeter/st*.py\n.synapseignore\n")

    assert set(arrived(plugin)) == {"config.yaml", "linked.txt"}


def test_too_large_a_folder_is_refused(plugin: Path) -> None:
    """With its largest files, and the way out."""
    (plugin / "data/big.bin").write_bytes(b"x" * 2**21)

    with pytest.raises(
        ConfigurationError, match=r"2\.0 MiB\. 1\.0 MiB are allowed; the largest are data/big\.bin"
    ) as caught:
        pack(plugin, limit=2**20)

    assert ".synapseignore" in str(caught.value)


def test_what_cannot_be_read_is_named(plugin: Path) -> None:
    """It is no text, or it is gone."""
    (plugin / ".synapseignore").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        pack(plugin)
    with pytest.raises(ConfigurationError, match=r"cannot be sent to a cluster.*nowhere"):
        pack(plugin / "nowhere")
