"""Whatever happens in whatever order: a part of a version stands once with its recipient."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as service
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from docgen.backoffice import (
    claims,
    composing,
    deliveries,
    departures,
    messages,
    queue,
    store,
)
from docgen.backoffice.messages import Step
from docgen.backoffice.models import Approval, Delivery, Message, Return, State
from docgen.backoffice.posting import Order, Patience
from docgen.errors import InvalidInput, Problem
from tests.service import posthouse
from tests.service.posthouse import MAILBOX, PROOF, SLOW, TRIAL, Copy, Fate, House

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "autre@region.example"
BOX = replace(posthouse.SMTP, host="imap.region.example", port=993, security="tls")
FATES = st.sampled_from(("accepted", "accepted", "later", "refused", "kept", "lost"))
OVER = (State.FAILED, State.QUARANTINED)
TO_DO = (State.WAITING, State.CLAIMED)
ENDS = st.sampled_from(("end", "end", "end", "claim", "begin", "dead", "child", "asleep"))
SECONDS = st.sampled_from((1, 11, 61, 901, 3601, 5 * 86400))
ENDED = ("sent", "replaced")
LONGEST = Patience().whole + Patience().dot  # seconds that a child may take
MOST = 3600 + 600  # seconds that anything may be put off


@dataclass
class Sleeper:
    """A worker that fell asleep with a mail in hand, and for how many seconds."""

    row: Message
    step: Step
    seconds: float = 0


class Post(RuleBasedStateMachine):
    """One attestation, its versions, workers that die anywhere, people who settle."""

    def __init__(self) -> None:
        super().__init__()
        Delivery.objects.all().delete()
        Approval.objects.all().delete()
        self.back = Return.objects.first() or posthouse.signed()
        self.house = House()
        self.asleep: list[Sleeper] = []
        self.told: set[str] = set()  # what somebody said to have arrived
        self.mailbox = MAILBOX
        posthouse.region()

    def teardown(self) -> None:
        """Mend everything: whatever still waits for nobody is sent in the end."""
        self._set(redirect="")
        departures.approve("test")
        for _ in range(20):
            self._pass(MOST)
            for _ in range(4):
                self.work("accepted", "end", knows=True)
                self.compose("end")
            if not any(
                model.objects.filter(claims.is_due()).exists() for model in (Message, Delivery)
            ):
                break
        for row in Delivery.objects.exclude(stage__in=ENDED):
            assert row.stage in ("held", "refused", "uncertain"), (row.stage, row.state)
            assert deliveries.why(row)
        self._set(redirect="", proof=None)

    @initialize(proof=st.sampled_from((PROOF, PROOF, BOX, None)), is_approved=st.booleans())
    def begin(self, proof: Any, is_approved: bool) -> None:  # noqa: ANN401
        self._set(redirect="", proof=proof)
        if is_approved:
            departures.approve("test")
        self.come_home("a", "")
        self.compose("end")

    # What happens outside

    @rule(mark=st.sampled_from("abc"), doubt=st.sampled_from(("", "", "unsigned", "unseen")))
    def come_home(self, mark: str, doubt: str) -> None:
        """Bind the document from these sides, and plan it."""
        found = {doubt: [{"side": 1, "zone": "Signature"}]} if doubt else {}
        posthouse.plan(posthouse.bound(self.back, mark=mark, **found))

    @rule(what=st.sampled_from(("approval", "approval", "redirection", "mailbox")))
    def set_up(self, what: str) -> None:
        """Approve the way, turn the redirection on or off, or give the region another mailbox."""
        if what == "approval":
            departures.approve("test")
        elif what == "redirection":
            self._set(redirect="" if service.POST.redirect else TRIAL)
        else:
            self.mailbox = OTHER if self.mailbox == MAILBOX else MAILBOX
            posthouse.region(self.mailbox)

    @precondition(lambda self: self.house.known())
    @rule(data=st.data(), action=st.sampled_from(("failed", "failed", "delayed", "delivered")))
    def bounce(self, data: st.DataObject, action: str) -> None:
        copy: Copy = data.draw(st.sampled_from(self.house.known()))
        copy.is_back |= action == "failed"
        messages.bounced(copy.message_id, "5.1.1", "inconnu", action=action)

    # Workers

    @rule(end=st.sampled_from(("end", "end", "end", "begin", "made", "refused")))
    def compose(self, end: str) -> None:
        row = claims.claim(Delivery)
        if row is None:
            return
        wanted = composing.begin(row)
        if wanted is None or end == "begin":
            return
        if end == "refused":
            composing.fail(row, [Problem("une page est trop grande.")])
            return
        made = self._made(wanted)
        if end == "end":
            composing.finish(row, *made)

    @rule()
    def compose_twice(self) -> None:
        """Have a worker fall asleep with what it composed, others do all the work, and it go on."""
        row = claims.claim(Delivery)
        wanted = composing.begin(row) if row else None
        if row is None or wanted is None:
            return
        made = self._made(wanted)
        self._pass(claims.LEASE + 1)
        self.compose("end")
        for _ in range(2):
            self.work("accepted", "end", knows=True)
        composing.finish(row, *made)

    @rule(fate=FATES, end=ENDS, knows=st.booleans(), seconds=SECONDS)
    def work_later(self, fate: Fate, end: str, knows: bool, seconds: int) -> None:
        """Let time pass, and take a mail."""
        self._pass(seconds)
        self.work(fate, end, knows)

    @rule(fate=FATES, end=ENDS, knows=st.booleans())
    def work(self, fate: Fate, end: str, knows: bool) -> None:
        """Take a mail; `end` is where its worker dies, or falls asleep. `child`: only its child."""
        row = claims.claim(Message)
        if row is None or end == "claim":
            return
        step = messages.begin(row)
        if step is None or end == "begin":
            return
        if step.order:
            self._check_leave(row, step.order)
        if step.order is None:
            self._look(row, step, end, knows)
        elif end == "asleep":
            self.asleep.append(Sleeper(row, step))
        else:
            self._send(row, step, fate, end)

    @precondition(lambda self: not self.asleep)
    @rule(fate=FATES)
    def race(self, fate: Fate) -> None:
        """Have a worker fall asleep before it sends, others do its work, and it go on."""
        self.work("accepted", "asleep", knows=True)
        self._pass(claims.LEASE + 1)
        self.work("accepted", "end", knows=True)
        if self.asleep:
            self.wake_up(fate)

    @rule(fate=st.sampled_from(("kept", "lost")), end=st.sampled_from(("dead", "child", "end")))
    def doubt(self, fate: Fate, end: str) -> None:
        """Lose the answer to a mail, and look for it before it shows, and afterwards."""
        self.work(fate, end, knows=True)
        for seconds in (claims.LEASE + 1, SLOW - 100, 600, 3601):
            self._pass(seconds)
            self.work("accepted", "end", knows=True)

    @rule(fate=st.sampled_from(("accepted", "kept")))
    def replace_what_left(self, fate: Fate) -> None:
        """Have one part leave, then other sides come home, or the mailbox change."""
        self.work(fate, "end", knows=True)
        self.set_up("mailbox")
        for _ in range(3):
            self.compose("end")
            self.work("accepted", "end", knows=True)

    @precondition(lambda self: self.asleep)
    @rule(fate=FATES)
    def wake_up(self, fate: Fate) -> None:
        """Go on as if nothing had happened; a claim that was lost changes nothing."""
        sleeper = self.asleep.pop(0)
        self._send(sleeper.row, sleeper.step, fate, "end")

    def _check_leave(self, row: Message, order: Order) -> None:
        """Nothing leaves past the redirection, or by a way that nobody approved."""
        post = service.POST
        if post.redirect:
            assert order.recipient == post.redirect
            return
        assert order.recipient == row.recipient
        assert row.delivery
        is_copy = row.delivery.role == Delivery.Role.COPY
        way = post.way(self.mailbox if is_copy else order.recipient)
        assert Approval.objects.filter(way=way).exists()

    def _send(self, row: Message, step: Step, fate: Fate, end: str) -> None:
        assert step.order
        delivery = Delivery.objects.get(pk=row.delivery_id)
        place = (delivery.role, delivery.version, row.part)
        answer = self.house.send(step.order, fate, place)
        is_said = fate in ("accepted", "kept", "lost")
        if end == "end":
            messages.finish(row, answer)
        elif end == "child":
            messages.broke_off(row, is_said=is_said, is_own_fault=fate == "lost")

    def _look(self, row: Message, step: Step, end: str, knows: bool) -> None:
        truth = "found" if self.house.shows(step.message_id) else "absent"
        if end == "end":
            messages.looked_up(row, truth if knows else "unknown")
        elif end == "child":
            messages.broke_off(row, is_said=False, is_own_fault=True)

    # People

    @rule(data=st.data(), what=st.sampled_from(("retry", "retry", "release", "settle", "deny")))
    def ask(self, data: st.DataObject, what: str) -> None:
        """Have somebody act on a delivery, if there is anything to do.

        Who says whether a mail came took their time: whoever slept is dead by then.
        """
        rows = list(Delivery.objects.exclude(stage="replaced").order_by("role", "version"))
        row = rows[data.draw(st.integers(0, len(rows) - 1))]
        before = {each.pk: (each.stage, each.message_id) for each in row.messages.all()}
        with suppress(InvalidInput):
            if what in ("retry", "release"):
                {"retry": deliveries.retry, "release": deliveries.release}[what](row, "test")
                return
            deliveries.settle(row, "test", is_sent=what == "settle")
        for each in row.messages.all():
            stage, message_id = before[each.pk]
            if each.stage != stage:
                self.asleep = [one for one in self.asleep if one.row.pk != each.pk]
                if what == "deny":
                    self.house.deny(message_id)
                else:
                    self.told.add(each.message_id)

    # What always holds

    @invariant()
    def nothing_stands_twice(self) -> None:
        twice = [place for place, count in self.house.standing().items() if count > 1]
        assert not [place for place in twice if place[-1] != TRIAL]

    @invariant()
    def rows_hold_together(self) -> None:
        """What is sent was accepted; nothing is stuck without a word; stages sum up."""
        soon = timezone.now() + timedelta(seconds=MOST)
        mails: dict[Any, list[Message]] = {}
        for row in Message.objects.all():
            mails.setdefault(row.delivery_id, []).append(row)
            if row.stage == "sent":
                assert self.house.took(row.message_id) or row.message_id in self.told
            elif row.stage != "replaced":
                assert row.problems if row.state in OVER else row.state in TO_DO
                assert row.delayed_until is None or row.delayed_until < soon
        for delivery in Delivery.objects.exclude(stage="replaced"):
            own = [row for row in mails.get(delivery.pk, ()) if row.stage != "replaced"]
            if delivery.stage != "held":
                assert delivery.stage == summed_up({row.stage for row in own}, delivery.stage)
            is_due = any(row.state in TO_DO for row in (delivery, *own))
            assert is_due or delivery.stage == "sent" or deliveries.why(delivery)

    # What it is made of

    def _made(self, wanted: composing.Wanted) -> tuple[list[dict[str, Any]], dict[str, str]]:
        with TemporaryDirectory() as name:
            made = composing.make(wanted, Path(name))
            return made, {each["file"]: store.keep(Path(name, each["file"])) for each in made}

    def _pass(self, seconds: float) -> None:
        """Let time pass; whoever slept longer than a child may last is dead."""
        posthouse.pass_time(seconds)
        for each in (*self.asleep, *self.house.copies):
            each.seconds += seconds
        self.asleep = [each for each in self.asleep if each.seconds < LONGEST]

    def _set(self, **changes: Any) -> None:  # noqa: ANN401
        service.POST = replace(service.POST, **changes)


def summed_up(stages: set[str], of_its_own: str) -> str:
    """Say where a delivery is whose mails are there; without any, it is where it is."""
    if not stages:
        assert of_its_own in ("new", "refused")
        return of_its_own
    if len(stages) == 1:
        return stages.pop()
    return next((each for each in ("refused", "uncertain") if each in stages), "sending")


@contextmanager
def world() -> Iterator[None]:
    """Give a server, two parts to every delivery, and put the settings back."""
    two = patch.object(composing, "_pieces", lambda wanted, _: ([wanted.path] * 2, wanted.told))
    with two, patch.object(service, "POST", posthouse.post()), patch.object(queue, "ring"):
        yield


def run(examples: int, steps: int, **more: Any) -> None:  # noqa: ANN401
    """Look for an order of things that breaks what always holds."""
    with world():
        run_state_machine_as_test(
            Post,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                **more,
            ),
        )


def test_whatever_happens_a_part_stands_once_and_nothing_is_stuck() -> None:
    run(int(os.environ.get("POST_EXAMPLES", "6")), 16)
