"""Draw docs/images/rehearsal.svg from a rehearsal.

Run it with ``.venv/bin/python tools/draw_rehearsal.py``.
"""

from __future__ import annotations

import io
from pathlib import Path

from rich.terminal_theme import MONOKAI

from hookgate_cli.output import Console
from hookgate_cli.rehearse import EXAMPLE, RehearsalView
from hookgate_rehearsal.rehearse import Rehearsal
from hookgate_rehearsal.scenario.reader import read_scenario

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "rehearsal.svg"


def main() -> None:
    """Run the bundled example on a recording console."""
    console = Console(io.StringIO(), record=True, width=118, force_terminal=True)
    Rehearsal(scenario=read_scenario(EXAMPLE), observer=RehearsalView(console)).run(
        lambda _deployment: True
    )
    PICTURE.parent.mkdir(exist_ok=True)
    svg = console.export_svg(title="make rehearse", theme=MONOKAI)
    # Without @font-face the viewer uses its own font and downloads none.
    start, end = svg.index("@font-face"), svg.rindex("@font-face")
    end = svg.index("}", end) + 1
    PICTURE.write_text(svg[:start] + svg[end:], encoding="utf-8")


if __name__ == "__main__":
    main()
