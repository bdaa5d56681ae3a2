"""Who works on what: one worker at a time, for as long as it shows that it is alive.

A claim is a lease on the database's clock, never on a worker's, and a token. Whoever comes back
with an older token has lost its claim, and what it did counts for nothing.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Now

from docgen.backoffice.events import tell
from docgen.backoffice.models import State, Work
from docgen.errors import Problem

LEASE = 10  # seconds; a worker that lives renews its lease every second
MOST_DEATHS = 3  # of workers by the same work: it is set aside, for a person to look at
MOST_LOST = (
    12  # workers that vanished with it: a machine's fault rather than its own, up to a point
)
LONGEST_DELAY = 30  # seconds between two tries when a disk, a store or a program is missing
FATAL = Problem(
    "le travail a mis fin à ses exécutants plusieurs fois de suite.",
    "",
    "Il est mis de côté\u00a0: signalez-le avec son numéro, puis relancez-le.",
)
logger = logging.getLogger(__name__)
W = TypeVar("W", bound=Work)


def later(seconds: float) -> "ExpressionWrapper[Any]":
    """Give the moment that is so many seconds from now, on the database's clock."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


def is_due() -> Q:
    """Tell which rows can be claimed: those that wait, and those whose holder went silent."""
    waiting = Q(state=State.WAITING) & (Q(delayed_until=None) | Q(delayed_until__lte=Now()))
    return waiting | Q(state=State.CLAIMED, lease_until__lt=Now())


def claim(model: type[W]) -> W | None:
    """Claim the most urgent piece of work; None when nothing is to be done."""
    while True:
        with transaction.atomic():
            due = model._default_manager.select_for_update(skip_locked=True, of=("self",)).filter(
                is_due()
            )
            row: W | None = due.order_by("priority", "id").first()
            if row is None:
                return None
            if row.state == State.CLAIMED:
                row.lost += 1
            if row.lost < MOST_LOST:
                row.state, row.token = State.CLAIMED, row.token + 1
                changes = {"state": row.state, "token": row.token, "lost": row.lost, "done": 0}
                _update(row, **changes, lease_until=later(LEASE))
                return row
            _set_aside(row)


def renew(row: Work, done: int | None = None) -> bool:
    """Renew a lease and say how much is done; False when the claim is lost, or was cancelled."""
    told = {} if done is None else {"done": done}
    return _mine(row).update(lease_until=later(LEASE), **told) == 1


def note(row: Work, **facts: object) -> bool:
    """Write down how far the work is; False when the claim is lost."""
    return _mine(row).update(**facts) == 1


def finish(row: Work, **facts: object) -> bool:
    """Record that the work is done; False when the claim is lost. Call it in a transaction."""
    return _settle(row, State.DONE, **facts)


def fail(row: Work, problems: list[Problem], **facts: object) -> bool:
    """Record that the work cannot be done as asked: what is wrong, all of it."""
    return _settle(row, State.FAILED, problems=as_lists(problems), **facts)


def delay(row: Work, seconds: float = 0, **facts: object) -> bool:
    """Give the work back, to be tried again later: something else than the work is at fault."""
    when = later(seconds or min(LONGEST_DELAY, 2 ** min(row.delays, 5)))
    changes = {"state": State.WAITING, "delays": F("delays") + 1, "delayed_until": when}
    return bool(_mine(row).update(**changes, done=0, **facts))


def again(row: Work, **changes: object) -> bool:
    """Give the work back, changed: what put an end to its worker is not in it any more."""
    return bool(_mine(row).update(state=State.WAITING, done=0, **changes))


def release(row: Work, *, is_own_fault: bool) -> bool:
    """Give the work back after its worker died; three deaths of its own making set it aside."""
    if not is_own_fault:
        return bool(_mine(row).update(state=State.WAITING, lost=F("lost") + 1, done=0))
    if row.deaths + 1 >= MOST_DEATHS:
        row.deaths += 1
        with transaction.atomic():
            if not _mine(row).update(deaths=row.deaths):
                return False
            _set_aside(row)
        return True
    return bool(_mine(row).update(state=State.WAITING, deaths=F("deaths") + 1, done=0))


def try_again(row: Work) -> bool:
    """Put work that was set aside or refused back in the line: somebody has looked at it."""
    rows = type(row)._default_manager.filter(pk=row.pk, state__in=(State.QUARANTINED, State.FAILED))
    return bool(
        rows.update(
            state=State.WAITING, deaths=0, lost=0, delays=0, problems=[], done=0, finished_at=None
        )
    )


def as_lists(problems: Iterable[Problem]) -> list[list[str]]:
    """Give problems as a row keeps them."""
    return [[each.what, each.where, each.remedy] for each in problems]


def _settle(row: Work, state: State, **facts: object) -> bool:
    return _mine(row).update(state=state, finished_at=Now(), lease_until=None, **facts) == 1


def _set_aside(row: Work) -> None:
    problems = [[FATAL.what, FATAL.where, FATAL.remedy]]
    _update(
        row, state=State.QUARANTINED, finished_at=Now(), done=0, problems=problems, lost=row.lost
    )
    tell("work-set-aside", f"{type(row).__name__}:{row.pk}", deaths=row.deaths, lost=row.lost)
    logger.error("work set aside", extra={"work": type(row).__name__, "id": row.pk})


def _update(row: Work, **changes: object) -> None:
    type(row)._default_manager.filter(pk=row.pk).update(**changes)


def _mine(row: W) -> QuerySet[W]:
    return type(row)._default_manager.filter(pk=row.pk, token=row.token, state=State.CLAIMED)
