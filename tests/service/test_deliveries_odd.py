"""Addresses, settings, files and claims that change under way: nothing goes twice, or is lost."""

from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.utils import timezone

from docgen.backoffice import (
    claims,
    deliveries,
    departures,
    messages,
    models,
    posting,
    store,
)
from docgen.backoffice.models import Delivery, Message
from docgen.backoffice.posting import Answer, Looked
from docgen.backoffice.relaying import Verdict
from docgen.backoffice.relaylog import Verdict as Look
from docgen.mailing.letter import Words
from tests.service import posthouse, town
from tests.service.posthouse import MAILBOX, TRIAL, pass_time
from workers.deliveries import compose_delivery, send_message

pytestmark = pytest.mark.django_db(transaction=True)
WORDS = Words("Ce qui a été reçu", "Bonjour.\n\n- Une face manque.\n")


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail goes into a folder of the test, for a region that has a mailbox."""
    monkeypatch.setattr(settings, "POST", replace(settings.POST, folder=tmp_path / "courrier"))
    posthouse.region()


def change(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:  # noqa: ANN401
    monkeypatch.setattr(settings, "POST", replace(settings.POST, **changes))


def answer(monkeypatch: pytest.MonkeyPatch, verdict: Verdict, found: Look = "unknown") -> None:
    """Answer for a server, and for where its mail is looked up."""
    monkeypatch.setattr(posting, "send", lambda *_: Answer(verdict, 0, ""))
    monkeypatch.setattr(posting, "look_up", lambda *_: Looked(found))


def work(times: int = 1) -> None:
    for _ in range(times):
        compose_delivery("1")
        send_message("1")


def only(role: str = "region") -> Delivery:
    return Delivery.objects.exclude(stage="replaced").get(role=role)


def sent_to() -> list[str]:
    found = [path.read_bytes() for path in settings.POST.folder.glob("*.eml")]
    return sorted(str(message_from_bytes(each, policy=policy.default)["To"]) for each in found)


# Addresses


@pytest.mark.parametrize("email", [MAILBOX, MAILBOX.upper()])
def test_a_school_at_the_region_s_mailbox_gets_no_second_mail(email: str) -> None:
    back = posthouse.signed()
    models.School.objects.update(email=email)
    posthouse.plan(back)
    work(2)
    assert sent_to() == [MAILBOX]
    assert only().stage == "sent"


def test_two_schools_with_one_address_each_get_their_copy() -> None:
    backs = [posthouse.signed(), posthouse.signed(town.school("0130011S"))]
    models.School.objects.update(email="cite@lycee.example")
    for each in backs:
        posthouse.plan(each)
    work(2)
    assert sent_to() == [MAILBOX] * 2 + ["cite@lycee.example"] * 2


def test_a_copy_that_waits_while_its_school_takes_the_region_s_address() -> None:
    """It goes where it was planned to go: a version goes once to an address."""
    posthouse.plan(posthouse.signed())
    work()
    copy = only("copy")
    compose_delivery("1")
    models.School.objects.update(email=MAILBOX)
    work(2)
    assert sorted([MAILBOX, copy.recipient]) == sent_to()
    assert only("copy").stage == "sent"


def test_a_region_that_takes_the_address_of_a_copy_after_a_trial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(monkeypatch, redirect=TRIAL)
    posthouse.plan(posthouse.signed())
    work(2)
    change(monkeypatch, redirect="")
    posthouse.region(only("copy").recipient)
    deliveries.retry(only(), "somebody")
    work(3)
    assert only().stage == "sent"
    assert len(set(sent_to()) - {TRIAL}) == len(sent_to()) - sent_to().count(TRIAL)


# Settings


def test_mail_that_has_not_left_is_written_anew_for_who_sends_by_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Approving another sender, one approves what it says: From and Message-ID are its own."""
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    change(monkeypatch, sender="attestations@region.example")
    send_message("1")
    work()
    (path,) = settings.POST.folder.glob("*.eml")
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert "attestations@region.example" in str(mail["From"])
    assert str(mail["Message-ID"]).endswith("@region.example>")


def test_a_sender_that_changes_after_a_doubt_sends_nothing_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(monkeypatch, smtp=posthouse.SMTP, proof=posthouse.PROOF)
    deliveries.approve("test")
    answer(monkeypatch, "uncertain")
    posthouse.plan(posthouse.signed())
    work()
    before = Message.objects.get().message_id
    change(monkeypatch, sender="attestations@autre.example")
    deliveries.approve("test")
    answer(monkeypatch, "accepted", "found")
    pass_time(3601)
    work()
    rows = Message.objects.filter(delivery=only())
    assert [(row.stage, row.message_id) for row in rows] == [("sent", before)]


def test_a_region_that_cannot_be_read_delays_what_is_composed_and_says_so() -> None:
    posthouse.plan(posthouse.signed())
    (settings.DATA / "region.toml").write_text("name = ", encoding="utf-8")
    compose_delivery("1")
    row = only()
    assert (row.stage, row.state) == ("new", "waiting")
    assert "TOML" in deliveries.why(row)
    posthouse.region()
    pass_time(601)
    work()
    assert only().stage == "sent"
    assert deliveries.why(only()) == ""


@pytest.mark.parametrize("is_trial_first", [True, False])
def test_a_receipt_is_written_anew_for_whom_it_is_by_now(
    is_trial_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A redirection that went, or came: what it says is the same."""
    school = town.school()
    change(monkeypatch, redirect=TRIAL if is_trial_first else "")
    row = messages.write(
        "receipt", "receipt:1", school, WORDS, in_reply_to="<a@b.example>", automatic="auto-replied"
    )
    assert row
    change(monkeypatch, redirect="" if is_trial_first else TRIAL)
    send_message("1")
    (path,) = settings.POST.folder.glob("*.eml")
    mail: Any = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert mail["To"] == (school.email if is_trial_first else TRIAL)
    assert mail["Subject"] == ("" if is_trial_first else "[ESSAI] ") + WORDS.subject
    assert ("ESSAI" in mail.get_content()) == (not is_trial_first)
    assert "Une face manque." in mail.get_content()
    assert (mail["In-Reply-To"], mail["Auto-Submitted"]) == ("<a@b.example>", "auto-replied")
    row.refresh_from_db()
    assert (row.stage, row.sha256) == ("sent", store.digest(path))


def test_a_receipt_follows_its_school(monkeypatch: pytest.MonkeyPatch) -> None:
    messages.write("receipt", "receipt:1", town.school(), WORDS)
    models.School.objects.update(email="nouvelle@lycee.example")
    send_message("1")
    assert sent_to() == ["nouvelle@lycee.example"]


# Claims, clocks and what is known


def test_who_lost_its_claim_brings_nothing_back() -> None:
    """It wakes up to a mailbox that changed, while a younger version took the place."""
    back = posthouse.signed()
    first = posthouse.plan(back)
    assert first
    compose_delivery("1")
    row = claims.claim(Message)
    assert row
    posthouse.plan(posthouse.bound(back, mark="b"))
    posthouse.region("nouvelle@region.example")
    assert messages.begin(row) is None
    first.refresh_from_db()
    assert first.stage == "replaced"
    work(3)
    assert Delivery.objects.filter(role="region", stage="sent").count() == 1


def uncertain(monkeypatch: pytest.MonkeyPatch, proof: Any = posthouse.PROOF) -> Message:  # noqa: ANN401
    change(monkeypatch, smtp=posthouse.SMTP, proof=proof, grace=900)
    deliveries.approve("test")
    answer(monkeypatch, "uncertain", "absent")
    posthouse.plan(posthouse.signed())
    work()
    return Message.objects.get()


def test_a_mail_is_looked_for_since_its_first_try(monkeypatch: pytest.MonkeyPatch) -> None:
    """Handed over twice under one Message-ID, the first may be what came."""
    row = uncertain(monkeypatch)
    first = row.tried_at
    assert first
    pass_time(901)
    work()  # absent, and handed over again
    row.refresh_from_db()
    assert (row.stage, [each["verdict"] for each in row.answers][-2:]) == (
        "uncertain",
        ["absent", "uncertain"],
    )
    pass_time(100)
    row = claims.claim(Message) or row
    step = messages.begin(row)
    assert step
    assert step.since
    assert row.tried_at
    assert (row.tried_at - step.since).total_seconds() > 900


def test_what_somebody_says_never_came_goes_under_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a trace of the first, in a relay's log or a late notice, would be taken for it."""
    row = uncertain(monkeypatch, proof=None)
    before = row.message_id
    deliveries.settle(only(), "somebody", is_sent=False)
    answer(monkeypatch, "accepted")
    work()
    row.refresh_from_db()
    assert row.stage == "sent"
    assert row.message_id != before
    assert not messages.bounced(before, "5.1.1", "inconnu")
    assert only().stage == "sent"


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
@pytest.mark.parametrize("is_absent", [True, False])
def test_a_notice_about_an_uncertain_mail_proves_that_it_was_accepted(
    action: str, is_absent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = uncertain(monkeypatch)
    if is_absent:  # and about to be handed over again
        pass_time(901)
        claimed = claims.claim(Message)
        assert claimed
        assert messages.begin(claimed)
        assert messages.looked_up(claimed, "absent")
    answer(monkeypatch, "refused")
    assert messages.bounced(row.message_id, "4.4.1", "patience", action=action)
    pass_time(3601)
    work()
    row.refresh_from_db()
    assert row.stage == "sent"
    assert only().stage == "sent"


def test_a_bounce_that_comes_before_the_answer_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    row = claims.claim(Message)
    assert row
    assert messages.begin(row)
    assert messages.bounced(row.message_id, "5.1.1", "inconnu")
    assert not messages.finish(row, Answer("accepted", 250))
    assert only().stage == "refused"
    before = row.message_id
    deliveries.retry(only(), "somebody")
    work()
    row.refresh_from_db()
    assert (row.stage, row.message_id != before) == ("sent", True)


def test_a_worker_s_clock_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that jumps by a month gives nothing up."""
    change(monkeypatch, smtp=posthouse.SMTP)
    deliveries.approve("test")
    answer(monkeypatch, "later")
    posthouse.plan(posthouse.signed())
    work()
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(days=31))
    pass_time(60)
    work()
    assert only().stage == "new"


# Files


def test_a_mail_whose_file_is_gone_is_composed_again() -> None:
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    row = Message.objects.get()
    Message.objects.update(sha256="0" * 64)
    work(2)
    row.refresh_from_db()
    assert (row.stage, sent_to()) == ("sent", [MAILBOX])


def test_a_lost_mail_that_never_came_is_composed_anew_under_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = uncertain(monkeypatch, proof=None)
    before = row.message_id
    Message.objects.update(sha256="")
    deliveries.settle(only(), "somebody", is_sent=False)
    answer(monkeypatch, "accepted")
    work(2)
    row.refresh_from_db()
    assert (row.stage, row.message_id != before) == ("sent", True)


@pytest.mark.parametrize("name", ["", "0" * 64])
def test_a_signed_file_that_is_gone_is_told(name: str) -> None:
    posthouse.plan(posthouse.signed())
    Delivery.objects.update(sha256=name)
    work()
    assert only().stage == "refused"
    assert "plus gardé" in deliveries.why(only())


def test_what_was_purged_in_doubt_ends_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    uncertain(monkeypatch)
    Message.objects.update(sha256="")
    Delivery.objects.update(sha256="")
    pass_time(901)
    work(2)
    assert only().stage == "refused"
    assert "plus gardé" in deliveries.why(only())
    assert departures.is_approved()


def test_thousands_that_wait_cost_one_query_more_than_a_few(
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: Any,  # noqa: ANN401
) -> None:
    change(monkeypatch, smtp=posthouse.SMTP)
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    row = Message.objects.get()
    names = [field.attname for field in Message._meta.concrete_fields]
    facts = {name: getattr(row, name) for name in names if name not in ("id", "key", "message_id")}
    facts |= {"delivery_id": None, "kind": "receipt"}
    Message.objects.bulk_create(
        Message(**facts, key=f"k{number}", message_id=f"<{number}@a.example>")
        for number in range(2000)
    )
    monkeypatch.setattr("workers.children.run", Mock())
    with django_assert_max_num_queries(40):
        send_message("1")
    assert claims.claim(Message) is None
