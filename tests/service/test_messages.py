"""A mail is handed over once: what its server answers, or does not, decides what is next."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from django.conf import settings

from docgen.backoffice import claims, deliveries, messages, posting, store
from docgen.backoffice.models import Delivery, Event, Message
from docgen.backoffice.posting import Answer, Looked
from docgen.errors import InvalidInput
from docgen.mailing.letter import Words
from tests.helpers import refusal
from tests.service import posthouse, town
from tests.service.posthouse import pass_time
from workers import children
from workers.deliveries import compose_delivery, send_message

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = Words("Ce qui a été reçu", "Bonjour.\n")
Send = Callable[..., Answer]


@pytest.fixture(autouse=True)
def way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail goes to a server, that a test plays; its log can be read."""
    monkeypatch.setattr(settings, "POST", posthouse.post())
    posthouse.region()


@pytest.fixture
def mail(way: None) -> Message:
    """A mail to the region, composed and approved."""
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    deliveries.approve("test")
    return Message.objects.get()


def play(monkeypatch: pytest.MonkeyPatch, answer: Answer | Send, found: str = "unknown") -> None:
    """Answer for the server, in the child; tell what a look-up finds."""

    def send(post: Any, order: Any, say: Any = None) -> Answer:  # noqa: ANN401
        return answer if isinstance(answer, Answer) else answer(say)

    monkeypatch.setattr(posting, "send", send)
    monkeypatch.setattr(posting, "look_up", lambda *_: Looked(found))  # type: ignore[arg-type]


def now(row: Message) -> tuple[str, str]:
    row.refresh_from_db()
    return row.stage, row.state


def test_nothing_leaves_before_somebody_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, Answer("accepted", 250))
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    send_message("1")
    row = Message.objects.get()
    assert now(row) == ("new", "waiting")
    assert "approuvé" in deliveries.why(Delivery.objects.get())
    deliveries.approve("somebody")
    send_message("1")
    assert now(row) == ("sent", "done")
    monkeypatch.setattr(settings, "POST", posthouse.post(sender="autre@region.example"))
    assert not deliveries.is_approved()


@pytest.mark.parametrize("redirect", ["", posthouse.TRIAL])
def test_a_mail_that_waits_starts_no_child(redirect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand that wait for an approval are looked at again every ten minutes."""
    monkeypatch.setattr(settings, "POST", posthouse.post(redirect=""))
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    run = Mock()
    monkeypatch.setattr(children, "run", run)
    monkeypatch.setattr(settings, "POST", posthouse.post(redirect=redirect))
    send_message("1")
    assert not run.called
    assert Message.objects.filter(state="claimed").count() == 0


def test_a_refusal_is_told_in_the_server_s_words(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, Answer("refused", 550, "5.1.1 no such user"))
    send_message("1")
    assert now(mail) == ("refused", "failed")
    row = Delivery.objects.get()
    assert "550 5.1.1 no such user" in deliveries.why(row)
    before = mail.message_id
    deliveries.retry(row, "somebody")
    play(monkeypatch, Answer("accepted", 250))
    send_message("1")
    assert now(mail) == ("sent", "done")
    assert mail.message_id == before
    assert refusal(lambda: deliveries.retry(row, "somebody"), InvalidInput)


def test_tries_are_spaced_out_and_end(mail: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, Answer("later", 451, "4.3.0 busy"))
    for seconds in (30, 60, 120):
        send_message("1")
        assert now(mail) == ("new", "waiting")
        pass_time(seconds - 2)
        assert claims.claim(Message) is None
        pass_time(3)
    assert "451 4.3.0 busy" in deliveries.why(Delivery.objects.get())
    pass_time(5 * 86400)
    send_message("1")
    assert now(mail) == ("refused", "failed")
    assert "aucun essai n’a abouti" in mail.problems[0][0].lower()


def test_a_mail_that_waits_holds_no_other_up(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, Answer("later", 451))
    send_message("1")
    play(monkeypatch, Answer("accepted", 250))
    other = messages.write("receipt", "receipt:1", town.school(), WORDS)
    assert other
    send_message("1")
    assert now(other) == ("sent", "done")
    assert now(mail) == ("new", "waiting")


def test_a_lost_answer_is_looked_up_and_never_sent_again_blindly(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, Answer("uncertain"))
    send_message("1")
    assert now(mail) == ("uncertain", "waiting")
    assert "delivery-uncertain" in set(Event.objects.values_list("kind", flat=True))
    for found in ("unknown", "absent"):
        play(monkeypatch, Answer("refused"), found)
        pass_time(300)
        send_message("1")
        assert now(mail) == ("uncertain", "waiting")
    play(monkeypatch, Answer("refused"), "found")
    pass_time(300)
    send_message("1")
    assert now(mail) == ("sent", "done")


def test_what_is_absent_after_a_grace_is_sent_again_as_it_is(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, Answer("uncertain"))
    send_message("1")
    before = mail.message_id
    play(monkeypatch, Answer("accepted", 250), "absent")
    pass_time(901)
    send_message("1")
    assert now(mail) == ("sent", "done")
    assert mail.message_id == before


def test_the_grace_begins_with_the_doubt_and_not_with_the_try(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes its time leaves no less of it for the mail to come."""

    play(monkeypatch, Answer("uncertain"))
    send_message("1")
    Message.objects.update(tried_at=claims.later(-901))
    play(monkeypatch, Answer("refused"), "absent")
    pass_time(300)
    send_message("1")
    assert now(mail) == ("uncertain", "waiting")
    play(monkeypatch, Answer("accepted", 250), "absent")
    pass_time(601)
    send_message("1")
    assert now(mail) == ("sent", "done")


def test_the_grace_of_a_mail_whose_worker_died_begins_when_that_is_known(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    Message.objects.update(stage="sending", tried_at=claims.later(-901))
    play(monkeypatch, Answer("refused"), "absent")
    send_message("1")
    assert now(mail) == ("uncertain", "waiting")
    play(monkeypatch, Answer("accepted", 250), "absent")
    pass_time(901)
    send_message("1")
    assert now(mail) == ("sent", "done")


@pytest.mark.parametrize("is_sent", [True, False])
def test_what_cannot_be_looked_up_waits_for_a_person(
    mail: Message, is_sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "POST", posthouse.post(proof=None))
    play(monkeypatch, Answer("uncertain"))
    send_message("1")
    assert now(mail) == ("uncertain", "failed")
    row = Delivery.objects.get()
    assert "tranchez" in deliveries.why(row)
    assert refusal(lambda: deliveries.retry(row, "somebody"), InvalidInput)
    deliveries.settle(row, "somebody", is_sent=is_sent)
    assert now(mail) == (("sent", "done") if is_sent else ("new", "waiting"))
    assert refusal(lambda: deliveries.settle(row, "somebody", is_sent=True), InvalidInput)
    if not is_sent:
        play(monkeypatch, Answer("accepted", 250))
        send_message("1")
        assert now(mail) == ("sent", "done")


def test_of_several_parts_each_is_settled_for_itself(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One part may have arrived, and another not: what arrived must not go again."""
    monkeypatch.setattr(settings, "POST", posthouse.post(proof=None))
    Message.objects.update(parts=2)
    other = Message.objects.get()
    other.pk, other.key = uuid4(), f"{other.key[:-1]}2"
    other.message_id, other.part = "<2@region.example>", 2
    other.save(force_insert=True)
    play(monkeypatch, Answer("uncertain"))
    send_message("1")
    row = Delivery.objects.get()
    deliveries.settle(row, "somebody", is_sent=True, part=2)
    assert (now(mail)[0], now(other)[0]) == ("uncertain", "sent")
    assert refusal(lambda: deliveries.settle(row, "somebody", is_sent=False, part=2), InvalidInput)
    deliveries.settle(row, "somebody", is_sent=False, part=1)
    assert (now(mail)[0], now(other)[0]) == ("new", "sent")


def dying(say: Any, *, is_said: bool) -> Answer:  # noqa: ANN401
    """Be a child that is killed, before or after the final dot."""
    if is_said:
        say(1)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@pytest.mark.parametrize(("is_said", "stage"), [(False, "new"), (True, "uncertain")])
def test_what_a_killed_child_had_said_decides(
    mail: Message, is_said: bool, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    claimed = messages.begin

    def once(row: Message) -> messages.Step | None:
        if tries:
            claims.again(row, delayed_until=claims.later(60))
            return None
        tries.append(1)
        return claimed(row)

    monkeypatch.setattr(messages, "begin", once)
    play(monkeypatch, lambda say: dying(say, is_said=is_said))
    send_message("1")
    assert now(mail) == (stage, "waiting")


def test_a_dead_worker_s_mail_is_looked_up_and_its_late_answer_counts_for_nothing(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = claims.claim(Message)
    assert row
    assert messages.begin(row)
    assert now(mail) == ("sending", "claimed")
    pass_time(claims.LEASE + 1)
    play(monkeypatch, Answer("refused", 550), "found")
    send_message("1")
    assert now(mail) == ("sent", "done")
    assert not messages.finish(row, Answer("later", 451))
    assert now(mail) == ("sent", "done")


def test_a_mail_that_came_back_reopens_and_is_sent_under_another_name(
    mail: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(monkeypatch, Answer("accepted", 250))
    send_message("1")
    first = mail.message_id
    assert messages.bounced(first, "4.4.1", "patience", action="delayed")
    assert now(mail) == ("sent", "done")
    assert messages.bounced(first, "5.1.1", "no such user")
    assert now(mail) == ("refused", "failed")
    row = Delivery.objects.get(role="region")
    assert (row.stage, row.sent_at) == ("refused", None)
    assert row.bounced_at
    assert "no such user" in deliveries.why(row)
    assert "delivery-bounced" in set(Event.objects.values_list("kind", flat=True))
    deliveries.retry(row, "somebody")
    send_message("1")
    assert now(mail) == ("sent", "done")
    assert mail.message_id != first
    sent = message_from_bytes(b"".join(store.blocks(mail.sha256)), policy=policy.default)
    assert sent["Message-ID"] == mail.message_id
    assert not messages.bounced("<somebody.else@example.org>", "5.1.1", "")
    assert Delivery.objects.filter(role="copy").count() == 1


def test_the_same_receipt_is_written_once_and_to_usable_addresses_alone() -> None:
    school = town.school()
    first = messages.write("receipt", "receipt:1", school, WORDS, automatic="auto-replied")
    assert first == messages.write("receipt", "receipt:1", school, WORDS)
    school.email = "secretariat"
    assert messages.write("receipt", "receipt:2", school, WORDS) is None
    assert Message.objects.count() == 1


def test_a_receipt_obeys_the_redirection(monkeypatch: pytest.MonkeyPatch) -> None:
    play(monkeypatch, Answer("accepted", 250))
    monkeypatch.setattr(settings, "POST", replace(settings.POST, redirect=posthouse.TRIAL))
    row = messages.write("receipt", "receipt:1", town.school(), WORDS)
    assert row
    assert row.sent_to == posthouse.TRIAL
    monkeypatch.setattr(settings, "POST", replace(settings.POST, redirect=""))
    deliveries.approve("somebody")
    send_message("1")
    assert now(row) == ("sent", "done")  # written anew: see test_deliveries_odd
    assert row.sent_to == row.recipient
