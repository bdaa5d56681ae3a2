"""`docgen ledger`: what was ceded, attested, returned, mailed and received, school by school."""

import csv
from io import StringIO
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
TABLETS = {"ceded": "Cédées", "pupils": "dont élèves", "teachers": "dont professeurs"}
TABLETS |= {"undated": "Sans date", "attested": "Attestées", "returned": "Revenues"}
TABLETS |= {"mailed": "Envoyées", "received": "Reçues", "to_attest": "À attester"}
TABLETS |= {"to_withdraw": "À retirer", "to_return": "À faire signer", "to_mail": "À envoyer"}
TABLETS |= {"to_receive": "À recevoir", "gap": "Écart"}
SHEETS = {"issued": "éditées", "fetched": "téléchargées", "returned": "revenues signées"}
SHEETS |= {"mailed": "envoyées"}
ORIGINALS = {"posted": "postés", "received": "reçus"}
LIMIT = 200
BOM = "\ufeff"  # spreadsheets take a file without it for another encoding


def ledger(  # noqa: PLR0917 - an option of the command each
    school: Annotated[str, typer.Option(help="Seulement cet établissement (UAI).")] = "",
    year: Annotated[
        str, typer.Option(help="Seulement cette année scolaire\u00a0: 2026-2027.")
    ] = "",
    late: Annotated[bool, typer.Option("--late", help="Les rappels faits, à la place.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Combien de rappels.")] = LIMIT,
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
            _late(uai, limit, as_json=as_json)
            return
        from docgen.backoffice import gate
        from docgen.backoffice import ledger as ledgers

        found = ledgers.lines(gate.SYSTEM, school=uai, year=year)
        whole = ledgers.total(found)
        if as_csv:
            output.say(_sheet(found))
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
    for what, names in (("Attestations", SHEETS), ("Originaux", ORIGINALS)):
        counts = ", ".join(
            _count(getattr(told, name), name_told) for name, name_told in names.items()
        )
        output.say(f"{what}\u00a0: {counts}.")


def _count(number: int, many: str) -> str:
    """Count with a participle: « 1 éditée », « 2 revenues signées »."""
    return f"{number} {many}" if number > 1 else f"{number} {one(many)}"


def one(many: str) -> str:
    """Give the singular of what ends with an s."""
    return " ".join(word.removesuffix("s") for word in many.split())


def _sheet(found: "list[Line]") -> str:
    """Write lines as French spreadsheets open them: semicolons, and headings that people read."""
    from docgen.jobfolder import cell

    stream = StringIO()
    rows = csv.writer(stream, delimiter=";", lineterminator="\n")
    headings = [f"Attestations {told}" for told in SHEETS.values()]
    headings += [f"Originaux {told}" for told in ORIGINALS.values()]
    rows.writerow(["UAI", "Établissement", *TABLETS.values(), *headings])
    for line in found:
        counts = [getattr(line.tablets, name) for name in TABLETS]
        counts += [getattr(line.sheets, name) for name in (*SHEETS, *ORIGINALS)]
        rows.writerow([line.school, cell(line.name), *counts])
    return BOM + stream.getvalue().rstrip("\n")


def _row(line: "Line") -> tuple[str, ...]:
    return line.school or line.name, *(str(getattr(line.tablets, name)) for name in COLUMNS)


def _late(uai: str, limit: int, *, as_json: bool) -> None:
    from docgen.backoffice import gate, models

    rows = gate.visible(models.Reminder, gate.SYSTEM).order_by("-raised_at", "-id")
    rows = rows.filter(school=uai) if uai else rows
    count = rows.count()
    told = [
        {
            "school": row.school_id,
            "kind": row.kind,
            "label": models.Reminder.Kind(row.kind).label,
            "due_date": row.due_date.isoformat(),
            "raised_at": row.raised_at.isoformat(timespec="seconds"),
            "counts": row.counts,
        }
        for row in rows[:limit]
    ]
    if as_json:
        output.say_json(told)
        return
    if not told:
        output.say("Aucun rappel.")
        return
    output.table(
        ("UAI", "Rappel", "Dû le"),
        [(each["school"], each["label"], output.day(each["due_date"])) for each in told],
    )
    output.say_rest(len(told), count)
