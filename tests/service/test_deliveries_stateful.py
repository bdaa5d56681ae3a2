"""Whatever happens in whatever order: a part of a version stands once with its recipient."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as service
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

from docgen.backoffice import claims, composing, deliveries, departures, messages, queue, store
from docgen.backoffice.messages import Step
from docgen.backoffice.models import Approval, Delivery, Message, Return, State
from docgen.backoffice.posting import Order, Patience
from docgen.errors import InvalidInput, Problem
from tests.service import posthouse
from tests.service.posthouse import MAILBOX, PROOF, TRIAL, Copy, Fate, House

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "autre@region.example"
BOX = replace(posthouse.SMTP, host="imap.region.example", port=993, security="tls")
FATES = st.sampled_from(("accepted", "accepted", "later", "refused", "kept", "lost"))
OVER = (State.FAILED, State.QUARANTINED)
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

    @initialize(proof=st.sampled_from((PROOF, BOX, None)), approved=st.booleans())
    def begin(self, proof: Any, approved: bool) -> None:  # noqa: ANN401
        self._set(redirect="", proof=proof)
        if approved:
            departures.approve("test")

    # What happens outside

    @rule(mark=st.sampled_from("abc"), what=st.sampled_from(("", "", "unsigned", "unseen")))
    def come_home(self, mark: str, what: str) -> None:
        doubt = {what: [{"side": 1, "zone": "Signature"}]} if what else {}
        posthouse.plan(posthouse.bound(self.back, mark=mark, **doubt))

    @rule(seconds=st.sampled_from((1, 11, 61, 901, 3601, 5 * 86400)))
    def wait(self, seconds: int) -> None:
        self._pass(seconds)

    @rule()
    def redirect(self) -> None:
        self._set(redirect="" if service.POST.redirect else TRIAL)

    @rule()
    def move_mailbox(self) -> None:
        self.mailbox = OTHER if self.mailbox == MAILBOX else MAILBOX
        posthouse.region(self.mailbox)

    @rule()
    def approve(self) -> None:
        departures.approve("test")

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
        with TemporaryDirectory() as name:
            made = composing.make(wanted, Path(name))
            names = {each["file"]: store.keep(Path(name, each["file"])) for each in made}
        if end == "end":
            composing.finish(row, made, names)

    @rule(
        fate=FATES,
        end=st.sampled_from(("end", "end", "end", "claim", "begin", "dead", "child", "asleep")),
        knows=st.booleans(),
    )
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
        truth = "found" if self.house.holds(step.message_id) else "absent"
        if end == "end":
            messages.looked_up(row, truth if knows else "unknown")
        elif end == "child":
            messages.broke_off(row, is_said=False, is_own_fault=True)

    # People

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        self._ask(data, lambda row: deliveries.retry(row, "test"))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self._ask(data, lambda row: deliveries.release(row, "test"))

    @rule(data=st.data(), is_sent=st.booleans())
    def settle(self, data: st.DataObject, is_sent: bool) -> None:
        """Believe somebody: who asked took their time, so whoever slept is dead by then."""
        before = dict(
            Message.objects.filter(stage__in=messages.TO_LOOK_UP).values_list("pk", "stage")
        )
        self._ask(data, lambda row: deliveries.settle(row, "test", is_sent=is_sent))
        for row in Message.objects.filter(pk__in=before):
            if row.stage != before[row.pk]:
                self.asleep = [each for each in self.asleep if each.row.pk != row.pk]
                if is_sent:
                    self.told.add(row.message_id)
                else:
                    self.house.deny(row.message_id)

    def _ask(self, data: st.DataObject, action: Callable[[Delivery], None]) -> None:
        rows = list(Delivery.objects.order_by("role", "version"))
        if rows:
            with suppress(InvalidInput):  # it says that there is nothing to do
                action(rows[data.draw(st.integers(0, len(rows) - 1))])

    # What always holds

    @invariant()
    def nothing_stands_twice(self) -> None:
        twice = [place for place, count in self.house.standing().items() if count > 1]
        assert not [place for place in twice if place[-1] != TRIAL]

    @invariant()
    def what_is_sent_was_accepted(self) -> None:
        for row in Message.objects.filter(stage="sent"):
            assert self.house.holds(row.message_id) or row.message_id in self.told

    @invariant()
    def nothing_is_stuck(self) -> None:
        soon = claims.later(MOST)
        for row in Message.objects.exclude(stage__in=ENDED):
            if row.state in OVER:
                assert row.problems, (row.stage, row.state)
            else:
                assert row.state in (State.WAITING, State.CLAIMED), (row.stage, row.state)
        assert not Message.objects.filter(state=State.WAITING, delayed_until__gt=soon).exists()
        for delivery in Delivery.objects.exclude(stage__in=ENDED):
            to_do = (State.WAITING, State.CLAIMED)
            is_due = delivery.state in to_do or delivery.messages.filter(state__in=to_do).exists()
            assert is_due or deliveries.why(delivery), (delivery.stage, delivery.state)

    @invariant()
    def stages_sum_up(self) -> None:
        for delivery in Delivery.objects.exclude(stage__in=("held", "replaced")):
            found = {row.stage for row in delivery.messages.exclude(stage="replaced")}
            if not found:
                assert delivery.stage in ("new", "refused")
            elif found in ({"sent"}, {"new"}):
                assert {delivery.stage} == found
            else:
                worst = [each for each in ("refused", "uncertain") if each in found]
                assert delivery.stage == (worst[0] if worst else "sending")

    # What it is made of

    def _pass(self, seconds: float) -> None:
        """Let time pass; whoever slept longer than a child may last is dead."""
        posthouse.pass_time(seconds)
        for each in self.asleep:
            each.seconds += seconds
        self.asleep = [each for each in self.asleep if each.seconds < LONGEST]

    def _set(self, **changes: Any) -> None:  # noqa: ANN401
        service.POST = replace(service.POST, **changes)


@contextmanager
def _world() -> Iterator[None]:
    """Give a server, two parts to every delivery, and put the settings back."""
    two = patch.object(composing, "_pieces", lambda wanted, _: ([wanted.path] * 2, wanted.told))
    with two, patch.object(service, "POST", posthouse.post()), patch.object(queue, "ring"):
        yield


def run(examples: int, steps: int) -> None:
    """Look for an order of things that breaks what always holds."""
    with _world():
        run_state_machine_as_test(
            Post,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_whatever_happens_a_part_stands_once_and_nothing_is_stuck() -> None:
    run(40, 30)
