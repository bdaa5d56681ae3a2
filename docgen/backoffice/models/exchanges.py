"""What other programs send us and are sent: answers to repeat, hooks to call."""

import uuid

from django.db import models

from docgen.backoffice.models.accounts import Client
from docgen.backoffice.models.work import Work


class IdempotentAnswer(models.Model):
    """The answer given under an Idempotency-Key, to give again for the same request."""

    actor = models.CharField(max_length=40)
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64)
    status = models.SmallIntegerField(default=0)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """A key is one client's own."""

        constraints = (models.UniqueConstraint(fields=("actor", "key"), name="one_answer_a_key"),)

    def __str__(self) -> str:
        return f"{self.actor}/{self.pk}"


class Hook(models.Model):
    """An address that a client wants to be called at, and the secret that signs the calls."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="hooks")
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=100)
    kinds = models.JSONField(default=list)
    stopped_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return str(self.public_id)


class HookCall(Work):
    """One call to make: what it tells, and what the other side answered each time."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    hook = models.ForeignKey(Hook, models.CASCADE, related_name="calls")
    kind = models.CharField(max_length=40)
    body = models.JSONField()
    answers = models.JSONField(default=list)

    class Meta(Work.Meta):
        """Calls are claimed like any work."""

        abstract = False

    def __str__(self) -> str:
        return str(self.public_id)
