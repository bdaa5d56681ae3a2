"""Signs of life, on the database's clock: who works, and who has today's chore."""

import os
import socket
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from docgen.backoffice.models import Beat

ALIVE = 60  # seconds since the last sweep of a worker that lives; it sweeps every 3
WORKER, CHORE = "worker/", "chore/"


def beat() -> None:
    """Say that this worker lives: it has just swept."""
    name = f"{WORKER}{socket.gethostname()}/{os.getpid()}"
    if not Beat.objects.filter(name=name).update(at=Now()):
        Beat.objects.get_or_create(name=name)


def stop() -> None:
    """Say that this worker ends."""
    Beat.objects.filter(name=f"{WORKER}{socket.gethostname()}/{os.getpid()}").delete()


def workers() -> int:
    """Count the workers that live."""
    return Beat.objects.filter(
        name__startswith=WORKER, at__gt=Now() - timedelta(seconds=ALIVE)
    ).count()


def last_sweep() -> float | None:
    """Give the age of the last sweep of any worker, in seconds; None when none ever swept."""
    swept = Beat.objects.filter(name__startswith=WORKER).annotate(now=Now()).order_by("-at")
    row = swept.values_list("at", "now").first()
    return (row[1] - row[0]).total_seconds() if row else None


def take(chore: str, every: timedelta) -> bool:
    """Take a chore whose time has come; of many who try, one is told yes."""
    name = f"{CHORE}{chore}"
    if Beat.objects.filter(name=name, at__lt=Now() - every).update(at=Now()):
        return True
    if Beat.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            Beat.objects.create(name=name)
    except IntegrityError:  # somebody else was first
        return False
    return True


def hold(chore: str) -> None:
    """Keep others from taking a chore that is still being done: its time begins anew."""
    Beat.objects.filter(name=f"{CHORE}{chore}").update(at=Now())
