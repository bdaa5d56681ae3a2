"""`docgen press`: a school's files become a print job."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docgen.cli import output

if TYPE_CHECKING:
    from docgen.jobfolder import Report


class Ordering(StrEnum):
    """How the documents of a job follow one another."""

    BY_CLASS = "class"
    BY_NAME = "name"


def press(  # noqa: PLR0917 - an option of the command each
    template: Annotated[str, typer.Argument(help="Modèle, par exemple charte-cession-eleve.")],
    layout: Annotated[str, typer.Option(help="Mise en page, par exemple police-10.")],
    school: Annotated[Path, typer.Option(help="Fichier school.toml de l’établissement.")],
    roster: Annotated[list[Path], typer.Option(help="Fichiers : SIECLE, STS-Web, CSV, XLSX.")],
    out: Annotated[Path, typer.Option(help="Dossier où ranger le lot.")],
    stock: Annotated[Path | None, typer.Option(help="Stock de tablettes (CSV, XLSX).")] = None,
    cessions: Annotated[Path | None, typer.Option(help="Registre des cessions.")] = None,
    only: Annotated[
        list[str] | None, typer.Option("--class", help="Seulement ces classes.")
    ] = None,
    copies: Annotated[
        int, typer.Option(min=0, max=9, help="Exemplaires (0 : selon le modèle).")
    ] = 0,
    separators: Annotated[
        bool, typer.Option("--separators", help="Un intercalaire devant chaque classe.")
    ] = False,
    volume: Annotated[int, typer.Option(min=1, max=5000, help="Documents par fichier.")] = 500,
    order: Annotated[Ordering, typer.Option(help="Ordre d’impression.")] = Ordering.BY_CLASS,
    on: Annotated[
        datetime | None,
        typer.Option(
            formats=["%d/%m/%Y", "%Y-%m-%d"],
            help="Jour de la remise, qui décide de la majorité (aujourd’hui).",
        ),
    ] = None,
    profile: Annotated[
        Path | None,
        typer.Option("--pdf-x", help="Profil ICC de la presse : fichiers PDF/X-4."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Imprime un lot : fichiers PDF, manifest.csv, bon d’impression et job.json."""
    from docgen import library, rosters
    from docgen.datafolder import data_folder, page_code_key
    from docgen.jobfolder import write_job
    from docgen.press import Order, prepare

    model = library.load(template)
    wanted, audience = model.manifest.layout(layout), model.manifest.audience
    place = rosters.read_school(school)
    found = rosters.read(roster, school=place, audience=audience, stock=stock, cessions=cessions)
    data = data_folder()
    request = Order(
        *(model, wanted, place, found),
        on.date() if on else date.today(),  # noqa: DTZ011 - the school's own day
        tuple(only or ()),
        copies,
        separators,
        volume,
        order.value,
        profile,
    )
    job = prepare(request, page_code_key(data), data / "cache")
    output.remark(found.notices)
    with output.progress("Impression", job.count, quiet=as_json) as done:
        report = write_job(job, out, done)
    _say(report, out, as_json=as_json)


def _say(report: "Report", out: Path, *, as_json: bool) -> None:
    if as_json:
        output.say_json(report.as_json())
        return
    rate = report.documents / report.seconds if report.seconds else 0
    output.table(
        ("Lot", "Documents", "Faces", "Feuilles", "Fichiers", "Secondes", "Documents/s"),
        [
            (
                report.job,
                *map(str, (report.documents, report.sides, report.sheets, len(report.volumes))),
                f"{report.seconds:.2f}",
                f"{rate:.0f}",
            )
        ],
    )
    output.say(f"Le lot est dans {out} ; commencez par {out / 'bon-impression.pdf'}.")
