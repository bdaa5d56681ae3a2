"""Bad input is answered by code 2, sentences that say what, where and what to do, and no output."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from samples.generate import generate, school_toml
from samples.people import school

DOCGEN = Path(sys.executable).with_name("docgen")
HEADER = "Nom de famille;Prénom;Date de naissance;Classe;INE;N° de série\n"
GOOD = HEADER + "MARTIN;Zoé;02/06/2010;2DE 1;123456789AB;HA12345\n"


def docgen(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(DOCGEN), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"DOCGEN_KEY": "a key for tests"},
    )


def press(folder: Path, roster: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    (folder / "school.toml").write_text(school_toml(school()), encoding="utf-8")
    return docgen(
        *("press", "charte-cession-eleve", "--layout", "police-10"),
        *("--school", folder / "school.toml", "--roster", roster, "--out", folder / "out", *more),
    )


@pytest.fixture(scope="module")
def siecle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("siecle")
    generate(folder, pupils=60, classes=3)
    return (folder / "ElevesAvecAdresses.xml").read_bytes()


def csv(text: str) -> Callable[[Path, bytes], Path]:
    def write(folder: Path, siecle: bytes) -> Path:
        path = folder / "eleves.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def xml(change: Callable[[bytes], bytes]) -> Callable[[Path, bytes], Path]:
    def write(folder: Path, siecle: bytes) -> Path:
        path = folder / "eleves.xml"
        path.write_bytes(change(siecle))
        return path

    return write


def undecodable(folder: Path, siecle: bytes) -> Path:
    path = folder / "eleves.csv"
    path.write_bytes(GOOD.encode() + b"D\x81RAND;L\x8do;03/06/2010;2DE 1;;\n")
    return path


def bomb(folder: Path, siecle: bytes) -> Path:
    path = folder / "eleves.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eleves.xml", bytes(300 * 1024 * 1024))
    return path


def formula(folder: Path, siecle: bytes) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["Nom de famille", "Prénom", "Date de naissance", "Classe"])
    book.active.append(['=CONCATENATE("MAR","TIN")', "Zoé", "02/06/2010", "2DE 1"])
    path = folder / "eleves.xlsx"
    book.save(path)
    return path


def huge(folder: Path, siecle: bytes) -> Path:
    path = folder / "eleves.csv"
    with path.open("wb") as stream:
        stream.truncate(2 * 1024**3)  # sparse: nothing is written to the disk
    return path


DTD = b'<!DOCTYPE x [<!ENTITY e "e">]>\n<BEE_ELEVES'
CASES = {
    "wrong encoding": (undecodable, "eleves.csv"),
    "truncated XML": (xml(lambda data: data[: len(data) // 2]), "eleves.xml"),
    "XML with a DTD": (xml(lambda data: data.replace(b"<BEE_ELEVES", DTD, 1)), "eleves.xml"),
    "zip bomb": (bomb, "eleves.zip"),
    "pupil without class": (csv(HEADER + "MARTIN;Zoé;02/06/2010;;;\n"), "eleves.csv, ligne 2"),
    "two pupils with one INE": (
        csv(GOOD + "DURAND;Léo;03/06/2010;2DE 1;123456789AB;HA12346\n"),
        "eleves.csv, ligne 3",
    ),
    "serial given twice": (
        csv(GOOD + "DURAND;Léo;03/06/2010;2DE 1;223456789AB;HA12345\n"),
        "HA12345",
    ),
    "XLSX with formulas": (formula, "A2"),
    "empty file": (csv(""), "eleves.csv"),
    "2 GB file": (huge, "eleves.csv"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_with_a_sentence_and_no_output(
    case: str, tmp_path: Path, siecle: bytes
) -> None:
    write, place = CASES[case]
    done = press(tmp_path, write(tmp_path, siecle))
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert place in done.stderr
    assert "Traceback" not in done.stderr
    for private in ("MARTIN", "DURAND", "Zoé", "123456789AB", "02/06/2010"):
        assert private not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_wrong_letter_of_the_uai_is_refused_with_the_right_one(tmp_path: Path) -> None:
    roster = csv(GOOD)(tmp_path, b"")
    assert press(tmp_path, roster).returncode == 0
    toml = (tmp_path / "school.toml").read_text("utf-8").replace("0130010R", "0130010S")
    (tmp_path / "school.toml").write_text(toml, encoding="utf-8")
    done = docgen(
        *("press", "charte-cession-eleve", "--layout", "police-10", "--roster", roster),
        *("--school", tmp_path / "school.toml", "--out", tmp_path / "other"),
    )
    assert done.returncode == 2
    assert "school.toml" in done.stderr
    assert "0130010 appelle R" in done.stderr
    assert not (tmp_path / "other").exists()


def test_an_unknown_class_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    done = press(tmp_path, csv(GOOD)(tmp_path, b""), "--class", "2DE 1", "2DE 9", "T 1")
    assert done.returncode == 2
    assert "« 2DE 9 » n’existe pas" in done.stderr
    assert "« T 1 » n’existe pas" in done.stderr
    assert "Classes connues : 2DE 1." in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_letter_o_in_a_serial_number_becomes_a_zero_and_it_is_said(tmp_path: Path) -> None:
    done = press(tmp_path, csv(GOOD.replace("HA12345", "HA1O345"))(tmp_path, b""))
    assert done.returncode == 0, done.stderr
    assert "HA10345" in done.stderr
    assert "lettre O" in done.stderr
    text = subprocess.run(
        ["pdftotext", "-raw", next((tmp_path / "out").glob("CE-*.pdf")), "-"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert "HA10345" in text
    assert "HA1O345" not in text


def test_all_the_problems_of_a_file_are_told_at_once_also_as_json(tmp_path: Path) -> None:
    rows = HEADER + "MARTIN;Zoé;31/02/2010;2DE 1;;\n;Léo;03/06/2010;;12;\n"
    done = press(tmp_path, csv(rows)(tmp_path, b""), "--json")
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert answer["error"] == "roster-rejected"
    assert {problem["where"] for problem in answer["problems"]} == {
        "eleves.csv, ligne 2",
        "eleves.csv, ligne 3",
    }
    assert len(answer["problems"]) >= 4
    assert all(problem["what"] for problem in answer["problems"])


def test_an_unknown_template_and_an_unknown_layout_name_what_exists(tmp_path: Path) -> None:
    roster = csv(GOOD)(tmp_path, b"")
    (tmp_path / "school.toml").write_text(school_toml(school()), encoding="utf-8")
    rest = ("--school", tmp_path / "school.toml", "--roster", roster, "--out", tmp_path / "out")
    unknown = docgen("press", "charte-inconnue", "--layout", "police-10", *rest)
    assert unknown.returncode == 2
    assert "charte-cession-eleve" in unknown.stderr
    layout = docgen("press", "charte-cession-eleve", "--layout", "police-12", *rest)
    assert layout.returncode == 2
    assert "police-10, reduction, police-8" in layout.stderr
    assert not (tmp_path / "out").exists()
