"""A signed attestation leaves once, for the region, then for its school, and says where it is."""

from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from docgen.backoffice import deliveries, models, store
from docgen.backoffice.models import Delivery, Event, Message
from docgen.errors import InvalidInput
from tests.helpers import refusal
from tests.service import posthouse, town
from tests.service.posthouse import MAILBOX, TRIAL
from tests.service.test_attestations import handed, issue
from tests.service.test_attestations_home import ATTESTATION, BORDEREAU, came, printed
from workers.deliveries import compose_delivery, send_message

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail goes into a folder of the test, for a region that has a mailbox."""
    monkeypatch.setattr(settings, "POST", replace(settings.POST, folder=tmp_path / "courrier"))
    posthouse.region()


def change(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:  # noqa: ANN401
    monkeypatch.setattr(settings, "POST", replace(settings.POST, **changes))


def work() -> None:
    compose_delivery("1")
    send_message("1")


def only(role: str = "region") -> Delivery:
    return Delivery.objects.exclude(stage="replaced").get(role=role)


def mails() -> list[EmailMessage]:
    found = settings.POST.folder.glob("*.eml")
    read = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]
    assert all(isinstance(each, EmailMessage) for each in read)
    return sorted(read, key=lambda mail: str(mail["To"]))  # type: ignore[arg-type]


def kinds() -> list[str]:
    rows = Event.objects.filter(kind__startswith="delivery-").order_by("pk")
    return list(rows.values_list("kind", flat=True))


def test_a_signed_attestation_reaches_the_region_then_its_school(tmp_path: Path) -> None:
    """From paper: printed, signed, scanned, bound; the bordereau goes nowhere."""
    school = town.school()
    handed(school, 3)
    papers = printed(issue(school))
    came(tmp_path, school, [*papers[BORDEREAU], *papers[ATTESTATION]])
    region = only()
    assert (region.stage, region.recipient, region.version) == ("new", MAILBOX, 1)
    work()
    work()
    assert Delivery.objects.filter(stage="sent", state="done").count() == 2
    to_region, to_school = mails()
    assert (to_region["To"], to_school["To"]) == (MAILBOX, school.email)
    back = models.Return.objects.get(slug=ATTESTATION)
    for mail in (to_region, to_school):
        (attached,) = mail.iter_attachments()
        assert attached.get_content() == b"".join(store.blocks(back.sha256))
    assert to_region["Reply-To"] == school.email
    assert kinds() == [*("delivery-planned", "delivery-sent") * 2]


def test_the_same_sides_bound_again_go_nowhere_and_others_replace_what_waits() -> None:
    back = posthouse.signed()
    first = posthouse.plan(back)
    assert first
    assert posthouse.plan(posthouse.bound(back)) is None
    second = posthouse.plan(posthouse.bound(back, mark="b"))
    first.refresh_from_db()
    assert second
    assert (first.stage, first.state, second.version) == ("replaced", "cancelled", 2)
    work()
    assert [(each.version, each.stage) for each in Delivery.objects.filter(role="region")] == [
        (1, "replaced"),
        (2, "sent"),
    ]
    third = posthouse.plan(posthouse.bound(back, mark="a"))
    assert third
    work()
    assert only_sent() == {2, 3}
    assert "remplace l’envoi du" in str(Message.objects.get(delivery=third).subject)


def only_sent() -> set[int]:
    rows = Delivery.objects.filter(role="region", stage="sent")
    return set(rows.values_list("version", flat=True))


def test_a_side_turned_by_hand_is_another_version() -> None:
    back = posthouse.signed()
    posthouse.plan(back)
    back.sources = [{**each, "turned": 180} for each in back.sources]
    assert posthouse.plan(back)


@pytest.mark.parametrize(
    ("name", "told"), [("unsigned", "est vide"), ("unseen", "n’a pas pu être regardée")]
)
def test_an_unsigned_attestation_is_held_until_somebody_lets_it_go(name: str, told: str) -> None:
    back = posthouse.signed()
    zone = {"side": 1, "zone": "Le chef d’établissement"}
    row = posthouse.plan(posthouse.bound(back, **{name: [zone]}))
    assert row
    work()
    row.refresh_from_db()
    assert row.stage == "held"
    assert told in deliveries.why(row)
    assert mails() == []
    deliveries.release(row, "somebody")
    assert refusal(lambda: deliveries.release(row, "somebody"), InvalidInput)
    work()
    assert len(mails()) == 1
    assert kinds()[:4] == [
        *("delivery-planned", "delivery-held", "delivery-released", "delivery-sent")
    ]


def test_signed_at_last_it_goes_by_itself() -> None:
    back = posthouse.signed()
    zone = {"side": 1, "zone": "Le chef d’établissement"}
    posthouse.plan(posthouse.bound(back, unseen=[zone]))
    posthouse.plan(posthouse.bound(back))
    work()
    assert only().stage == "sent"


def test_without_a_mailbox_it_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    posthouse.region("région@exemple.fr")
    row = posthouse.plan(posthouse.signed())
    assert row
    assert (row.stage, row.recipient) == ("held", "")
    assert "pas une adresse" in deliveries.why(row)
    assert refusal(lambda: deliveries.release(row, "somebody"), InvalidInput)
    posthouse.region()
    deliveries.release(row, "somebody")
    work()
    assert (only().stage, only().recipient) == ("sent", MAILBOX)


def test_what_replaced_or_cancelled_paper_says_is_held() -> None:
    back = posthouse.signed()
    assert back.paper
    models.Paper.objects.create(
        number=b"younge",
        **{
            name: getattr(back.paper, name)
            for name in ("school", "slug", "title", "reference", "sides", "width", "height")
        },
        attestation=back.paper.attestation,
        sha256="",
        is_mailed=True,
    )
    row = posthouse.plan(back)
    assert row
    assert row.stage == "held"
    assert "imprimée de nouveau" in deliveries.why(row)


def test_a_side_taken_out_before_it_left_holds_it() -> None:
    back = posthouse.signed()
    posthouse.plan(back)
    models.Return.objects.filter(pk=back.pk).update(stage="partial")
    work()
    row = only()
    assert row.stage == "held"
    assert "retirée" in deliveries.why(row)
    assert refusal(lambda: deliveries.release(row, "somebody"), InvalidInput)
    posthouse.plan(posthouse.bound(back))
    work()
    assert only().stage == "sent"


def test_a_school_without_an_address_gets_no_copy_and_the_region_its_mail() -> None:
    back = posthouse.signed()
    models.School.objects.update(email="secretariat")
    posthouse.plan(back)
    work()
    work()
    (mail,) = mails()
    assert (mail["To"], mail["Reply-To"]) == (MAILBOX, None)


def test_what_cannot_be_cut_is_refused_and_composed_once_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The signed file of this test is no PDF: it cannot be split."""
    change(monkeypatch, most=(32 << 10) + 1)
    posthouse.plan(posthouse.signed())
    work()
    row = only()
    assert (row.stage, row.state) == ("refused", "failed")
    assert deliveries.why(row)
    change(monkeypatch, most=10 << 20)
    deliveries.retry(row, "somebody")
    work()
    assert only().stage == "sent"


def test_a_trial_reaches_nobody_and_goes_anew_once_the_redirection_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(monkeypatch, redirect=TRIAL)
    posthouse.plan(posthouse.signed())
    work()
    work()
    assert {str(mail["To"]) for mail in mails()} == {TRIAL}
    assert all(str(mail["Subject"]).startswith("[ESSAI]") for mail in mails())
    assert [(row.stage, row.is_test) for row in Delivery.objects.all()] == [("sent", True)] * 2
    assert refusal(lambda: deliveries.retry(only(), "somebody"), InvalidInput)
    change(monkeypatch, redirect="")
    deliveries.retry(only(), "somebody")
    work()
    work()
    real = [str(mail["To"]) for mail in mails() if mail["To"] != TRIAL]
    assert real == [MAILBOX, only("copy").recipient]
    assert [(row.stage, row.is_test) for row in Delivery.objects.all()] == [("sent", False)] * 2


def test_a_redirection_set_after_composing_is_obeyed_and_taken_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    change(monkeypatch, redirect=TRIAL)
    send_message("1")
    assert mails() == []
    compose_delivery("1")
    change(monkeypatch, redirect="")
    for _ in range(3):
        work()
    assert [str(mail["To"]) for mail in mails()] == [MAILBOX, only("copy").recipient]


def test_mail_that_has_not_left_follows_a_mailbox_that_changed() -> None:
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    posthouse.region("nouvelle@region.example")
    for _ in range(3):
        work()
    assert "nouvelle@region.example" in {mail["To"] for mail in mails()}
    assert MAILBOX not in {mail["To"] for mail in mails()}


def test_the_words_of_a_server_are_told_as_they_were_said() -> None:
    posthouse.plan(posthouse.signed())
    compose_delivery("1")
    row = Message.objects.get()
    for stage, verdict, begins in (
        ("new", "later", "Dernière réponse"),
        ("uncertain", "uncertain", "Remis, sans réponse du serveur"),
    ):
        said = {"code": 450, "words": "4.2.0 rejected: wait; retry!", "verdict": verdict}
        Message.objects.filter(pk=row.pk).update(stage=stage, answers=[said])
        why = deliveries.why(only())
        assert why.startswith(begins)
        assert "«\u00a0450 4.2.0 rejected: wait; retry!\u00a0»." in why
