"""`docgen attestations`: those that the service issues, recognises when they come home, and sends.

`docgen attest` makes one from files, beside the service: it would not know its paper.
"""

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docgen.cli import opening, output
from docgen.errors import InvalidInput, Problem, Unavailable

if TYPE_CHECKING:
    from docgen.backoffice.models import Attestation

app = typer.Typer(help="Les attestations que le service édite et suit.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")]
DAYS = ["%d/%m/%Y", "%Y-%m-%d"]
NBSP = "\u00a0"
SHORT = 8  # characters of an attestation's number that are shown
LIMIT, LOOK = 50, 0.2  # rows; seconds
WAITING = "Elle se prépare\u00a0: docgen attestations list dit quand elle est prête."


@app.command("list")
def list_attestations(
    school: Annotated[str, typer.Option(help="Seulement cet établissement (UAI).")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Combien.")] = LIMIT,
    as_json: Json = False,
) -> None:
    """Liste les attestations, les plus récentes d’abord."""
    with opening.service():
        from docgen.backoffice import gate, models

        rows = gate.visible(models.Attestation, gate.SYSTEM).order_by("-created_at", "-id")
        rows = rows.filter(school=opening.school(school)) if school else rows
        count = rows.count()
        told = [_facts(row) for row in rows[:limit]]
    if as_json:
        output.say_json(told)
        return
    if not told:
        output.say("Aucune attestation.")
        return
    lines = [
        (
            *(
                each["id"][:SHORT],
                each["school"],
                f"{each['school_year']} n°{NBSP}{each['number']}",
            ),
            f"{output.day(each['start'])} au {output.day(each['end'])}",
            *(each["reference"], "oui" if each["is_ready"] else ""),
        )
        for each in told
    ]
    headings = ("Numéro", "Établissement", "Attestation", "Distribution", "Référence", "Prête")
    output.table(headings, lines)
    for each in told:
        for problem in each["problems"]:
            output.say(f"  • {each['id'][:SHORT]}{NBSP}: {Problem(**problem)}")
    output.say_rest(len(told), count)


@app.command("issue")
def issue(  # noqa: PLR0917 - an option of the command each
    school: Annotated[str, typer.Option(help="UAI de l’établissement.")],
    start: Annotated[
        datetime, typer.Option("--from", formats=DAYS, help="Premier jour de la distribution.")
    ],
    end: Annotated[datetime, typer.Option("--to", formats=DAYS, help="Dernier jour.")],
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Retirer les cessions annulées depuis.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Dossier où ranger l’attestation et son bordereau.")
    ] = None,
    wait: Annotated[int, typer.Option(min=0, help="Attendre, ce nombre de secondes.")] = 60,
    as_json: Json = False,
) -> None:
    """Édite l’attestation d’une période, d’après le registre du service."""
    with opening.service():
        from django.utils import timezone

        from docgen.backoffice import attestations

        today, by = timezone.localdate(), opening.BY
        row = attestations.issue(
            opening.school(school), start.date(), end.date(), today, by, withdraw=withdraw
        )
        row = _awaited(row, wait)
        written = _save(row, out) if out and row.files else []
        told = _facts(row)
    if as_json:
        output.say_json(told)
        return
    output.say(f"Attestation {told['id']}, n°{NBSP}{told['number']} de {told['school_year']}.")
    for problem in told["problems"]:
        output.say(f"  • {Problem(**problem)}")
    if not told["is_ready"]:
        output.say(WAITING)
    for path in written:
        output.say(f"  {path}")


@app.command("download")
def download(
    attestation: Annotated[str, typer.Argument(metavar="NUMÉRO", help="Numéro, ou son début.")],
    out: Annotated[Path, typer.Option(help="Dossier où ranger l’attestation et son bordereau.")],
) -> None:
    """Range l’attestation à signer et son bordereau dans un dossier."""
    with opening.service():
        row = _one(attestation)
        if not row.files:
            raise InvalidInput(Problem("cette attestation n’est pas prête.", "NUMÉRO", WAITING))
        written = _save(row, out)
    for path in written:
        output.say(str(path))


def _awaited(row: "Attestation", seconds: int) -> "Attestation":
    from docgen.backoffice.models import State

    end = time.monotonic() + seconds
    while row.state in (State.WAITING, State.CLAIMED) and time.monotonic() < end:
        time.sleep(LOOK)
        row.refresh_from_db()
    return row


def _save(row: "Attestation", out: Path) -> list[Path]:
    from docgen.backoffice import originals, store

    out.mkdir(parents=True, exist_ok=True)
    written = list[Path]()
    for name, sha256 in sorted(row.files.items()):
        try:
            with (out / name).open("wb") as stream:
                stream.writelines(store.blocks(sha256))
        except FileNotFoundError as error:
            what = "ce fichier n’est plus dans le magasin de fichiers."
            raise Unavailable(Problem(what, name, "Lancez docgen doctor.")) from error
        written.append(out / name)
    originals.fetched(row, opening.BY)
    return written


def _one(given: str) -> "Attestation":
    """Find an attestation, by its number or the beginning of it.

    Raises:
        InvalidInput: when none has it, or several.
    """
    from docgen.backoffice import gate, models

    rows = gate.visible(models.Attestation, gate.SYSTEM)
    wanted = given.lower().replace("-", "")
    numbers = rows.values_list("public_id", flat=True)
    found = [number for number in numbers if number.hex.startswith(wanted)]
    if not wanted or len(found) != 1:
        many = wanted and found
        what = "plusieurs attestations commencent ainsi." if many else "aucune n’a ce numéro."
        remedy = "docgen attestations list donne les numéros."
        raise InvalidInput(Problem(what, "NUMÉRO", remedy))
    return rows.get(public_id=found[0])


def _facts(row: "Attestation") -> dict[str, Any]:
    from docgen.backoffice.originals import MAILED

    return {
        "id": str(row.public_id),
        "school": row.school_id,
        "school_year": row.school_year,
        "number": row.number,
        "start": row.start_date.isoformat(),
        "end": row.end_date.isoformat(),
        "reference": row.references.get(MAILED, ""),
        "is_ready": bool(row.files),
        "problems": [dict(zip(("what", "where", "remedy"), p, strict=True)) for p in row.problems],
    }
