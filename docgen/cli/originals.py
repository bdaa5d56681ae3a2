"""`docgen originals`: the paper originals of attestations, posted and received."""

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docgen.cli import opening, output

if TYPE_CHECKING:
    from docgen.backoffice.models import Attestation

app = typer.Typer(help="Les originaux des attestations, sur papier.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")]
Code = Annotated[
    str, typer.Argument(metavar="CODE", help="Code d’une face, ou référence AT-XXXX-XXXX.")
]
LIMIT = 50


class Step(Enum):
    """What can be taken back."""

    POST = "post"
    RECEIVE = "receive"


@app.command("list")
def list_originals(
    school: Annotated[str, typer.Option(help="Seulement cet établissement (UAI).")] = "",
    missing: Annotated[bool, typer.Option("--missing", help="Seulement les non reçus.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Combien.")] = LIMIT,
    as_json: Json = False,
) -> None:
    """Liste les originaux, ceux des attestations les plus récentes d’abord."""
    with opening.service():
        from docgen.backoffice import gate, models, originals

        rows = gate.visible(models.Attestation, gate.SYSTEM).select_related("original")
        rows = rows.filter(school=opening.school(school)) if school else rows
        rows = rows.filter(original__received_at=None) if missing else rows
        rows = rows.defer("record", "region", "letterhead").order_by("-created_at", "-id")
        count = rows.count()
        told = [originals.facts(row) for row in rows[:limit]]
    told = [{name: _text(value) for name, value in each.items()} for each in told]
    if as_json:
        output.say_json(told)
        return
    if not told:
        output.say("Aucun original.")
        return
    headings = ("Référence", "UAI", "Attestation", "Téléchargé", "Posté", "Reçu")
    output.table(
        headings,
        [
            (
                *(each["reference"], each["school"]),
                f"n°\u00a0{each['number']} de {each['school_year']}",
                opening.moment(each["fetched_at"])[:10] if each["fetched_at"] else "",
                output.day(each["posted_date"]) if each["posted_date"] else "",
                opening.moment(each["received_at"])[:10] if each["received_at"] else "",
            )
            for each in told
        ],
    )
    output.say_rest(len(told), count)


@app.command("post")
def post(
    code: Code,
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%d/%m/%Y", "%Y-%m-%d"], help="Jour de l’envoi (aujourd’hui)."),
    ] = None,
) -> None:
    """Enregistre le jour où un original a été posté."""
    with opening.service():
        from django.utils import timezone

        from docgen.backoffice import gate, originals

        row, today = originals.find(code, gate.SYSTEM), timezone.localdate()
        done = originals.posted(row, on.date() if on else today, opening.BY, today)
    output.say(f"Original posté le {done.posted_date:%d/%m/%Y}\u00a0: {_which(row)}.")


@app.command("receive")
def receive(code: Code) -> None:
    """Enregistre qu’un original est reçu."""
    with opening.service():
        from dataclasses import replace

        from django.utils import timezone

        from docgen.backoffice import gate, originals

        now, who = timezone.now(), replace(gate.SYSTEM, label=opening.BY)
        done = originals.received(code, who, now)
        row, at = done.attestation, timezone.localtime(done.received_at)
    told = "Original reçu" if done.received_at == now else f"Déjà reçu le {at:%d/%m/%Y}"
    output.say(f"{told}\u00a0: {_which(row)}.")


@app.command("undo")
def undo(
    step: Annotated[Step, typer.Argument(metavar="post|receive", help="Ce qui est annulé.")],
    code: Code,
) -> None:
    """Annule un envoi par la poste ou une réception."""
    with opening.service():
        from docgen.backoffice import gate, originals

        row = originals.find(code, gate.SYSTEM)
        if step == Step.POST:
            originals.not_posted(row, opening.BY)
        else:
            originals.not_received(row, opening.BY)
    output.say(f"C’est annulé\u00a0: {_which(row)}.")


def _which(row: "Attestation") -> str:
    return f"attestation n°\u00a0{row.number} de {row.school_year}, {row.school_id}"


def _text(value: object) -> Any:  # noqa: ANN401 - what JSON holds
    return value if value is None or isinstance(value, int) else str(value)
