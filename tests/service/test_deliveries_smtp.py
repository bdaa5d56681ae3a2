"""Deliveries through a real SMTP server that fails, looked up in a real mailbox or its log."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from docgen.backoffice import deliveries
from docgen.backoffice.models import Delivery, Message
from docgen.backoffice.post import Post, Server, read_post
from tests.service import posthouse
from tests.service.mailservers import OURS, REGION, Accepted, Fault, SmtpServer, mail_house
from tests.service.posthouse import pass_time
from tests.service.smtpd import postfix_lines
from workers.deliveries import compose_delivery, send_message

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = Accepted(0, "<other@region.example>", OURS, REGION, "", {})


@pytest.fixture
def smtp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpServer]:
    """Mail goes to a server of the test, whose log proves what it took."""
    with SmtpServer(tmp_path) as server:
        before = datetime.now(UTC).astimezone() - timedelta(days=3)
        server.log.write_text(postfix_lines(OTHER, before))
        here = Server("127.0.0.1", server.port, "")
        set_up(monkeypatch, posthouse.post(smtp=here, proof=server.log))
        yield server


def set_up(monkeypatch: pytest.MonkeyPatch, post: Post) -> None:
    monkeypatch.setattr(settings, "POST", post)
    posthouse.region(REGION)
    deliveries.approve("test")


def work(seconds: float = 0) -> None:
    pass_time(seconds)
    compose_delivery("1")
    send_message("1")


def stages() -> dict[str, str]:
    return {str(row.role): str(row.stage) for row in Delivery.objects.all()}


def test_the_region_then_the_school_are_sent_what_was_composed(smtp: SmtpServer) -> None:
    posthouse.plan(posthouse.signed())
    work()
    work()
    assert stages() == {"region": "sent", "copy": "sent"}
    kept = [(each.recipient, each.message_id, each.sha256) for each in smtp.accepted()]
    rows = Message.objects.order_by("created_at")
    assert kept == [(row.recipient, row.message_id, row.sha256) for row in rows]


@pytest.mark.parametrize("is_kept", [True, False])
def test_a_connection_lost_after_the_final_dot_is_settled_by_the_relay_s_log(
    smtp: SmtpServer, is_kept: bool
) -> None:
    smtp.faults.append(Fault("dot", is_kept=is_kept))
    posthouse.plan(posthouse.signed())
    work()
    assert stages() == {"region": "uncertain"}
    work(40)
    assert stages()["region"] == ("sent" if is_kept else "uncertain")
    with smtp.log.open("a") as log:  # the relay lives, and had nothing of this mail
        log.write(postfix_lines(OTHER, datetime.now(UTC).astimezone()))
    for _ in range(8):
        work(301)
    assert stages()["region"] == "sent"
    assert [each.recipient for each in smtp.accepted()].count(REGION) == 1


def test_what_a_server_refuses_or_puts_off_is_told_in_its_words(smtp: SmtpServer) -> None:
    smtp.faults += [
        Fault("rcpt", "451 4.2.1 plus tard"),
        Fault("mail"),
        Fault("data", "554 5.7.1 non"),
    ]
    posthouse.plan(posthouse.signed())
    work()
    (row,) = Delivery.objects.all()
    assert "451 4.2.1 plus tard" in deliveries.why(row)
    work(31)
    work(61)
    row.refresh_from_db()
    assert row.stage == "refused"
    assert "554 5.7.1 non" in deliveries.why(row)
    assert [each["verdict"] for each in Message.objects.get().answers] == [
        *("later", "later", "refused")
    ]
    deliveries.retry(row, "somebody")
    work()
    assert stages()["region"] == "sent"


def test_what_is_uncertain_is_found_in_the_region_s_mailbox(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By IMAP; the school's copy, which that box never shows, waits for a person."""
    with mail_house() as house:
        told: dict[str, Any] = house.environment()
        set_up(monkeypatch, read_post(settings.DATA, told))
        house.smtp.weather({Fault("dot", is_kept=True): 1})
        posthouse.plan(posthouse.signed())
        work()
        assert stages() == {"region": "uncertain"}
        work(40)
        assert stages()["region"] == "sent"
        work()
        assert stages()["copy"] == "uncertain"
        copy = Delivery.objects.get(role="copy")
        assert "tranchez" in deliveries.why(copy)
        deliveries.settle(copy, "somebody", is_sent=True)
        assert stages()["copy"] == "sent"
        assert len(house.smtp.accepted()) == 2
        assert len(house.dovecot.messages(REGION)) == 1
