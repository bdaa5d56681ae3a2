"""Conventions that come home: numbered by all that they say, signed where their frames are."""

from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from msgspec import structs
from pypdf import PdfReader, PdfWriter

from docgen import pagecode
from docgen.datafolder import data_folder
from docgen.manifest import Manifest
from docgen.rendering import office, pictures
from docgen.rendering.imposition import MM
from docgen.rendering.stamping import Stamp
from docgen.rendering.symbols import load_table
from docgen.rendering.wordmodel import Model
from docgen.wordpaper import Paper, Series, Zone
from tests import helpers
from tests.hostile import models
from tests.unit.test_word import filling

MANIFEST = models.TEMPLATE.manifest
SIGNED = structs.replace(MANIFEST, returns="signed")
ON = date(2026, 9, 14)
SCHOOL = "0049998W"
LABEL = "Signature de l’élève"
DPI = 200
MINOR, ADULT, ELSEWHERE, TWICE, FULL = "minor", "adult", "elsewhere", "twice", "full"


def worded(old: str, new: str) -> bytes:
    """Give our model with something else written in it."""

    def change(parts: dict[str, bytes]) -> None:
        assert old.encode() in parts[models.MAIN]
        parts[models.MAIN] = parts[models.MAIN].replace(old.encode(), new.encode())

    return models.changed(change)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Conventions from our model, and from models that schools could make of it."""
    folder = tmp_path_factory.mktemp("wordpaper")
    for name, model, variant in (
        (MINOR, models.OURS, "mineur"),
        (ADULT, models.OURS, "majeur"),
        (ELSEWHERE, worded(LABEL, "Paraphe de l’élève"), "majeur"),
        (TWICE, models.with_text(f"{LABEL} et de ses parents"), "majeur"),
        (FULL, worded("<w:t>Le</w:t>", "<w:t>Le</w:t>" + "<w:br/><w:t>Lu.</w:t>" * 9), "majeur"),
    ):
        content = Model(model, MANIFEST).fill(filling(variant=variant))
        models.written(folder / f"{name}.docx", content)
    files = office.convert(sorted(folder.glob("*.docx")), "pdf", folder)
    return {path.stem: path.read_bytes() for path in files}


def series(model: bytes = b"model", manifest: Manifest = MANIFEST, school: str = SCHOOL) -> Series:
    stamp = Stamp(MANIFEST, helpers.KEY, load_table(data_folder() / "cache"))
    return Series(manifest, school, model, stamp)


def paper(
    folder: Path, content: bytes, among: Series, variant: str = "mineur", **values: str
) -> Paper:
    path = folder / "PE-1.pdf"
    path.write_bytes(content)
    return among.stamped(path, filling(variant=variant, **values), "E1", ON)


def test_a_paper_is_what_its_codes_say(made: dict[str, bytes], tmp_path: Path) -> None:
    told = paper(tmp_path, made[MINOR], series())
    assert (told.file, told.person, told.sides) == ("PE-1.pdf", "E1", 4)
    number = bytes.fromhex(told.number)
    assert told.reference == pagecode.reference("PE", number)
    for side, picture in enumerate(pictures.greys(tmp_path / told.file, 150), 1):
        codes = helpers.codes_of(picture)
        assert {(code.document, code.side, code.sides) for code in codes} == {(number, side, 4)}
    assert told.reference in helpers.text_of((tmp_path / told.file).read_bytes(), 4)


def test_paper_that_says_something_else_has_another_number(
    made: dict[str, bytes], tmp_path: Path
) -> None:
    content = made[ADULT]
    first = paper(tmp_path, content, series())
    assert paper(tmp_path, content, series()) == first
    others = [
        paper(tmp_path, content, series(), etat_remise="Rayée"),
        paper(tmp_path, content, series(), variant="majeur"),
        paper(tmp_path, content, series(b"another model")),
        paper(tmp_path, content, series(school="0130010R")),
        paper(tmp_path, content, series(manifest=structs.replace(MANIFEST, version="2"))),
        paper(tmp_path, _shorter(content), series()),
    ]
    assert len({each.number for each in (first, *others)}) == len(others) + 1


def _shorter(content: bytes) -> bytes:
    """Take the last page away, as another version of LibreOffice could."""
    writer, stream = PdfWriter(), BytesIO()
    for page in PdfReader(BytesIO(content)).pages[:-1]:
        writer.add_page(page)
    writer.write(stream)
    return stream.getvalue()


def test_no_reference_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six characters: among 500 documents, two share them once in ten thousand orders."""
    real = pagecode.reference
    monkeypatch.setattr(pagecode, "reference", lambda prefix, number: real(prefix, number)[:4])
    among = series()
    told = [among._numbered(filling(eleve_nom=f"N{n}"), 4)[1] for n in range(25)]
    assert len(set(told)) == 25


@pytest.mark.parametrize(
    ("name", "variant", "wanted"),
    [
        (MINOR, "mineur", ["guardian1", "guardian2", "pupil", "school"]),
        (ADULT, "majeur", ["pupil", "school"]),
    ],
)
def test_zones_are_the_bare_feet_of_the_frames_under_labels(
    made: dict[str, bytes], tmp_path: Path, name: str, variant: str, wanted: list[str]
) -> None:
    told = paper(tmp_path, made[name], series(), variant)
    assert sorted(zone.name for zone in told.zones) == wanted
    labels = {each.name: each for each in MANIFEST.signatures}
    for zone in told.zones:
        assert (zone.label, zone.required) == (labels[zone.name].label, labels[zone.name].required)
        _framed(tmp_path / told.file, zone)


def _framed(path: Path, zone: Zone) -> None:
    """Check that a zone is bare, large, framed on three edges, and under its label."""
    (picture,) = pictures.greys(path, DPI, [zone.side - 1])
    x, y, width, height = (edge * DPI / 72 for edge in zone.box)
    left, right = round(x), round(x + width)
    low, high = round(picture.shape[0] - y), round(picture.shape[0] - y - height)
    assert (picture[high:low, left:right] == 255).all()
    assert zone.box[2] > 60 * MM
    assert zone.box[3] > 14 * MM
    reach = round(1.2 * MM * DPI / 72)
    dark = picture < 200
    assert dark[low : low + reach, left:right].any(0).mean() > 0.99
    assert dark[high:low, left - reach : left].any(1).mean() > 0.99
    assert dark[high:low, right : right + reach].any(1).mean() > 0.99
    corner, over = (zone.box[0], zone.box[1] + zone.box[3]), 10 * MM
    area = ("-x", corner[0], "-y", 297 * MM - corner[1] - over, "-W", zone.box[2], "-H", over)
    options = ("-r", "72", "-f", str(zone.side), "-l", str(zone.side))
    told = helpers.poppler(
        "pdftotext", path.read_bytes(), *options, *(str(each).partition(".")[0] for each in area)
    )
    assert zone.label in told.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("name", "found"), [(ELSEWHERE, ["school"]), (TWICE, ["school"]), (FULL, [])]
)
def test_what_is_not_plain_is_not_told(
    made: dict[str, bytes], tmp_path: Path, name: str, found: list[str]
) -> None:
    """A label gone or there twice, a frame that is full: then all sides come home."""
    told = paper(tmp_path, made[name], series(manifest=SIGNED), "majeur")
    assert [zone.name for zone in told.zones] == found
    assert told.needed == list(range(1, told.sides + 1))


def test_the_sides_that_must_come_home_follow_the_manifest(
    made: dict[str, bytes], tmp_path: Path
) -> None:
    assert paper(tmp_path, made[MINOR], series()).needed == [1, 2, 3, 4]
    assert paper(tmp_path, made[MINOR], series(manifest=SIGNED)).needed == [3]
