"""`docgen import`: a school's files become its rows in the service."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from docgen.cli import opening, output


class Audience(StrEnum):
    """Whom the files are about."""

    PUPIL = "pupil"
    TEACHER = "teacher"


def import_files(  # noqa: PLR0917 - an option of the command each
    school: Annotated[Path, typer.Option(help="Fichier school.toml de l’établissement.")],
    roster: Annotated[list[Path], typer.Option(help="Fichiers\u00a0: SIECLE, STS-Web, CSV, XLSX.")],
    audience: Annotated[Audience, typer.Option(help="Élèves (pupil) ou professeurs (teacher).")],
    stock: Annotated[Path | None, typer.Option(help="Stock de tablettes (CSV, XLSX).")] = None,
    cessions: Annotated[Path | None, typer.Option(help="Registre des cessions.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Importe les fichiers d’un établissement dans le service : tous, ou aucun."""
    from docgen import rosters

    place = rosters.read_school(school)
    found = rosters.read(
        roster, school=place, audience=audience.value, stock=stock, cessions=cessions
    )
    with opening.service():
        from django.db import transaction

        from docgen.backoffice import registers

        with transaction.atomic():
            row = registers.keep_school(place, opening.BY)
            counts = registers.keep_roster(row, audience.value, found, opening.BY)
    output.remark(found.notices)
    if as_json:
        output.say_json({"school": row.pk, "audience": audience.value, **counts})
        return
    headings = ("Établissement", "Personnes", "Avant", "Tablettes", "Cessions nouvelles")
    shown = (counts[name] for name in ("people", "people_before", "devices", "cessions"))
    output.table(headings, [(row.pk, *map(str, shown))])
