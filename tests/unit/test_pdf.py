"""A PDF written as a stream: other readers read it, and the same content is the same bytes."""

import hashlib
import json
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from docgen.rendering.pdf import FLUSH, PACKED, PdfStream, escaped, number, text_string
from tests.helpers import qpdf_check

TEXTS = ["", "plain", "é", "(", ")", "\\", "a\rb", "a\nb", "\\)(", "🎓", "\x7f", "Œ « 1 »", "þÿ"]


def written(pages: int = 1, small: int = 0, title: str = "", stream_size: int = 10) -> bytes:
    """Write a file of so many pages, with small objects besides."""
    out = BytesIO()
    pdf = PdfStream(out)
    tree = pdf.reserve()
    first = pdf.reserve(pages)
    for page in range(first, first + pages):
        content = pdf.reserve()
        pdf.stream(content, b"% " + b"x" * stream_size)
        pdf.object(page, b"<</Type/Page/Parent %d 0 R/Contents %d 0 R>>" % (tree, content))
    extra = pdf.reserve(small)
    for place in range(small):
        pdf.object(extra + place, b"<</N %d>>" % place)
    kids = b" ".join(b"%d 0 R" % page for page in range(first, first + pages))
    pdf.object(
        tree, b"<</Type/Pages/MediaBox[0 0 99 99]/Count %d/Kids[%b]/Extra %d 0 R>>"
        % (pages, kids, extra if small else first),
    )  # fmt: skip
    root = pdf.reserve()
    pdf.object(root, b"<</Type/Catalog/Pages %d 0 R/T%b>>" % (tree, text_string(title)))
    assert pdf.close(root) == hashlib.sha256(out.getvalue()).hexdigest()
    return out.getvalue()


@pytest.mark.parametrize("pages", [1, 2, PACKED - 2, PACKED, PACKED + 1])
def test_a_file_is_read_by_strict_readers(tmp_path: Path, pages: int) -> None:
    content = written(pages)
    qpdf_check(content, tmp_path)
    reader = PdfReader(BytesIO(content), strict=True)
    assert len(reader.pages) == pages
    assert reader.pages[-1].get_contents().get_data() == b"% " + b"x" * 10


@pytest.mark.parametrize("small", [PACKED - 3, PACKED - 2, PACKED * 3 + 1])
def test_small_objects_are_packed_and_found(tmp_path: Path, small: int) -> None:
    content = written(small=small)
    qpdf_check(content, tmp_path)
    reader = PdfReader(BytesIO(content), strict=True)
    first = reader.trailer["/Root"]["/Pages"].raw_get("/Extra").idnum
    found = [IndirectObject(first + place, 0, reader).get_object()["/N"] for place in range(small)]
    assert found == list(range(small))
    assert content.count(b"/Type/ObjStm") == -(-(small + 3) // PACKED)


def test_more_than_65536_objects_are_found(tmp_path: Path) -> None:
    content = written(small=70_000)
    qpdf_check(content, tmp_path)
    reader = PdfReader(BytesIO(content), strict=True)
    first = reader.trailer["/Root"]["/Pages"].raw_get("/Extra").idnum
    for place in (0, 255, 256, 65_535, 65_536, 69_999):
        assert IndirectObject(first + place, 0, reader).get_object()["/N"] == place


def test_content_is_written_as_it_comes(tmp_path: Path) -> None:
    out = BytesIO()
    pdf = PdfStream(out)
    noise = b"".join(
        hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(FLUSH // 16)
    )
    pdf.stream(pdf.reserve(), noise)
    assert len(out.getvalue()) > FLUSH


def test_the_same_content_is_the_same_file_and_another_is_not() -> None:
    assert written(3, 5) == written(3, 5)
    one, other = (PdfReader(BytesIO(written(title=text))) for text in ("a", "b"))
    assert one.trailer["/ID"] != other.trailer["/ID"]
    assert one.trailer["/ID"][0] == one.trailer["/ID"][1]


def test_nothing_tells_when_or_by_what_it_was_made() -> None:
    content = written(2)
    assert b"Date" not in content
    assert b"/Info" not in content
    assert b"/Producer" not in content


@pytest.mark.parametrize("text", TEXTS)
def test_text_strings_are_read_back_by_pypdf(text: str) -> None:
    catalog = PdfReader(BytesIO(written(title=text)), strict=True).trailer["/Root"]
    assert catalog["/T"] == text


def test_text_strings_are_read_back_by_qpdf(tmp_path: Path) -> None:
    for place, text in enumerate(TEXTS):
        path = tmp_path / f"{place}.pdf"
        path.write_bytes(written(title=text))
        done = subprocess.run(["qpdf", "--json", path], capture_output=True, check=True)
        objects = json.loads(done.stdout)["qpdf"][1].values()
        (catalog,) = (each["value"] for each in objects if "/Pages" in each.get("value", ()))
        assert catalog["/T"] == f"u:{text}"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_string_is_written_in_ascii_on_one_line(text: str) -> None:
    string = text_string(text)
    assert string.isascii()
    assert b"\n" not in string
    assert b"\r" not in string


@given(st.binary())
def test_escaped_bytes_are_read_back(data: bytes) -> None:
    out = BytesIO()
    pdf = PdfStream(out)
    tree, page, root = (pdf.reserve() for _ in range(3))
    pdf.object(tree, b"<</Type/Pages/Count 1/Kids[%d 0 R]/MediaBox[0 0 9 9]>>" % page)
    pdf.object(page, b"<</Type/Page/Parent %d 0 R>>" % tree)
    pdf.object(root, b"<</Type/Catalog/Pages %d 0 R/T(%b)>>" % (tree, escaped(data)))
    pdf.close(root)
    value = PdfReader(BytesIO(out.getvalue()), strict=True).trailer["/Root"]["/T"]
    assert value.original_bytes == data if hasattr(value, "original_bytes") else value == data


def test_escaping_leaves_plain_bytes_alone() -> None:
    assert escaped(b"plain \x00\xff\n") == b"plain \x00\xff\n"
    assert escaped(rb"\(") == rb"\\\("
    assert escaped(b"a\rb\r") == rb"a\rb\r"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((0, b"0"), (-0.0, b"0"), (0.004, b"0"), (-0.004, b"0"), (0.006, b"0.01")),
        *((-0.006, b"-0.01"), (1, b"1"), (-1, b"-1"), (100, b"100"), (-100.0, b"-100")),
        *((1.5, b"1.5"), (1.25, b"1.25"), (595.2756, b"595.28"), (1e6, b"1000000")),
        *((123_456_789.125, b"123456789.12"), (1e20, b"100000000000000000000")),
    ],
)
def test_a_length_is_written_to_a_hundredth_without_exponent(value: float, expected: bytes) -> None:
    assert number(value) == expected


@given(st.floats(-1e9, 1e9))
def test_a_length_is_never_off_by_more_than_half_a_hundredth(value: float) -> None:
    assert abs(float(number(value)) - value) <= 0.005 + abs(value) * 1e-15
