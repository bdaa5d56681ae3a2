"""The papers of an attestation: pages, totals, list, codes, the window, the same bytes twice."""

import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import pytest
from pypdf import PdfReader

from docgen import attesting
from docgen.attestations import Attestation, Entry, StockLine, issue
from docgen.datafolder import data_folder
from docgen.pagecode import PageCode
from docgen.records import School
from docgen.region import Region
from docgen.rendering import pictures
from samples.people import school, serial_number
from tests.helpers import KEY, codes_of, qpdf_check, text_of

START, END, TODAY = date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 16)
OCTOBER = {"start": date(2026, 10, 1), "end": date(2026, 10, 15)}


def entries(pupils: int, teachers: int = 0, first: int = 0) -> list[Entry]:
    return [
        Entry(
            serial_number(first + n),
            f"P{first + n}",
            "pupil" if n < pupils else "teacher",
            f"2DE {n // 25 + 1}" if n < pupils else "",
            START + timedelta(n % 30),
        )
        for n in range(pupils + teachers)
    ]


def attestation(given: list[Entry], *previous: Attestation, **options: object) -> Attestation:
    facts = {"school": school().uai, "start": START, "end": END, "today": TODAY, **options}
    return issue(given, previous=previous, **facts)  # type: ignore[arg-type]


@dataclass
class Pressed:
    """An attestation and its letter, as bytes."""

    made: Attestation
    papers: attesting.Papers

    @property
    def signed(self) -> bytes:
        return next(pdf for name, pdf in self.papers.files.items() if name.startswith("att"))

    @property
    def letter(self) -> bytes:
        return next(pdf for name, pdf in self.papers.files.items() if name.startswith("bor"))

    def pages(self) -> list[str]:
        return [text_of(self.signed, page + 1) for page in range(self.papers.pages)]


def press(made: Attestation, place: School | None = None, region: Region | None = None) -> Pressed:
    cache = data_folder() / "cache"
    papers = attesting.press(made, place or school(), region or Region(), KEY, cache)
    return Pressed(made, papers)


@pytest.fixture(scope="module")
def three_hundred() -> Pressed:
    return press(attestation(entries(270, 30), stock=(StockLine("T10", "En stock", 22),)))


def every_side(content: bytes, pages: int) -> Iterator[set[PageCode]]:
    for picture in pictures.greys(content, 200, list(range(pages))):
        yield codes_of(picture)


def test_the_first_page_says_the_totals_the_period_and_where_to_send(
    three_hundred: Pressed,
) -> None:
    first = three_hundred.pages()[0]
    assert re.search(r"Sur cette attestation +270 +30 +300\n", first)
    for text in (
        *("Attestation n° 1 de l’année scolaire 2026-2027", school().name, school().uai),
        *("du 1er septembre 2026 au 30 septembre 2026", "l-ec@maregionsud.fr"),
        *("27, place Jules-Guesde", "13481 Marseille cedex 20"),
        *("ne porte que sur des cessions", "22 (détail en fin d’annexe)", "Signature et cachet"),
    ):
        assert text.replace(" ", "") in re.sub(r"\s", "", first), text


def test_every_cession_is_listed_once_under_titles_repeated_on_every_page(
    three_hundred: Pressed,
) -> None:
    annex = three_hundred.pages()[1:]
    assert len(annex) == three_hundred.papers.pages - 1 >= 4
    found = re.findall(r"\bHA1[0-9A-Z]{5}\b", "".join(annex))
    assert sorted(found) == sorted(row.serial for row in three_hundred.made.rows)
    for number, text in enumerate(annex, 2):
        assert text.count("N° de série") == 2
        assert f"page {number}/{three_hundred.papers.pages}" in text.replace("\u00a0", " ")
    assert "Professeurs · 30 cessions" in annex[-1]
    assert three_hundred.made.sha256 in annex[-1]


def test_three_codes_of_every_side_are_read_back(three_hundred: Pressed) -> None:
    pages = three_hundred.papers.pages
    for side, found in enumerate(every_side(three_hundred.signed, pages), 1):
        assert {code.corner for code in found} == {0, 1, 2}
        assert {(code.side, code.sides) for code in found} == {(side, pages)}
    (found,) = every_side(three_hundred.letter, 1)
    assert {code.corner for code in found} == {0, 1}


def test_the_same_attestation_gives_the_same_bytes(three_hundred: Pressed) -> None:
    assert press(three_hundred.made).papers == three_hundred.papers


def test_the_files_are_sound(
    three_hundred: Pressed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for content in (three_hundred.signed, three_hundred.letter):
        qpdf_check(content, tmp_path_factory.mktemp("qpdf"))


def test_five_cessions_take_one_sheet() -> None:
    pressed = press(attestation(entries(4, 1)))
    assert pressed.papers.pages == 2
    assert len(PdfReader(BytesIO(pressed.signed)).pages) == 2
    assert "5 cessions" in pressed.pages()[1]


def test_a_complementary_one_tells_late_withdrawn_and_the_total_of_the_year() -> None:
    first = attestation(entries(10))
    register = [
        *entries(12)[1:],
        *[replace(each, ceded_date=date(2026, 10, 2)) for each in entries(3, 0, 100)],
    ]
    pressed = press(attestation(register, first, withdraw=True, **OCTOBER))
    page, annex = pressed.pages()
    assert "Attestation complémentaire n° 2" in page.replace("\u00a0", " ")
    for line in (
        r"Sur cette attestation +5 +0 +5",
        r"dont saisies après l’attestation de leur période +2 +0 +2",
        r"Retirées d’attestations antérieures +−1 +0 +−1",
        r"Déjà attestées en 2026-2027 +10 +0 +10",
        r"Total de l’année scolaire 2026-2027 +14 +0 +14",
    ):
        assert re.search(line, page), line
    assert "Le signe t marque une saisie tardive" in " ".join(annex.split()).replace("\u00a0", " ")
    assert "Retraits d’attestations antérieures" in annex
    assert "5 cessions et 1 retrait" in annex


def test_withdrawals_alone_are_told_without_an_empty_list() -> None:
    first = attestation(entries(2))
    pressed = press(attestation(entries(1), first, withdraw=True, **OCTOBER))
    page, annex = pressed.pages()
    assert re.search(r"Sur cette attestation +0 +0 +0", page)
    assert re.search(r"Total de l’année scolaire 2026-2027 +1 +0 +1", page)
    assert annex.count("N° de série") == 1
    assert "0 cession et 1 retrait" in annex


def test_the_window_of_a_dl_envelope_shows_the_address_and_nothing_else() -> None:
    """The window has 35 x 100 mm, 20 mm from the right and the bottom; the sheet slides in it."""
    seen_always, seen_sometimes = (100, 55, 190, 79), (90, 44, 200, 90)
    long = replace(
        school(),
        name="LYCÉE POLYVALENT DES MÉTIERS DE LA MONTAGNE ALEXANDRINE-DE-CASTELLANE",
        address=("127 BIS AVENUE DU GÉNÉRAL-DE-LATTRE-DE-TASSIGNY", "LES HAUTS DE LA BAUME"),
        city="SAINT-MAXIMIN-LA-SAINTE-BAUME",
        email="lycee-polyvalent-de-la-montagne@ac-exemple.example",
    )
    region = replace(
        Region(), postal=(*("ÉTABLISSEMENT COMMUN DES GRANDS MOYENS",) * 5, "99999 ESSAI")
    )
    assert {len(line) for line in region.postal} == {38, 11}
    letter = press(attestation(entries(1)), long, region).letter
    picture = next(pictures.greys(letter, 254, [0]))  # 10 points a millimetre
    left, top, right, bottom = (edge * 10 for edge in seen_sometimes)
    inked = (picture[top:bottom, left:right] < 128).nonzero()
    assert inked[1].min() / 10 + 90 >= seen_always[0]
    assert inked[1].max() / 10 + 90 <= seen_always[2]
    assert inked[0].min() / 10 + 44 >= seen_always[1]
    assert inked[0].max() / 10 + 44 <= seen_always[3]
    text = " ".join(text_of(letter, 1).split())
    assert all(line in text for line in region.postal)


def measured(pupils: int, teachers: int) -> tuple[int, str]:
    """Press; give the most memory held (MB), and page one. How long it takes is for the bench."""
    pressed = press(attestation(entries(pupils, teachers)))
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    most = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert most
    return int(most[1]) // 1024, pressed.pages()[0]


@pytest.mark.slow
@pytest.mark.parametrize(("pupils", "teachers"), [(4, 1), (1900, 100)])
def test_two_thousand_cessions_are_laid_out_in_bounded_memory(pupils: int, teachers: int) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        megabytes, page = alone.submit(measured, pupils, teachers).result()
    assert megabytes < 500
    line = "".join(next(each for each in page.splitlines() if "Sur cette" in each).split())
    figures = "".join(map(str, (pupils, teachers, pupils + teachers)))
    assert line == f"Surcetteattestation{figures}"
