"""What the ways share, in the work folder: the template, people's values and blank forms."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docgen import library
from docgen.library import Template
from docgen.manifest import Layout

TEMPLATE, LAYOUT = "charte-cession-eleve", "police-10"
SHELF, PEOPLE, BLANK = "templates", "people.json", "blank-{}.pdf"
Values = dict[str, Any]  # of one person: "variant", and "values" by name of merge field


def copy_templates(work: Path) -> None:
    """Copy the templates: the text stays the same for a whole run, whoever edits it meanwhile."""
    shutil.copytree(library.SHELF, work / SHELF)


def charter(work: Path) -> tuple[Template, Layout]:
    """Load the template and the layout that every way prints."""
    template = library.load(TEMPLATE, work / SHELF)
    return template, template.manifest.layout(LAYOUT)


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
