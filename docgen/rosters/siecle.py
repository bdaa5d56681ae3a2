"""SIECLE exports, told apart by their root element, as the raw rows that they hold."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from docgen import identifiers
from docgen.errors import RosterRejected
from docgen.fields import parse_date
from docgen.records import Guardian
from docgen.rosters.exports import OTHER_ROOTS, Handler, check_school, read_export
from docgen.rosters.gathering import Findings, is_discreet
from docgen.rosters.markup import Row
from docgen.rosters.opening import refusal
from docgen.rosters.text import CIVILITIES, fold

WANTED = "Donnez l’export SIECLE ElevesAvecAdresses, et ResponsablesAvecAdresses."
STAFF = {"STS_EDT": "le fichier sts_emp de STS-Web, qui liste les professeurs"}
AGAIN = "Reprenez l’export dans SIECLE."


@dataclass(frozen=True, slots=True)
class Pupil:
    """A row of ELEVES as it stands; `number` is the ELENOET that the school knows."""

    where: str
    id: str
    number: str
    family_name: str
    usage_name: str
    first_name: str
    birth_date: str
    exit_date: str
    ine: str
    sex: str
    mef: str


@dataclass(frozen=True, slots=True)
class Link:
    """A row of RESPONSABLES: `rank` is 1 or 2 for who holds parental authority, 0 for others."""

    person_id: str
    rank: int
    pays: bool
    is_self: bool


@dataclass(slots=True)
class Export:
    """What the files given together hold, before they are joined."""

    year: str = ""
    day: date | None = None
    files: dict[str, str] = field(default_factory=dict)
    pupils: dict[str, Pupil] = field(default_factory=dict)
    divisions: dict[str, list[str]] = field(default_factory=dict)
    persons: dict[str, Guardian] = field(default_factory=dict)
    links: dict[str, list[Link]] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)
    division_mefs: dict[str, str] = field(default_factory=dict)
    garbled_addresses: list[str] = field(default_factory=list)


class Reader:
    """Read export after export into one `Export`."""

    def __init__(self, uai: str, findings: Findings) -> None:
        """Take the school whose exports these must be."""
        self.uai, self.findings, self.export = uai, findings, Export()

    def read(self, path: Path) -> None:
        """Add what one .xml or .zip file holds.

        Raises:
            RosterRejected: when the file cannot be read at all.
        """
        read_export(path, self._handlers, self.findings, WANTED)

    def _handlers(self, root: str, where: str) -> Mapping[str, Handler]:
        handlers: dict[str, dict[str, Handler]] = {
            "BEE_ELEVES": {
                "ELEVE": self._pupil,
                "STRUCTURES_ELEVE": self._structures,
                "ADRESSE": self._address,
            },
            "BEE_RESPONSABLES": {
                "PERSONNE": self._person,
                "RESPONSABLE_ELEVE": self._link,
                "RESPONSABLE": self._link,
                "ADRESSE": self._address,
            },
            "BEE_STRUCTURES": {"DIVISION": self._division},
            "BEE_NOMENCLATURES": {"MEF": self._mef},
            "BEE_COMMUN": {},
        }
        if root not in handlers:
            raise _other_root(root, where)
        if root in {"BEE_ELEVES", "BEE_RESPONSABLES"} and root in self.export.files:
            what = f"ce fichier est de la même sorte que {self.export.files[root]} ({root})."
            raise refusal(where, what, "N’en donnez qu’un.")
        self.export.files[root] = where
        return {"PARAMETRES": partial(self._header, root), **handlers[root]}

    def _header(self, root: str, row: Row, where: str) -> None:
        found = identifiers.normalise(row.first("UAJ"))
        if found:
            check_school(found, self.uai, where, self.findings, "SIECLE")
        elif root in {"BEE_ELEVES", "BEE_RESPONSABLES"}:
            what = "l’UAJ manque : rien ne dit de quel établissement est ce fichier."
            self.findings.problem(what, where, "Reprenez l’export dans SIECLE.")
        year = row.first("ANNEE_SCOLAIRE")
        if year and self.export.year and year != self.export.year:
            what = f"ce fichier est de l’année {year}, un autre de l’année {self.export.year}."
            self.findings.problem(what, where, "Donnez des exports de la même année scolaire.")
        self.export.year = self.export.year or year
        day = parse_date(row.first("DATE_EXPORT", "HORODATAGE")[:10])
        if root == "BEE_ELEVES" and day:
            self.export.day = day

    def _pupil(self, row: Row, where: str) -> None:
        key = row.key("ELEVE_ID")
        place = f"{where}, ELEVE_ID {key}"
        if not is_discreet(key):
            self.findings.problem("un élève n’a pas d’ELEVE_ID utilisable.", where, AGAIN)
        elif key in self.export.pupils:
            self.findings.problem("cet élève s’y trouve deux fois.", place, AGAIN)
        else:
            self.export.pupils[key] = Pupil(
                where=place,
                id=key,
                number=_number(row),
                family_name=row.first("NOM_DE_FAMILLE", "NOM"),
                usage_name=row.first("NOM_USAGE"),
                first_name=row.first("PRENOM"),
                birth_date=row.first("DATE_NAISS"),
                exit_date=row.first("DATE_SORTIE"),
                ine=identifiers.normalise(row.first("ID_NATIONAL", "INE_RNIE", "INE_BEA")),
                sex=row.first("CODE_SEXE"),
                mef=row.first("CODE_MEF"),
            )

    def _structures(self, row: Row, where: str) -> None:
        """Keep the classes (type D) of a pupil, wherever they stand among the groups."""
        classes = self.export.divisions.setdefault(row.key("ELEVE_ID"), [])
        for structure in row.rows:
            # Kept as typed: « 4 D » and « 301 » are codes, not words or numbers.
            code = structure.texts.get("CODE_STRUCTURE", "")
            if code and structure.texts.get("TYPE_STRUCTURE") == "D" and code not in classes:
                classes.append(code)

    def _address(self, row: Row, where: str) -> None:
        lines = ("LIGNE1_ADRESSE", "LIGNE2_ADRESSE", "LIGNE3_ADRESSE", "LIGNE4_ADRESSE")
        if any("?" in row.texts.get(tag, "") for tag in (*lines, "LIBELLE_POSTAL")):
            place = f"{where}, ADRESSE_ID {row.key('ADRESSE_ID')}"
            self.export.garbled_addresses.append(place)

    def _person(self, row: Row, where: str) -> None:
        self.export.persons[row.key("PERSONNE_ID")] = Guardian(
            family_name=row.first("NOM_DE_FAMILLE", "NOM"),
            first_name=row.first("PRENOM"),
            civility=CIVILITIES.get(fold(row.first("LC_CIVILITE", "LL_CIVILITE")), ""),
            email=row.first("MEL"),
            phone=row.first("TEL_PORTABLE", "TEL_PERSONNEL", "TEL_PROFESSIONNEL"),
        )

    def _link(self, row: Row, where: str) -> None:
        level, legal = row.first("NIVEAU_RESPONSABILITE"), row.first("RESP_LEGAL")
        rank = int(level == "1") if level else {"1": 1, "2": 2}.get(legal, 0)
        link = Link(
            person_id=row.first("PERSONNE_ID"),
            rank=rank,
            # One row mixes 0/1 and true/false.
            pays=row.first("PAIE_FRAIS_SCOLAIRES", "RESP_FINANCIER").lower() in {"1", "true"},
            # 70 since 2018, 7 before: the pupil, of age, answers for himself.
            is_self=row.first("CODE_PARENTE") in {"70", "7"},
        )
        self.export.links.setdefault(row.first("ELEVE_ID"), []).append(link)

    def _division(self, row: Row, where: str) -> None:
        mefs = set(row.nested("CODE_MEF"))
        # A class of several courses says nothing of the level of one pupil.
        only = mefs.pop() if len(mefs) == 1 else ""
        self.export.division_mefs[row.key("CODE_STRUCTURE")] = only

    def _mef(self, row: Row, where: str) -> None:
        label = row.first("LIBELLE_EDITION", "LIBELLE_LONG", "FORMATION")
        self.export.levels[row.key("CODE_MEF")] = label


def _number(row: Row) -> str:
    """Give the ELENOET, which begins the ID_ELEVE_ETAB when it is missing itself."""
    own = row.first("ELENOET") or row.key("ELENOET")
    return (own or row.first("ID_ELEVE_ETAB")[:5]).strip().lstrip("0")


def _other_root(root: str, where: str) -> RosterRejected:
    if known := (OTHER_ROOTS | STAFF).get(root):
        return refusal(where, f"ce fichier est {known}.", WANTED)
    if re.fullmatch(r"BEE_[A-Z_]{1,40}", root):
        return refusal(where, f"cet export de SIECLE ({root}) n’est pas utile ici.", WANTED)
    return refusal(where, "ce fichier XML n’est pas un export de SIECLE.", WANTED)
