"""STS-Web exports (sts_emp): the teachers of a school, who else works there, who left."""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from docgen import identifiers
from docgen.errors import RosterRejected
from docgen.fields import parse_date
from docgen.records import Person
from docgen.rosters.exports import OTHER_ROOTS, Handler, check_school, read_export, school_year
from docgen.rosters.gathering import Findings, Gathered, enumeration, is_discreet
from docgen.rosters.markup import Row
from docgen.rosters.opening import refusal
from docgen.rosters.text import fold, name_problem

WANTED = (
    "Pour les professeurs, donnez le fichier sts_emp que STS-Web exporte, "
    "ou un tableur (.csv ou .xlsx)."
)
AGAIN = "Reprenez l’export sts_emp dans STS-Web."
AMEND = "Corrigez la fiche dans STS-Web, puis reprenez l’export."

# An ID is unique among those of its TYPE: numbers typed at school may be those of the academy.
PREFIXES = {"epp": "", "local": "local-"}
CIVILITIES = {"1": "M.", "2": "Mme", "3": "Mme"}  # 3 is « Mlle », which is not written any more
SEXES = {"1": "M.", "2": "Mme"}
# Who teaches, by FONCTION: what documents call a man or somebody unknown, then a woman.
TITLES = {
    "ENS": ("Professeur", "Professeure"),
    "DOC": ("Professeur documentaliste", "Professeure documentaliste"),
}
FUNCTION_CODE = re.compile("[A-Z]{2,4}")
HOURS = re.compile(r"\d{1,3}(?:[.,]\d{1,2})?")
# STS-Web writes labels in capitals without accents; those that can be told are written in full.
SUBJECTS = {
    fold(label): label
    for label in (
        *("Mathématiques", "Lettres modernes", "Lettres classiques", "Histoire-géographie"),
        *("Anglais", "Espagnol", "Italien", "Allemand", "Portugais", "Chinois", "Arabe"),
        *("Russe", "Philosophie", "Physique-chimie", "Sciences de la vie et de la Terre"),
        *("Sciences économiques et sociales", "Éducation physique et sportive"),
        *("Arts plastiques", "Éducation musicale", "Économie-gestion", "Technologie"),
        *("Économie et gestion", "Arts appliqués", "Biotechnologies", "Génie mécanique"),
        *("Génie civil", "Génie électrique", "Génie électronique", "Génie électrotechnique"),
    )
}


class Reader:
    """Read the sts_emp export of a school."""

    def __init__(self, uai: str, findings: Findings) -> None:
        """Take the school whose export this must be."""
        self.uai, self.findings = uai, findings
        self.file, self.names_its_school = "", False
        self.people = Gathered()
        self.met: set[str] = set()
        self.cited: set[str] = set()
        self.others: Counter[str] = Counter()
        self.told: dict[str, list[str]] = {}
        self.namesakes: dict[tuple[str, str], Person] = {}

    def read(self, path: Path) -> None:
        """Take what one .xml or .zip file holds.

        Raises:
            RosterRejected: when the file cannot be read at all.
        """
        read_export(path, self._handlers, self.findings, WANTED)

    def gathered(self) -> Gathered:
        """Give the teachers, in the order of the file, and tell of the others."""
        if self.file and not self.names_its_school:
            what = "le code UAJ manque : rien ne dit de quel établissement est ce fichier."
            self.findings.problem(what, self.file, AGAIN)
        for sentence, ids in self.told.items():
            self._notice(f"{len(ids)} personne(s) {sentence} (INDIVIDU {enumeration(ids)}).")
        if self.others:
            counts = enumeration([f"{n} {code}" for code, n in sorted(self.others.items())])
            kept = "seuls les professeurs (ENS) et les documentalistes (DOC) sont retenus"
            total = self.others.total()
            self._notice(
                f"{total} personne(s) d’autres fonctions mises de côté ({counts}) : {kept}."
            )
        if strangers := len(self.cited - self.met):
            self._notice(
                f"liens ignorés, de services vers {strangers} personne(s) absentes du fichier."
            )
        return self.people

    def _handlers(self, root: str, where: str) -> Mapping[str, Handler]:
        if root != "STS_EDT":
            raise _other_root(root, where)
        if self.file:
            what = f"ce fichier est de la même sorte que {self.file} ({root})."
            raise refusal(where, what, "N’en donnez qu’un.")
        self.file = where
        return {
            "PARAMETRES": self._header,
            "INDIVIDU": self._individual,
            "DIVISIONS": self._services,
            "GROUPES": self._services,
        }

    def _header(self, row: Row, where: str) -> None:
        for part in row.rows:
            if part.tag == "UAJ" and (uai := identifiers.normalise(part.key("CODE"))):
                self.names_its_school = True
                check_school(uai, self.uai, where, self.findings, "STS-Web")
            if part.tag == "ANNEE_SCOLAIRE":
                self.people.school_year = school_year(part.key("ANNEE"))

    def _services(self, row: Row, where: str) -> None:
        """Note the teachers that classes and groups name; some are not in the school any more."""
        self.cited |= {_id(teacher) for teacher in row.inner("ENSEIGNANT")}

    def _individual(self, row: Row, where: str) -> None:
        person_id = _id(row)
        if not _is_usable(row):
            what = "une personne n’a pas d’ID et de TYPE (epp ou local) utilisables."
            self.findings.problem(what, where, AGAIN)
            return
        if person_id in self.met:
            self.findings.problem(
                "cette personne s’y trouve deux fois.", f"{where}, INDIVIDU {person_id}", AGAIN
            )
            return
        self.met.add(person_id)
        function = row.first("FONCTION").upper()
        if function in TITLES:
            self.people.keys[person_id] = person_id
            self.people.people.append(self._person(row, person_id, where))
            return
        self.people.aside.add(person_id)
        if function:
            self.others[function if FUNCTION_CODE.fullmatch(function) else "autre"] += 1
        else:
            self._note("sans fonction (départ, congé long) mises de côté", person_id)

    def _person(self, row: Row, person_id: str, where: str) -> Person:
        usage_name = row.first("NOM_USAGE")
        family_name = row.first("NOM_PATRONYMIQUE") or usage_name
        civility = CIVILITIES.get(row.first("CIVILITE")) or SEXES.get(row.first("SEXE"), "")
        person = Person(
            id=person_id,
            family_name=family_name,
            first_name=row.first("PRENOM"),
            # STS-Web repeats the family name of whoever uses no other.
            usage_name="" if fold(usage_name) == fold(family_name) else usage_name,
            birth_date=self._birth_date(row, person_id),
            civility=civility,
            function=self._function(row, person_id, civility),
        )
        self._check(person, f"{where}, INDIVIDU {person_id}")
        return person

    def _check(self, person: Person, where: str) -> None:
        if not person.family_name:
            self.findings.problem("le nom manque.", where, AMEND)
        if not person.first_name:
            self.findings.problem("le prénom manque.", where, AMEND)
        names = ("nom de famille", person.family_name), ("nom d’usage", person.usage_name)
        for label, name in (*names, ("prénom", person.first_name)):
            if problem := name_problem(name):
                self.findings.problem(f"{label} : {problem}", where, AMEND)
        if not person.civility:
            self._note("sans civilité : fonction écrite au masculin", person.id)
        # Who comes under a local record sometimes gets one of the academy later.
        for name in filter(None, {fold(person.family_name), fold(person.usage_name)}):
            known = self.namesakes.setdefault((name, fold(person.first_name)), person)
            if known is not person and _may_be_one(known, person):
                told = (
                    "portent le nom d’une autre : si c’est la même, supprimez une des deux fiches"
                )
                self._note(told, person.id)
                break

    def _birth_date(self, row: Row, person_id: str) -> date | None:
        text = row.first("DATE_NAISSANCE")
        day = parse_date(text[:10])
        if text and (day is None or day.year < 1900):
            self._note("dont la date de naissance, illisible, est laissée de côté", person_id)
            return None
        return day

    def _function(self, row: Row, person_id: str, civility: str) -> str:
        """Write what a person is called, with the subject taught for the most hours."""
        function = row.first("FONCTION").upper()
        title = TITLES[function][civility == "Mme"]
        taught = [each for each in row.inner("DISCIPLINE") if each.first("LIBELLE_COURT")]
        if function == "DOC" or not taught:
            return title
        label = max(taught, key=_hours).first("LIBELLE_COURT")
        if name_problem(label):
            self._note("dont la discipline, abîmée, est laissée de côté", person_id)
            return title
        return f"{title}, {SUBJECTS.get(fold(label), label)}"

    def _note(self, sentence: str, person_id: str) -> None:
        self.told.setdefault(sentence, []).append(person_id)

    def _notice(self, sentence: str) -> None:
        self.findings.notice(sentence, self.file)


def _id(row: Row) -> str:
    kind = row.key("TYPE").lower()
    return PREFIXES.get(kind, f"{kind}-") + row.key("ID")


def _is_usable(row: Row) -> bool:
    """Tell whether an ID may be printed: it has a TYPE, and holds no name."""
    key = row.key("ID")
    names = {fold(row.first("NOM_USAGE")), fold(row.first("NOM_PATRONYMIQUE"))} - {""}
    is_named = any(name in fold(key) for name in names)
    return row.key("TYPE").lower() in PREFIXES and is_discreet(key) and not is_named


def _may_be_one(one: Person, other: Person) -> bool:
    """Tell whether nothing but their records tells two namesakes apart."""
    return not one.birth_date or not other.birth_date or one.birth_date == other.birth_date


def _hours(discipline: Row) -> float:
    text = discipline.first("NB_HEURES")
    return float(text.replace(",", ".")) if HOURS.fullmatch(text) else 0.0


def _other_root(root: str, where: str) -> RosterRejected:
    if known := OTHER_ROOTS.get(root):
        return refusal(where, f"ce fichier est {known}.", WANTED)
    if re.fullmatch(r"BEE_[A-Z_]{1,40}", root):
        what = f"cet export de SIECLE ({root}) ne dit rien des professeurs."
        return refusal(where, what, WANTED)
    return refusal(where, "ce fichier XML n’est pas un export de STS-Web.", WANTED)
