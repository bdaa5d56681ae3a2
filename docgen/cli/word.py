"""`docgen word`: loan conventions, and all that a school edits, as Word documents."""

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docgen.cli import output

if TYPE_CHECKING:
    from docgen.rendering.stamping import Stamp
    from docgen.wording import Request


class Kind(StrEnum):
    """The formats that a document is given in."""

    DOCX = "docx"
    DOC = "doc"
    ODT = "odt"
    PDF = "pdf"


def word(  # noqa: PLR0917 - an option of the command each
    template: Annotated[str, typer.Argument(help="Modèle, par exemple convention-pret-eleve.")],
    school: Annotated[Path, typer.Option(help="Fichier school.toml de l’établissement.")],
    out: Annotated[Path, typer.Option(help="Dossier où ranger les documents.")],
    roster: Annotated[
        list[Path] | None, typer.Option(help="Fichiers de l’établissement : SIECLE, CSV…")
    ] = None,
    loans: Annotated[Path | None, typer.Option(help="Registre des prêts (CSV, XLSX).")] = None,
    stock: Annotated[Path | None, typer.Option(help="Stock de tablettes (CSV, XLSX).")] = None,
    kind: Annotated[Kind, typer.Option("--format", help="Format des documents.")] = Kind.DOCX,
    model: Annotated[
        Path | None, typer.Option(help="Modèle .docx modifié par l’établissement.")
    ] = None,
    merged: Annotated[
        bool, typer.Option("--merged", help="Tous les prêts dans un seul fichier.")
    ] = False,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%d/%m/%Y", "%Y-%m-%d"], help="Date des documents (aujourd’hui)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Fait les documents Word : à modifier par l’établissement, ou un par prêt."""
    from docgen import library, rosters, wording
    from docgen.errors import InvalidInput, Problem
    from docgen.rosters import loans as registers

    chosen = library.load(template)
    manifest = chosen.manifest
    if manifest.engine != "word":
        what = "ce modèle ne se fait pas sous Word."
        raise InvalidInput(Problem(what, template, "Imprimez-le : docgen press."))
    place = rosters.read_school(school)
    day = on.date() if on else date.today()  # noqa: DTZ011 - the school's own day
    request = wording.Request(chosen, place, day, kind.value, model, merged)
    if loans:
        if not roster:
            remedy = "Ajoutez --roster avec les fichiers de l’établissement."
            raise InvalidInput(Problem("un registre des prêts demande des personnes.", "", remedy))
        people, lent = registers.read(
            roster, school=place, audience=manifest.audience, loans=loans, stock=stock
        )
        output.remark(people.notices)
        request = wording.Request(chosen, place, day, kind.value, model, merged, lent, people)
    names = wording.write(request, out, _stamp(request)).names
    if as_json:
        output.say_json({"template": template, "format": kind.value, "files": names})
        return
    documents = len(request.loans) or len(names)
    output.say(f"{documents} document(s), {len(names)} fichier(s) dans {out}.")


def _stamp(request: "Request") -> "Stamp | None":
    """Give what codes the PDF of a loan, with the key of the data folder."""
    if request.format != "pdf" or not request.loans:
        return None
    from docgen.datafolder import data_folder, page_code_key
    from docgen.rendering.stamping import Stamp
    from docgen.rendering.symbols import load_table

    data = data_folder()
    return Stamp(request.template.manifest, page_code_key(data), load_table(data / "cache"))
