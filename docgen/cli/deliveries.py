"""`docgen deliveries`: signed attestations on their way to the region, looked at and decided."""

from collections.abc import Iterable, Sequence
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from docgen.cli import opening, output
from docgen.errors import DocgenError, InvalidInput, Problem, Unavailable

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from docgen.backoffice.models import Delivery, Message

app = typer.Typer(help="Les envois d’attestations signées à la Région.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")]
Envoi = Annotated[str, typer.Argument(metavar="ENVOI", help="Numéro de l’envoi, ou son début.")]
SHORT = 8  # characters of a delivery's number that are shown
SHOWN = 20  # deliveries told one by one before they leave
NBSP = "\u00a0"
SECURITY = {"": "sans chiffrement, sur cette machine", "starttls": "STARTTLS", "tls": "TLS"}
VERDICTS = {"accepted": "accepté.", "later": "plus tard.", "refused": "refusé."}
LIMIT = 50


@app.command("list")
def list_deliveries(
    school: Annotated[str, typer.Option(help="Seulement cet établissement (UAI).")] = "",
    stage: Annotated[
        str, typer.Option(help="Seulement cette étape\u00a0: held, new, sent, refused, uncertain…")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Combien.")] = LIMIT,
    as_json: Json = False,
) -> None:
    """Liste les envois, les derniers changés d’abord, et dit ce qui les arrête."""
    with opening.service():
        rows = _rows().order_by("-changed_at", "-id")
        rows = rows.filter(school=school.upper()) if school else rows
        rows = rows.filter(stage=_known(stage)) if stage else rows
        count = rows.count()
        told = [_facts(row) for row in rows[:limit]]
    if as_json:
        output.say_json(told)
        return
    if not told:
        output.say("Aucun envoi.")
        return
    headings = ("Envoi", "Établissement", "Attestation", "Pour", "Étape", "Messages", "Changé le")
    lines = [
        (
            *(each["id"][:SHORT], each["school"], each["attestation"], each["role_label"]),
            *(_stage(each), str(len(each["messages"])), opening.moment(each["changed_at"])),
        )
        for each in told
    ]
    output.table(headings, lines)
    for each in told:
        if each["why"]:
            output.say(f"  • {each['id'][:SHORT]}{NBSP}: {each['why']}")
    output.say_rest(len(told), count)


@app.command("show")
def show(
    delivery: Envoi,
    out: Annotated[
        Path | None, typer.Option(help="Fichier PDF où écrire le document signé, pour le lire.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Montre un envoi : ses messages, et ce que les serveurs ont répondu."""
    with opening.service():
        row = _one(delivery)
        told = _facts(row)
        if out:
            _save(row.sha256, out)
    if as_json:
        output.say_json(told)
        return
    _say(told)


@app.command("preview")
def preview(
    delivery: Annotated[
        str, typer.Argument(metavar="ENVOI", help="Un envoi\u00a0; sans lui, tout ce qui attend.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Dossier où ranger les messages (.eml), à ouvrir.")
    ] = None,
) -> None:
    """Montre ce qui partirait, à qui et par quel serveur ; rien ne part."""
    with opening.service():
        from docgen.backoffice import deliveries

        rows = [_one(delivery)] if delivery else _waiting()
        mails = {row.pk: deliveries.preview(row) for row in rows}
        _say_way()
        count = len(rows)
        output.say("" if delivery else f"Envois qui attendent{NBSP}: {count}.")
        for row in rows[:SHOWN]:
            _say_preview(row, mails[row.pk])
        if count > SHOWN:
            output.say(f"  … et {count - SHOWN} autres.")
        first = next((mail for row in rows for mail in mails[row.pk]), None)
        if first:
            output.say(f"\nTexte du premier message{NBSP}:\n")
            output.say(_text(first))
        if out:
            written = _write(out, ((row, mails[row.pk]) for row in rows))
            output.say(f"Messages écrits dans {out}{NBSP}: {written}.")


@app.command("approve")
def approve() -> None:
    """Approuve le chemin du courrier, une fois vu ce qui partirait (docgen deliveries preview)."""
    with opening.service():
        from docgen.backoffice import deliveries

        _say_way()
        if deliveries.is_approved():
            output.say("Il n’y a rien à approuver.")
            return
        deliveries.approve(opening.BY)
    output.say("Ce chemin est approuvé\u00a0: les envois partent.")


@app.command("release")
def release(delivery: Envoi) -> None:
    """Laisse partir un envoi retenu."""
    with opening.service():
        from docgen.backoffice import deliveries

        row = _one(delivery)
        deliveries.release(row, opening.BY)
        told = _facts(_one(str(row.pk)))
    output.say(f"L’envoi {told['id'][:SHORT]} n’est plus retenu. {told['why']}".strip())


@app.command("retry")
def retry(
    given: Annotated[
        list[str] | None, typer.Argument(metavar="ENVOI", help="Numéros, ou leurs débuts.")
    ] = None,
    refused: Annotated[
        bool, typer.Option("--refused", help="Tous les envois refusés ou revenus.")
    ] = False,
) -> None:
    """Relance des envois refusés, ou revenus."""
    if bool(given) == refused:
        what = "donnez des envois, ou --refused."
        raise InvalidInput(Problem(what, "commande", "docgen deliveries list donne les numéros."))
    with opening.service():
        from docgen.backoffice import deliveries, models

        rows = list(map(_one, given or ()))
        if refused:
            rows = list(_rows().filter(stage=models.Posting.REFUSED))
        problems, count = list[Problem](), 0
        for row in rows:
            try:
                deliveries.retry(row, opening.BY)
                count += 1
            except DocgenError as error:
                short = str(row.pk)[:SHORT]
                problems += [Problem(p.what, p.where or short, p.remedy) for p in error.problems]
    output.say(f"Envois relancés{NBSP}: {count}.")
    for problem in problems:
        output.warn(f"  • {problem}")
    if problems:
        raise typer.Exit(InvalidInput.exit_code)


@app.command("settle")
def settle(
    delivery: Envoi,
    sent: Annotated[bool, typer.Option("--sent", help="La boîte l’a reçu.")] = False,
    not_sent: Annotated[
        bool, typer.Option("--not-sent", help="Elle ne l’a pas reçu\u00a0: il repart.")
    ] = False,
    part: Annotated[
        int, typer.Option(min=0, help="Cette partie seule, d’un envoi en plusieurs courriels.")
    ] = 0,
) -> None:
    """Tranche un envoi incertain, après avoir demandé à qui le recevait."""
    if sent == not_sent:
        what = "dites si la boîte l’a reçu (--sent) ou non (--not-sent)."
        raise InvalidInput(Problem(what, "commande", "Demandez-le à qui la lit."))
    with opening.service():
        from docgen.backoffice import deliveries

        row = _one(delivery)
        deliveries.settle(row, opening.BY, is_sent=sent, part=part)
        told = _facts(_one(str(row.pk)))
    output.say(f"Envoi {told['id'][:SHORT]}{NBSP}: {told['stage_label']}. {told['why']}".strip())


def _rows() -> "QuerySet[Delivery]":
    from docgen.backoffice import gate, models

    rows = gate.visible(models.Delivery, gate.SYSTEM).select_related("attestation", "school")
    return rows.defer("attestation__record").prefetch_related("messages")


def _one(given: str) -> "Delivery":
    """Find a delivery, by its number or the beginning of it.

    Raises:
        InvalidInput: when none has it, or several.
    """
    wanted = given.lower().replace("-", "")
    names = _rows().only("pk").prefetch_related(None).select_related(None)
    found = [each.pk for each in names if each.pk.hex.startswith(wanted)] if wanted else []
    if len(found) != 1:
        what = "aucun envoi n’a ce numéro." if not found else "plusieurs envois commencent ainsi."
        remedy = "docgen deliveries list donne les numéros."
        raise InvalidInput(Problem(what, "ENVOI", remedy))
    return _rows().get(pk=found[0])


def _waiting() -> "list[Delivery]":
    from docgen.backoffice.models import Posting

    waiting = _rows().filter(stage__in=(Posting.NEW, Posting.HELD))
    return list(waiting.order_by("created_at", "id"))


def _known(stage: str) -> str:
    from docgen.backoffice.models import Posting

    if stage not in Posting.values:
        remedy = f"Étapes{NBSP}: {', '.join(Posting.values)}."
        raise InvalidInput(Problem("cette étape n’existe pas.", "--stage", remedy))
    return stage


def _facts(row: "Delivery") -> dict[str, Any]:
    from docgen.backoffice import deliveries

    about = row.attestation
    return {
        "id": str(row.pk),
        "school": row.school_id,
        "attestation": f"{about.school_year} n°{NBSP}{about.number}",
        "version": row.version,
        "role": row.role,
        "role_label": row.get_role_display(),
        "recipient": row.recipient,
        "stage": row.stage,
        "stage_label": row.get_stage_display(),
        "why": deliveries.why(row),
        "is_test": row.is_test,
        "sha256": row.sha256,
        "changed_at": row.changed_at.isoformat(timespec="seconds"),
        "sent_at": row.sent_at.isoformat(timespec="seconds") if row.sent_at else None,
        "messages": [_mail(each) for each in deliveries.preview(row)],
    }


def _stage(told: dict[str, Any]) -> str:
    return f"{told['stage_label']} (essai)" if told["is_test"] else str(told["stage_label"])


def _mail(row: "Message") -> dict[str, Any]:
    return {
        "part": row.part,
        "parts": row.parts,
        "subject": row.subject,
        "stage": row.stage,
        "stage_label": row.get_stage_display(),
        "sent_to": row.sent_to,
        "message_id": row.message_id,
        "size": row.size,
        "answers": row.answers,
    }


def _say(told: dict[str, Any]) -> None:
    output.say(f"Envoi {told['id']}")
    about = f"Attestation {told['attestation']}, {told['school']}, version {told['version']}"
    output.say(f"{about}\u00a0; {told['role_label']}\u00a0: {told['recipient']}.")
    if told["is_test"]:
        output.say("Essai\u00a0: le courrier est dirigé vers une autre adresse.")
    output.say(f"{told['stage_label'].capitalize()}. {told['why']}".strip())
    for each in told["messages"]:
        place = f"Message {each['part']} sur {each['parts']}"
        output.say(f"\n{place}, {output.size(each['size'])}{NBSP}: {each['stage_label']}.")
        output.say(f"  {each['subject']}\n  {each['message_id']}")
        if each["sent_to"]:
            output.say(f"  adressé à {each['sent_to']}")
        for answer in each["answers"]:
            code = f"{answer['code']} " if answer["code"] else ""
            words = answer["words"] or VERDICTS.get(answer["verdict"], "")
            output.say(f"  • {opening.moment(answer['at'])}{NBSP}: {code}{words}")


def _say_way() -> None:
    """Say by which way mail leaves, in words."""
    from docgen.backoffice import deliveries, departures

    post = departures.post()
    if post.smtp is None:
        output.say(f"Le courrier s’écrit dans le dossier {post.folder}\u00a0; rien ne part.")
    else:
        where = f"{post.smtp.host}:{post.smtp.port} ({SECURITY[post.smtp.security]})"
        output.say(f"Le courrier part par {where}, au nom de {post.sender}.")
    output.say(f"La boîte de la Région est {deliveries.mailbox()}.")
    if post.redirect:
        output.say(f"Tout est dirigé vers {post.redirect}\u00a0: personne d’autre ne reçoit rien.")
    if not deliveries.is_approved():
        output.say("Ce chemin n’est pas approuvé\u00a0: rien ne part (docgen deliveries approve).")


def _say_preview(row: "Delivery", mails: "Sequence[Message]") -> None:
    told = _facts(row)
    output.say(
        f"  • {told['id'][:SHORT]}, {told['school']}, attestation {told['attestation']}, "
        f"pour {told['recipient']}. {told['why']}".rstrip()
    )
    for mail in mails:
        output.say(f"    {mail.subject} ({output.size(mail.size)})")


def _write(folder: Path, rows: "Iterable[tuple[Delivery, Sequence[Message]]]") -> int:
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for row, mails in rows:
        for mail in mails:
            name = f"{row.school_id}-{str(row.pk)[:SHORT]}-{mail.part}.eml"
            _save(mail.sha256, folder / name)
            count += 1
    return count


def _save(sha256: str, path: Path) -> None:
    from docgen.backoffice import store

    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("wb") as stream:
            stream.writelines(store.blocks(sha256))
    except FileNotFoundError as error:
        what = "ce fichier n’est plus dans le magasin de fichiers."
        raise Unavailable(Problem(what, path.name, "Lancez docgen doctor.")) from error


def _text(mail: "Message") -> str:
    from docgen.backoffice import store

    letter = message_from_bytes(b"".join(store.blocks(mail.sha256)), policy=default)
    body = letter.get_body(("plain",))
    return str(body.get_content()) if body else ""
