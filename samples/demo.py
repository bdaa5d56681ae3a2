"""`make demo`: the files of a made-up school become print jobs, papers, a job of the service."""

import argparse
import shutil
from datetime import date
from pathlib import Path

from docgen import library, rosters
from docgen.cli import output
from docgen.datafolder import data_folder, page_code_key
from docgen.jobfolder import Report, write_job
from docgen.press import Order, prepare
from docgen.records import Roster, School
from docgen.rendering.pictures import save_png
from samples import papers, service, site
from samples.generate import generate

LAYOUTS = (
    ("charte-cession-eleve", "police-10"),
    ("charte-cession-eleve", "reduction"),
    ("charte-cession-eleve", "police-8"),
    ("charte-cession-professeur", "police-10"),
    ("charte-cession-professeur", "reduction"),
    ("charte-engagement-4-0", "police-10"),
)
PUPIL_FILES = (
    *("ElevesAvecAdresses.xml", "ResponsablesAvecAdresses.xml"),
    *("Structures.xml", "Nomenclature.xml"),
)
ON = date(2026, 9, 14)  # the day of the made-up distribution
PICTURE_DPI = 100


def main() -> None:
    """Make the school's files, press every charter, draw pages, and tell where to look."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--pupils", type=int, default=1050)
    parser.add_argument("--charters-only", action="store_true")
    parser.add_argument("--no-site", action="store_true", help="end without serving the site")
    arguments = parser.parse_args()
    out: Path = arguments.out
    for folder in ("etablissement", "documents"):
        shutil.rmtree(out / folder, ignore_errors=True)
    generate(out / "etablissement", pupils=arguments.pupils)
    rows = [_press(out, slug, layout) for slug, layout in LAYOUTS]
    output.say()
    headings = ("Modèle", "Mise en page", "Documents", "Feuilles", "Secondes", "Documents/s")
    output.table(headings, rows)
    if not arguments.charters_only:
        _make_papers(out)
        service.show(out / "etablissement", PUPIL_FILES, out)
    output.say(
        f"\nDonnées inventées : {out / 'etablissement'}"
        f"\nLots à imprimer :   {out / 'lots'} (commencez par un bon-impression.pdf)"
        f"\nAutres documents :  {out / 'documents'}"
        f"\nPages en images :   {out / 'images'}"
    )
    if not (arguments.charters_only or arguments.no_site):
        site.serve(out)


def _make_papers(out: Path) -> None:
    """Make the other documents by the commands that people type."""
    made: list[tuple[str, str, str]] = []
    with output.progress("Autres documents", papers.count()) as done:
        for row in papers.make_papers(out / "etablissement", out / "documents", out / "images"):
            made.append(row)
            done(len(made))
    output.say()
    output.table(("Document", "Fait", "Où"), made)


def _press(out: Path, slug: str, layout: str) -> tuple[str, ...]:
    """Press one job as `docgen press` does, and draw the first and last sides of a document."""
    template = library.load(slug)
    school, roster = _read(out / "etablissement", template.manifest.audience)
    data = data_folder()
    order = Order(template, template.manifest.layout(layout), school, roster, ON)
    job = prepare(order, page_code_key(data), data / "cache")
    folder = out / "lots" / f"{slug}-{layout}"
    with output.progress(f"{slug}, {layout}", job.count) as done:
        report = write_job(job, folder, done)
    _draw(folder, report, out / "images" / f"{slug}-{layout}")
    rate = report.documents / report.seconds
    counts = (str(report.documents), str(report.sheets), _decimal(report.seconds, 2), f"{rate:.0f}")
    return (slug, layout, *counts)


def _decimal(number: float, places: int) -> str:
    return f"{number:.{places}f}".replace(".", ",")


def _read(folder: Path, audience: str) -> tuple[School, Roster]:
    school = rosters.read_school(folder / "school.toml")
    if audience == "teacher":
        return school, rosters.read([folder / "professeurs.csv"], school=school, audience="teacher")
    return school, rosters.read(
        [folder / name for name in PUPIL_FILES],
        school=school,
        audience="pupil",
        stock=folder / "stock.csv",
        cessions=folder / "cessions.csv",
    )


def _draw(folder: Path, report: Report, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    first = report.volumes[0]
    volume = folder / first.file
    last = first.sides // first.documents
    for page in (1, last):
        save_png(volume, page - 1, PICTURE_DPI, target.with_name(f"{target.name}-{page}.png"))


if __name__ == "__main__":
    main()
