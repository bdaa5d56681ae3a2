"""`docgen attest`: the cessions of a period become an attestation and its cover letter."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from docgen.cli import output

if TYPE_CHECKING:
    from docgen.attestations import Attestation, Entry
    from docgen.attesting import Papers
    from docgen.errors import InvalidInput
    from docgen.records import School

DAYS = ["%d/%m/%Y", "%Y-%m-%d"]

Files = list[Path] | None
Roster = Annotated[Files, typer.Option(help="Fichiers des élèves : SIECLE, CSV…")]
Cessions = Annotated[Path | None, typer.Option(help="Registre entier des cessions.")]
Teachers = Annotated[Files, typer.Option(help="Fichiers des professeurs : STS-Web, CSV…")]
Stock = Annotated[Path | None, typer.Option(help="Stock de tablettes (CSV, XLSX).")]
Start = Annotated[
    datetime | None, typer.Option("--from", formats=DAYS, help="Premier jour de la distribution.")
]
End = Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="Dernier jour.")]
Previous = Annotated[
    Files, typer.Option(help="Attestations précédentes (JSON) ; celles du dossier comptent déjà.")
]
RegionFile = Annotated[Path | None, typer.Option(help="Fichier region.toml de la Région.")]
Withdraw = Annotated[
    bool, typer.Option("--withdraw", help="Retirer les cessions que le registre n’a plus.")
]
On = Annotated[datetime | None, typer.Option(formats=DAYS, help="Jour de l’édition (aujourd’hui).")]
Reprint = Annotated[
    Path | None, typer.Option("--reprint", help="Réimprimer cette attestation (JSON).")
]


def attest(  # noqa: PLR0917 - an option of the command each
    school: Annotated[Path, typer.Option(help="Fichier school.toml de l’établissement.")],
    out: Annotated[Path, typer.Option(help="Dossier des attestations de l’établissement.")],
    roster: Roster = None,
    cessions: Cessions = None,
    teachers: Teachers = None,
    stock: Stock = None,
    start: Start = None,
    end: End = None,
    previous: Previous = None,
    region: RegionFile = None,
    withdraw: Withdraw = False,
    on: On = None,
    again: Reprint = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire le résultat en JSON.")] = False,
) -> None:
    """Édite l’attestation de cession d’une période : attestation, bordereau, fichier à garder."""
    from docgen import attestations, attesting, rosters
    from docgen import register as registers
    from docgen.datafolder import data_folder, page_code_key
    from docgen.region import read_region

    data = data_folder()
    key, cache = page_code_key(data), data / "cache"
    place = rosters.read_school(school)
    if again:
        _reprint(again, place, out, as_json=as_json)
        return
    if not roster or not cessions:
        raise _missing(roster=roster, cessions=cessions)
    settings = read_region(region, data)
    records = attesting.read_records([*(previous or ()), *attesting.records_in(out, place)])
    history = [record.attestation for record in records]
    found = registers.read(
        place,
        pupils=roster,
        teachers=teachers or (),
        cessions=cessions,
        stock=stock,
        attested=[row for each in history for row in each.rows],
    )
    attestation = attestations.issue(
        found.entries,
        school=place.uai,
        start=start.date() if start else None,
        end=end.date() if end else None,
        previous=history,
        today=on.date() if on else date.today(),  # noqa: DTZ011 - the school's own day
        stock=found.stock,
        withdraw=withdraw,
    )
    papers = attesting.press(attestation, place, settings, key, cache)
    paths = attesting.write(attestation, place, settings, papers, out)
    output.remark(found.notices)
    _remark_waiting(attestations.waiting(found.entries, [*history, attestation]))
    _answer(attestation, papers, paths, as_json=as_json)


def _missing(**given: object) -> "InvalidInput":
    from docgen.errors import InvalidInput, Problem

    names = [f"--{name}" for name, value in given.items() if not value]
    return InvalidInput(Problem(f"il manque {' et '.join(names)}.", "commande"))


def _reprint(path: Path, place: "School", out: Path, *, as_json: bool) -> None:
    from docgen import attesting
    from docgen.datafolder import data_folder, page_code_key
    from docgen.errors import InvalidInput, Problem

    (record,) = attesting.read_records([path])
    if record.school.uai != place.uai:
        what = f"cette attestation est de l’établissement {record.school.uai}."
        raise InvalidInput(Problem(what, path.name, "Donnez son school.toml."))
    data = data_folder()
    paths = attesting.reprint(record, place.head, page_code_key(data), data / "cache", out)
    if as_json:
        output.say_json({"files": [str(each) for each in paths]})
        return
    output.say("Réimpression identique à l’original :")
    for each in paths:
        output.say(f"  {each}")


def _remark_waiting(entries: "list[Entry]") -> None:
    undated = sum(entry.ceded_date is None for entry in entries)
    outside = len(entries) - undated
    remarks = []
    if undated:
        remarks.append(f"{undated} cession(s) sans date ne sont pas attestées : complétez-les.")
    if outside:
        remarks.append(f"{outside} cession(s) hors de la période attendent une autre attestation.")
    output.remark(remarks)


def _answer(
    attestation: "Attestation", papers: "Papers", paths: list[Path], *, as_json: bool
) -> None:
    from docgen.attestations import count
    from docgen.attesting import ATTESTATION, counted

    pupils, teachers = count(attestation.rows)
    if as_json:
        output.say_json(
            {
                "reference": papers.references[ATTESTATION],
                "school_year": attestation.school_year,
                "number": attestation.number,
                "is_complementary": attestation.is_complementary,
                "pupils": pupils,
                "teachers": teachers,
                "late": len(attestation.late),
                "withdrawn": len(attestation.withdrawn),
                "pages": papers.pages,
                "sha256": attestation.sha256,
                "files": [str(path) for path in paths],
            }
        )
        return
    kind = "complémentaire " if attestation.is_complementary else ""
    output.say(f"Attestation {kind}{attestation.label}, {attestation.period} :")
    late = f", dont {len(attestation.late)} saisie(s) tardive(s)" if attestation.late else ""
    output.say(f"  {counted(attestation)} (élèves : {pupils}, professeurs : {teachers}){late}.")
    for each in paths:
        output.say(f"  {each}")
    output.say("Gardez le fichier .json : l’attestation suivante et la réimpression en ont besoin.")
