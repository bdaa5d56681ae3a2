"""Tablets: the school's stock, and which person received which."""

from collections.abc import Container, Iterable, Mapping
from pathlib import Path

from docgen import identifiers
from docgen.fields import parse_date
from docgen.records import Cession, Device
from docgen.rosters.gathering import Findings, Gathered, Handover, enumeration
from docgen.rosters.tables import Column, read_table

SERIAL = Column("serial", "N° de série", ("nodeserie", "numerodeserie", "nserie", "ns"), True)
STOCK = (SERIAL, Column("model", "Modèle"), Column("state", "État", ("statut",)))
REGISTER = (
    SERIAL,
    Column("holder", "Bénéficiaire", ("identifiant", "ine"), True),
    Column("date", "Date", ("datedecession", "datederemise")),
)
# Characters that are read or typed one for the other on a tablet's label.
LOOKALIKES = str.maketrans("IBS", "185")


def read_stock(path: Path, findings: Findings) -> dict[str, Device] | None:
    """Read the tablets of the school by serial number; None when the file cannot be read."""
    devices: dict[str, Device] = {}
    places: dict[str, str] = {}
    with findings.collecting():
        for line in read_table(path, STOCK, findings):
            if not line.cells or "serial" in line.refused:
                continue
            number = serial_of(line["serial"], line.where, findings)
            if number is None:
                continue
            if number in devices:
                what = f"{tablet(number)} déjà citée à {places[number]}."
                findings.problem(what, line.where, "Gardez une seule des deux lignes.")
                continue
            devices[number] = Device(number, line["model"], line["state"])
            places[number] = line.where
        return devices
    return None


def read_register(
    path: Path, gathered: Gathered, findings: Findings, aside: Container[str] = ()
) -> list[Handover]:
    """Read who received which tablet; a missing date is left to be written by hand.

    Nothing is asked of the lines set `aside`, named by where they stand.
    """
    handovers = []
    with findings.collecting():
        for line in read_table(path, REGISTER, findings):
            if not line.cells or line.where in aside:
                continue
            ceded_date = parse_date(line["date"])
            if line["date"] and ceded_date is None:
                findings.problem("« Date » n’est pas une date.", line.where, "Écrivez jj/mm/aaaa.")
            person_id = None
            if "holder" not in line.refused:
                person_id = holder_id(line["holder"], line.where, gathered, findings)
            if person_id and "serial" not in line.refused:
                handovers.append(Handover(line.where, line["serial"], person_id, ceded_date))
    return handovers


def settle(
    handovers: list[Handover], devices: Mapping[str, Device] | None, findings: Findings
) -> dict[str, Cession]:
    """Give each person's cession by `Person.id`; one tablet has one holder and the reverse.

    The same hand-over may stand in the people's table and in the register: the date is kept.
    """
    cessions: dict[str, Cession] = {}
    by_person: dict[str, str] = {}
    by_number: dict[str, tuple[str, str]] = {}
    for given in handovers:
        number = serial_of(given.typed, given.where, findings)
        if number is None or not in_stock(number, given.where, devices, findings):
            continue
        holder, place = by_number.setdefault(number, (given.person_id, given.where))
        known = cessions.get(given.person_id)
        if holder != given.person_id:
            what = f"{tablet(number)} déjà remise à une autre personne ({place})."
            findings.problem(what, given.where, "Corrigez l’une des deux lignes.")
        elif known and known.serial != number:
            what = f"cette personne a déjà une tablette ({by_person[given.person_id]})."
            findings.problem(what, given.where, "Gardez une seule des deux lignes.")
        elif known and known.ceded_date and given.ceded_date not in (None, known.ceded_date):
            what = f"{tablet(number)} : deux dates de remise ({by_person[given.person_id]})."
            findings.problem(what, given.where, "Gardez la bonne.")
        else:
            day = given.ceded_date or (known.ceded_date if known else None)
            cessions[given.person_id] = Cession(number, given.person_id, day)
            by_person.setdefault(given.person_id, given.where)
    return cessions


def holder_id(key: str, where: str, gathered: Gathered, findings: Findings) -> str | None:
    """Find a person by internal id or INE; what was typed may be a name: it is not repeated."""
    ine = identifiers.normalise(key)
    person_id = gathered.keys.get(key) or gathered.keys.get(ine)
    if person_id is None and key and not {key, ine}.isdisjoint(gathered.aside):
        findings.notice(
            "tablette d’une personne sortie, ou mise de côté à l’import : ligne ignorée.", where
        )
    # Somebody unknown may stand in a line or a file that could not be read.
    elif person_id is None and (gathered.is_complete or not key):
        what = "ce bénéficiaire est inconnu." if key else "« Bénéficiaire » est vide."
        remedy = "Donnez l’identifiant interne ou l’INE d’une personne importée."
        findings.problem(what, where, remedy)
    return person_id


def serial_of(typed: str, where: str, findings: Findings) -> str | None:
    """Read a serial number as its label carries it; what was corrected is told."""
    number = identifiers.serial(typed)
    if not number:
        findings.problem("« N° de série » est vide.", where, "Complétez la cellule.")
        return None
    # Not repeated: a name or a date typed in the wrong column would be.
    if identifiers.serial_problem(number) or not any(map(str.isdigit, typed)):
        what = "« N° de série » n’est pas fait de 4 à 32 lettres et chiffres."
        findings.problem(what, where, "Recopiez l’étiquette, dans une cellule au format Texte.")
        return None
    if "O" in typed.upper():
        sentence = "la lettre O d’un numéro de série, qui n’en a jamais, est lue zéro"
        findings.notice(f"{sentence} : {tablet(number)}.", where)
    return number


def tablet(number: str) -> str:
    """Name a tablet in a message, unless its number looks like an INE typed in its place."""
    return f"tablette {number}" if identifiers.ine_problem(number) else "tablette"


def in_stock(
    number: str, where: str, devices: Mapping[str, Device] | None, findings: Findings
) -> bool:
    """Tell whether a tablet is in the stock, when there is one; a near number is proposed."""
    if devices is None or number in devices:
        return True
    close = alike(number, devices)
    remedy = f"Vouliez-vous dire {enumeration(close, 'ou')} ?" if close else "Vérifiez l’étiquette."
    findings.problem(f"{tablet(number)} absente du stock.", where, remedy)
    return False


def alike(number: str, devices: Iterable[str]) -> list[str]:
    """Give the tablets that this number may be a misreading of.

    A Code 39 reader may put an S before the number; a spreadsheet eats leading zeros.
    """
    misread = {
        text.translate(LOOKALIKES).lstrip("0") for text in (number, number.removeprefix("S"))
    }
    return [known for known in devices if known.translate(LOOKALIKES).lstrip("0") in misread]
