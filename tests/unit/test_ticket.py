"""The job ticket: what the print shop must know, on one page."""

from typing import Any

import pytest

from docgen.jobfolder import Report, VolumeFile
from docgen.rendering.ticket import grouped, ticket
from samples.people import school
from tests.helpers import poppler


def facts(**changes: Any) -> dict[str, object]:  # noqa: ANN401
    volumes = [VolumeFile(f"lot-{n:03}.pdf", 500, 1500, 1000, f"{n:064x}") for n in (1, 2)]
    report = Report(
        "lot", "petite-charte", "1", "entier", "0130010R", "2026-09-14",
        documents=1000, sides=3000, sheets=2000, volumes=volumes, flip="grand côté",
    )  # fmt: skip
    for name in ("separators", "copies", "flip"):
        if name in changes:
            setattr(report, name, changes.pop(name))
    return {
        "report": report,
        "title": "Petite <charte> & Cie",
        "layout": "Entier",
        "school": school(),
        "orientation": "portrait",
        "sides": 3,
        "sheets": 2,
        "marks": "exemplaire établissement, exemplaire famille",
        "by_class": True,
    } | changes


def words(content: bytes) -> str:
    return " ".join(poppler("pdftotext", content, "-layout").split())


def test_the_ticket_says_what_to_print_and_how() -> None:
    text = words(ticket(facts()))
    for expected in (
        "Petite <charte> & Cie",
        "2 000 3 000 1 000 2 feuilles A4 faces imprimées documents fichiers",
        "Lycée Jean Perrin, Marseille (UAI 0130010R)",
        "noir, recto verso, retourner sur le grand côté",
        "3 faces sur 2 feuilles ; le dernier verso reste blanc",
        "par groupes de 2 feuilles",
        "1 par personne ; imprimer chaque fichier une seule fois",
        "par classe, puis par nom",
        "lot-001.pdf 500 1 500 1 000 0000000000000000",
    ):
        assert expected in text
    assert "Intercalaires aucun" in text


def test_the_ticket_of_another_job_says_otherwise() -> None:
    other = facts(
        separators=4, copies=2, flip="petit côté", sides=2, sheets=1, by_class=False,
        orientation="paysage",
    )  # fmt: skip
    text = words(ticket(other))
    for expected in (
        "retourner sur le petit côté",
        "paysage",
        "2 faces sur 1 feuille",
        "une feuille par document",
        "2 par personne, déjà dans le fichier et assemblés (exemplaire établissement, "
        "exemplaire famille)",
        "garder l’ordre du fichier (par nom)",
        "4 feuilles, une devant chaque classe",
    ):
        assert expected in text
    assert "le dernier verso reste blanc" not in text


def test_the_ticket_is_one_page_and_the_same_bytes_each_time() -> None:
    content = ticket(facts())
    assert "Pages:           1\n" in poppler("pdfinfo", content)
    assert ticket(facts()) == content


def test_the_ticket_is_missing_nothing() -> None:
    """A name that the page does not find is an error, not an empty box."""
    incomplete = facts()
    del incomplete["marks"]
    incomplete["report"].copies = 2  # type: ignore[attr-defined]
    with pytest.raises(Exception, match="marks"):
        ticket(incomplete)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1\u202f000"), (1234567, "1\u202f234\u202f567")],
)
def test_thousands_are_set_apart(count: int, text: str) -> None:
    assert grouped(count) == text
