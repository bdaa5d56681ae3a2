"""Write teachers as STS-Web exports do, with every oddity of theirs that the import accepts."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from xml.sax.saxutils import quoteattr

from docgen.records import Person, School
from samples.names import FAMILY_NAMES
from samples.people import Division, teachers
from samples.siecle import ENCODING, SYNTHETIC, element

LIBRARIAN = "Professeur documentaliste", "Professeure documentaliste"
# Who is in the file and gets no charter: head, deputy, advisers, and those whose function is gone.
OTHERS = ("DIR", "DIR", "EDU", "EDU", "EDU", "CTR", "", "", "", "")
GONE = (77_001, 77_008, 77_015)  # named by services, and by nothing else any more

Lines = Iterator[str]


def staff(count: int, seed: int = 1) -> list[Person]:
    """Draw so many teachers, as they must be once read from the export."""
    return [_exported(number, person) for number, person in enumerate(teachers(count, seed))]


def staff_export(school: School, people: Sequence[Person], groups: Sequence[Division]) -> bytes:
    """Write sts_emp_<UAI>_2026.xml, with other staff, people who left and services without them."""

    def body() -> Lines:
        yield "<DONNEES><INDIVIDUS>"
        for number, function in enumerate(OTHERS):
            yield _other(number, function)
        for number, person in enumerate(people):
            yield _individual(number, person)
        yield "</INDIVIDUS><STRUCTURE><DIVISIONS>"
        for number, group in enumerate(groups):
            yield _division(number, group, people)
        yield '</DIVISIONS><GROUPES><GROUPE CODE="_LATIN1"><LIBELLE_LONG>LATIN</LIBELLE_LONG>'
        yield "<EFFECTIF_PREVU>12</EFFECTIF_PREVU>"
        yield f"<SERVICES>{_service('020400', people[0].id)}</SERVICES></GROUPE></GROUPES>"
        yield "</STRUCTURE></DONNEES>"

    head = (f'<?xml version="1.0" encoding="{ENCODING}"?>', SYNTHETIC, "<STS_EDT>", _header(school))
    return "\n".join((*head, *body(), "</STS_EDT>", "")).encode(ENCODING)


def _exported(number: int, person: Person) -> Person:
    """Give a teacher the id, the names and the function that STS-Web knows."""
    subject = person.function.partition(", ")[2]
    function = person.function
    if subject == "Documentation":
        function = LIBRARIAN[person.civility == "Mme"]
    elif number % 40 == 17:
        function = function.partition(",")[0]  # no discipline
    local = number % 12 == 5
    # The first local number is also that of the first person of the academy.
    own = f"local-{14_001 if number == 5 else number}" if local else str(14_001 + 7 * number)
    usage_name = FAMILY_NAMES[number] if number % 6 == 2 else ""
    return replace(
        person,
        id=own,
        first_name=person.first_name.upper(),
        usage_name="" if usage_name == person.family_name else usage_name,
        birth_date=None if local else person.birth_date,
        function=function,
    )


def _header(school: School) -> str:
    parts = (
        "<ACADEMIE><CODE>02</CODE><LIBELLE>AIX-MARSEILLE</LIBELLE></ACADEMIE>",
        element("SIGLE", "LGT") + element("DENOM_PRINC", "LYCEE GT"),
        element("DENOM_COMPL", school.name.upper()) + element("ADRESSE", school.address[0]),
        element("COMMUNE", school.city.upper()) + element("CODE_POSTAL", school.postal_code),
    )
    dates = element("DATE_DEBUT", "2026-09-01") + element("DATE_FIN", "2027-08-31")
    year = f'<ANNEE_SCOLAIRE ANNEE="2026">{dates}</ANNEE_SCOLAIRE>'
    return f'<PARAMETRES><UAJ CODE="{school.uai}">{"".join(parts)}</UAJ>{year}</PARAMETRES>'


def _individual(number: int, person: Person) -> str:
    born = person.birth_date
    # 1 is M., 2 is Mme, 3 is Mlle, who is Mme; a civility or a sex is missing here and there.
    sex = {"M.": "1", "Mme": "2"}[person.civility]
    civility = "3" if sex == "2" and number % 8 == 3 else sex
    parts = (
        element("SEXE", "" if number % 9 == 4 else sex, empty=True),
        element("CIVILITE", "" if number % 30 == 8 else civility),
        # Without another name in use, the family name is repeated, or alone, or the only one.
        element("NOM_USAGE", person.usage_name or ("" if number % 7 == 1 else person.family_name)),
        element("NOM_PATRONYMIQUE", person.family_name if person.usage_name or number % 7 else ""),
        element("PRENOM", person.first_name),
        element("DATE_NAISSANCE", f"{born:%Y-%m-%d}" if born else ""),
        element("GRADE", "CERTIFIE CLASSE NORMALE" if born else ""),
        element("FONCTION", "DOC" if person.function in LIBRARIAN else "ENS"),
        _main_teacher(number),
        _disciplines(number, person),
    )
    return f"<INDIVIDU {_identity(person.id)}>{''.join(parts)}</INDIVIDU>"


def _other(number: int, function: str) -> str:
    parts = (
        element("SEXE", "2") + element("CIVILITE", "2") + element("NOM_USAGE", "AUTRE"),
        element("NOM_PATRONYMIQUE", "AUTRE") + element("PRENOM", "PERSONNE"),
        element("DATE_NAISSANCE", "1970-01-01") + element("FONCTION", function),
    )
    return f'<INDIVIDU ID="{60_001 + number}" TYPE="epp">{"".join(parts)}</INDIVIDU>'


def _main_teacher(number: int) -> str:
    if number % 3:
        return ""
    inner = element("CODE_STRUCTURE", "2DE 1") + element("DATE_FIN", "2027-08-31")
    return f"<PROFS_PRINC><PROF_PRINC>{inner}</PROF_PRINC></PROFS_PRINC>"


def _disciplines(number: int, person: Person) -> str:
    subject = person.function.partition(", ")[2] or "Documentation"
    if person.function not in LIBRARIAN and subject == "Documentation":
        return "<DISCIPLINES/>"
    hours = [(subject, "12.00")] if number % 15 == 2 else [(subject, "18.00")]
    if number % 15 == 2:  # a second subject, for fewer hours, may stand first
        hours.insert(0, ("Enseignement moral", "6.00"))
    rows = (
        f'<DISCIPLINE CODE="L{len(label):04}">{element("LIBELLE_COURT", _shouted(label))}'
        f"{element('NB_HEURES', taught)}</DISCIPLINE>"
        for label, taught in hours
    )
    return f"<DISCIPLINES>{''.join(rows)}</DISCIPLINES>"


def _division(number: int, group: Division, people: Sequence[Person]) -> str:
    named = [people[(5 * number + step) % len(people)].id for step in range(8)]
    services = [_service(f"0{step}0100", person_id) for step, person_id in enumerate(named)]
    services.append(_service("030201", str(GONE[number % len(GONE)])))
    mef = f"<MEFS_APPARTENANCE><MEF_APPARTENANCE CODE={quoteattr(group.mef)}/></MEFS_APPARTENANCE>"
    label = element("LIBELLE_LONG", group.level.upper())
    inner = f"{label}{mef}<SERVICES>{''.join(services)}</SERVICES>"
    return f"<DIVISION CODE={quoteattr(group.code)}>{inner}</DIVISION>"


def _service(subject: str, person_id: str) -> str:
    teacher = f"<ENSEIGNANTS><ENSEIGNANT {_identity(person_id)}/></ENSEIGNANTS>"
    return f'<SERVICE CODE_MATIERE="{subject}" CODE_MOD_COURS="CG">{teacher}</SERVICE>'


def _identity(person_id: str) -> str:
    local = person_id.startswith("local-")
    kind = "local" if local else "epp"
    return f'ID="{person_id.removeprefix("local-")}" TYPE="{kind}"'


def _shouted(label: str) -> str:
    """Write a label as STS-Web does: capitals without accents, blanks for hyphens."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    return plain.upper().replace("-", " ")
