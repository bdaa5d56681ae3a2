"""`docgen mails`: what came, why some of it is put aside, and what a person decides about it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from docgen import cli
from docgen.backoffice import mails, models, post
from docgen.typography import french
from tests.hostile.mails import OURS, PDF, SCHOOL, mail, named, part, text
from tests.service import town
from tests.service.test_cli_scan import Answer
from workers.mails import read_mail

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]
Docgen = Callable[..., Answer]
Came = Callable[[bytes], models.Mail]


@pytest.fixture
def docgen(capsys: pytest.CaptureFixture[str]) -> Docgen:
    """Give the command."""

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = cli._run(["mails", *map(str, arguments)])
        return Answer(code, *capsys.readouterr())

    return run


@pytest.fixture
def school() -> models.School:
    row = town.school()
    models.School.objects.filter(pk=row.pk).update(email=SCHOOL)
    return row


@pytest.fixture
def came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, school: models.School) -> Came:
    """Give what keeps a mail and has it read."""
    monkeypatch.setattr(settings, "POST", post.Post(tmp_path / "courrier", sender=OURS))

    def take(content: bytes) -> models.Mail:
        path = tmp_path / "mail"
        path.write_bytes(content)
        row = mails.receive(f"box/1/{models.Mail.objects.count()}", len(content), path)
        assert row
        read_mail("1")
        row.refresh_from_db()
        return row

    return take


def test_what_came_is_listed_and_what_awaits_is_told(came: Came, docgen: Docgen) -> None:
    assert docgen("list").out == "Aucun courriel.\n"
    taken, aside = came(mail(part(PDF))), came(mail(part(b"PK\3\4 archive")))
    told = docgen("list")
    titles, first, second, why = told.out.splitlines()
    assert (told.code, titles.split()[:2]) == (0, ["Courriel", "Reçu"])
    assert (first[:8], second[:8]) == (str(aside.pk)[:8], str(taken.pk)[:8])
    assert "mis de côté" in first
    assert first.endswith("oui")
    assert "numérisations" in second
    assert "c’est une archive" in why
    (only,) = json.loads(docgen("list", "--awaits", "--json").out)
    assert (only["id"], only["reason"], only["awaits"]) == (str(aside.pk), "archive", True)
    assert "… 1 sur 2\u00a0: --limit 2 les montre tous." in docgen("list", "--limit", 1).out
    assert docgen("list", "--school", "0999998Z").code == 2


def test_one_is_shown_with_what_was_not_taken_and_never_what_it_says(
    came: Came, docgen: Docgen
) -> None:
    content = mail(
        text("CANARI-CORPS"),
        named(b"PK\3\4", "filename=lot.zip"),
        headers=["Subject: CANARI-OBJET"],
    )
    row = came(content)
    told = docgen("show", str(row.pk)[:8])
    assert told.code == 0
    assert "non pris\u00a0: lot.zip, c’est une archive" in told.out
    assert "docgen mails take" in told.out
    assert f"adresse de {row.school_id}" in told.out
    assert "CANARI" not in told.out
    assert SCHOOL not in told.out
    assert french(told.out) == told.out.replace("\u00a0;", "\u202f;")
    assert json.loads(docgen("show", row.pk, "--json").out)["refused"][0]["reason"] == "archive"


def test_one_is_taken_in_for_a_school_or_dismissed_and_events_tell_who(
    came: Came, docgen: Docgen, school: models.School
) -> None:
    row = came(mail(part(PDF), sender="From: stranger"))
    assert row.reason == "strange-sender"
    assert docgen("dismiss", row.pk).code == 0
    row.refresh_from_db()
    assert not mails.awaits(row)
    assert docgen("take", row.pk, "--school", "0999998Z").code == 2
    assert docgen("take", row.pk, "--school", school.pk).code == 0
    read_mail("1")
    row.refresh_from_db()
    assert (row.reason, row.school_id, len(row.batches)) == ("by-hand", school.pk, 1)
    shown = docgen("show", row.pk).out
    assert f"pris\u00a0: envoi de numérisations {row.batches[0][:8]}" in shown
    again = docgen("take", row.pk)
    assert (again.code, "n’est pas mis de côté" in again.err) == (2, True)
    unknown = docgen("dismiss", "ffffffff")
    assert (unknown.code, "aucun courriel n’a ce numéro" in unknown.err) == (2, True)
    decided = models.Event.objects.filter(kind__in=("mail-taken", "mail-dismissed"))
    assert list(decided.values_list("kind", "actor").order_by("pk")) == [
        ("mail-dismissed", "cli"),
        ("mail-taken", "cli"),
    ]
