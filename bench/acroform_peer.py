"""pypdf: the fields of a fillable form filled, a file for each person."""

import tempfile
from pathlib import Path

from pypdf import PdfReader, PdfWriter

from bench import shared
from bench.clock import Clock, Sample


def press(work: Path, count: int) -> Sample:
    """Fill so many forms and write each to its file.

    The blank form of a variant is read once, before the clock, and the same writer fills it for
    everybody: every field is set again each time, so nobody's value stays for the next.
    """
    people = shared.people(work, count)
    writers = {name: _writer(work, name) for name in {person["variant"] for person in people}}
    sides = 0
    with tempfile.TemporaryDirectory(dir=work) as folder:
        with Clock() as clock:
            for number, person in enumerate(people):
                writer = writers[person["variant"]]
                _fill(writer, person["values"])
                writer.write(Path(folder) / f"{number}.pdf")
                sides += len(writer.pages)
        size = shared.size(Path(folder))
    return clock.sample(count, sides, size)


def _writer(work: Path, variant: str) -> PdfWriter:
    return PdfWriter(clone_from=PdfReader(work / shared.BLANK.format(variant)))


def _fill(writer: PdfWriter, values: dict[str, str]) -> None:
    for page in writer.pages:
        if "/Annots" in page:
            writer.update_page_form_field_values(page, dict(values), auto_regenerate=False)
