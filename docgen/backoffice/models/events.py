"""What happened to whom, in one line that only grows."""

from django.db import models
from django.db.models.functions import Now


class Event(models.Model):
    """Something that happened; it holds identifiers and counts, never a name or a value.

    The database itself refuses to change an event, or to delete one before its time (triggers, in
    the first migration).
    """

    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=40)
    school = models.CharField(max_length=8, blank=True)
    subject = models.CharField(max_length=80)
    actor = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)

    class Meta:
        """Asked for by subject, by school or by kind, in order."""

        indexes = (
            models.Index(fields=("subject", "id"), name="events_of_a_subject"),
            models.Index(fields=("school", "id"), name="events_of_a_school"),
            models.Index(fields=("kind", "id"), name="events_of_a_kind"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
