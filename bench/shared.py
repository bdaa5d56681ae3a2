"""What the ways share: the template, and in the work folder people's values and blank forms."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

TEMPLATE, LAYOUT = "charte-cession-eleve", "police-10"
PEOPLE, BLANK = "people.json", "blank-{}.pdf"
Values = dict[str, Any]  # of one person: "variant", and "values" by name of merge field


def keep(work: Path, people: Iterable[Values], name: str = PEOPLE) -> None:
    """Write people's values down."""
    (work / name).write_text(json.dumps(list(people), ensure_ascii=False), encoding="utf-8")


def people(work: Path, count: int) -> list[Values]:
    """Read so many people, evenly spread over the school."""
    kept: list[Values] = json.loads((work / PEOPLE).read_text(encoding="utf-8"))
    return [kept[n * len(kept) // count] for n in range(count)]


def size(folder: Path) -> int:
    """Add up the files of a folder."""
    return sum(path.stat().st_size for path in folder.iterdir())
