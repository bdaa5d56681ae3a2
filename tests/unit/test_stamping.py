"""Codes on what LibreOffice laid out: read on every side, and nothing else of it changed."""

import re
from datetime import date
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.shared import Mm, RGBColor
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link

from docgen.datafolder import data_folder
from docgen.errors import LayoutOverflows
from docgen.pagecode import PageCode
from docgen.rendering import clearance, office, pictures, stamping
from docgen.rendering.checking import Unprinted
from docgen.rendering.imposition import MM, Imposition, Placement
from docgen.rendering.stamping import Pages, Stamp
from docgen.rendering.symbols import load_table
from docgen.rendering.wordmodel import Model
from tests import helpers
from tests.hostile import models
from tests.unit.test_word import filling

MANIFEST = models.TEMPLATE.manifest
NUMBER, REFERENCE = b"papers", "PE-7K3F-92QD"
ON = date(2026, 9, 14)
OURS, WIDE, LYING, FRAMED = "ours", "wide", "lying", "framed"
EVERY = (OURS, WIDE, LYING, FRAMED)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Our convention, and models that schools could make, as LibreOffice gives them."""
    folder = tmp_path_factory.mktemp("stamping")
    ours = Model(models.OURS, MANIFEST)
    models.written(folder / f"{OURS}.docx", ours.fill(filling()))
    _document(folder / f"{WIDE}.docx", margin=45)
    _document(folder / f"{LYING}.docx", margin=20, lying=True)
    _document(folder / f"{FRAMED}.docx", margin=3)
    files = office.convert(sorted(folder.glob("*.docx")), "pdf", folder)
    return {path.stem: path.read_bytes() for path in files}


def _document(path: Path, *, margin: int, lying: bool = False) -> None:
    """Write a model: a page of words in red, then one that may lie."""
    document = Document()
    document.add_section(WD_SECTION.NEW_PAGE)
    sections = list(document.sections)
    for section in sections:
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(margin)
        section.top_margin = section.bottom_margin = Mm(margin)
        section.header_distance = section.footer_distance = Mm(margin)
    if lying:
        sections[1].orientation = WD_ORIENT.LANDSCAPE
        sections[1].page_width, sections[1].page_height = Mm(297), Mm(210)
    document.paragraphs[-1].insert_paragraph_before("Rouge")
    red = document.paragraphs[0].add_run(" comme le blason du lycée. " * 60)
    red.font.color.rgb = RGBColor(0xC0, 0x10, 0x10)
    document.add_paragraph("Page seconde. " * 150)
    document.save(str(path))


def stamp(symbols: object = None) -> Stamp:
    table = symbols or load_table(data_folder() / "cache")
    return Stamp(MANIFEST, helpers.KEY, table)  # type: ignore[arg-type] # a table of the tests


def stamped(content: bytes) -> bytes:
    return Pages(content).stamped(stamp(), NUMBER, REFERENCE, ON)


def words(content: bytes) -> list[list[str]]:
    """Give the words of each page, in the order of their tags or of their drawing."""
    pages = helpers.poppler("pdftotext", content, "-raw").split("\f")[:-1]
    return [re.findall(r"\S+", page) for page in pages]


@pytest.mark.parametrize("name", EVERY)
def test_every_side_has_its_codes_and_all_that_it_had(
    made: dict[str, bytes], name: str, tmp_path: Path
) -> None:
    before, after = made[name], stamped(made[name])
    helpers.qpdf_check(after, tmp_path)
    count = len(PdfReader(BytesIO(before)).pages)
    assert count > 1
    for side, picture in enumerate(pictures.greys(after, 150), 1):
        wanted = {PageCode(NUMBER, side, count, corner) for corner in (0, 1)}
        assert helpers.codes_of(picture) == wanted
    for side, (old, new) in enumerate(zip(words(before), words(after), strict=True), 1):
        assert sorted(new) == sorted([*old, REFERENCE, f"{side}/{count}"])
    boxes = [tuple(page.mediabox) for page in PdfReader(BytesIO(after)).pages]
    assert boxes == [pytest.approx((0, 0, 210 * MM, 297 * MM), abs=0.01)] * count
    fonts = helpers.poppler("pdffonts", after).splitlines()[2:]
    assert all(re.search(r" yes +yes +yes ", line) for line in fonts)


@pytest.mark.parametrize("name", EVERY)
def test_nothing_stands_where_codes_go(made: dict[str, bytes], name: str) -> None:
    bare = Pages(made[name]).stamped(stamp(Unprinted()), NUMBER, "", ON)
    sides = ((Placement(0),),)
    places = list(clearance.kept_clear(Imposition(sides, stamping.WIDTH, stamping.HEIGHT, "")))
    for picture in pictures.greys(bare, clearance.DPI):
        assert (picture < clearance.PAPER).any()
        assert not any(clearance.has_ink(picture, stamping.HEIGHT, place) for place in places)


def places(content: bytes, text: str) -> list[tuple[int, float, float, float]]:
    """Give where a text stands: its page, left, bottom and height."""
    found = []
    document = pypdfium2.PdfDocument(content)
    for index in range(len(document)):
        page = document[index].get_textpage()
        searcher = page.search(text, match_case=True)
        while hit := searcher.get_next():
            left, bottom, _, top = page.get_charbox(hit[0], loose=True)
            found.append((index, left, bottom, top - bottom))
    document.close()
    return found


def test_pages_shrink_only_when_they_must_and_no_more(made: dict[str, bytes]) -> None:
    (before,), (after,) = (places(each, "Rouge") for each in (made[WIDE], stamped(made[WIDE])))
    assert after == pytest.approx(before, abs=0.1)
    for name, least in ((OURS, 0.83), (FRAMED, 0.67)):
        text = "Article 1" if name == OURS else "Rouge"
        old, new = places(made[name], text)[0], places(stamped(made[name]), text)[0]
        assert least < new[3] / old[3] < 0.95


def test_a_page_that_lies_is_turned_and_stays_whole(made: dict[str, bytes]) -> None:
    """The side stands upright, so that the codes of all sides are at the same places."""
    document = pypdfium2.PdfDocument(stamped(made[LYING]))
    page = document[1].get_textpage()
    index, count = page.search("seconde").get_next()
    first, last = page.get_charbox(index), page.get_charbox(index + count - 1)
    document.close()
    assert last[0] == pytest.approx(first[0], abs=3)  # read from the foot to the head
    assert last[1] > first[1] + 15


def test_colours_stay(made: dict[str, bytes]) -> None:
    document = pypdfium2.PdfDocument(stamped(made[WIDE]))
    red, green, blue = (
        document[0].render(scale=2, rev_byteorder=True).to_numpy()[..., :3].astype(int).T
    )
    document.close()
    assert ((red > 180) & (green < 40) & (blue < 40)).sum() > 500


def test_the_document_is_still_tagged_titled_and_french(made: dict[str, bytes]) -> None:
    after = stamped(made[OURS])
    told = helpers.poppler("pdfinfo", after)
    assert re.search(r"Tagged: +yes", told)
    assert "Convention A & B <c>" in told
    root = PdfReader(BytesIO(after)).root_object
    assert root["/Lang"] == "fr-FR"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/ViewerPreferences"]["/Duplex"] == "/DuplexFlipLongEdge"
    text = helpers.poppler("pdfinfo", after, "-struct-text")
    assert "Objet" in text
    assert REFERENCE not in text  # a reader aloud does not read it on every page


def test_bookmarks_lead_where_the_text_now_stands(made: dict[str, bytes]) -> None:
    after = stamped(made[OURS])
    reader = PdfReader(BytesIO(after))
    for mark in reader.outline[1:5]:
        title = mark.title.partition("– ")[2]
        index, left, bottom, height = places(after, title)[0]
        assert reader.get_destination_page_number(mark) == index
        assert float(mark.left) == pytest.approx(left, abs=15 * MM)
        assert float(mark.top) == pytest.approx(bottom + height, abs=4 * MM)


def test_links_are_where_their_text_stands(made: dict[str, bytes]) -> None:
    index, left, bottom, height = places(made[OURS], "Annexe 2")[0]
    writer, linked = PdfWriter(clone_from=BytesIO(made[OURS])), BytesIO()
    link = Link(rect=(left, bottom, left + 60, bottom + height), target_page_index=0)
    writer.add_annotation(index, link)
    writer.write(linked)
    after = stamped(linked.getvalue())
    _, left, bottom, height = places(after, "Annexe 2")[0]
    (moved,) = PdfReader(BytesIO(after)).pages[index]["/Annots"]
    x1, y1, _, y2 = (float(edge) for edge in moved.get_object()["/Rect"])
    assert (x1, y1, y2 - y1) == pytest.approx((left, bottom, height), abs=0.5)


def test_no_clock_and_no_chance_are_left(made: dict[str, bytes]) -> None:
    """LibreOffice writes the moment and a random identifier: neither makes another file."""
    before = made[OURS]
    again, count = re.subn(rb"D:20\d{12}", b"D:20010203040506", before)
    again, dates = re.subn(rb"(CreateDate>)20\d\d-\d\d-\d\d", rb"\g<1>2001-02-03", again)
    again, ids = re.subn(rb"<[0-9A-F]{32}>", b"<" + b"AB" * 16 + b">", again)
    assert (count, dates, ids) == (1, 1, 2)
    assert stamped(again) == stamped(before)
    assert "Mon Sep 14" in helpers.poppler("pdfinfo", stamped(before))


def test_more_sides_than_a_code_counts_are_refused() -> None:
    writer, content = PdfWriter(), BytesIO()
    for _ in range(256):
        writer.add_blank_page(595, 842)
    writer.write(content)
    (problem,) = helpers.refusal(lambda: Pages(content.getvalue(), "personne E1"), LayoutOverflows)
    assert problem.where == "personne E1"
