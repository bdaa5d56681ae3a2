"""Values filled into a form: each in its place, lines where there is none, codes that are read."""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from pypdf import PdfReader

from docgen.errors import Problem
from docgen.fields import clean
from docgen.pagecode import PageCode, parse, payload
from docgen.press import Job
from docgen.records import Guardian
from docgen.rendering import pictures
from docgen.rendering.filling import Copy, Filler
from docgen.rendering.imposition import MM
from docgen.rendering.printfile import Document
from docgen.rendering.typesetting import Typesetter
from samples.people import school
from tests.helpers import KEY, ON, PERSON, bound, codes_of, job, people, qpdf_check, text_of

DPI = 200


def filled(values: dict[str, str], layout: str = "entier", mark: str = "") -> bytes:
    """Fill one document of a minor."""
    document = Document(
        "x", "2DE 1", "Zoé", b"docume", Copy("x", "mineur", values, "PC-0000-0000", mark)
    )
    content, volume = bound(job([PERSON], layout), [document])
    assert (volume.unfit, volume.missing) == ((), ())
    return content


def drawn(content: bytes, page: int = 0) -> pictures.Grey:
    (picture,) = pictures.greys(content, DPI, [page])
    return picture


def dark(picture: pictures.Grey, left: float, bottom: float, right: float, top: float) -> float:
    """Give the share of dark pixels in a box, in points from the bottom left."""
    scale = DPI / 72
    height = picture.shape[0]
    rows = slice(round(height - top * scale), round(height - bottom * scale))
    return float((picture[rows, round(left * scale) : round(right * scale)] < 160).mean())


VALUES = {
    "family_name": "ESSAI",
    "first_name": "Zoé",
    "birth_date": "1er mars 2010",
    "division": "2DE 1",
    "guardian": "Mme ESSAI Odile",
    "serial": "HA100001",
}


def test_each_value_is_on_its_page_and_on_no_other() -> None:
    content = filled(VALUES)
    found = {
        value: [page for page in (1, 2, 3) if value in text_of(content, page)]
        for value in (*VALUES.values(), school().name)
    }
    assert found == {
        "ESSAI": [1, 2],
        "Zoé": [1],
        "1er mars 2010": [2],
        "2DE 1": [1],
        "Mme ESSAI Odile": [2],
        "HA100001": [3],
        school().name: [1],
    }


def test_the_text_of_a_page_is_just_that() -> None:
    lines = [" ".join(line.split()) for line in text_of(filled(VALUES), 1).splitlines()]
    assert [line for line in lines if line.strip("\f")] == [
        "Petite charte, mineur",
        school().name,
        "Nom ESSAI",
        "Prénom Zoé",
        "Classe 2DE 1",
        "PC-0000-0000 1/3",
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("AFFINÉ-EFFIGIE", "Œuvré", "O'BRIEN", "D’HARCOURT", "ŁUKA", "Nguyễn", "ĞÜNEŞ"),
        *("(Jean) \\ [René]", "A & B <C>", "{{ 7 }}", "N\u0303GOLO"),
    ],
)
def test_a_value_is_copied_as_it_was_typed(name: str) -> None:
    content = filled({**VALUES, "first_name": name})
    assert name in text_of(content, 1)
    assert name in PdfReader(BytesIO(content), strict=True).pages[0].extract_text()


def test_a_name_is_found_even_after_a_name_with_a_loose_accent() -> None:
    persons = [
        replace(PERSON, id="1", family_name="AA", first_name="M\u0303ba"),
        replace(PERSON, id="2", family_name="BB", first_name="Maud"),
    ]
    content, _ = bound(job(persons))
    assert "Maud" in text_of(content, 5)


def test_a_name_with_a_loose_accent_is_drawn_with_it() -> None:
    bare, accented, other = (
        drawn(filled({**VALUES, "first_name": name})) for name in ("Mba", "M\u0303ba", "M\u0301ba")
    )
    assert (bare != accented).any()
    assert (accented != other).any()
    # The accent comes over the letter: nothing else moves.
    rows, columns = np.nonzero(bare != accented)
    assert columns.max() - columns.min() < 12 * DPI / 72
    assert rows.max() - rows.min() < 6 * DPI / 72


@pytest.mark.parametrize("layout", ["entier", "reduction"])
def test_a_slot_without_a_value_is_a_line_to_write_on(layout: str) -> None:
    made = job([PERSON], layout)
    placement = made.run.imposition.sides[0][0]
    slot = made.run.form.slots("mineur", "campaign")[0]
    left = placement.x + slot.x * placement.scale
    right = left + slot.width * placement.scale
    foot = placement.y + slot.y * placement.scale
    box = (left + 2, foot - 8 * placement.scale, right - 2, foot + 2 * placement.scale)
    picture = drawn(filled(VALUES, layout))
    full = (picture[:, round((left + 3) * DPI / 72)] < 200).nonzero()[0]
    assert dark(picture, *box) > 0.02
    assert dark(picture, right + 3, box[1], right + 20, box[3]) == 0
    heights = [picture.shape[0] / DPI * 72 - row * 72 / DPI for row in full]
    near = [height for height in heights if box[1] < height < box[3]]
    assert 0 < max(near) - min(near) + 72 / DPI < 1.2  # one thin line


def test_a_slot_of_two_lines_has_one_line_at_its_foot_as_a_hand_writes_larger() -> None:
    picture = drawn(filled({**VALUES, "guardian": ""}), 1)
    slot = job([PERSON]).run.form.slots("mineur", "guardian")[0]
    column = picture[:, round((slot.x + slot.width / 2) * DPI / 72)] < 200
    top = picture.shape[0] - round((slot.y + 10) * DPI / 72)
    bottom = picture.shape[0] - round((slot.y - slot.leading - 8) * DPI / 72)
    (start,) = np.flatnonzero(np.diff(column[top:bottom].astype(int)) == 1)
    height = (picture.shape[0] - top - start) / DPI * 72
    assert height == pytest.approx(slot.y - slot.leading - 0.25 * slot.size, abs=1)


def test_a_required_value_that_is_there_has_no_line_under_it() -> None:
    slot = job([PERSON]).run.form.slots("mineur", "birth_date")[0]
    picture = drawn(filled(VALUES), 1)
    beside = (slot.x + slot.width * 0.8, slot.y - 6, slot.x + slot.width, slot.y + 8)
    assert dark(picture, *beside) == 0


@pytest.mark.parametrize(("layout", "sides"), [("entier", 3), ("reduction", 2)])
def test_both_codes_of_each_side_are_read_and_say_which_side_it_is(layout: str, sides: int) -> None:
    content = filled(VALUES, layout)
    for side in range(sides):
        assert codes_of(drawn(content, side)) == {
            PageCode(b"docume", side + 1, sides, corner) for corner in (0, 1)
        }


@pytest.mark.parametrize("layout", ["entier", "reduction"])
def test_codes_measure_18_mm_and_stand_12_mm_from_the_edges(layout: str) -> None:
    (picture,) = pictures.greys(filled(VALUES, layout), 600, [0])
    height, width = (length / 600 * 25.4 for length in picture.shape)
    found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCodeModel2)
    corners = {}
    for each in found:
        at = each.position
        lengths = (at.top_left.x, at.top_left.y, at.bottom_right.x, at.bottom_right.y)
        corners[parse(each.text, {KEY.number: KEY}).corner] = [x / 600 * 25.4 for x in lengths]
    assert corners == {
        0: pytest.approx([width - 30, 12, width - 12, 30], abs=0.3),
        1: pytest.approx([12, height - 30, 30, height - 12], abs=0.3),
    }


def _with_ei(made: Job) -> tuple[bytes, bytes]:
    """Find a document whose first code holds, as image data, the two letters that end it."""
    for start in range(0, 60_000, 2_000):
        numbers = [number.to_bytes(6, "big") for number in range(start, start + 2_000)]
        codes = b"".join(payload(KEY, PageCode(number, 1, 3, 0)) for number in numbers)
        images = made.run.symbols.draw(codes)
        for number, image in zip(numbers, images, strict=True):
            if b"EI" in image:
                return number, image
    raise AssertionError("no such code: the search is too short")


def test_a_code_that_holds_the_end_of_image_data_is_drawn_whole(tmp_path: Path) -> None:
    made = job([PERSON])
    number, image = _with_ei(made)
    document = Document("x", "", "", number, Copy("x", "mineur", VALUES, "PC-0000-0000"))
    content, _ = bound(made, [document])
    qpdf_check(content, tmp_path)
    own = PdfReader(BytesIO(content), strict=True).pages[0].get_contents().get_data()
    assert image not in own
    assert image.hex().encode() in own.lower()
    assert codes_of(drawn(content)) == {PageCode(number, 1, 3, corner) for corner in (0, 1)}
    assert "ESSAI" in text_of(content, 1)


def test_the_mark_of_a_copy_stands_beside_its_reference() -> None:
    content = filled(VALUES, mark="Exemplaire famille")
    for page in (1, 2, 3):
        (line,) = (line for line in text_of(content, page).splitlines() if "PC-0000" in line)
        assert line.split("   ") != []
        assert " ".join(line.split()) == f"PC-0000-0000 {page}/3 Exemplaire famille"


def test_the_reference_stands_34_mm_from_the_left_and_12_from_the_bottom() -> None:
    picture = drawn(filled(VALUES))
    assert dark(picture, 33 * MM, 10 * MM, 34 * MM, 16 * MM) == 0
    assert dark(picture, 34 * MM, 12 * MM, 50 * MM, 14 * MM) > 0.1
    assert dark(picture, 34 * MM, 5 * MM, 80 * MM, 11.5 * MM) == 0


def test_values_of_the_school_are_written_once_for_all() -> None:
    made = job(people(3))
    setter = Typesetter()
    filler = Filler(
        made.run.form, made.run.imposition, made.run.manifest, setter, made.run.constants
    )
    bases = b"".join(filler.bases)
    assert setter.shape(school().name).shown in bases
    assert len(filler.bases) == 5  # three sides of two variants, one of which they share
    side = filler.side(next(made.documents()).copy, 0, [bytes(100)] * 2)
    assert setter.shape(school().name).shown not in side


def test_two_reduced_pages_stand_side_by_side() -> None:
    content = filled(VALUES, "reduction")
    text = text_of(content, 1)
    assert text.index("Petite charte") < text.index("Seconde page")
    (line,) = (line for line in text.splitlines() if "Petite charte" in line)
    assert "Seconde page." in text
    assert "HA100001" not in text
    assert "HA100001" in text_of(content, 2)
    assert line.strip().startswith("Petite charte, mineur")


def test_all_that_does_not_fit_and_cannot_be_written_is_gathered() -> None:
    persons = [
        replace(PERSON, id="long", family_name="W" * 60),
        replace(PERSON, id="fine"),
        replace(PERSON, id="odd", first_name="日", guardians=(Guardian("本", "Léa"),)),
    ]
    _, volume = bound(job(persons))
    what = "« Nom » : 60 caractères ne tiennent pas dans la place prévue, même à 80 %."
    remedy = "Abrégez cette valeur dans le fichier de l’établissement."
    assert volume.unfit == (Problem(what, "personne long", remedy),) * 2  # in both of its slots
    assert [(each.where, each.what) for each in volume.missing] == [
        ("personne odd", "« Prénom » : la police ne sait pas écrire « 日 » (U+65E5)."),
        ("personne odd", "« Représentant légal » : la police ne sait pas écrire « 本 » (U+672C)."),
    ]


def test_a_value_of_the_school_that_does_not_fit_is_told_too() -> None:
    place = replace(school(), name="W" * 80)
    _, volume = bound(job([PERSON], school=place))
    assert {each.where for each in volume.unfit} == {"établissement"}


def test_values_come_as_they_were_cleaned() -> None:
    fields = [field for field in job([PERSON]).run.manifest.fields if not field.is_constant]
    (document,) = job([PERSON]).documents()
    assert document.copy.values == clean(
        fields,
        {
            "family_name": "ESSAI",
            "first_name": "Zoé",
            "birth_date": PERSON.birth_date,
            "division": "2DE 1",
            "guardian": "ESSAI Odile",
            "serial": None,
        },
    )
    assert ON.year == 2026
    assert re.fullmatch(r"PC-\w{4}-\w{4}", document.copy.reference)
