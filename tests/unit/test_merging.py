"""Signed files: the right sides, in order, with the scans' own bytes, archival, always the same."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    RectangleObject,
)

from docgen.errors import InvalidInput
from docgen.scanning import archival, borrowing
from docgen.scanning.archival import srgb
from docgen.scanning.findings import Matrix
from docgen.scanning.merging import (
    OPENED,
    Binder,
    Bound,
    Facts,
    SideSource,
    bind,
)
from tests import archives
from tests.clean_copies import Stored, fax, flate, jpeg, write_copy
from tests.helpers import qpdf_check, refusal, text_of

NOW = datetime(2026, 9, 14, 8, 30, tzinfo=UTC)
FACTS = Facts("Charte de cession", "CE-7K3F-92QD", 3, (1, 2, 3), 595.28, 841.89, NOW)
DPI = 20
PIXELS = (165, 234)  # A4 at 20 dpi
STRAIGHT = Matrix(3.6, 0, 0, -3.6, 0, 841.89)
MAKERS = (jpeg, fax, flate, lambda image: jpeg(image, "RGB"))


def picture(level: int) -> Image.Image:
    """Draw a small side that no other is like."""
    image = Image.new("L", PIXELS, 255)
    image.paste(level, (20, 20, 100, 40 + level))
    return image


@pytest.fixture
def stored() -> list[Stored]:
    return [make(picture(20 * n)) for n, make in enumerate(MAKERS)]


@pytest.fixture
def copy(tmp_path: Path, stored: list[Stored]) -> Path:
    return write_copy(tmp_path / "copy.pdf", [(each, DPI) for each in stored])


@pytest.fixture
def printed(tmp_path: Path) -> Path:
    """Make an original print of three sides, whose pages draw with a font of their own."""
    writer = PdfWriter()
    for side in (1, 2, 3):
        page = writer.add_blank_page(595.28, 841.89)
        font = borrowing.embed_mark_font(writer)
        named = DictionaryObject({NameObject("/F"): font, NameObject("/Unused"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): named})
        letter = f"{borrowing.lettering().glyphs[side]:04x}"  # « a », « g », « e » of the mark
        content = borrowing.stream_of(f"BT/F 40 Tf 100 700 Td<{letter}>Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(content)
    writer.add_blank_page(595.28, 841.89)  # the verso that pads its last sheet
    path = tmp_path / "printed.pdf"
    writer.write(path)
    return path


class Made(NamedTuple):
    content: bytes
    bound: Bound

    @property
    def reader(self) -> PdfReader:
        return PdfReader(BytesIO(self.content), strict=True)

    @property
    def images(self) -> list[DictionaryObject | None]:
        """Give the image of each page; None for a page that has none."""
        found = [page["/Resources"].get("/XObject", {}).get("/I") for page in self.reader.pages]
        return [each.get_object() if each is not None else None for each in found]


def made(
    sources: Sequence[SideSource],
    facts: Facts = FACTS,
    original: Path | None = None,
    by: Callable[..., Bound] = bind,
) -> Made:
    stream = BytesIO()
    told = by(sources, facts, original, stream)
    return Made(stream.getvalue(), told)


def sources(copy: Path, *sides: int) -> list[SideSource]:
    """Give sides out of the pages of a copy, in another order than that of the pages."""
    return [
        SideSource(side, copy, page, STRAIGHT, label="pile.pdf", place=page + 1)
        for page, side in reversed(list(enumerate(sides)))
    ]


def test_sides_stand_in_order_whatever_the_order_of_the_scans(
    copy: Path, stored: list[Stored]
) -> None:
    given = made(sources(copy, 3, 1, 2))
    assert [face.side for face in given.bound.faces] == [1, 2, 3]
    assert [image._data for image in given.images] == [stored[n].data for n in (1, 2, 0)]


@pytest.mark.parametrize("page", range(len(MAKERS)))
def test_an_image_is_the_scan_s_own_to_the_last_bit(
    tmp_path: Path, copy: Path, stored: list[Stored], page: int
) -> None:
    given = made([SideSource(1, copy, page, STRAIGHT)], replace(FACTS, sides=1, needed=(1,)))
    (image,) = given.images
    assert image._data == stored[page].data
    assert {key: image[key] for key in image if key != "/Length"} == stored[page].entries
    assert given.bound.faces[0].sha256 == sha256(stored[page].data).hexdigest()
    qpdf_check(given.content, tmp_path)


def test_only_what_an_image_is_comes_along(copy: Path, tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=copy)
    image = writer.pages[0]["/Resources"]["/XObject"]["/I0"]
    extra = {"/Interpolate": BooleanObject(True), "/AA": DictionaryObject()}
    image.update({NameObject(key): value for key, value in extra.items()})
    dirty = tmp_path / "dirty.pdf"
    writer.write(dirty)
    (image,) = made([SideSource(1, dirty, 0)], replace(FACTS, sides=1, needed=(1,))).images
    assert not extra.keys() & set(image)


def test_pages_have_the_size_of_the_paper(copy: Path) -> None:
    facts = replace(FACTS, width=841.89, height=595.28)
    boxes = [page.mediabox for page in made(sources(copy, 1, 2, 3), facts).reader.pages]
    assert [tuple(map(float, box)) for box in boxes] == [(0, 0, 841.89, 595.28)] * 3


def test_sides_that_need_not_come_home_are_taken_from_the_print_and_marked(
    tmp_path: Path, copy: Path, printed: Path
) -> None:
    given = made(sources(copy, 2), replace(FACTS, needed=(2,)), printed)
    assert [face.origin for face in given.bound.faces] == ["original", "scan", "original"]
    assert given.bound.left_out == ()
    assert [image is not None for image in given.images] == [False, True, False]
    texts = [text_of(given.content, page).split() for page in (1, 2, 3)]
    assert texts == [["a", *borrowing.MARK.split()], [], ["e", *borrowing.MARK.split()]]
    qpdf_check(given.content, tmp_path)


def test_a_page_taken_from_the_print_brings_no_resource_that_it_does_not_use(
    copy: Path, printed: Path
) -> None:
    given = made(sources(copy, 2), replace(FACTS, needed=(2,)), printed)
    fonts = given.reader.pages[0]["/Resources"]["/Font"]
    assert set(fonts) == {"/F", f"/{borrowing.FONT}"}


def test_pictures_of_the_print_are_not_smoothed_and_its_links_stay_behind(
    tmp_path: Path, copy: Path, printed: Path
) -> None:
    writer = PdfWriter(clone_from=printed)
    smoothed = PdfWriter(clone_from=copy).pages[0]["/Resources"]["/XObject"]["/I0"].clone(writer)
    smoothed[NameObject("/Interpolate")] = BooleanObject(True)
    inner = archival.dictionary(XObject=archival.dictionary(I=smoothed.indirect_reference))
    box = ArrayObject(map(NumberObject, (0, 0, 1, 1)))
    kind = archival.name("Form")
    form = archival.stream_of(b"/I Do", Subtype=kind, BBox=box, Resources=inner)
    page = writer.pages[0]
    page["/Resources"][NameObject("/XObject")] = archival.dictionary(L=writer._add_object(form))
    page["/Contents"].get_object().set_data(b"q 80 0 0 80 9 9 cm/L Do Q")
    writer.add_uri(0, "https://example.org/", RectangleObject((0, 0, 90, 90)))
    writer.write(printed)
    given = made(sources(copy, 2), replace(FACTS, needed=(2,)), printed)
    (drawn,) = given.reader.pages[0]["/Resources"]["/XObject"].values()
    assert drawn["/Resources"]["/XObject"]["/I"]["/Width"] == PIXELS[0]
    assert list(archives.faults(given.content)) == []
    qpdf_check(given.content, tmp_path)


def test_nothing_is_taken_from_the_print_when_all_sides_came_home(
    copy: Path, tmp_path: Path
) -> None:
    absent = tmp_path / "not-there.pdf"
    given = made(sources(copy, 1, 2, 3), original=absent)
    assert given.content == made(sources(copy, 1, 2, 3)).content


def test_sides_that_nothing_gives_are_told(copy: Path, printed: Path) -> None:
    facts = replace(FACTS, needed=(2,))
    alone = made(sources(copy, 2), facts)
    assert (alone.bound.pages, alone.bound.left_out) == (1, (1, 3))
    longer = made(sources(copy, 2), replace(facts, sides=6), printed)
    assert longer.bound.left_out == (5, 6)  # the print has a blank verso, and no side after it


def test_a_side_that_must_come_home_is_never_taken_from_the_print(
    copy: Path, printed: Path
) -> None:
    with pytest.raises(ValueError, match=r"\[1, 3\] must come home"):
        made(sources(copy, 2), FACTS, printed)


@pytest.mark.parametrize("sides", [(1, 1, 2, 3), (1, 2, 3, 4), (0, 1, 2, 3)])
def test_sides_given_twice_or_of_another_document_are_refused(
    copy: Path, sides: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="given twice, or is not of this document"):
        made(sources(copy, *sides))


def test_sides_without_an_image_are_all_told_to_be_scanned_again(tmp_path: Path) -> None:
    sides = [(None, DPI), (flate(picture(1)), DPI), (None, DPI)]
    copy = write_copy(tmp_path / "copy.pdf", sides)
    given = refusal(lambda: made(sources(copy, 1, 2, 3)), InvalidInput)
    assert [problem.where for problem in given] == ["face\u00a01", "face\u00a03"]
    assert {problem.remedy for problem in given} == {"Numérisez-la à nouveau."}


@pytest.mark.parametrize(
    ("matrix", "fitted"), [(STRAIGHT, False), (None, True), (STRAIGHT._replace(a=-3.6), True)]
)
def test_what_is_not_laid_by_its_codes_is_told(
    copy: Path, matrix: Matrix | None, fitted: bool
) -> None:
    given = made([SideSource(1, copy, 0, matrix)], replace(FACTS, sides=1, needed=(1,)))
    assert given.bound.faces[0].fitted is fitted


def test_the_file_says_where_each_of_its_pages_came_from(copy: Path, printed: Path) -> None:
    given = made(sources(copy, 2), replace(FACTS, needed=(2,)), printed)
    index = json.loads(archives.packet(given.content).findtext(f"{archives.OWN}faces"))
    original = {"side": 1, "origin": "original", "sha256": sha256(printed.read_bytes()).hexdigest()}
    (scan,) = (face for face in given.bound.faces if face.origin == "scan")
    assert index == [
        original,
        {"side": 2, "origin": "scan", "sha256": scan.sha256, "label": "pile.pdf", "place": 1},
        {**original, "side": 3},
    ]


def test_bookmarks_and_labels_count_sides_not_pages(copy: Path, printed: Path) -> None:
    given = made(sources(copy, 2), replace(FACTS, needed=(2,), sides=5), printed).reader
    assert [each.title for each in given.outline] == [
        "Face 1/5, impression d’origine",
        "Face 2/5",
        "Face 3/5, impression d’origine",
        "Face 4/5, impression d’origine",
    ]
    alone = made(sources(copy, 1, 3), replace(FACTS, needed=(1,))).reader
    assert alone.page_labels == ["CE-7K3F-92QD/1", "CE-7K3F-92QD/3"]
    assert [alone.get_destination_page_number(each) for each in alone.outline] == [0, 1]


def test_a_signed_file_is_archival(copy: Path, printed: Path) -> None:
    all_sides = replace(FACTS, sides=4, needed=(1, 2, 3, 4))
    for given in (
        made(sources(copy, 1, 2, 3, 4), all_sides),
        made(sources(copy, 2), replace(FACTS, needed=(2,)), printed),
    ):
        assert given.bound.is_archival
        assert list(archives.faults(given.content)) == []


def test_titles_and_names_of_scans_that_xml_cannot_hold_are_told_otherwise(copy: Path) -> None:
    facts = replace(FACTS, title="Charte & <cession>\x00 n°\u00a01\ufffe", sides=1, needed=(1,))
    label = "pile & co \x01\udce9\uffff.pdf"
    given = made([SideSource(1, copy, 0, STRAIGHT, label=label)], facts)
    assert list(archives.faults(given.content)) == []
    told = archives.packet(given.content)
    assert json.loads(told.findtext(f"{archives.OWN}faces"))[0]["label"] == label
    assert given.reader.metadata.title == "Charte & <cession>  n° 1 "


def test_colours_that_need_a_press_keep_a_file_from_claiming_to_be_archival(
    tmp_path: Path,
) -> None:
    stored = jpeg(picture(9).convert("CMYK"), "CMYK")
    stored.entries["/ColorSpace"] = NameObject("/DeviceCMYK")
    copy = write_copy(tmp_path / "copy.pdf", [(stored, DPI)])
    given = made([SideSource(1, copy, 0, STRAIGHT)], replace(FACTS, sides=1, needed=(1,)))
    assert not given.bound.is_archival
    faults = {"metadata: no claim", "image: colours without a profile"}
    assert set(archives.faults(given.content)) == faults


def test_a_font_that_is_not_embedded_keeps_a_file_from_claiming_to_be_archival(
    copy: Path, printed: Path
) -> None:
    writer = PdfWriter(clone_from=printed)
    font = writer.pages[0]["/Resources"]["/Font"]["/F"]
    del font["/DescendantFonts"][0]["/FontDescriptor"]["/FontFile2"]
    writer.write(printed)
    given = made(sources(copy, 2), replace(FACTS, needed=(2,)), printed)
    assert not given.bound.is_archival
    assert "metadata: no claim" in set(archives.faults(given.content))


def test_the_same_sides_give_the_same_file_and_others_another(copy: Path, printed: Path) -> None:
    facts = replace(FACTS, needed=(2,))
    first = made(sources(copy, 2), facts, printed)
    elsewhere = replace(facts, now=NOW.astimezone(timezone(timedelta(hours=2))))
    assert made(sources(copy, 2), elsewhere, printed).content == first.content
    moved = [replace(sources(copy, 2)[0], matrix=STRAIGHT._replace(e=0.1))]
    others = [
        made(sources(copy, 0, 2)[:1], facts, printed),
        made(moved, facts, printed),
        made(sources(copy, 2), replace(facts, now=NOW + timedelta(seconds=1)), printed),
        made(sources(copy, 2), facts),
    ]
    identities = {each.reader.trailer["/ID"][0] for each in (first, *others)}
    assert len(identities) == 5


def test_a_moment_without_its_time_zone_is_refused(copy: Path) -> None:
    with pytest.raises(ValueError, match="time zone"):
        made(sources(copy, 1, 2, 3), replace(FACTS, now=NOW.replace(tzinfo=None)))


def test_the_profile_of_srgb_does_not_say_when_it_was_built() -> None:
    assert srgb()[24:36] == bytes.fromhex("07cf000a0012000000000000")
    assert int.from_bytes(srgb()[:4], "big") == len(srgb())


def test_a_binder_opens_copies_once_and_closes_the_oldest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    keep = Path.open

    def noted(path: Path, *how: str) -> object:
        opened.append(path.name)
        return keep(path, *how)

    side = [(flate(picture(1)), DPI)]
    copies = [write_copy(tmp_path / f"{n}.pdf", side) for n in range(OPENED + 1)]
    monkeypatch.setattr(Path, "open", noted)
    one = replace(FACTS, sides=1, needed=(1,))
    with Binder() as binder:
        for copy in (*copies[:3], *copies[:3]):
            made([SideSource(1, copy, 0)], one, by=binder.bind)
        assert opened == ["0.pdf", "1.pdf", "2.pdf"]
        for copy in (*copies[3:], copies[2], copies[0]):
            made([SideSource(1, copy, 0)], one, by=binder.bind)
        assert opened[3:] == [f"{n}.pdf" for n in (*range(3, OPENED + 1), 0)]
        files = [file for file, _ in binder._opened.values()]
    assert len(files) == OPENED
    assert all(file.closed for file in files)


def test_a_binder_gives_what_a_binding_alone_gives(copy: Path, printed: Path) -> None:
    facts = replace(FACTS, needed=(2,))
    with Binder() as binder:
        for given in (sources(copy, 1, 2, 3), sources(copy, 2)):
            again = made(given, facts, printed, by=binder.bind)
            assert again.content == made(given, facts, printed).content
