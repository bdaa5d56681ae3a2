"""Loan conventions: ordered whole, made by a worker as `docgen word` makes them, made again."""

import io
import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from docgen.backoffice import conventions, models, returns, shelf, store
from docgen.backoffice.housekeeping import purge
from docgen.backoffice.keeping import Periods
from docgen.datafolder import data_folder, page_code_key
from docgen.errors import InvalidInput, TemplateRejected
from docgen.rendering import office, pictures
from tests import helpers
from tests.hostile import models as hostile
from tests.service import town
from tests.unit.test_word import text_of
from workers.conventions import convert_word

pytestmark = pytest.mark.django_db(transaction=True)
PUPIL = "convention-pret-eleve"
ON = date(2026, 9, 14)


def lent(school: models.School, count: int = 2) -> list[models.Loan]:
    """Give the school pupils, with a tablet lent to each."""
    town.people(school, count)
    return [
        models.Loan.objects.create(
            school=school,
            person=person,
            serial=f"L{number:04}",
            start_date=ON,
            end_date=date(2027, 6, 30),
            state="neuve",
        )
        for number, person in enumerate(models.Person.objects.order_by("rank"))
    ]


def order(school: models.School, **changes: object) -> models.Conversion:
    given: dict[str, Any] = {"slug": PUPIL, "by": "test", "on": ON, **changes}
    return conventions.order(school, **given)


def made(row: models.Conversion) -> dict[str, bytes]:
    """Have a worker make what was ordered, and give its files."""
    convert_word("1")
    row.refresh_from_db()
    assert (row.state, row.problems) == ("done", [])
    return {name: b"".join(store.blocks(sha256)) for name, sha256 in row.files.items()}


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_loan_is_one_document_and_several_are_an_archive() -> None:
    school = town.school()
    loans = lent(school)
    ((name, content),) = made(order(school, loans=loans[:1])).items()
    assert name == f"PE-{school.uai}-E0000-L0000.docx"
    assert "L0000" in text_of(content)
    ((name, content),) = made(order(school, loans=loans)).items()
    assert name == f"{PUPIL}-{school.uai}-docx.zip"
    documents = unzipped(content)
    assert [f"L000{n}" in text_of(each) for n, each in enumerate(documents.values())] == [True] * 2
    told = models.Event.objects.get(kind="convention-ready", facts__documents=2)
    assert "ESSAI" not in str(list(models.Event.objects.values()))
    assert told.school == school.uai


def test_one_file_may_hold_all_the_loans() -> None:
    school = town.school()
    ((name, content),) = made(order(school, loans=lent(school), is_merged=True)).items()
    assert name.endswith(".docx")
    assert all(serial in text_of(content) for serial in ("L0000", "L0001"))


def test_a_school_alone_gets_the_model_to_edit_and_the_blanks() -> None:
    school = town.school()
    files = made(order(school))
    assert sorted(files) == [
        f"{PUPIL}-{school.uai}-{end}.docx" for end in ("modele", "vierge-majeur", "vierge-mineur")
    ]
    notice = "modele-article-reglement-interieur"
    assert list(made(order(school, slug=notice))) == [f"{notice}-{school.uai}.docx"]


@pytest.mark.embedded
@pytest.mark.parametrize(("kind", "magic"), [("pdf", b"%PDF-"), ("doc", b"\xd0\xcf\x11\xe0")])
def test_libreoffice_makes_the_other_formats(kind: str, magic: bytes) -> None:
    school = town.school()
    ((name, content),) = made(order(school, loans=lent(school, 1), kind=kind)).items()
    assert name.endswith(f".{kind}")
    assert content.startswith(magic)


@pytest.mark.embedded
def test_the_paper_of_a_loan_is_known_by_its_codes() -> None:
    """Each convention of the archive, and both of whoever was lent two tablets."""
    school = town.school()
    loans = lent(school)
    again = models.Loan.objects.create(
        school=school,
        person=loans[0].person,
        serial="L9999",
        start_date=ON,
        end_date=date(2027, 6, 30),
    )
    row = order(school, loans=[*loans, again], kind="pdf")
    ((name, content),) = made(row).items()
    assert name.endswith("-pdf.zip")
    documents = unzipped(content)
    papers = {bytes(paper.number): paper for paper in models.Paper.objects.all()}
    assert len(papers) == len({paper.reference for paper in papers.values()}) == 3
    assert [paper.person for paper in papers.values()] == ["E0000", "E0001", "E0000"]
    key = page_code_key(data_folder())
    for document in documents.values():
        pages = [helpers.codes_of(each, key) for each in pictures.greys(document, 150)]
        (number,) = {code.document for codes in pages for code in codes}
        paper = papers.pop(number)
        assert b"".join(store.blocks(paper.sha256)) == document
        assert (paper.sides, paper.needed) == (len(pages), list(range(1, len(pages) + 1)))
        assert (paper.school, paper.slug, paper.conversion) == (school, PUPIL, row)
        assert paper.reference in helpers.text_of(document, 1)
        assert {zone["name"] for zone in paper.zones} >= {"pupil", "school"}
        assert {zone.side for zone in returns.rule(paper).zones} == {3}
    assert not papers
    numbers = [bytes(paper.number).hex() for paper in models.Paper.objects.all()]
    expected = returns.expected(numbers).values()
    assert [each.state for each in expected] == ["current"] * 3


def test_a_convention_made_again_is_the_same_paper_and_its_files_may_go() -> None:
    school = town.school()
    loans = lent(school, 1)
    first, second = (order(school, loans=loans, kind="pdf") for _ in range(2))
    before = made(first)
    (known,) = models.Paper.objects.all()
    assert made(second) == before
    (paper,) = models.Paper.objects.all()
    assert (paper.pk, paper.sha256, paper.conversion) == (known.pk, known.sha256, second)
    models.Conversion.objects.update(created_at=timezone.now() - timedelta(days=40))
    purge(Periods(), really=True)
    paper.refresh_from_db()
    assert (paper.conversion, paper.sha256, paper.person) == (None, "", "E0000")
    assert not default_storage.exists(store.name(known.sha256))


def test_what_word_opens_and_what_is_blank_carry_no_codes() -> None:
    school, key = town.school(), page_code_key(data_folder())
    loans = lent(school, 1)
    assert conventions.stamp(order(school, loans=loans, kind="pdf"), key)
    for row in (order(school, loans=loans, kind="odt"), order(school, kind="pdf")):
        assert conventions.stamp(row, key) is None
    models.Conversion.objects.all().delete()
    made(order(school, loans=loans))
    assert not models.Paper.objects.exists()


def test_what_was_ordered_is_made_again_the_same_whatever_changed_since() -> None:
    school = town.school()
    row = order(school, loans=lent(school))
    first = made(row)
    models.School.objects.update(name="Autre lycée", head_name="Autre")
    models.Person.objects.update(family_name="AUTRE", first_name="Autre")
    models.Device.objects.all().delete()
    models.Loan.objects.all().delete()
    shutil.rmtree(settings.DATA / "cache" / "templates", ignore_errors=True)
    shelf._unpacked.cache_clear()
    models.Conversion.objects.filter(pk=row.pk).update(state="waiting", files={})
    assert made(row) == first


def test_an_order_is_refused_with_every_problem_and_nothing_is_kept() -> None:
    school = town.school()
    loans = lent(school)
    problems = helpers.refusal(
        lambda: order(
            school,
            loans=loans,
            slug="modele-article-reglement-interieur",
            is_merged=True,
            kind="pdf",
        ),
        InvalidInput,
    )
    assert [each.where for each in problems] == ["loans", "merged"]
    models.Person.objects.update(birth_date=None)
    loans = list(models.Loan.objects.order_by("pk"))
    with pytest.raises(InvalidInput) as refused:
        order(school, loans=loans)
    places = [each.where for each in refused.value.problems]
    assert places == ["personne E0000", "personne E0001"]
    helpers.refusal(lambda: order(school, slug="charte-cession-eleve"), InvalidInput)
    helpers.refusal(lambda: order(school, slug="../secret"), TemplateRejected)
    helpers.refusal(
        lambda: order(school, slug="convention-pret-personnel", loans=loans), InvalidInput
    )
    assert not models.Conversion.objects.exists()


def test_a_model_given_back_is_checked_and_used() -> None:
    school = town.school()
    loans = lent(school, 1)
    with pytest.raises(TemplateRejected) as refused:
        conventions.accept_model(school, PUPIL, hostile.with_text("{{ inconnu }}"), "test")
    assert refused.value.problems
    with pytest.raises(TemplateRejected):
        conventions.accept_model(school, PUPIL, b"PK nothing", "test")
    assert not models.SchoolModel.objects.exists()
    conventions.accept_model(school, PUPIL, hostile.with_text("CLAUSE DU LYCÉE"), "test")
    (content,) = made(order(school, loans=loans)).values()
    assert "CLAUSE DU LYCÉE" in text_of(content)
    (content,) = made(order(school, loans=loans, is_ours=True)).values()
    assert "CLAUSE DU LYCÉE" not in text_of(content)
    row = order(school, loans=loans)
    assert conventions.forget_model(school, PUPIL, "test")
    assert not conventions.forget_model(school, PUPIL, "test")
    (content,) = made(row).values()  # it was ordered with the model that there was
    assert "CLAUSE DU LYCÉE" in text_of(content)


@pytest.mark.embedded
def test_libreoffice_absent_is_told_then_refused_then_made(monkeypatch: pytest.MonkeyPatch) -> None:
    school = town.school()
    row = order(school, loans=lent(school, 1), kind="pdf")
    with monkeypatch.context() as patch:
        patch.setattr(office, "PROGRAMS", ("absent",))
        for _ in conventions.WAITS:
            convert_word("1")
            row.refresh_from_db()
            assert row.state == "waiting"
            assert row.problems[0][0].startswith("LibreOffice manque")
            assert "--" not in str(row.problems)
            models.Conversion.objects.update(delayed_until=None)
        convert_word("1")
        row.refresh_from_db()
        assert row.state == "failed"
        assert models.Event.objects.filter(kind="convention-failed").count() == 1
    conventions.retry(row, "test")
    assert len(made(row)) == 1
    helpers.refusal(lambda: conventions.retry(row, "test"), InvalidInput)


def test_a_full_disk_makes_an_order_wait_and_refuses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    school = town.school()
    row = order(school, loans=lent(school, 1), kind="pdf")
    with monkeypatch.context() as patch:
        patch.setattr(conventions, "ROOM", 2**60)  # whatever this disk has, it is not enough
        patch.setattr(office, "PROGRAMS", ("absent",))
        for _ in range(len(conventions.WAITS) + 2):
            convert_word("1")
            models.Conversion.objects.update(delayed_until=None)
    row.refresh_from_db()
    assert (row.state, row.problems) == ("waiting", [])
    assert len(made(row)) == 1


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A LibreOffice that hangs, and writes down the identifiers of its processes."""
    program, pids = tmp_path / "soffice", tmp_path / "pids"
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $! $$ >>{pids}\nwait\n")
    program.chmod(0o755)
    monkeypatch.setattr(office, "program", lambda: str(program))
    return pids


def test_libreoffice_hanging_is_ended_and_told(
    hanging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "START", 0.5)
    monkeypatch.setattr(office, "EACH", 0.0)
    school = town.school()
    row = order(school, loans=lent(school, 1), kind="pdf")
    convert_word("1")
    row.refresh_from_db()
    assert row.state == "waiting"
    assert row.problems[0][0].startswith("LibreOffice n’a pas rendu")
    assert_gone(hanging)


def test_no_libreoffice_outlives_the_claim_it_worked_for(hanging: Path) -> None:
    school = town.school()
    row = order(school, loans=lent(school, 1), kind="pdf")
    worker = threading.Thread(target=_run, args=(convert_word,))
    worker.start()
    end = time.monotonic() + 20
    while not (hanging.exists() and hanging.read_text().endswith("\n")):
        assert time.monotonic() < end
        time.sleep(0.05)
    # Somebody else has it: the child is killed within a second.
    models.Conversion.objects.filter(pk=row.pk).update(state="cancelled", token=99)
    worker.join(20)
    assert not worker.is_alive()
    assert_gone(hanging)


def assert_gone(pids: Path) -> None:
    end = time.monotonic() + 5
    known = [int(each) for each in pids.read_text().split()]
    while alive := [pid for pid in known if _is_alive(pid)]:
        assert time.monotonic() < end, f"{len(alive)} processes are left"
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _run(task: Callable[[str], None]) -> None:
    try:
        task("1")
    finally:
        connection.close()
