"""Join the raw rows of SIECLE exports into people: who is enrolled, where, and under whom."""

from collections.abc import Iterator
from datetime import date

from docgen import identifiers
from docgen.fields import parse_date
from docgen.records import Guardian, Person
from docgen.rosters.exports import school_year
from docgen.rosters.gathering import Findings, Gathered, enumeration
from docgen.rosters.siecle import Export, Link, Pupil
from docgen.rosters.text import name_problem

# SIECLE files pupils who are not placed any more, or not yet, under this class that does not exist.
PSEUDO_CLASSES = {"inactifs"}
SEXES = {"1": "M.", "2": "Mme"}
AMEND = "Corrigez la fiche dans SIECLE, puis reprenez l’export."


def enrolled(export: Export, findings: Findings) -> Gathered:
    """Give the pupils who are in a class, in the order of the file."""
    return _Enrolment(export, findings).gathered()


class _Enrolment:
    """The export being joined, and the pupils to tell of together in one notice."""

    def __init__(self, export: Export, findings: Findings) -> None:
        self.export, self.findings = export, findings
        self.file = export.files.get("BEE_ELEVES", "")
        self.since = _reference_date(export)
        self.told: dict[str, list[str]] = {}
        self.doubtful_persons: set[str] = set()

    def gathered(self) -> Gathered:
        result = Gathered(school_year=school_year(self.export.year))
        if not self.file and self.export.files:
            what = "les élèves manquent."
            self.findings.problem(what, remedy="Ajoutez l’export SIECLE ElevesAvecAdresses.")
            return result
        ines: dict[str, Pupil] = {}
        for pupil in self.export.pupils.values():
            keys = set(filter(None, (pupil.id, pupil.ine)))
            division = self._division(pupil)
            if division is None:
                result.aside |= keys
                continue
            result.keys |= dict.fromkeys(keys, pupil.id)
            if pupil.ine and (other := ines.setdefault(pupil.ine, pupil)) is not pupil:
                what = f"le même INE que ELEVE_ID {other.id}."
                self.findings.problem(what, pupil.where, AMEND)
            result.people.append(self._person(pupil, division))
        self._tell()
        return result

    def _division(self, pupil: Pupil) -> str | None:
        """Give the class of a pupil; None when the pupil is to be set aside."""
        if self._has_left(pupil):
            self._note("ont quitté l’établissement et sont mis de côté", pupil)
            return None
        # After leaving: who left keeps a class in the export, or has none, and neither matters.
        codes = self.export.divisions.get(pupil.id, [])
        real = [code for code in codes if code.casefold() not in PSEUDO_CLASSES]
        if codes and not real:
            self._note("sont dans la classe fictive « Inactifs » et sont mis de côté", pupil)
            return None
        if not real:
            what = "cet élève n’a pas de classe."
            self.findings.problem(
                what, self._where(pupil), "Affectez-le dans SIECLE, puis reprenez l’export."
            )
            return ""
        if len(real) > 1:
            what = f"cet élève a plusieurs classes ({enumeration(real)})."
            self.findings.problem(what, self._where(pupil), AMEND)
        if self.export.division_mefs and real[0] not in self.export.division_mefs:
            self._note(f"sont dans la classe « {real[0]} », absente de Structures", pupil)
        return real[0]

    def _has_left(self, pupil: Pupil) -> bool:
        if not pupil.exit_date:
            return False
        day = parse_date(pupil.exit_date)
        if day is None:
            self.findings.problem(
                "DATE_SORTIE n’est pas une date jj/mm/aaaa.", self._where(pupil), AMEND
            )
            return False
        if self.since is None:
            what = "DATE_SORTIE ne peut se lire : le fichier ne dit ni son année ni sa date."
            self.findings.problem(what, self._where(pupil), "Reprenez l’export dans SIECLE.")
            return False
        return day <= self.since

    def _person(self, pupil: Pupil, division: str) -> Person:
        self._check(pupil)
        return Person(
            id=pupil.id,
            family_name=pupil.family_name,
            first_name=pupil.first_name,
            usage_name=pupil.usage_name,
            birth_date=self._birth_date(pupil),
            division=division,
            level=self._level(pupil, division),
            ine=pupil.ine,
            civility=SEXES.get(pupil.sex, ""),
            guardians=tuple(self._guardians(pupil)),
        )

    def _check(self, pupil: Pupil) -> None:
        where = self._where(pupil)
        if not pupil.family_name:
            self.findings.problem("le nom de famille manque.", where, AMEND)
        if not pupil.first_name:
            self.findings.problem("le prénom manque.", where, AMEND)
        names = ("nom de famille", pupil.family_name), ("nom d’usage", pupil.usage_name)
        for label, name in (*names, ("prénom", pupil.first_name)):
            if problem := name_problem(name):
                self.findings.problem(f"{label} : {problem}", where, AMEND)
        if pupil.ine and identifiers.ine_problem(pupil.ine):
            self._note("ont un INE de forme inconnue, gardé tel quel", pupil)

    def _birth_date(self, pupil: Pupil) -> date | None:
        day = parse_date(pupil.birth_date)
        if day is None or day.year < 1900:
            what = "la date de naissance manque ou n’est pas une date jj/mm/aaaa."
            self.findings.problem(what, self._where(pupil), AMEND)
        return day

    def _level(self, pupil: Pupil, division: str) -> str:
        levels = self.export.levels
        mef = pupil.mef or self.export.division_mefs.get(division, "")
        if levels and mef and mef not in levels:
            self._note(f"suivent la formation {mef}, absente de Nomenclature", pupil)
        return levels.get(mef, "")

    def _guardians(self, pupil: Pupil) -> Iterator[Guardian]:
        """Yield who holds parental authority: by rank before 2018, payer first, then as filed."""
        links = self.export.links.get(pupil.id, [])
        # Reversed: of a person filed twice, the first row is the one kept.
        legal = {link.person_id: link for link in reversed(links) if link.rank and not link.is_self}
        ordered = sorted(
            (link for link in links if legal.get(link.person_id) is link),
            key=lambda link: (link.rank, not link.pays),
        )
        if len(ordered) > 2:
            self._note("ont plus de deux représentants légaux : seuls deux s’impriment", pupil)
        if not ordered and "BEE_RESPONSABLES" in self.export.files and not self._is_adult(pupil):
            self._note("sont mineurs et sans représentant légal : place laissée à écrire", pupil)
        for link in ordered:
            guardian = self._guardian(link, pupil)
            if guardian:
                yield guardian

    def _guardian(self, link: Link, pupil: Pupil) -> Guardian | None:
        person = self.export.persons.get(link.person_id)
        if person is None:
            what = f"PERSONNE_ID {link.person_id} ne figure pas parmi les responsables."
            self.findings.problem(
                what, self._where(pupil), "Reprenez les deux exports le même jour."
            )
            return None
        # Told once: brothers and sisters share the person.
        problem = name_problem(f"{person.family_name} {person.first_name}")
        if not person.family_name:
            problem = "le nom manque."
        if problem and link.person_id not in self.doubtful_persons:
            self.doubtful_persons.add(link.person_id)
            where = f"{self.export.files['BEE_RESPONSABLES']}, PERSONNE_ID {link.person_id}"
            self.findings.problem(f"nom du représentant légal : {problem}", where, AMEND)
        return person

    def _is_adult(self, pupil: Pupil) -> bool:
        born = parse_date(pupil.birth_date)
        if born is None or self.since is None:
            return False
        return bool(Person(pupil.id, "", "", birth_date=born).is_adult(self.since))

    def _where(self, pupil: Pupil) -> str:
        return f"{pupil.where} (élève n° {pupil.number})" if pupil.number else pupil.where

    def _note(self, sentence: str, pupil: Pupil) -> None:
        self.told.setdefault(sentence, []).append(pupil.id)

    def _tell(self) -> None:
        for sentence, ids in self.told.items():
            count = f"{len(ids)} élève(s)"
            self.findings.notice(f"{count} {sentence} (ELEVE_ID {enumeration(ids)}).", self.file)
        if "BEE_RESPONSABLES" not in self.export.files:
            sentence = "sans ResponsablesAvecAdresses, les représentants légaux restent à écrire."
            self.findings.notice(sentence, self.file)
        strangers = self.export.links.keys() - self.export.pupils.keys()
        if strangers:
            sentence = (
                f"liens ignorés, vers {len(strangers)} élève(s) absents du fichier des élèves."
            )
            self.findings.notice(sentence, self.export.files["BEE_RESPONSABLES"])
        if self.export.garbled_addresses:
            places = enumeration(self.export.garbled_addresses)
            sentence = f"un point d’interrogation y remplace une lettre perdue ({places})."
            self.findings.notice(sentence, "adresses")


def _reference_date(export: Export) -> date | None:
    """Give the day that a leaving date is compared with: of the export, or of the rentrée if later.

    A pupil who left in July is still in the base exported in June for the next year.
    """
    rentree = date(int(export.year), 9, 1) if school_year(export.year) else None
    return max(filter(None, (export.day, rentree)), default=None)
