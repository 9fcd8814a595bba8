# ruff: noqa: INP001  # a script beside the picture that it makes
"""Record `synapse run` in a real terminal, and draw what was seen as `run.svg`.

Run it from the root of the repository, in an environment with the package; it needs tmux:

    .venv/bin/python docs/assets/record.py
"""

import html
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from rich.style import Style
from rich.text import Text

ROOT = Path(__file__).parents[2]
TARGET = Path(__file__).with_name("run.svg")
COLUMNS, LINES = 108, 22
COPIES = 8
"""How often the sample photos are put into the folder, so that there is something to see."""
EVERY = 0.12
"""Seconds between two looks at the terminal."""
LAST_FRAME = 6.0
"""Seconds for which the end stays, before the recording begins again."""
RUN = "synapse run image_report image_report --set input_dir=photos"
COMMANDS = (
    f"{RUN} --set output_dir=small",
    f"{RUN} --set output_dir=again --inject-failure resize_images",
    "ls again",
)
CHARACTER, LINE, MARGIN = 8.4, 18, 14
FOREGROUND, BACKGROUND = "#d8dee9", "#1f2430"
COLOURS = {1: "#f07178", 2: "#a6cc70", 3: "#ffcc66", 4: "#73b8ff", 5: "#d4a5ff", 6: "#5ccfe6", 8: "#707a8c"}
"""By their number in the terminal's palette."""
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

type Frame = tuple[Text, ...]
"""What the terminal shows: its lines."""


class Terminal:
    """A terminal in tmux, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._socket = str(folder / "tmux")
        variables = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(folder),
            "HISTFILE": "",
            "LANG": "C.UTF-8",
            "PS1": "$ ",
            "TERM": "tmux-256color",
        }
        pairs = [f"{name}={value}" for name, value in variables.items()]
        shell = shlex.join(["env", "-i", *pairs, "bash", "--norc", "--noprofile"])
        size = ["-x", str(COLUMNS), "-y", str(LINES)]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(folder), shell)

    def type(self, command: str) -> None:
        """Type a command and press Enter."""
        self._tmux("send-keys", "-l", command)
        self._tmux("send-keys", "Enter")

    def look(self) -> Frame:
        """Return what it shows."""
        shown = self._tmux("capture-pane", "-p", "-e")
        return tuple(Text.from_ansi(shown).split("\n"))  # in one piece: a colour goes on in the next line

    def close(self) -> None:
        """End it."""
        self._tmux("kill-server")

    def _tmux(self, *args: str) -> str:
        tmux = shutil.which("tmux")
        if tmux is None:
            sys.exit("Install tmux first")
        return subprocess.run([tmux, "-S", self._socket, *args], check=True, capture_output=True, text=True).stdout  # noqa: S603  # arguments of ours


def lay_out(folder: Path) -> None:
    """Put the plugin and the photos into a folder."""
    (folder / "image_report").symlink_to(ROOT / "examples" / "image_report")
    (folder / "photos").mkdir()
    for photo in (ROOT / "examples" / "photos").iterdir():
        if photo.suffix != ".md":
            shutil.copy(photo, folder / "photos")
            for number in range(2, COPIES + 1 if photo.stem != "clock" else 2):  # one broken file is enough
                shutil.copy(photo, folder / "photos" / f"{photo.stem}_{number}{photo.suffix}")


def record(terminal: Terminal) -> Iterator[tuple[float, Frame]]:
    """Yield each new sight of the terminal, with the second at which it came."""
    begin, seen = time.monotonic(), None
    for command in COMMANDS:
        terminal.type(command)
        done = False
        while not done:
            time.sleep(EVERY)
            frame = terminal.look()
            shown = [line.plain for line in frame if line]
            done = len(shown) > 1 and shown[-1].strip() == "$"
            if frame != seen:
                yield time.monotonic() - begin, frame
                seen = frame


def draw(frames: list[tuple[float, Frame]]) -> str:
    """Return the frames as an SVG that plays them; each line that differs is drawn once and used where it is shown."""
    numbers: dict[str, int] = {}  # of each line, as SVG
    pictures, styles = [], []
    begin, length = frames[0][0], frames[-1][0] - frames[0][0] + LAST_FRAME
    for index, (at, frame) in enumerate(frames):
        end = frames[index + 1][0] if index + 1 < len(frames) else begin + length
        first, last = (100 * (each - begin) / length for each in (at, end))
        used = [(row, numbers.setdefault(spans(line), len(numbers))) for row, line in enumerate(frame) if line]
        lines = "".join(f'<use href="#l{number}" y="{row * LINE}"/>' for row, number in used)
        pictures.append(f'<g class="f" id="f{index}">{lines}</g>')
        hidden, shown = "{opacity:0}", "{opacity:1}"
        steps = f"0%,{first:.2f}%{hidden}{first:.2f}%,{last:.2f}%{shown}{last:.2f}%,100%{hidden}"
        styles.append(f"@keyframes k{index}{{{steps}}}")
        styles.append(f"#f{index}{{animation-name:k{index}}}")
    width, height = COLUMNS * CHARACTER + 2 * MARGIN, LINES * LINE + 2 * MARGIN
    still = "@media (prefers-reduced-motion:reduce){.f{animation:none}" + f"#f{len(frames) - 1}{{opacity:1}}}}"
    definitions = "".join(f'<g id="l{number}">{line}</g>' for line, number in numbers.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" xml:space="preserve" role="img" '
        'aria-label="synapse run resizes photos, then fails on purpose and deletes what it had written">'
        f"<style>text{{font:14px {FONT};fill:{FOREGROUND};white-space:pre}}"
        f".f{{opacity:0;animation:{length:.2f}s step-end infinite}}{''.join(styles)}{still}</style>"
        f"<defs>{definitions}</defs>"
        f'<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>'
        f'<g transform="translate({MARGIN} {MARGIN + 13})">{"".join(pictures)}</g></svg>\n'
    )


def spans(text: Text) -> str:
    """Return a line as SVG text, a part for each style, each at its column and as wide as its columns are."""
    edges = sorted({0, len(text), *(edge for span in text.spans for edge in (span.start, span.end))})
    parts = []
    for first, last in pairwise(edges):
        words = text.plain[first:last]
        if words.strip():
            found = [span.style for span in text.spans if span.start <= first < span.end]
            look = attributes(Style.combine([Style(), *(style for style in found if isinstance(style, Style))]))
            size = f'x="{first * CHARACTER:g}" textLength="{len(words) * CHARACTER:g}"'
            parts.append(f"<text {size}{look}>{html.escape(words, quote=False)}</text>")
    return "".join(parts)


def attributes(style: Style) -> str:
    """Return what a style means in SVG."""
    fill = None if style.color is None or style.color.number is None else COLOURS.get(style.color.number)
    colour = f' style="fill:{fill}"' if fill else ""
    weight = ' font-weight="bold"' if style.bold else ""
    return colour + weight + (' opacity="0.5"' if style.dim else "")


def main() -> None:
    """Record, draw, write."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lay_out(folder)
        terminal = Terminal(folder)
        try:
            frames = list(record(terminal))
        finally:
            terminal.close()
    TARGET.write_text(draw(frames), encoding="utf-8")


if __name__ == "__main__":
    main()
