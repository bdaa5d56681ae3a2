"""No message tells who somebody is: neither a name, nor a birth date, nor an INE."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docgen.errors import RosterRejected
from docgen.rosters import read
from samples.generate import generate
from samples.people import people, school
from tests.hostile.exports import guardians, in_class, pupil, pupils

# What must never be repeated, as it is written in the files below.
SECRETS = (
    "ZQXNOM",
    "Zqxprénom",
    "ZQXUSAGE",
    "ZQXPARENT",
    "29/02/2008",
    "2008-02-29",
    "070077007ZZ",
)
FAULTS = {
    "NOM": "ZQXNOM?",
    "USAGE": "ZQXUSAGE?",
    "PRÉNOM": "Zqxprénom\ufffd",
    "INE": "070077007ZZ9",
    "NAISSANCE": "29/02/2008x",
    "PARENT": "ZQXPARENT?",
}
GOOD = {
    "NOM": "ZQXNOM",
    "USAGE": "ZQXUSAGE",
    "PRÉNOM": "Zqxprénom",
    "INE": "070077007ZZ",
    "NAISSANCE": "29/02/2008",
    "PARENT": "ZQXPARENT",
}


def told(paths: list[Path], **more: Path) -> str:
    """Give every word that an import says, whether it is made or refused."""
    try:
        return "\n".join(read(paths, school=school(), audience="pupil", **more).notices)
    except RosterRejected as refused:
        return str(refused)


def table(*rows: dict[str, str], more: str = "") -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";")
    writer.writerow(
        (
            *("Nom", "Nom d'usage", "Prénom", "INE", "Date de naissance", "Représentant légal 1"),
            *("Classe", "Identifiant", "N° de série"),
        )
    )
    for row in rows:
        writer.writerow([*row.values(), "2DE 1", row["NOM"], row["INE"]])
    return (stream.getvalue() + more).encode("utf-8")


def export(row: dict[str, str], key: str = "101") -> str:
    body = (
        f"<ID_NATIONAL>{row['INE']}</ID_NATIONAL><NOM_DE_FAMILLE>{row['NOM']}</NOM_DE_FAMILLE>"
        f"<NOM_USAGE>{row['USAGE']}</NOM_USAGE><PRENOM>{row['PRÉNOM']}</PRENOM>"
        f"<DATE_NAISS>{row['NAISSANCE']}</DATE_NAISS>"
    )
    return pupil(body, key=key)


def files(folder: Path, row: dict[str, str], shape: str) -> list[Path]:
    if shape == "csv":
        (folder / "a.csv").write_bytes(table(row, row, GOOD))
        return [folder / "a.csv"]
    person = (
        f"<PERSONNE PERSONNE_ID='1'><NOM_DE_FAMILLE>{row['PARENT']}</NOM_DE_FAMILLE></PERSONNE>"
    )
    link = (
        "<RESPONSABLE_ELEVE><ELEVE_ID>101</ELEVE_ID><PERSONNE_ID>1</PERSONNE_ID>"
        "<NIVEAU_RESPONSABILITE>1</NIVEAU_RESPONSABILITE></RESPONSABLE_ELEVE>"
    )
    rows = export(row) + export(GOOD, key="102") + export(row, key="103")
    classes = in_class("D:2DE 1") + in_class("D:2DE 1", key="102")
    (folder / "a.xml").write_text(pupils(rows, classes).replace("ISO-8859-15", "UTF-8"))
    (folder / "b.xml").write_text(guardians(person, link).replace("ISO-8859-15", "UTF-8"))
    return [folder / "a.xml", folder / "b.xml"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    faults=st.sets(st.sampled_from(sorted(FAULTS)), min_size=1),
    shape=st.sampled_from(["csv", "xml"]),
)
def test_whatever_is_wrong_nobody_is_named(tmp_path: Path, faults: set[str], shape: str) -> None:
    row = GOOD | {key: FAULTS[key] for key in faults}
    words = told(files(tmp_path, row, shape))
    assert words
    assert not [secret for secret in SECRETS if secret.casefold() in words.casefold()]


@pytest.mark.parametrize("text", ["ZQXNOM;Zqxprénom;29/02/2008\n", "ZQXNOM\n", "<ZQXNOM/>"])
def test_a_file_without_titles_does_not_get_its_first_line_repeated(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    words = told([tmp_path / "a.csv"])
    assert not [secret for secret in SECRETS if secret in words]


def test_a_register_that_names_people_does_not_get_them_repeated(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(table(GOOD).replace(b";070077007ZZ\r\n", b";\r\n"))
    (tmp_path / "c.csv").write_text(
        "N° de série;Bénéficiaire;Date\nHA1;ZQXNOM Zqxprénom;\nHA2;070077007ZY;29/02/2008x\n"
        "ZQXNOM;070077007ZZ;\n070077007ZZ;Zqxprénom;\n",
        encoding="utf-8",
    )
    words = told([tmp_path / "a.csv"], cessions=tmp_path / "c.csv", stock=tmp_path / "c.csv")
    assert words.count("bénéficiaire est inconnu") == 3
    assert not [secret for secret in (*SECRETS, "070077007ZY") if secret in words]


def test_a_whole_lycee_is_imported_without_a_name_in_its_notices(tmp_path: Path) -> None:
    generate(tmp_path, 300, 12, 10)
    names = ["ElevesAvecAdresses", "ResponsablesAvecAdresses", "Structures", "Nomenclature"]
    words = told(
        [tmp_path / f"{name}.xml" for name in names],
        stock=tmp_path / "stock.csv",
        cessions=tmp_path / "cessions.csv",
    )
    assert "ont quitté" in words
    for person in people(300, classes=12):
        assert person.family_name not in words
        assert not person.ine or person.ine not in words
        assert f"{person.birth_date:%d/%m/%Y}" not in words
