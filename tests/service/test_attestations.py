"""Attestations: previewed, issued once whatever happens at the same moment, pressed, kept."""

import hashlib
import tempfile
import threading
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from docgen import records
from docgen.backoffice import attestations, claims, models, registers, store
from docgen.datafolder import data_folder, page_code_key
from docgen.errors import InvalidInput
from docgen.rendering import pictures
from tests import helpers
from tests.helpers import codes_of, poppler, refusal
from tests.service import town
from workers.attestations import attest

pytestmark = pytest.mark.django_db(transaction=True)
START, END, TODAY = date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 2)
DAY = date(2026, 9, 14)


def handed(
    school: models.School, count: int = 3, first: int = 0, day: date | None = DAY
) -> list[models.Cession]:
    """Bring in a school's files: so many pupils, each with a tablet, and one tablet left."""
    people = helpers.people(first + count)
    given = people[first:]
    roster = records.Roster(
        tuple(people),
        "2026-2027",
        {
            serial: records.Device(serial, "iPad 10", "neuf")
            for serial in [*(f"T{each.id}" for each in people), "LEFT"]
        },
        {each.id: records.Cession(f"T{each.id}", each.id, day) for each in given},
    )
    registers.keep_roster(school, "pupil", roster, "test")
    return list(models.Cession.objects.filter(school=school).order_by("pk"))


def issue(school: models.School, **changes: object) -> models.Attestation:
    given = {"start": START, "end": END, "today": TODAY, "by": "test", **changes}
    return attestations.issue(school, **given)  # type: ignore[arg-type]


def text(row: models.Attestation, kind: str) -> str:
    row.refresh_from_db()
    (sha256,) = (sha256 for name, sha256 in row.files.items() if name.startswith(kind))
    content = b"".join(store.blocks(sha256))
    assert hashlib.sha256(content).hexdigest() == sha256
    return poppler("pdftotext", content, "-layout")


def test_a_preview_tells_and_keeps_nothing() -> None:
    school = town.school()
    handed(school, 3)
    handed(school, 1, first=3, day=None)
    handed(school, 1, first=4, day=date(2026, 10, 1))
    found = attestations.preview(school, START, END, TODAY)
    assert found.attestation
    assert [row.serial for row in found.attestation.rows] == ["TE0000", "TE0001", "TE0002"]
    assert (found.undated, found.outside, found.problems) == (1, 1, ())
    refused = attestations.preview(school, START, date(2026, 12, 1), TODAY)
    assert refused.attestation is None
    assert [each.where for each in refused.problems] == ["période"]
    assert (refused.undated, refused.outside) == (1, 4)
    assert not models.Attestation.objects.exists()
    assert not models.Event.objects.filter(kind="attestation-issued").exists()


def test_an_attestation_is_issued_and_its_papers_are_pressed() -> None:
    school = town.school()
    handed(school, 3)
    models.Person.objects.filter(internal_id="E0001").update(is_present=False)
    row = issue(school)
    assert (row.state, row.rank, row.number) == ("waiting", 1, 1)
    attest("1")
    row.refresh_from_db()
    assert row.state == "done"
    assert sorted(row.files) == [
        f"attestation-{school.uai}-2026-2027-1.pdf",
        f"bordereau-{school.uai}-2026-2027-1.pdf",
    ]
    paper = text(row, "attestation")
    assert row.references["attestation-cession"] in paper
    assert all(f"TE000{number}" in paper for number in range(3))
    assert "ESSAI A" not in paper  # no name of a pupil is on it
    assert row.references["attestation-cession"] in text(row, "bordereau")
    kinds = models.Event.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds)[-2:] == ["attestation-issued", "attestation-ready"]


def test_what_was_issued_is_given_again_whatever_changed_since() -> None:
    school = town.school()
    cessions = handed(school)
    row = issue(school)
    attest("1")
    row.refresh_from_db()
    before = dict(row.files)
    models.School.objects.update(head_name="Autre", name="Autre lycée")
    registers.cancel_cession(cessions[0], "test")
    attest("1")
    row.refresh_from_db()
    assert row.files == before
    assert attestations.history(school)[0].rows[0].serial == "TE0000"
    refusal(lambda: attestations.retry(row, "test"), InvalidInput)


def test_complementary_attestations_follow_and_withdrawals_are_confirmed() -> None:
    school = town.school()
    cessions = handed(school, 2)
    first = issue(school)
    handed(school, 1, first=2)  # typed in late: its day is attested already
    handed(school, 1, first=3, day=date(2026, 10, 5))
    registers.cancel_cession(cessions[0], "test")
    later = {"start": date(2026, 10, 1), "end": date(2026, 10, 6), "today": date(2026, 10, 7)}
    (problem,) = refusal(lambda: issue(school, **later), InvalidInput)
    assert "--" not in str(problem)
    assert "confirmez leur retrait" in problem.remedy
    second = issue(school, **later, withdraw=True)
    assert (second.rank, second.number) == (2, 2)
    found = attestations.frozen(second)
    assert [row.serial for row in found.rows] == ["TE0002", "TE0003"]
    assert [row.serial for row in found.late] == ["TE0002"]
    assert [row.serial for row in found.withdrawn] == ["TE0000"]
    assert found.previous == attestations.frozen(first).sha256
    gone = models.AttestedCession.objects.get(serial="TE0000")
    assert (gone.attestation, gone.withdrawn_by) == (first, second)
    attest("1")
    assert "complémentaire" in text(second, "attestation")


def test_a_cession_withdrawn_may_be_attested_again() -> None:
    school = town.school()
    cessions = handed(school, 2)
    issue(school)
    registers.cancel_cession(cessions[0], "test")
    second = {"start": date(2026, 10, 1), "end": TODAY, "today": TODAY, "withdraw": True}
    issue(school, **second)
    handed(school, 1, day=date(2026, 10, 5))
    third = issue(school, start=date(2026, 10, 3), end=date(2026, 10, 6), today=date(2026, 10, 7))
    assert [row.serial for row in attestations.frozen(third).rows] == ["TE0000"]
    assert models.AttestedCession.objects.filter(serial="TE0000").count() == 2


def test_the_database_itself_refuses_a_cession_twice() -> None:
    school = town.school()
    handed(school, 1)
    row = issue(school)
    held = models.AttestedCession.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        models.AttestedCession.objects.create(
            attestation=row, school=school, serial=held.serial, person=held.person
        )


def test_a_pupil_is_not_taken_for_a_teacher_of_the_same_id() -> None:
    school = town.school()
    (cession,) = handed(school, 1)
    issue(school)
    registers.cancel_cession(cession, "test")
    teacher = records.Roster(
        (records.Person("E0000", "ESSAI", "Anne"),),
        "2026-2027",
        cessions={"E0000": records.Cession(cession.serial, "E0000", date(2026, 10, 1))},
    )
    registers.keep_roster(school, "teacher", teacher, "test")
    later = {"start": date(2026, 10, 1), "end": TODAY, "withdraw": True}
    problems = refusal(lambda: issue(school, **later), InvalidInput)
    assert "tablette TE0000" in [each.where for each in problems]


@pytest.mark.parametrize("periods", ["same", "overlapping", "apart"])
def test_two_issues_at_the_same_moment_never_overlap(periods: str) -> None:
    school = town.school()
    for number in range(8):
        handed(school, 2, first=2 * number, day=START + timedelta(3 * number))
    starts = {
        "same": [START] * 6,
        "overlapping": [START + timedelta(2 * number) for number in range(6)],
        "apart": [START + timedelta(3 * number) for number in range(6)],
    }[periods]
    length = {"same": 29, "overlapping": 3, "apart": 2}[periods]
    begin = threading.Barrier(len(starts))
    issued: list[models.Attestation] = []
    refused: list[InvalidInput] = []
    others: list[Exception] = []

    def run(start: date) -> None:
        begin.wait(10)
        try:
            issued.append(issue(school, start=start, end=start + timedelta(length)))
        except InvalidInput as error:
            refused.append(error)
        except Exception as error:
            others.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(start,)) for start in starts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert others == []
    assert len(issued) + len(refused) == len(starts)
    assert len(issued) in {"same": [1], "overlapping": range(1, 6), "apart": [6]}[periods]
    kept = attestations.history(school)
    assert [each.rank for each in kept] == list(range(1, len(issued) + 1))
    assert not any(a.period.overlaps(b.period) for a in kept for b in kept if a is not b)
    listed = [row.key for each in kept for row in each.rows]
    assert len(listed) == len(set(listed)) == models.AttestedCession.objects.count()


def test_what_could_never_be_printed_is_refused_before_it_is_sealed() -> None:
    school = town.school()
    handed(school, 1)
    models.Person.objects.update(division="2DE 日本")
    models.School.objects.filter(pk=school.pk).update(city="Marseille 日本")
    problems = refusal(lambda: issue(school), InvalidInput)
    assert len(problems) >= 2
    school.refresh_from_db()
    assert attestations.preview(school, START, END, TODAY).problems == problems
    assert not models.Attestation.objects.exists()


def test_papers_that_cannot_be_made_are_told_and_made_once_the_school_is_corrected() -> None:
    school = town.school()
    handed(school, 1)
    row = issue(school)
    letterhead = {**row.letterhead, "city": "Marseille 日本"}
    models.Attestation.objects.update(letterhead=letterhead)
    attest("1")
    row.refresh_from_db()
    assert row.state == "failed"
    assert row.problems
    assert models.Event.objects.filter(kind="attestation-failed").count() == 1
    before = row.record
    attestations.retry(row, "test")
    attest("1")
    row.refresh_from_db()
    assert (row.state, row.problems, row.record) == ("done", [], before)


def test_the_settings_of_the_region_are_copied() -> None:
    school = town.school()
    handed(school, 1)
    path = data_folder() / "region.toml"
    path.write_text('deliberation_number = "26-0417"\n', encoding="utf-8")
    try:
        row = issue(school)
    finally:
        path.unlink()
    attest("1")
    assert "26-0417" in text(row, "attestation")


def test_events_and_messages_hold_no_name() -> None:
    school = town.school()
    handed(school, 3)
    issue(school)
    attest("1")
    assert "ESSAI" not in str(list(models.Event.objects.values()))


def again(row: models.Attestation, **letterhead: str) -> None:
    """Have the papers pressed once more, as if the first had been lost."""
    changed = {**row.letterhead, **letterhead}
    models.Attestation.objects.filter(pk=row.pk).update(state="waiting", letterhead=changed)
    attest("1")
    row.refresh_from_db()
    assert row.state == "done"


def test_papers_are_recognised_when_they_come_home() -> None:
    school = town.school()
    handed(school, 3)
    row = issue(school)
    attest("1")
    row.refresh_from_db()
    signed, letter = models.Paper.objects.order_by("slug")
    assert (signed.slug, letter.slug) == ("attestation-cession", "bordereau-envoi")
    for paper in (signed, letter):
        assert (paper.school, paper.attestation, paper.person) == (school, row, "")
        assert paper.reference == row.references[paper.slug]
        assert paper.sha256 in row.files.values()
        assert (round(paper.width), round(paper.height)) == (595, 842)
        content = b"".join(store.blocks(paper.sha256))
        pages = list(pictures.greys(content, 200))
        assert len(pages) == paper.sides
        key = page_code_key(data_folder())
        for side, page in enumerate(pages, 1):
            said = {(code.document, code.side, code.sides) for code in codes_of(page, key)}
            assert said == {(bytes(paper.number), side, paper.sides)}
    # All the sides of the attestation come back: the list is what the signature attests.
    assert (signed.sides, signed.needed, letter.needed) == (2, [1, 2], [1])
    zones = [(zone["side"], zone["name"], zone["required"]) for zone in signed.zones]
    assert zones == [(1, "head", True)]
    assert [zone["required"] for zone in letter.zones] == [False]


def test_papers_pressed_twice_are_the_same_and_older_ones_stay_known() -> None:
    school = town.school()
    handed(school, 1)
    row = issue(school)
    attest("1")
    row.refresh_from_db()
    first = list(models.Paper.objects.order_by("pk").values("number", "sha256", "zones"))
    again(row)
    assert list(models.Paper.objects.order_by("pk").values("number", "sha256", "zones")) == first
    again(row, name="Autre lycée")
    papers = list(models.Paper.objects.order_by("created_at").values_list("number", flat=True))
    assert len({bytes(number) for number in papers}) == 4
    assert papers[:2] == [paper["number"] for paper in first]
    again(row, name=school.name)
    assert models.Paper.objects.count() == 4
    youngest = models.Paper.objects.order_by("-created_at").values_list("number", flat=True)[:2]
    assert set(youngest) == {paper["number"] for paper in first}


def test_papers_of_a_lost_claim_are_not_recorded() -> None:
    school = town.school()
    handed(school, 1)
    row = issue(school)
    claimed = claims.claim(models.Attestation)
    assert claimed
    with tempfile.TemporaryDirectory() as name:
        facts = attestations.press(claimed, Path(name))
        files = {each: store.keep(Path(name) / each) for each in facts["names"]}
    claims.release(claimed, is_own_fault=False)
    assert not attestations.finish(claimed, facts, files)
    assert not models.Paper.objects.exists()
    attest(str(row.pk))
    assert models.Paper.objects.count() == 2
