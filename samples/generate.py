"""Write a synthetic school's files: `python -m samples.generate --out DIR`.

The same options always write the same bytes. Nobody real is meant.
"""

import argparse
import csv
import io
import re
import sys
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from docgen.records import Person, School
from samples import siecle, sts
from samples.people import CEDED_DATE, divisions, people, school, serial_number, teachers

Row = Sequence[str]

MODELS = ("Tablette 10 pouces", "Tablette 12 pouces")
STS_TEACHERS = 120  # all the oddities of STS-Web, whatever the size of the other files
FIXED = (2026, 9, 14, 19, 4, 10)  # zip archives date their members
PUPIL_TITLES = (
    *("Identifiant", "Nom de famille", "Nom d'usage", "Prénom", "Date de naissance", "Classe"),
    *("INE", "Représentant légal 1", "Représentant légal 2", "N° de série"),
)
TEACHER_TITLES = (
    *("Identifiant", "Civilité", "Nom de famille", "Prénom", "Date de naissance"),
    *("Fonction", "Discipline", "N° de série"),
)


def generate(
    out: Path, pupils: int = 1050, classes: int = 42, staff: int = 90, seed: int = 1
) -> None:
    """Write every file of a school of this size into a folder."""
    place, groups = school(), divisions(classes)
    enrolled, hired = people(pupils, seed, classes), teachers(staff, seed)
    serials = {p.id: serial_number(n) for n, p in enumerate((*enrolled, *hired))}
    # Some pupils come to fetch their tablet later, and a few tablets stay in stock.
    served = [person for n, person in enumerate(enrolled) if n % 8 != 5]
    handed = serials | {person.id: "" for person in enrolled[5::8]}
    exported = siecle.pupils_export(place, enrolled, groups)
    pupil_rows = [_pupil_row(person, handed[person.id]) for person in enrolled]
    teacher_rows = [_teacher_row(person, handed[person.id]) for person in hired]
    files = {
        "school.toml": school_toml(place).encode(),
        "ElevesAvecAdresses.xml": exported,
        "ExportXML_ElevesAvecAdresses.zip": archive({"ElevesAvecAdresses.xml": exported}),
        "ResponsablesAvecAdresses.xml": siecle.guardians_export(place, enrolled),
        "Structures.xml": siecle.structures_export(place, groups),
        "Nomenclature.xml": siecle.nomenclature_export(place, groups),
        f"sts_emp_{place.uai}_2026.xml": sts.staff_export(
            place, sts.staff(STS_TEACHERS, seed), groups
        ),
        "stock.csv": sheet(("N° de série", "Modèle", "État"), _stock(len(serials))).encode(
            "cp1252"
        ),
        "cessions.csv": sheet(
            ("N° de série", "Bénéficiaire", "Date"), _cessions(served, serials)
        ).encode(),
        "eleves.csv": sheet(PUPIL_TITLES, pupil_rows).encode("cp1252"),
        "eleves.xlsx": workbook("Élèves", PUPIL_TITLES, pupil_rows),
        "professeurs.csv": sheet(TEACHER_TITLES, teacher_rows).encode("utf-8-sig"),
        "professeurs.xlsx": workbook("Professeurs", TEACHER_TITLES, teacher_rows),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)


def school_toml(place: School) -> str:
    """Write school.toml."""
    address = ", ".join(f'"{line}"' for line in place.address)
    return f"""# Données synthétiques : ni ce lycée ni ces personnes n’existent.
uai = "{place.uai}"
name = "{place.name}"
address = [{address}]
postal_code = "{place.postal_code}"
city = "{place.city}"
email = "{place.email}"
phone = "{place.phone}"

[head]
civility = "{place.head.civility}"
name = "{place.head.name}"
title = "{place.head.title}"
"""


def sheet(titles: Row, rows: Iterable[Row]) -> str:
    """Write a CSV file as a French spreadsheet program does."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";")
    writer.writerow(titles)
    writer.writerows(rows)
    return stream.getvalue()


def workbook(title: str, titles: Row, rows: Iterable[Row]) -> bytes:
    """Write an XLSX workbook whose dates are dates, without the clock that openpyxl reads."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    book.properties.title = "Données synthétiques"
    page = book.create_sheet(title)
    page.append(list(titles))
    birth = titles.index("Date de naissance")
    for row in rows:
        born = datetime.strptime(row[birth], "%d/%m/%Y")  # noqa: DTZ007 - a day has no zone
        page.append([*row[:birth], born, *row[birth + 1 :]])
    stream = io.BytesIO()
    book.save(stream)
    return archive(_undated(stream.getvalue()))


def archive(files: dict[str, bytes]) -> bytes:
    """Write a zip archive whose bytes depend on its files alone."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        for name, content in files.items():
            member = zipfile.ZipInfo(name, FIXED)
            packed.writestr(member, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _undated(book: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(book)) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    core = files["docProps/core.xml"]
    files["docProps/core.xml"] = re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-09-14T19:04:10Z", core)
    return files


def _pupil_row(person: Person, serial: str) -> Row:
    names = [guardian.full_name.replace("\u00a0", " ") for guardian in person.guardians]
    first, second = (*names, "", "")[:2]
    return (
        *(person.id, person.family_name, person.usage_name, person.first_name),
        *(f"{person.birth_date:%d/%m/%Y}", person.division, person.ine, first, second, serial),
    )


def _teacher_row(person: Person, serial: str) -> Row:
    title, subject = person.function.split(", ")
    return (
        *(person.id, person.civility, person.family_name, person.first_name),
        *(f"{person.birth_date:%d/%m/%Y}", title, subject, serial),
    )


def _stock(used: int) -> list[Row]:
    """Give the tablets: those in use, and four in a hundred to spare."""
    return [
        (serial_number(n), MODELS[n % 2], "En service" if n < used else "En stock")
        for n in range(used + max(2, used // 25))
    ]


def _cessions(served: Sequence[Person], serials: dict[str, str]) -> list[Row]:
    """Give the register: some zeros typed as the letter O, some dates still to be written."""
    return [
        (
            serials[person.id].replace("0", "O") if n % 97 == 0 else serials[person.id],
            person.ine if person.ine and n % 5 == 0 else person.id,
            "" if n % 50 == 9 else f"{CEDED_DATE:%d/%m/%Y}",
        )
        for n, person in enumerate(served)
    ]


def main(arguments: Sequence[str]) -> None:
    """Read the options and write the files."""
    parser = argparse.ArgumentParser(prog="python -m samples.generate", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pupils", type=int, default=1050)
    parser.add_argument("--classes", type=int, default=42)
    parser.add_argument("--teachers", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    generate(given.out, given.pupils, given.classes, given.teachers, given.seed)


if __name__ == "__main__":
    main(sys.argv[1:])
