"""Faults planted in the post: the machine of test_deliveries_stateful finds each of them."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase

from docgen.backoffice import claims, messages, stages
from docgen.backoffice.messages import Step
from docgen.backoffice.models import Message
from docgen.backoffice.models.deliveries import Posting
from tests.service.posthouse import PROOF
from tests.service.test_deliveries_stateful import Post, run, world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]
BEGIN = messages.begin


def no_look_up(row: Message) -> Step | None:
    """Hand over again what may have been accepted, as a program without look-ups would."""
    if row.stage in messages.TO_LOOK_UP:
        row.stage = Posting.NEW
    return BEGIN(row)


def unclaimed(row: Message) -> Any:  # noqa: ANN401
    """Write down what a worker found out, whoever has the claim by now."""
    return type(row)._default_manager.filter(pk=row.pk)


def test_a_program_without_look_ups_is_found_out() -> None:
    """Without this, nobody would know whether the machine can find anything."""
    options = {"database": None, "derandomize": True, "phases": (Phase.generate,)}
    with patch.object(messages, "begin", no_look_up), pytest.raises(AssertionError):
        run(25, 12, report_multiple_bugs=False, **options)


def composed_twice(machine: Post) -> None:
    machine.come_home("b", "")
    machine.compose_twice()


def left_and_changed(machine: Post) -> None:
    machine.work("kept", "end", knows=True)
    machine.set_up("mailbox")
    machine.work("accepted", "end", knows=True)
    machine.compose("end")
    machine.set_up("mailbox")


def doubted(machine: Post) -> None:
    machine.doubt("kept", "end")


WAYS = (
    (claims, "_mine", unclaimed, composed_twice),
    (stages, "has_left", lambda _: False, left_and_changed),
    (messages, "_is_past_grace", lambda *_: True, doubted),
    (messages, "begin", no_look_up, doubted),
)


@pytest.mark.parametrize("way", WAYS, ids=("claim", "left", "grace", "look-up"))
@pytest.mark.parametrize("is_faulty", [True, False])
def test_the_machine_has_a_way_to_each_planted_fault(
    way: tuple[Any, str, Any, Callable[[Post], None]], *, is_faulty: bool
) -> None:
    """A lost claim that counts, has left that says no, a grace that is none, no look-up."""
    module, name, fault, go = way
    changed = patch.object(module, name, fault if is_faulty else getattr(module, name))
    with world(), changed:
        machine = Post()
        machine.begin(PROOF, is_approved=True)
        go(machine)
        for _ in range(4):
            machine.work("accepted", "end", knows=True)
            machine.compose("end")
        with pytest.raises(AssertionError) if is_faulty else nullcontext():
            machine.nothing_stands_twice()
        machine.asleep.clear()
