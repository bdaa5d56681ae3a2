"""`docgen ledger`: what was ceded, attested, returned, mailed and received, school by school."""

from typing import TYPE_CHECKING, Annotated

import typer

from docgen.cli import opening, output
from docgen.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from docgen.backoffice.ledger import Line

# Without names of schools, the table holds in 100 columns.
HEADINGS = ("Établissement", "Cédées", "Attestées", "Revenues", "Envoyées", "Reçues")
TO_DO = ("À attester", "À retirer", "Écart")
COLUMNS = ("ceded", "attested", "returned", "mailed", "received", "to_attest", "to_withdraw", "gap")
EXPLAINED = "Écart\u00a0: tablettes cédées dont la Région n’a pas l’original de l’attestation."
LATEST = 200


def ledger(
    school: Annotated[str, typer.Option(help="Seulement cet établissement (UAI).")] = "",
    year: Annotated[
        str, typer.Option(help="Seulement cette année scolaire\u00a0: 2026-2027.")
    ] = "",
    late: Annotated[bool, typer.Option("--late", help="Les rappels faits, à la place.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Écrire pour un tableur.")] = False,
) -> None:
    """Dit ce qui est cédé, attesté, revenu, envoyé et reçu, et l’écart."""
    if as_json and as_csv:
        what = "une seule de ces deux écritures à la fois."
        raise InvalidInput(Problem(what, "--json, --csv", "Choisissez-en une."))
    if late and (as_csv or year):
        what = "les rappels se listent sans année ni tableur."
        raise InvalidInput(Problem(what, "--late", "Retirez --year et --csv."))
    with opening.service():
        uai = opening.school(school).pk if school else ""
        if late:
            _late(uai, as_json=as_json)
            return
        from docgen.backoffice import gate
        from docgen.backoffice import ledger as ledgers

        found = ledgers.lines(gate.SYSTEM, school=uai, year=year)
        whole = ledgers.total(found)
        if as_csv:
            output.say(ledgers.as_csv(found).rstrip("\n"))
            return
    if as_json:
        told = [line.facts() for line in found]
        output.say_json({"year": year, "lines": told, "total": whole.facts()})
        return
    _say(found, whole)


def _say(found: "list[Line]", whole: "Line") -> None:
    lines = [_row(line) for line in [*found, *([whole] if len(found) != 1 else [])]]
    output.table((*HEADINGS, *TO_DO), lines)
    told = whole.sheets
    output.say(EXPLAINED)
    if undated := whole.tablets.undated:
        are = "cession n’a" if undated == 1 else "cessions n’ont"
        output.say(f"{undated} {are} pas de date\u00a0: aucune attestation ne peut les prendre.")
    output.say(
        f"Attestations\u00a0: {told.issued} éditées, {told.fetched} téléchargées, "
        f"{told.returned} revenues signées, {told.mailed} envoyées."
    )
    output.say(f"Originaux\u00a0: {told.posted} postés, {told.received} reçus.")


def _row(line: "Line") -> tuple[str, ...]:
    return line.school or line.name, *(str(getattr(line.tablets, name)) for name in COLUMNS)


def _late(uai: str, *, as_json: bool) -> None:
    from docgen.backoffice import gate, models

    rows = gate.visible(models.Reminder, gate.SYSTEM).order_by("-raised_at", "-id")
    rows = rows.filter(school=uai) if uai else rows
    told = [
        {
            "school": row.school_id,
            "kind": row.kind,
            "label": models.Reminder.Kind(row.kind).label,
            "due_date": row.due_date.isoformat(),
            "raised_at": row.raised_at.isoformat(timespec="seconds"),
            "counts": row.counts,
        }
        for row in rows[:LATEST]
    ]
    if as_json:
        output.say_json(told)
        return
    output.table(
        ("UAI", "Rappel", "Dû le"),
        [(each["school"], each["label"], each["due_date"]) for each in told],
    )
