"""Files made to harm, or that are not what they seem: refused in a sentence, in a moment."""

import io
import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from openpyxl import Workbook

from docgen.errors import RosterRejected
from docgen.rosters import archives, markup, opening, read, tables
from samples.people import school
from tests.hostile.exports import guardians, pupils

GOOD = pupils().encode("iso8859-15")
DTD = b'<?xml version="1.0"?><!DOCTYPE BEE_ELEVES SYSTEM "x.dtd"><BEE_ELEVES/>'
ENTITY = (
    b'<?xml version="1.0"?><!DOCTYPE BEE_ELEVES [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    b"<BEE_ELEVES>&e;</BEE_ELEVES>"
)
LAUGHS = (
    b'<!DOCTYPE BEE_ELEVES [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>'
    b"<BEE_ELEVES>&d;</BEE_ELEVES>"
)
AAF = b'<!DOCTYPE ficAlimMENESR SYSTEM "ficAlimMENESR.dtd"><ficAlimMENESR/>'


def zipped(files: dict[str, bytes], how: int = ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with ZipFile(stream, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def workbook(files: dict[str, bytes]) -> bytes:
    """Make a real workbook, some parts replaced or added."""
    stream = io.BytesIO()
    book = Workbook()
    book.active.append(["Nom", "Prénom", "Date de naissance", "Classe"])
    book.save(stream)
    with ZipFile(stream) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    return zipped(parts | files)


def refused(folder: Path, content: bytes, name: str = "eleves.xml") -> str:
    path = folder / name
    path.write_bytes(content)
    start = perf_counter()
    with pytest.raises(RosterRejected) as caught:
        read([path], school=school(), audience="pupil")
    assert perf_counter() - start < 1
    return str(caught.value)


def locked(content: bytes) -> bytes:
    """Set the flag of a password in every header of an archive."""
    data = bytearray(content)
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.find(magic)
        data[place + offset] |= 1
    return bytes(data)


def understated(content: bytes, size: int) -> bytes:
    """Declare fewer inflated bytes than there are, in both headers."""
    data = bytearray(content)
    for magic, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = data.find(magic)
        data[place + offset : place + offset + 4] = struct.pack("<I", size)
    return bytes(data)


CONTENT_TYPES = {"[Content_Types].xml": b"<Types/>"}
BIG = b" " * (12 * 2**20)

DEEP_ROW = b'"\n";' * 200_000
ODS = {"mimetype": b"", "META-INF/manifest.xml": b"<a/>", "content.xml": b"<a/>"}


def scrambled() -> bytes:
    """Damage the deflated bytes of a member."""
    data = bytearray(zipped({"a.xml": GOOD * 20}))
    data[60:80] = bytes(20)
    return bytes(data)


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "a DTD": (lambda: DTD, "DTD"),
    "an external entity": (lambda: ENTITY, "DTD"),
    "a billion laughs": (lambda: LAUGHS, "DTD"),
    "a DTD in UTF-16": (lambda: DTD.decode().encode("utf-16"), "DTD"),
    "a directory export": (lambda: AAF, "AAF"),
    "truncated XML": (lambda: GOOD[: len(GOOD) * 2 // 3], "incomplet"),
    "XML and then more": (lambda: GOOD + b"<BEE_ELEVES/>", "incomplet"),
    "a declaration alone": (lambda: b"<?xml version='1.0'?>", "incomplet"),
    "a nest of elements": (lambda: b"<BEE_ELEVES>" + b"<a>" * 100_000, "trop profond"),
    "a tag without an end": (lambda: b"<BEE_ELEVES a='" + b"x" * (8 * 2**20), "trop long"),
    "a comment without an end": (lambda: b"<!--" + b"x" * (8 * 2**20), "trop long"),
    "a line of delimiters": (lambda: b"Nom" + b";" * (8 * 2**20), "ligne 1 : cette ligne est trop"),
    "a row of quoted line ends": (lambda: b"Nom\n" + DEEP_ROW, "ligne 2 : cette ligne est trop"),
    "a quote never closed": (lambda: b'Nom;"' + b"x\n" * 2000, "ligne 1 : cette ligne est trop"),
    "an OpenDocument": (lambda: zipped(ODS), "OpenDocument"),
    "deflated bytes damaged": (scrambled, "endommagée"),
    "nothing": (lambda: b"", "vide"),
    "blanks": (lambda: b"\n \n", "« Nom de famille » manque"),
    "a byte order mark alone": (lambda: b"\xef\xbb\xbf", "« Nom de famille » manque"),
    "a web page": (lambda: b"\r\n<!DOCTYPE html><html><body>Connexion", "page web"),
    "a web page in a zip": (lambda: zipped({"Eleves.xml": b"<html>"}), "page web"),
    "an old workbook": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ".xls"),
    "a PDF": (lambda: b"%PDF-1.7\n", "PDF"),
    "a gzip": (lambda: zlib.compress(GOOD, wbits=31), ".gz"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(100), "ni un texte"),
    "noise": (lambda: random.Random(1).randbytes(5000), "ni un texte"),  # noqa: S311
    "Windows-1252 that it is not": (lambda: b"Nom;Pr\xe9nom\x81;\x8d", "n’est pas un texte"),
    "UTF-16 cut short": (lambda: "Nom;Prénom".encode("utf-16")[:-1], "n’est pas un texte"),
    "a truncated zip": (lambda: zipped({"a.xml": GOOD})[:-30], "endommagée"),
    "a zip header alone": (lambda: b"PK\x03\x04" + bytes(60), "endommagée"),
    "an empty zip": (lambda: zipped({}), "aucun export XML"),
    "a zip of tables": (lambda: zipped({"a.csv": b"Nom;Classe"}), "aucun export XML"),
    "a zip in a zip": (lambda: zipped({"b.xml": zipped({"a.xml": GOOD})}), "en contient une autre"),
    "ten thousand members": (
        lambda: zipped({f"{n}.xml": b"<a/>" for n in range(10_000)}, ZIP_STORED),
        "plus de 1000 fichiers",
    ),
    "a name that climbs": (lambda: zipped({"../../etc/cron.d/x.xml": GOOD}), "sort de son dossier"),
    "a name from the root": (lambda: zipped({"/etc/x.xml": GOOD}), "sort de son dossier"),
    "a name of Windows": (lambda: zipped({"C:\\x.xml": GOOD}), "sort de son dossier"),
    "a password": (lambda: locked(zipped({"a.xml": GOOD})), "mot de passe"),
    "a bomb": (lambda: zipped({"a.xml": BIG}), "compressée à l’excès"),
    "a size that lies": (lambda: understated(zipped({"a.xml": BIG}), 2000), "endommagée"),
    "damaged bytes": (
        lambda: zipped({"a.xml": GOOD}, ZIP_STORED).replace(b"MARTIN", b"NITRAM"),
        "endommagée",
    ),
    "a DTD in a zip": (lambda: zipped({"a.xml": ENTITY}), "DTD"),
    "a Word document": (
        lambda: zipped(CONTENT_TYPES | {"word/document.xml": b""}),
        "pas un classeur",
    ),
    "a workbook of nothing": (
        lambda: zipped(CONTENT_TYPES | {"xl/workbook.xml": b"<workbook/>"}),
        "abîmé",
    ),
    "an entity in a sheet": (lambda: workbook({"xl/worksheets/sheet1.xml": ENTITY}), "abîmé"),
    "a broken sheet": (lambda: workbook({"xl/worksheets/sheet1.xml": b"<worksheet><x"}), "abîmé"),
    "a workbook that is a bomb": (
        lambda: workbook({"xl/media/a.png": BIG}),
        "compressée à l’excès",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["eleves.xml", "eleves.csv"])
def test_a_hostile_file_is_refused_in_a_sentence(tmp_path: Path, case: str, name: str) -> None:
    make, words = CASES[case]
    message = refused(tmp_path, make(), name)
    assert words in message
    assert message.startswith(name)
    assert message.endswith((".", "?", "»."))
    assert "Traceback" not in message


def test_nothing_is_ever_extracted(tmp_path: Path) -> None:
    refused(tmp_path, zipped({"../climbed.xml": GOOD, "inside.xml": GOOD}))
    assert [path.name for path in tmp_path.iterdir()] == ["eleves.xml"]
    assert not (tmp_path.parent / "climbed.xml").exists()


def test_a_huge_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "eleves.xml"
    path.touch()
    os.truncate(path, opening.MAX_BYTES + 1)
    path.chmod(0)
    with pytest.raises(RosterRejected, match="dépasse 256 Mo"):
        read([path], school=school(), audience="pupil")


def test_an_archive_that_inflates_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(600_000)  # noqa: S311
    path = tmp_path / "eleves.zip"
    path.write_bytes(zipped({"a.xml": noise, "b.xml": noise}))
    with pytest.raises(RosterRejected, match="dépasse 1 Mo"), archives.opened(path, 2**20):
        pass


def test_a_folder_or_a_missing_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(RosterRejected, match="introuvable"):
            read([path], school=school(), audience="pupil")


def test_a_file_longer_than_any_lycee_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(markup, "MAX_ELEMENTS", 10)
    assert "trop long" in refused(tmp_path, GOOD)
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    rows = b"Nom;Pr\xc3\xa9nom;Date de naissance;Classe\n" + b"a;b;12/03/2010;2DE\n" * 4
    assert "plus de 3 lignes" in refused(tmp_path, rows, "eleves.csv")


def test_a_sheet_longer_than_excel_s_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "SHEET_ROWS", 100)
    rows = "Nom;Prénom;Date de naissance;Classe\n".encode() + b"\n" * 100
    assert "lignes" in refused(tmp_path, rows, "eleves.csv")


def test_a_small_archive_may_be_mostly_blanks(tmp_path: Path) -> None:
    path = tmp_path / "eleves.zip"
    path.write_bytes(zipped({"a.xml": GOOD + b"\n" * 2**20}))
    assert read([path], school=school(), audience="pupil").people


def test_every_file_is_judged_though_one_is_hostile(tmp_path: Path) -> None:
    paths = []
    for number, content in enumerate(
        [ENTITY, b"%PDF-1.4", zipped({"../a.xml": GOOD}), b"Nom;Classe\n"]
    ):
        paths.append(tmp_path / f"f{number}.xml")
        paths[-1].write_bytes(content)
    with pytest.raises(RosterRejected) as caught:
        read(paths, school=school(), audience="pupil")
    told = "\n".join(map(str, caught.value.problems))
    assert all(f"f{number}.xml" in told for number in range(4))


def problems(paths: list[Path], **tablets: Path) -> list[str]:
    with pytest.raises(RosterRejected) as caught:
        read(paths, school=school(), audience="pupil", **tablets)
    return [str(problem) for problem in caught.value.problems]


def test_a_file_cut_short_is_one_problem_not_one_for_each_pupil(tmp_path: Path) -> None:
    path = tmp_path / "eleves.xml"
    path.write_bytes(GOOD.partition(b"<STRUCTURES>")[0])
    (problem,) = problems([path])
    assert "incomplet" in problem


def test_nothing_is_said_missing_that_stands_in_a_file_nobody_could_read(tmp_path: Path) -> None:
    people, stock, register = (tmp_path / name for name in ("e.csv", "s.csv", "c.csv"))
    people.write_bytes(b"Nom;\n")
    stock.write_bytes(b"%PDF-1.7")
    register.write_text("N° de série;Bénéficiaire\nHA1052;E1\n", encoding="utf-8")
    told = problems([people], stock=stock, cessions=register)
    assert not [problem for problem in told if "c.csv" in problem]
    assert any("s.csv" in problem for problem in told)


def test_guardians_are_not_said_alone_when_the_pupils_file_is_refused(tmp_path: Path) -> None:
    pupils_path, guardians_path = tmp_path / "a.xml", tmp_path / "b.xml"
    pupils_path.write_bytes(ENTITY)
    guardians_path.write_text(guardians("", ""), encoding="iso8859-15")
    (problem,) = problems([pupils_path, guardians_path])
    assert "DTD" in problem
