"""A volume: documents on their own sheets, in order, with bookmarks, labels and digests."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from docgen.pagecode import PageCode
from docgen.press import Job
from docgen.rendering import pictures
from docgen.rendering.printfile import CHUNK, KIDS, Volume
from samples.people import school
from tests.helpers import PERSON, bound, codes_of, edited, job, people, qpdf_check, text_of


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content), strict=True)


def spans(volume: Volume) -> list[tuple[str, int, int, int]]:
    return [(each.document.person, each.first, each.last, each.sheets) for each in volume.documents]


def test_an_odd_document_starts_on_a_recto_and_its_last_verso_is_bare() -> None:
    content, volume = bound(job(people(3)))
    reader = read(content)
    assert spans(volume) == [("E0000", 1, 3, 2), ("E0001", 5, 7, 2), ("E0002", 9, 11, 2)]
    assert (volume.sides, volume.sheets, volume.separators) == (9, 6, 0)
    assert [page.get("/Contents") is None for page in reader.pages] == [False] * 3 + [True] + (
        [False] * 3 + [True]
    ) * 2
    assert (next(pictures.greys(content, 50, [3])) == 255).all()


def test_an_even_document_has_no_bare_verso() -> None:
    content, volume = bound(job(people(3), "reduction"))
    assert spans(volume) == [("E0000", 1, 2, 1), ("E0001", 3, 4, 1), ("E0002", 5, 6, 1)]
    assert (volume.sides, volume.sheets) == (6, 3)
    assert len(read(content).pages) == 6


@pytest.mark.parametrize(
    ("layout", "size", "duplex"),
    [("entier", (595.28, 841.89), "LongEdge"), ("reduction", (841.89, 595.28), "ShortEdge")],
)
def test_a_volume_tells_the_size_of_paper_and_how_to_turn_it(
    layout: str, size: tuple[float, float], duplex: str
) -> None:
    content, _ = bound(job(people(2), layout))
    reader = read(content)
    assert {(float(page.mediabox.width), float(page.mediabox.height)) for page in reader.pages} == {
        size
    }
    wishes: Any = reader.trailer["/Root"]["/ViewerPreferences"]
    assert wishes == {"/Duplex": f"/DuplexFlip{duplex}", "/PrintScaling": "/None"}
    assert reader.trailer["/Root"]["/Lang"] == "fr"


def test_each_page_holds_its_own_person_and_codes() -> None:
    made = job(people(3))
    documents = list(made.documents())
    content, _ = bound(made, documents)
    drawn = list(pictures.greys(content, 150))
    for index, document in enumerate(documents):
        for side in range(3):
            page = 4 * index + side
            assert codes_of(drawn[page]) == {
                PageCode(document.number, side + 1, 3, corner) for corner in (0, 1)
            }
            text = text_of(content, page + 1)
            assert re.findall(r"PC-\w{4}-\w{4}", text) == [document.copy.reference]
            if side < 2:
                assert re.findall(r"ESSAI A\w+", text) == [document.copy.values["family_name"]]


@pytest.mark.parametrize("count", [1, 16, 17, KIDS + 1])
def test_volumes_of_any_length_are_sound(tmp_path: Path, count: int) -> None:
    content, _ = bound(job(people(count)))
    qpdf_check(content, tmp_path)
    reader = read(content)
    assert len(reader.pages) == 4 * count
    assert f"ESSAI A{'A' if count < 27 else 'C'}" in text_of(content, 4 * count - 3)


def test_codes_go_on_past_the_documents_that_are_drawn_at_once() -> None:
    made = job(people(CHUNK + 2), "reduction")
    documents = list(made.documents())
    content, volume = bound(made, documents)
    last = documents[-1]
    assert volume.documents[-1].last == 2 * (CHUNK + 2)
    (picture,) = pictures.greys(content, 150, [2 * CHUNK + 3])
    assert codes_of(picture) == {PageCode(last.number, 2, 2, corner) for corner in (0, 1)}


def test_the_same_documents_are_the_same_bytes() -> None:
    first, volume = bound(job(people(5), separators=True))
    second, again = bound(job(people(5), separators=True))
    assert first == second
    assert volume == again


def digests(made: Job) -> dict[str, str]:
    return {each.document.person: each.sha256 for each in bound(made)[1].documents}


def test_the_digest_of_a_document_changes_with_its_own_content_alone() -> None:
    persons = people(4)
    before = digests(job(persons))
    assert len(set(before.values())) == 4
    changed = [persons[0], replace(persons[1], first_name="Léa"), *persons[2:]]
    after = digests(job(changed))
    assert {person for person in before if before[person] != after[person]} == {"E0001"}


def test_the_digest_of_a_document_owes_nothing_to_its_place_or_its_neighbours() -> None:
    persons = people(4)
    whole = digests(job(persons))
    alone = digests(job([persons[2]], separators=True))
    assert alone == {"E0002": whole["E0002"]}


def test_the_digest_of_a_document_changes_with_its_layout_mark_and_template(
    tmp_path: Path,
) -> None:
    person = [PERSON]
    other = edited(tmp_path, {"body.html": [("Seconde page.", "Page seconde.")]})
    found = {
        *digests(job(person)).values(),
        *digests(job(person, "reduction")).values(),
        *digests(job(person, template=other)).values(),
        *(each.sha256 for each in bound(job(person, copies=2))[1].documents),
    }
    assert len(found) == 5


def test_the_digest_of_a_document_changes_with_what_it_says_of_the_school() -> None:
    renamed = replace(school(), name="Lycée Marie Curie")
    assert digests(job([PERSON])) != digests(job([PERSON], school=renamed))


def test_the_digest_of_a_document_changes_with_its_variant(tmp_path: Path) -> None:
    both = (
        '{% if variant == "mineur" %}<p class="guardian">{{ field("guardian", 2) }}</p>{% endif %}'
    )
    template = edited(tmp_path, {"body.html": [(both, "<p>{{ variant }}</p>")]})
    found = [
        digests(job([PERSON], template=template, on=on))
        for on in (date(2028, 2, 29), date(2028, 3, 1))  # the eve and the day
    ]
    assert found[0] != found[1]


def test_bookmarks_lead_to_each_class_and_each_person() -> None:
    persons = [
        *people(2),
        replace(PERSON, id="X", family_name="ZOÉ", division="T STMG 1"),
    ]
    reader = read(bound(job(persons))[0])
    found = [
        (each.title, reader.get_destination_page_number(each)) for each in _flat(reader.outline)
    ]
    assert found == [
        ("2DE 1", 0),
        ("ESSAI AAA Zoé", 0),
        ("ESSAI AAB Zoé", 4),
        ("T STMG 1", 8),
        ("ZOÉ Zoé", 8),
    ]
    root: Any = reader.trailer["/Root"]
    assert root["/PageMode"] == "/UseOutlines"
    assert [root["/Outlines"]["/First"][key] for key in ("/Count",)] == [-2]  # folded


def _flat(items: list[Any]) -> Iterator[Any]:
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def test_a_person_without_a_class_is_filed_under_that_name() -> None:
    reader = read(bound(job([replace(PERSON, division="")]))[0])
    assert [each.title for each in _flat(reader.outline)] == ["Sans classe", "ESSAI Zoé"]


def test_pages_are_labelled_by_the_reference_of_their_document() -> None:
    made = job(people(2))
    one, two = (document.copy.reference for document in made.documents())
    reader = read(bound(job(people(2)))[0])
    assert reader.page_labels == [
        *(f"{one}/{side}" for side in (1, 2, 3, 4)),
        *(f"{two}/{side}" for side in (1, 2, 3, 4)),
    ]


def test_a_separator_stands_on_its_own_sheet_before_each_class() -> None:
    persons = [*people(2), replace(PERSON, id="X", division="T STMG 1")]
    content, volume = bound(job(persons, separators=True))
    assert (volume.separators, volume.sheets, volume.sides) == (2, 8, 9)
    assert [first for _, first, _, _ in spans(volume)] == [3, 7, 13]
    assert text_of(content, 1).split() == ["2DE", "1", "2", "documents"]
    assert text_of(content, 11).split() == ["T", "STMG", "1", "1", "document"]
    reader = read(content)
    assert reader.pages[1].get("/Contents") is None
    assert reader.page_labels[0].startswith("intercalaire")
    assert next(_flat(reader.outline)).title == "2DE 1"
    assert codes_of(next(pictures.greys(content, 150, [0]))) == set()


def test_a_long_class_stays_inside_its_separator() -> None:
    content, _ = bound(job([replace(PERSON, division="TERMINALE " * 8)], separators=True))
    (picture,) = pictures.greys(content, 72, [0])
    columns = (picture < 200).any(axis=0).nonzero()[0]
    assert columns.min() >= 76
    assert columns.max() <= 595 - 76


def test_a_class_that_cannot_be_written_is_gathered_with_the_rest() -> None:
    persons = [replace(PERSON, division="日"), replace(PERSON, id="X", first_name="本")]
    _, volume = bound(job(persons, separators=True))
    assert len(volume.missing) >= 2


def test_copies_follow_one_another_each_with_its_mark_and_reference() -> None:
    made = job(people(2), copies=3)
    content, volume = bound(made)
    assert [person for person, *_ in spans(volume)] == ["E0000"] * 3 + ["E0001"] * 3
    marks = ["Exemplaire établissement", "Exemplaire famille", "Exemplaire 3"]
    for index, mark in enumerate(marks * 2):
        assert mark in text_of(content, 4 * index + 1)
    references = {each.document.copy.reference for each in volume.documents}
    assert len(references) == 6


def test_a_volume_holds_the_people_that_it_is_given() -> None:
    made = job(people(5))
    documents = made.documents()
    volumes = []
    while batch := list(islice(documents, 2)):
        volumes.append(bound(made, batch)[1])
    assert [[person for person, *_ in spans(each)] for each in volumes] == [
        ["E0000", "E0001"],
        ["E0002", "E0003"],
        ["E0004"],
    ]
    assert [each.documents[0].first for each in volumes] == [1, 1, 1]


def test_names_stand_in_bookmarks_and_on_pages_alone() -> None:
    content, _ = bound(job(people(1)))
    reader = read(content)
    assert reader.metadata is None or "ESSAI" not in str(reader.metadata)
    assert reader.xmp_metadata is None


@pytest.mark.parametrize("layout", ["entier", "reduction"])
def test_pages_hold_black_ink_alone_and_fonts_of_their_own(layout: str) -> None:
    content, _ = bound(job(people(1), layout))
    reader = read(content)
    for page in reader.pages:
        if (own := page.get_contents()) is not None:
            assert not re.search(rb"\b(rg|RG|k|K)\b", own.get_data().partition(b"BI/W")[0])
        for font in page["/Resources"]["/Font"].values():
            descendant = font["/DescendantFonts"][0].get_object()
            assert "/FontFile2" in descendant["/FontDescriptor"]
            assert descendant["/FontDescriptor"]["/FontName"] == "/DOCGEN+SourceSansPro-Semibold"
