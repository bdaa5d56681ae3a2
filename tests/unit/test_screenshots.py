"""The pictures of screens: each that a page names is taken by the command, and small."""

import re
from pathlib import Path

from samples.screenshots import SHOTS, TARGET

ROOT = Path(__file__).resolve().parents[2]
MOST, MOST_IN_ALL = 120_000, 3_000_000  # bytes


def test_every_picture_of_a_screen_is_named_by_a_page_and_taken_by_the_command() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = {
        (page.parent / link).resolve()
        for page in pages
        for link in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    there = set((ROOT / TARGET).iterdir())
    shots = [ROOT / TARGET / f"{shot.name}.png" for shot in SHOTS]
    assert len(set(shots)) == len(shots)
    assert there == set(shots)
    assert there == {path for path in named if path.parent == ROOT / TARGET}


def test_pictures_of_screens_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (ROOT / TARGET).iterdir()}
    assert {name for name, size in sizes.items() if size > MOST} == set()
    assert sum(sizes.values()) < MOST_IN_ALL
