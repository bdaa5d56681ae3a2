"""Pupils or teachers of spreadsheets, with the tablet that each received."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from docgen import identifiers
from docgen.fields import parse_date
from docgen.records import Audience, Guardian, Person
from docgen.rosters.gathering import Findings, Gathered, Handover, is_discreet
from docgen.rosters.tables import Column, Line, read_table
from docgen.rosters.text import CIVILITIES, fold, name_problem

NAMES = frozenset({"family_name", "usage_name", "first_name", "division", "guardian1", "guardian2"})
EXCEL_EPOCH = date(1899, 12, 30)
EXCEL_DAYS = range(3654, 73_051)  # 1910 to 2099, so that a mere year is no day count


@cache
def columns_for(audience: Audience) -> tuple[Column, ...]:
    """Give the columns that are read; a pupil's birth date decides who signs, so it is needed."""
    pupil = audience == "pupil"
    return (
        Column("family_name", "Nom de famille", ("nom", "nomfamille"), needed=True),
        Column("usage_name", "Nom d’usage", ("nomusage",)),
        Column("first_name", "Prénom", ("prenom1", "prenoms"), needed=True),
        Column("birth_date", "Date de naissance", ("datenaissance", "neele"), needed=pupil),
        Column("division", "Classe", ("division",), needed=pupil),
        Column("level", "Niveau"),
        Column("ine", "INE", ("idnational", "identifiantnational")),
        Column("guardian1", "Représentant légal 1", ("responsablelegal1", "responsable1")),
        Column("guardian2", "Représentant légal 2", ("responsablelegal2", "responsable2")),
        Column("serial", "N° de série", ("nodeserie", "numerodeserie", "nserie", "ns")),
        Column("id", "Identifiant", ("identifiantinterne", "id")),
        Column("civility", "Civilité"),
        Column("function", "Fonction"),
        Column("discipline", "Discipline"),
    )


@dataclass(slots=True)
class _Seen:
    """Where each person was first met, by id or INE, and by name when nothing else tells."""

    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def before(self, line: Line, name: str) -> str | None:
        """Say what this line shares with which line before, and remember this line."""
        own = {"INE": identifiers.normalise(line["ine"]), "identifiant": line["id"]}
        own = {kind: key for kind, key in own.items() if key}
        known = {kind: self.keys[key] for kind, key in own.items() if key in self.keys}
        namesake, told_apart = self.names.get(name, ("", True))
        for key in own.values():
            self.keys.setdefault(key, (line.where, name))
        self.names.setdefault(name, (line.where, bool(own)))
        for kind, (place, who) in known.items():
            if who != name:  # typed on the wrong line: two people are not one
                return f"le même {kind} que {place}, sous un autre nom ou une autre naissance."
            return f"la même personne que {place}."
        return None if (own and told_apart) or not namesake else f"la même personne que {namesake}."


def read_people(paths: Sequence[Path], audience: Audience, findings: Findings) -> Gathered:
    """Read the people of all these tables, and the tablets that the tables say they received."""
    gathered, seen = Gathered(), _Seen()
    for path in paths:
        with findings.collecting():
            for line in read_table(path, columns_for(audience), findings):
                if line.cells:
                    _add(line, audience, gathered, seen, findings)
                else:
                    gathered.is_complete = False
    gathered.is_complete &= not findings.has_unread
    return gathered


def _add(
    line: Line, audience: Audience, gathered: Gathered, seen: _Seen, findings: Findings
) -> None:
    birth_date = _birth_date(line, audience, findings)
    _check(line, audience, findings)
    name = identity(line, birth_date)
    person = _person(line, birth_date, name)
    # Known to the register even with a mistake in the line, which is told once and here.
    for key in filter(None, (person.id, line["id"], person.ine)):
        gathered.keys[key] = person.id
    if shared := seen.before(line, name):
        remedy = "Gardez une seule ligne, ou corrigez l’INE ou l’« Identifiant »."
        findings.problem(shared, line.where, remedy)
        return
    gathered.people.append(person)
    if line["serial"]:
        gathered.handovers.append(Handover(line.where, line["serial"], person.id))


def _check(line: Line, audience: Audience, findings: Findings) -> None:
    for column in columns_for(audience):
        if column.needed and line.is_empty(column.key) and column.key != "birth_date":
            findings.problem(f"« {column.title} » est vide.", line.where, "Complétez la cellule.")
        if column.key in NAMES and (problem := name_problem(line[column.key])):
            what = f"« {column.title} » : {problem}"
            findings.problem(what, line.where, "Ressaisissez la cellule.")
    if line["ine"] and (problem := identifiers.ine_problem(identifiers.normalise(line["ine"]))):
        findings.problem(problem, line.where, "Corrigez la cellule, ou videz-la.")
    if line["civility"] and fold(line["civility"]) not in CIVILITIES:
        findings.problem("« Civilité » est inconnue.", line.where, "Écrivez « M. » ou « Mme ».")


def _birth_date(line: Line, audience: Audience, findings: Findings) -> date | None:
    text = line["birth_date"]
    if not text:
        if audience == "pupil" and line.is_empty("birth_date"):
            remedy = "Complétez-la : elle dit si l’élève signe seul."
            findings.problem("« Date de naissance » est vide.", line.where, remedy)
        return None
    found = parse_date(text)
    if len(text) < 6 and text.isdecimal() and int(text) in EXCEL_DAYS:
        found = EXCEL_EPOCH + timedelta(int(text))
    if found is None or found.year < 1900:
        what = "« Date de naissance » n’est pas une date."
        findings.problem(what, line.where, "Écrivez-la jj/mm/aaaa.")
    return found


def _person(line: Line, birth_date: date | None, name: str) -> Person:
    return Person(
        id=internal_id(line, name),
        family_name=line["family_name"],
        first_name=line["first_name"],
        usage_name=line["usage_name"],
        birth_date=birth_date,
        division=line["division"],
        level=line["level"],
        ine=identifiers.normalise(line["ine"]),
        civility=CIVILITIES.get(fold(line["civility"]), ""),
        function=", ".join(filter(None, (line["function"], line["discipline"]))),
        # Kept whole: which word of « Mme Le Goff Anne » is the name cannot be told.
        guardians=tuple(
            Guardian(text, "") for text in (line["guardian1"], line["guardian2"]) if text
        ),
    )


def internal_id(line: Line, name: str) -> str:
    """Give an id that sorting the sheet does not change and that names nobody when printed.

    An « Identifiant » that is an INE or that holds the family name (a login) is hidden too.
    """
    given = line["id"]
    if is_discreet(given) and fold(line["family_name"]) not in fold(given):
        return given
    secret = given or identifiers.normalise(line["ine"]) or name
    return "p" + hashlib.sha256(secret.encode()).hexdigest()[:12]


def identity(line: Line, birth_date: date | None) -> str:
    """Give what two lines about one person share, however the name was typed."""
    return f"{fold(line['family_name'])}|{fold(line['first_name'])}|{birth_date or ''}"
