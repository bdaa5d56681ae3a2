"""`docgen mails`: mails that came with scans, and what somebody decides about those put aside."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docgen.cli import opening, output
from docgen.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from docgen.backoffice.gate import Actor
    from docgen.backoffice.models import Mail

app = typer.Typer(help="Les courriels reçus, et ceux qui sont mis de côté.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")]
Courriel = Annotated[
    str, typer.Argument(metavar="COURRIEL", help="Numéro du courriel, ou son début.")
]
SHORT = 8  # characters of a mail's number that are shown
LIMIT = 50
NBSP = "\u00a0"
UNREAD = "docgen n’a pas pu le lire."
WHERE = "Pour savoir de qui il vient, ouvrez la boîte\u00a0: il y est, ou dans son dossier docgen."
DECIDE = "Décidez\u00a0: docgen mails take (prendre ses numérisations), ou dismiss (l’écarter)."


@app.command("list")
def list_mails(
    awaits: Annotated[
        bool, typer.Option("--awaits", help="Seulement ceux qui attendent une décision.")
    ] = False,
    school: Annotated[str, typer.Option(help="Seulement cet établissement (UAI).")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Combien.")] = LIMIT,
    as_json: Json = False,
) -> None:
    """Liste les courriels reçus, les plus récents d’abord, et dit pourquoi ils sont de côté."""
    with opening.service():
        from docgen.backoffice import mails

        rows = _rows().order_by("-created_at", "-id")
        rows = rows.filter(school=opening.school(school)) if school else rows
        rows = rows.filter(mails.AWAITING) if awaits else rows
        count = rows.count()
        told = [_facts(row) for row in rows[:limit]]
    if as_json:
        output.say_json(told)
        return
    if not told:
        output.say("Aucun courriel.")
        return
    lines = [
        (
            *(each["id"][:SHORT], opening.moment(each["created_at"]), each["school"] or ""),
            *(each["verdict_label"], str(len(each["scans"])), "oui" if each["awaits"] else ""),
        )
        for each in told
    ]
    output.table(
        ("Courriel", "Reçu le", "UAI", "Ce que c’est", "Fichiers pris", "À décider"), lines
    )
    for each in told:
        if each["awaits"]:
            output.say(f"  • {each['id'][:SHORT]}{NBSP}: {each['words']}")
    output.say_rest(len(told), count)


@app.command("show")
def show(mail: Courriel, as_json: Json = False) -> None:
    """Montre un courriel : ce qu’il était, ce qui en a été pris, et ce qui ne l’a pas été."""
    with opening.service():
        told = _facts(_one(mail))
    if as_json:
        output.say_json(told)
        return
    at, size = opening.moment(told["created_at"]), output.size(told["size"])
    output.say(f"Courriel {told['id']}, reçu le {at}, {size}")
    whose = f"adresse de {told['school']}" if told["school"] else "aucun établissement connu"
    output.say(f"De{NBSP}: {whose}")
    output.say(f"Ce que c’est{NBSP}: {told['verdict_label']}. {_sentence(told['words'])}".rstrip())
    for batch in told["scans"]:
        output.say(f"  • pris{NBSP}: envoi de numérisations {batch[:SHORT]}")
    for each in told["refused"]:
        more = " ".join(problem["what"] for problem in each["problems"])
        output.say(f"  • non pris{NBSP}: {each['label']}, {each['words']} {more}".rstrip())
    if told["awaits"]:
        output.say(f"{WHERE}\n{DECIDE}")


@app.command("take")
def take(
    mail: Courriel,
    school: Annotated[
        str,
        typer.Option(help="De cet établissement (UAI)\u00a0; sans lui, une pile de plusieurs."),
    ] = "",
) -> None:
    """Prend les numérisations d’un courriel mis de côté."""
    with opening.service():
        from docgen.backoffice import mails

        row = _one(mail)
        mails.take(row, opening.school(school) if school else None, _by())
    short = str(row.pk)[:SHORT]
    output.say(f"Les numérisations sont prises{NBSP}: un exécutant va les lire.")
    output.say(f"docgen mails show {short} dit ensuite ce qui en a été pris.")


@app.command("dismiss")
def dismiss(mail: Courriel) -> None:
    """Écarte un courriel mis de côté : il n’attend plus personne."""
    with opening.service():
        from docgen.backoffice import mails

        mails.dismiss(_one(mail), _by())
    output.say("Ce courriel est écarté. Il est gardé\u00a0; docgen mails take le reprend.")


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _rows() -> "QuerySet[Mail]":
    from docgen.backoffice import gate, models

    return gate.visible(models.Mail, gate.SYSTEM)


def _one(given: str) -> "Mail":
    """Find a mail, by its number or the beginning of it.

    Raises:
        InvalidInput: when none has it, or several.
    """
    wanted = given.lower().replace("-", "")
    found = [pk for pk in _rows().values_list("pk", flat=True) if pk.hex.startswith(wanted)]
    if not wanted or len(found) != 1:
        many = wanted and found
        what = "plusieurs courriels commencent ainsi." if many else "aucun courriel n’a ce numéro."
        remedy = "docgen mails list donne les numéros."
        raise InvalidInput(Problem(what, "COURRIEL", remedy))
    return _rows().get(pk=found[0])


def _by() -> "Actor":
    from docgen.backoffice import gate

    return replace(gate.SYSTEM, label=opening.BY)


def _facts(row: "Mail") -> dict[str, Any]:
    """Give what is told of a mail: never who sent it, nor what it says."""
    from docgen.backoffice import mails
    from docgen.mailing.incoming import REASONS

    refused = [
        {
            "label": each["label"],
            "reason": each["reason"],
            "words": REASONS[each["reason"]],
            "problems": [
                {"what": what, "where": where, "remedy": remedy}
                for what, where, remedy in each["problems"]
            ],
        }
        for each in row.refused
    ]
    return {
        "id": str(row.pk),
        "school": row.school_id,
        "verdict": row.verdict,
        "verdict_label": row.get_verdict_display(),
        "reason": row.reason,
        "words": REASONS.get(row.reason, UNREAD if mails.awaits(row) else ""),
        "size": row.size,
        "scans": row.batches,
        "refused": refused,
        "awaits": mails.awaits(row),
        "created_at": row.created_at.isoformat(timespec="seconds"),
    }
