"""Forms laid out whole: the widest values wrap inside their place, whatever they push away."""

from io import BytesIO
from pathlib import Path

import pypdfium2

from docgen import library, single
from docgen.fields import Field
from docgen.pagecode import Key

KEY = Key(1, b"edges")
MM = 72 / 25.4


def widest(field: Field) -> object:
    if field.type == "rows":
        return [{column.name: widest(column) for column in field.columns}] * 3
    return "W" * min(field.max_length, 70) if field.type == "text" else field.longest


def spans(slug: str, cache: Path) -> list[tuple[float, float]]:
    """Give the left and right edge, in millimetres, of every W of a form full of them."""
    template = library.load(slug)
    given = {field.name: widest(field) for field in template.manifest.fields}
    content = single.fill(template, given, KEY, cache).content
    found = []
    for page in pypdfium2.PdfDocument(BytesIO(content)):
        text = page.get_textpage()
        for index, letter in enumerate(text.get_text_range()):
            if letter == "W":
                left, _, right, _ = text.get_charbox(index)
                found.append((left / MM, right / MM))
    return found


def test_the_widest_network_stays_on_its_slip(tmp_path: Path) -> None:
    found = spans("etiquettes-wifi", tmp_path)
    assert len(found) > 3 * 32
    # Two slips of 91 mm from 14 mm: nothing is within a millimetre of where they are cut.
    assert [each for each in found if each[1] > 104 and each[0] < 106] == []
    assert max(right for _, right in found) <= 195


def test_the_widest_values_of_a_list_stay_on_the_page(tmp_path: Path) -> None:
    found = spans("liste-emargement", tmp_path)
    assert max(right for _, right in found) <= 184.5
