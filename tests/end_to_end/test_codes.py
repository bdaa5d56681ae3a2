"""Every side of a print file says, to a scanner, which side of which document it is."""

from pathlib import Path

import pytest
import zxingcpp

from docgen import pagecode
from docgen.errors import CodeRefused
from docgen.pagecode import Key
from docgen.rendering.pictures import greys
from tests.end_to_end.pressing import KEY, LAYOUTS, NAMES, everybody, press

PEOPLE = 14


@pytest.mark.parametrize("dpi", [150, 200])
@pytest.mark.parametrize(("slug", "layout"), [each[:2] for each in LAYOUTS], ids=NAMES)
def test_both_codes_of_every_side_are_read(
    slug: str, layout: str, dpi: int, tmp_path: Path
) -> None:
    pressed = press(slug, layout, everybody(slug, PEOPLE), tmp_path)
    documents = list(pressed.job.documents())
    promised = pressed.layout
    pictures = greys(pressed.files()[0], dpi)
    read = 0
    for index, picture in enumerate(pictures):
        document, side = divmod(index, promised.sheets * 2)
        found = zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)
        if side >= promised.sides:
            assert not found
            continue
        codes = [pagecode.parse(each.text, {1: KEY}) for each in found]
        assert {code.corner for code in codes} == {0, 1}
        for code in codes:
            number = documents[document].number
            assert (code.document, code.side, code.sides) == (number, side + 1, promised.sides)
        read += 1
    assert read == len(documents) * promised.sides


def test_a_code_altered_or_made_with_another_key_is_refused() -> None:
    text = pagecode.make(KEY, pagecode.PageCode(b"abcdef", 1, 5, 0))
    assert pagecode.parse(text, {1: KEY}).document == b"abcdef"
    for position in range(len(text)):
        for letter in pagecode.ALPHABET:
            altered = text[:position] + letter + text[position + 1 :]
            if altered != text:
                with pytest.raises(CodeRefused):
                    pagecode.parse(altered, {1: KEY})
    with pytest.raises(CodeRefused):
        pagecode.parse(text, {1: Key(1, b"another key of thirty-two bytes..")})
