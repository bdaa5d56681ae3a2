"""Write people as SIECLE exports do, with every oddity of theirs that the import accepts."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from xml.sax.saxutils import escape, quoteattr

from docgen.records import Guardian, Person, School
from samples.names import STREETS, TOWNS
from samples.people import SCHOOL_START_DATE, Division

ENCODING = "ISO-8859-15"
EXPORT_DATE = date(2026, 9, 14)
SYNTHETIC = "<!-- Données synthétiques : personne de réel. -->"
MOTHER, FATHER, GUARDIAN, SELF = "10", "20", "50", "70"

Lines = Iterator[str]


def element(tag: str, text: str, empty: bool = False) -> str:
    """Write an element; SIECLE leaves a missing value out, and writes an empty one as empty."""
    return f"<{tag}>{escape(text)}</{tag}>" if text or empty else ""


def document(root: str, version: str, school: School, body: Iterable[str]) -> bytes:
    """Write one export: header, then body."""
    day = f"{EXPORT_DATE:%d/%m/%Y}"
    head = (
        f'<?xml version="1.0" encoding="{ENCODING}"?>',
        SYNTHETIC,
        f'<{root} VERSION="{version}">',
        f"<PARAMETRES><UAJ>{school.uai}</UAJ><ANNEE_SCOLAIRE>2026</ANNEE_SCOLAIRE>",
        f"<DATE_EXPORT>{day}</DATE_EXPORT><HORODATAGE>{day} 19:04:11</HORODATAGE></PARAMETRES>",
        "<DONNEES>",
    )
    return "\n".join((*head, *body, "</DONNEES>", f"</{root}>", "")).encode(ENCODING)


def pupils_export(school: School, people: Sequence[Person], groups: Sequence[Division]) -> bytes:
    """Write ElevesAvecAdresses.xml, with pupils who left and one who is in no real class."""
    mefs = {group.code: group.mef for group in groups}

    def body() -> Lines:
        yield "<ELEVES>"
        for number, person in enumerate(people):
            yield _pupil(school, number, person, mefs[person.division])
        for number, person in enumerate(_set_aside(people)):
            left = "" if number == 0 else ("03/07/2026", "10/09/2026")[number % 2]
            yield _pupil(school, 9000 + number, person, mefs[groups[0].code], left)
        yield "</ELEVES><STRUCTURES>"
        for number, person in enumerate(people):
            yield _structures(number, person.id, person.division)
        for number, person in enumerate(_set_aside(people)):
            yield _structures(2, person.id, "Inactifs" if number == 0 else groups[0].code)
        yield "</STRUCTURES><ADRESSES>"
        yield from map(_address, range(min(len(people), 40)))
        yield "</ADRESSES>"

    return document("BEE_ELEVES", "2.1", school, body())


def guardians_export(school: School, people: Sequence[Person]) -> bytes:
    """Write ResponsablesAvecAdresses.xml: brothers and sisters point to the same persons."""
    numbers: dict[Guardian, int] = {}
    for person in people:
        for guardian in person.guardians:
            numbers.setdefault(guardian, 700_001 + 2 * len(numbers))

    def body() -> Lines:
        yield "<PERSONNES>"
        for guardian, number in numbers.items():
            yield _person(number, guardian)
        yield _person(699_999, Guardian("CONTACT", "Aîné", "M."))
        for number, adult in _answer_for_themselves(people):
            yield _person(number, Guardian(adult.family_name, adult.first_name, adult.civility))
        yield "</PERSONNES><RESPONSABLES>"
        for number, person in enumerate(people):
            links = [
                _link(person.id, numbers[guardian], _kinship(guardian), "1", rank == 0)
                for rank, guardian in enumerate(person.guardians)
            ]
            # The file's order means nothing: the payer comes second for one pupil in three.
            yield from reversed(links) if number % 3 == 0 else links
            if number % 40 == 7:
                yield _link(person.id, 699_999, "37", "23"[number % 2], False)
        for number, adult in _answer_for_themselves(people):
            yield _link(adult.id, number, SELF, "1", True)
        yield "</RESPONSABLES><ADRESSES>"
        yield from map(_address, range(min(len(numbers), 40)))
        yield "</ADRESSES>"

    return document("BEE_RESPONSABLES", "2.1", school, body())


def structures_export(school: School, groups: Sequence[Division]) -> bytes:
    """Write Structures.xml: the classes, and a group that cuts across two of them."""

    def body() -> Lines:
        yield "<DIVISIONS>"
        for group in groups:
            mef = f"<MEF_APPARTENANCE>{element('CODE_MEF', group.mef)}</MEF_APPARTENANCE>"
            label = element("LIBELLE_LONG", group.code)
            yield f"<DIVISION CODE_STRUCTURE={quoteattr(group.code)}>{label}"
            yield f"<MEFS_APPARTENANCE>{mef}</MEFS_APPARTENANCE></DIVISION>"
        yield '</DIVISIONS><GROUPES><GROUPE CODE_STRUCTURE="_LATIN1">'
        yield f"{element('LIBELLE_LONG', 'LATIN')}</GROUPE></GROUPES>"

    return document("BEE_STRUCTURES", "2.0", school, body())


def nomenclature_export(school: School, groups: Sequence[Division]) -> bytes:
    """Write Nomenclature.xml: what each course (MEF) is called."""

    def body() -> Lines:
        yield "<MEFS>"
        for mef, level in {group.mef: group.level for group in groups}.items():
            labels = element("LIBELLE_LONG", level.upper()) + element("LIBELLE_EDITION", level)
            yield f'<MEF CODE_MEF="{mef}">{element("FORMATION", level[:4].upper())}{labels}</MEF>'
        yield "</MEFS>"

    return document("BEE_NOMENCLATURES", "3.1", school, body())


def _pupil(school: School, number: int, person: Person, mef: str, left: str = "") -> str:
    elenoet = 3000 + number
    born = person.birth_date or SCHOOL_START_DATE
    # One in nine has its ELENOET only inside ID_ELEVE_ETAB, one in two an empty usage name.
    parts = (
        f'<ELEVE ELEVE_ID="{person.id}"' + (f' ELENOET="{elenoet}">' if number % 9 else ">"),
        element("ID_NATIONAL", person.ine),
        element("ELENOET", str(elenoet) if number % 9 else ""),
        element("ID_ELEVE_ETAB", f"{elenoet:05}{school.uai[1:7]}"),
        element("NOM_DE_FAMILLE", person.family_name),
        element("NOM_USAGE", person.usage_name, empty=number % 2 == 0),
        element("PRENOM", person.first_name),
        element("DATE_NAISS", f"{born:%d/%m/%Y}"),
        element("DOUBLEMENT", "0") + element("CODE_PAYS", "100"),
        element("DATE_MODIFICATION", "01/09/2026") + element("CODE_REGIME", "0"),
        element("DATE_ENTREE", "01/09/2026"),
        element("DATE_SORTIE", left or ("04/07/2027" if number % 25 == 3 else "")),
        element("ADRESSE_ID", str(800_001 + number % 40)),
        element("CODE_SEXE", {"M.": "1", "Mme": "2"}.get(person.civility, "")),
        element("CODE_STATUT", "ST") + element("CODE_MEF", mef),
        "<SCOLARITE_AN_DERNIER><CODE_STRUCTURE>3 B</CODE_STRUCTURE></SCOLARITE_AN_DERNIER></ELEVE>",
    )
    return "".join(parts)


def _structures(number: int, pupil_id: str, division: str) -> str:
    """Write a pupil's class; a group comes first for one in four, all is repeated for a few."""

    def structure(code: str, kind: str) -> str:
        kinds = element("TYPE_STRUCTURE", kind)
        return f"<STRUCTURE>{element('CODE_STRUCTURE', code)}{kinds}</STRUCTURE>"

    rows = [structure(division, "D")]
    if number % 2:
        rows.insert(0 if number % 4 == 1 else 1, structure("_LATIN1", "G"))
    whole = f'<STRUCTURES_ELEVE ELEVE_ID="{pupil_id}">{"".join(rows)}</STRUCTURES_ELEVE>'
    return whole * (2 if number % 200 == 11 else 1)


def _address(number: int) -> str:
    postal_code, town = TOWNS[number % len(TOWNS)]
    street = f"{number + 1} {STREETS[number % len(STREETS)]}"
    # SIECLE writes a question mark for each letter that it cannot hold.
    street = street.replace("Accoules", "Accoul?s") if number % 20 == 9 else street
    lines = (
        element("LIGNE1_ADRESSE", street.upper()),
        element("LIGNE2_ADRESSE", "RÉSIDENCE DU SOU À 1 €" if number % 7 == 0 else "", empty=True),
        element("CODE_POSTAL", postal_code) + element("CODE_PAYS", "100"),
        element("LIBELLE_POSTAL", town),
    )
    return f'<ADRESSE ADRESSE_ID="{800_001 + number}">{"".join(lines)}</ADRESSE>'


def _person(number: int, guardian: Guardian) -> str:
    civility = "MLLE" if guardian.civility == "Mme" and number % 30 == 1 else guardian.civility
    phone = "TEL_PERSONNEL" if number % 4 == 1 else "TEL_PORTABLE"
    parts = (
        element("LC_CIVILITE", civility.upper()),
        element("NOM_DE_FAMILLE", guardian.family_name) + element("PRENOM", guardian.first_name),
        element(phone, guardian.phone),
        element("MEL", guardian.email, empty=True),
        # A person may have no address, and two may share one.
        element("ADRESSE_ID", str(800_001 + number % 40) if number % 5 else ""),
    )
    return f'<PERSONNE PERSONNE_ID="{number}">{"".join(parts)}</PERSONNE>'


def _link(pupil_id: str, person_id: int, kinship: str, level: str, pays: bool) -> str:
    parts = (
        element("ELEVE_ID", pupil_id) + element("PERSONNE_ID", str(person_id)),
        element("NIVEAU_RESPONSABILITE", level) + element("CODE_PARENTE", kinship),
        # One row mixes 0/1 and true/false.
        element("PAIE_FRAIS_SCOLAIRES", str(int(pays))) + element("HEBERGE_ELEVE", "true"),
        element("A_CONTACTER_EN_PRIORITE", "false"),
    )
    return f"<RESPONSABLE_ELEVE>{''.join(parts)}</RESPONSABLE_ELEVE>"


def _kinship(guardian: Guardian) -> str:
    return {"Mme": MOTHER, "M.": FATHER}.get(guardian.civility, GUARDIAN)


def _answer_for_themselves(people: Sequence[Person]) -> list[tuple[int, Person]]:
    """Give every other pupil of age, with the number that they have as a person."""
    adults = [person for person in people if person.is_adult(SCHOOL_START_DATE)]
    return [(500_001 + number, person) for number, person in enumerate(adults[::2])]


def _set_aside(people: Sequence[Person]) -> list[Person]:
    """Make a pupil of the fictitious class « Inactifs », then pupils who left."""
    first = people[0]
    count = 1 + max(1, len(people) // 100)
    return [
        Person(str(9_900_001 + number), "ANCIEN", "Élève", "", first.birth_date, first.division)
        for number in range(count)
    ]
