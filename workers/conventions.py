"""Word documents, made."""

import tempfile
from pathlib import Path
from typing import Any

import msgspec

from docgen.backoffice import conventions, store
from docgen.backoffice.models import Conversion
from docgen.backoffice.queue import WORD, app
from docgen.datafolder import data_folder, page_code_key
from docgen.errors import Problem
from docgen.wordpaper import Paper
from workers.children import Limits, Say
from workers.working import Make, work_on

# LibreOffice is given a minute at each start, and two seconds more for each document; Celery ends
# a task after 900 s.
LIMITS = Limits(memory=1500 * 2**20, processor=600, wall=800, file=512 * 2**20)


@app.task(name=f"docgen.{WORD}")
def convert_word(identifier: str) -> None:
    """Make the documents that wait; the identifier only says that there are some."""
    work_on(Conversion, _begin, _finish, conventions.fail, LIMITS)


def _begin(row: Conversion) -> Make:
    wanted = conventions.request(row)
    model = b"".join(store.blocks(row.model)) if row.model else b""
    stamp = conventions.stamp(row, page_code_key(data_folder()))

    def make(say: Say, folder: Path) -> dict[str, Any]:
        tempfile.tempdir = str(folder)  # what LibreOffice leaves behind goes with the folder
        return conventions.write(wanted, model, folder, stamp)

    return make


def _finish(row: Conversion, facts: dict[str, Any], folder: Path) -> bool:
    if "missing" in facts:
        return conventions.wait(row, [Problem(*each) for each in facts["missing"]])
    files = {name: store.keep(folder / "out" / name) for name in facts["names"]}
    papers = msgspec.convert(facts["papers"], list[Paper])
    kept = [(paper, store.keep(folder / "out" / paper.file)) for paper in papers]
    return conventions.finish(row, files, kept)
