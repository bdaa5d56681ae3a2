"""Deliveries, composed; and their mails, handed over one by one."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from docgen.backoffice import composing, departures, messages, posting, store
from docgen.backoffice.models import Delivery, Message
from docgen.backoffice.posting import Answer
from docgen.backoffice.queue import COMPOSE, SEND, app
from workers.children import Limits, Outcome, Say
from workers.working import Make, released, work_on

# A side of a scan takes up to a second to be made lighter, at each of four steps.
COMPOSING = Limits(memory=2**30, processor=900, wall=1200, file=2**30)
SENDING = Limits(memory=300 * 2**20, processor=60, wall=600, file=2**30)


@app.task(name=f"docgen.{COMPOSE}")
def compose_delivery(identifier: str) -> None:
    """Compose the deliveries that wait; the identifier only says that there are some."""
    work_on(
        Delivery,
        _begin_composing,
        _finish_composing,
        composing.fail,
        COMPOSING,
        died=_too_heavy,
    )


@app.task(name=f"docgen.{SEND}")
def send_message(identifier: str) -> None:
    """Hand over the mails that wait; the identifier only says that there are some."""
    work_on(Message, _begin, _finish, messages.fail, SENDING, died=_died, killed=_killed)


def _begin_composing(row: Delivery) -> Make | None:
    wanted = composing.begin(row)
    if wanted is None:  # it is held
        return None

    def make(say: Say, folder: Path) -> list[dict[str, Any]]:
        return composing.make(wanted, folder)

    return make


def _finish_composing(row: Delivery, made: list[dict[str, Any]], folder: Path) -> bool:
    names = {each["file"]: store.keep(folder / each["file"]) for each in made}
    if composing.finish(row, made, names):
        return True
    store.drop_unused(names.values())
    return False


def _too_heavy(row: Delivery, outcome: Outcome) -> bool:
    """Refuse what takes too long: it would take as long again."""
    if outcome.is_slow:
        return composing.fail(row, [composing.TOO_HEAVY])
    return released(row, outcome)


def _begin(row: Message) -> Make | None:
    step, post = messages.begin(row), departures.post()
    if step is None:  # it waits
        return None

    def make(say: Say, folder: Path) -> dict[str, Any]:
        if step.order is None:
            return {"found": asdict(posting.look_up(post, step.message_id, step.since))}
        return {"answer": asdict(posting.send(post, step.order, say))}

    return make


def _finish(row: Message, told: dict[str, Any], folder: Path) -> bool:
    if "answer" in told:
        return messages.finish(row, Answer(**told["answer"]))
    return messages.looked_up(row, told["found"]["verdict"], told["found"]["why"])


def _died(row: Message, outcome: Outcome) -> bool:
    return messages.broke_off(row, is_said=outcome.said is not None, is_own_fault=True)


def _killed(row: Message, outcome: Outcome) -> bool:
    return messages.broke_off(row, is_said=outcome.said is not None, is_own_fault=False)
