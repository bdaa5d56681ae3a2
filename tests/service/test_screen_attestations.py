"""Screens of attestations: foreseen, issued, followed, posted; nothing happens by looking."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from docgen.backoffice import models, originals, registers
from tests.service import homecoming, town
from tests.service.test_attestations import handed, issue
from tests.service.test_originals import NUMBER, printed

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
PERIOD = {"debut": "2026-09-01", "fin": "2026-09-30"}
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def browser(school: models.School) -> Client:
    made = Client()
    made.force_login(models.User.objects.create(username="s", role="school", school=school))
    return made


def place(school: models.School, rest: str = "") -> str:
    return f"/etablissements/{school.pk}/attestations/{rest}"


def pressed(row: models.Attestation) -> models.Attestation:
    """Have an attestation on paper, without pressing it."""
    files = {"attestation-x.pdf": homecoming.kept(b"%PDF-1.7"), "bordereau-x.pdf": "0" * 64}
    models.Attestation.objects.filter(pk=row.pk).update(state="done", files=files)
    return models.Attestation.objects.get(pk=row.pk)


def test_what_it_will_hold_and_what_not_is_seen_before(
    school: models.School, browser: Client
) -> None:
    handed(school, 3)
    handed(school, 1, first=3, day=None)
    handed(school, 1, first=4, day=date(2026, 10, 20))
    models.Person.objects.filter(internal_id="E0000").update(division=HOSTILE)
    text = browser.get(place(school, "nouvelle/"), PERIOD).content.decode()
    assert "3 cessions" in text
    assert "sans date de remise" in text
    assert "remises après cette période" in text
    assert "TE0003" in text
    assert "TE0004" in text
    assert HOSTILE not in text
    assert "&lt;script&gt;" in text
    assert not models.Attestation.objects.exists()


def test_dates_that_cannot_be_are_told_with_the_reason(
    school: models.School, browser: Client
) -> None:
    handed(school, 1)
    late = browser.get(place(school, "nouvelle/"), {"debut": "2026-09-01", "fin": "2999-01-01"})
    assert "ne peut pas être éditée" in late.content.decode()
    assert "Éditer cette attestation" not in late.content.decode()
    none = browser.get(place(school, "nouvelle/"), {"debut": "", "fin": "hier"})
    assert none.status_code == 200
    assert none.content.decode().count('class="wrong"') == 2


def test_it_is_issued_once_confirmed(school: models.School, browser: Client) -> None:
    handed(school, 2)
    where = place(school, "nouvelle/confirmer/?debut=2026-09-01&fin=2026-09-30")
    asked = browser.get(where).content.decode()
    assert "numérotée et figée" in asked
    assert not models.Attestation.objects.exists()
    answer = browser.post(where, {"confirmed": "yes"})
    row = models.Attestation.objects.get()
    assert answer["Location"] == place(school, f"{row.public_id}/")
    assert row.cessions.count() == 2
    page = browser.get(answer["Location"]).content.decode()
    assert "En préparation" in page
    assert 'hx-trigger="every 2s"' in page


def test_a_register_that_changed_meanwhile_is_shown_again(
    school: models.School, browser: Client
) -> None:
    handed(school, 1)
    where = place(school, "nouvelle/confirmer/?debut=2026-09-01&fin=2026-09-30")
    seal = browser.get(where).context["seal"]
    handed(school, 1, first=1)
    answer = browser.post(where, {"confirmed": "yes", "sceau": seal})
    assert answer.status_code == 422
    assert "le registre a changé" in answer.content.decode()
    assert not models.Attestation.objects.exists()
    again = browser.post(where, {"confirmed": "yes", "sceau": answer.context["seal"]})
    assert again.status_code == 302
    assert models.AttestedCession.objects.count() == 2


def test_what_was_cancelled_is_withdrawn_when_confirmed(
    school: models.School, browser: Client
) -> None:
    first, _ = handed(school, 2)
    issue(school)
    registers.cancel_cession(first, "test")
    assert "a été annulée ou corrigée" in browser.get(place(school)).content.decode()
    period = {"debut": "2026-10-01", "fin": "2026-10-31"}
    page = browser.get(place(school, "nouvelle/"), period).content.decode()
    assert "Retirer les cessions annulées" in page
    page = browser.get(place(school, "nouvelle/"), {**period, "retrait": "on"}).content.decode()
    assert "Ce qui est retiré" in page
    assert "retrait=on" in page


def test_a_refused_document_says_why_and_is_tried_again(
    school: models.School, browser: Client
) -> None:
    handed(school, 1)
    row = issue(school)
    problems = [["un nom est trop long.", "chef", "Abrégez-le."]]
    models.Attestation.objects.filter(pk=row.pk).update(state="failed", problems=problems)
    page = browser.get(place(school, f"{row.public_id}/")).content.decode()
    assert "un nom est trop long." in page
    assert "every 2s" not in page
    browser.post(place(school, f"{row.public_id}/relancer/"))
    row.refresh_from_db()
    assert (row.state, row.problems) == ("waiting", [])
    told = browser.post(place(school, f"{row.public_id}/relancer/"), follow=True).content.decode()
    assert "rien dans cette attestation" in told


def test_the_original_is_posted_and_that_is_taken_back(
    school: models.School, browser: Client
) -> None:
    handed(school, 1)
    row = pressed(issue(school))
    where = place(school, f"{row.public_id}/")
    wrong = browser.post(f"{where}poste/", {"on": "2026-09-01"})
    assert wrong.status_code == 422
    assert 'value="2026-09-01"' in wrong.content.decode()
    done = browser.post(f"{where}poste/", {"on": "2026-10-05"}, follow=True).content.decode()
    assert f'action="{where}poste/annuler/"' in done
    assert "5 octobre 2026" in done
    assert models.Original.objects.get().posted_date == date(2026, 10, 5)
    browser.post(f"{where}poste/annuler/")
    assert models.Original.objects.get().posted_date is None


def test_each_step_has_its_date_and_what_misses_is_said(
    school: models.School, browser: Client
) -> None:
    handed(school, 1)
    row = pressed(issue(school))
    originals.fetched(row, "test")
    assert "À faire signer et à renvoyer" in browser.get(place(school)).content.decode()
    back = models.Return.objects.create(
        number=NUMBER,
        school=school,
        paper=printed(row, NUMBER),
        sides=2,
        stage="bound",
        unsigned=[{"side": 1, "zone": "Le chef"}],
    )
    page = browser.get(place(school, f"{row.public_id}/")).content.decode()
    assert "la case «\u00a0Le chef\u00a0» (face 1) est vide" in page
    models.Return.objects.filter(pk=back.pk).update(unsigned=[], bound_at=homecoming_day())
    page = browser.get(place(school, f"{row.public_id}/")).content.decode()
    assert f"/api/v1/returns/{back.pk}/signed.pdf" in page
    assert "6 octobre 2026 à 11:00" in page


def homecoming_day() -> str:
    return "2026-10-06T09:00:00+00:00"


def test_many_attestations_take_no_more_queries(school: models.School, browser: Client) -> None:
    assert "Aucune attestation pour l’instant" in browser.get(place(school)).content.decode()
    counts = []
    for number in range(4):
        day = date(2026, 9, 1 + number)
        handed(school, 1, first=number, day=day)
        row = pressed(issue(school, start=day, end=day))
        printed(row, bytes([number] * 6))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            browser.get(place(school))
        counts.append(len(queries))
    assert counts[0] == counts[-1]
