"""Rows that say what must be done: the database is the truth, a message only rings the bell."""

from django.db import models


class State(models.TextChoices):
    """The life of a piece of work."""

    WAITING = "waiting", "en attente"
    CLAIMED = "claimed", "en cours"
    DONE = "done", "terminé"
    FAILED = "failed", "refusé"
    QUARANTINED = "quarantined", "mis de côté"
    CANCELLED = "cancelled", "annulé"


class Work(models.Model):
    """A piece of work that one worker at a time may claim.

    `token` grows at each claim and fences off whoever held the row before; `lease_until` is on the
    database's clock. `deaths` counts workers that this work killed, `lost` those that vanished
    with it; `delayed_until` is when to try again after something else failed (a disk, a store).
    """

    state = models.CharField(max_length=11, choices=State.choices, default=State.WAITING)
    priority = models.SmallIntegerField(default=5)
    token = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    delayed_until = models.DateTimeField(null=True)
    deaths = models.SmallIntegerField(default=0)
    lost = models.SmallIntegerField(default=0)
    delays = models.SmallIntegerField(default=0)
    done = models.IntegerField(default=0)
    problems = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        """What is urgent first, then what came first."""

        abstract = True
        indexes = (
            models.Index(
                fields=("priority", "id"),
                condition=models.Q(state__in=("waiting", "claimed")),
                name="%(class)s_to_do",
            ),
        )
