"""Large documents leave in parts, or lighter; and what is kept of deliveries goes in its time."""

import time
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models.functions import Now

from docgen.backoffice import composing, deliveries, housekeeping, messages, store
from docgen.backoffice.housekeeping import Periods
from docgen.backoffice.models import Delivery, Message
from docgen.mailing import splitting
from docgen.mailing.letter import Words
from tests.service import homecoming, posthouse, town
from tests.service.posthouse import MAILBOX
from tests.unit import test_mail_lightening, test_mail_splitting
from workers import deliveries as tasks
from workers.deliveries import compose_delivery, send_message

pytestmark = pytest.mark.django_db(transaction=True)
PERIODS = Periods()


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail goes into a folder of the test, for a region that has a mailbox."""
    monkeypatch.setattr(settings, "POST", replace(settings.POST, folder=tmp_path / "courrier"))
    posthouse.region()


def change(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:  # noqa: ANN401
    monkeypatch.setattr(settings, "POST", replace(settings.POST, **changes))


def work(times: int = 1) -> None:
    for _ in range(times):
        compose_delivery("1")
        send_message("1")


def only(role: str = "region") -> Delivery:
    return Delivery.objects.exclude(stage="replaced").get(role=role)


def large(path: Path) -> Delivery:
    """Give a delivery of a signed file of several sides."""
    posthouse.plan(posthouse.signed())
    Delivery.objects.update(sha256=homecoming.kept(path.read_bytes()))
    return only()


def attached(folder: Path) -> list[Path]:
    """Take the attachments out of the mails to the region."""
    found = []
    for path in settings.POST.folder.glob("*.eml"):
        mail: Any = message_from_bytes(path.read_bytes(), policy=policy.default)
        (each,) = mail.iter_attachments()
        if mail["To"] == MAILBOX:
            found.append(folder / each.get_filename())
            found[-1].write_bytes(each.get_content())
    return found


def test_a_large_document_leaves_in_parts_that_bind_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = large(test_mail_splitting.signed(tmp_path))
    change(monkeypatch, most=160_000)
    work(2)
    parts = attached(tmp_path)
    assert len(parts) > 1
    assert splitting.join(parts, tmp_path / "joined.pdf") == row.sha256
    sizes = [path.stat().st_size for path in settings.POST.folder.glob("*.eml")]
    assert max(sizes) <= 160_000  # as they travel
    assert set(Delivery.objects.values_list("stage", flat=True)) == {"sent"}
    told = Message.objects.filter(delivery=row).values_list("part", "parts")
    assert sorted(told) == [(n + 1, len(parts)) for n in range(len(parts))]


def test_a_large_document_is_made_lighter_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = test_mail_lightening.signed(tmp_path, "grey")
    row = large(path)
    most = (32 << 10) + path.stat().st_size
    change(monkeypatch, most=most, is_lightened=True)
    work()
    (light,) = attached(tmp_path)
    assert light.stat().st_size < path.stat().st_size
    (mail,) = settings.POST.folder.glob("*.eml")
    assert mail.stat().st_size <= most
    text: Any = message_from_bytes(mail.read_bytes(), policy=policy.default)
    said = "".join(text.get_body().get_content().split())
    assert row.sha256 in said
    assert store.digest(light) in said


def test_what_takes_too_long_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    posthouse.plan(posthouse.signed())
    monkeypatch.setattr(composing, "make", lambda *_: time.sleep(60))
    monkeypatch.setattr(tasks, "COMPOSING", replace(tasks.COMPOSING, wall=0))
    compose_delivery("1")
    assert (only().stage, only().deaths) == ("refused", 0)
    assert "trop de temps" in deliveries.why(only())


# What is kept of it


def purged(days: int) -> dict[str, tuple[int, int]]:
    """Purge as of so many days after all was made; give what went of deliveries and mails."""
    made = Now() - timedelta(days=days)
    Delivery.objects.update(created_at=made)
    Message.objects.update(created_at=made)
    done = {each.kind: (each.rows, each.files) for each in housekeeping.purge(PERIODS, really=True)}
    return {kind: done[kind] for kind in ("deliveries", "messages")}


def test_the_files_of_deliveries_go_in_their_time_and_that_they_were_sent_stays() -> None:
    back = posthouse.signed()
    posthouse.plan(back)
    work(2)
    back.delete()
    assert purged(PERIODS.attestations - 1)["deliveries"] == (0, 0)
    assert purged(PERIODS.attestations + 1)["deliveries"][0] == 2
    assert set(Delivery.objects.values_list("stage", "sha256")) == {("sent", "")}
    assert set(Message.objects.values_list("stage", "sha256")) == {("sent", "")}
    assert purged(PERIODS.attestations + 1)["deliveries"] == (0, 0)


def test_receipts_and_reminders_go_whole_in_their_time() -> None:
    row = messages.write("receipt", "receipt:1", town.school(), Words("Objet", "Bonjour."))
    assert row
    assert purged(PERIODS.messages - 1)["messages"] == (0, 0)
    assert purged(PERIODS.messages + 1)["messages"] == (1, 1)
    assert not Message.objects.exists()
