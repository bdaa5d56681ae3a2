"""The post: signed attestations on their way to the region, mails sent and received, originals."""

import uuid

from django.db import models

from docgen.backoffice.models.papers import Attestation
from docgen.backoffice.models.people import School
from docgen.backoffice.models.returns import Return
from docgen.backoffice.models.work import Work


class Posting(models.TextChoices):
    """Where something that is mailed is.

    `uncertain`: it was handed over whole and the server's answer never came; it is looked up, and
    never sent again blindly.
    """

    HELD = "held", "retenu"
    NEW = "new", "à envoyer"
    SENDING = "sending", "en cours d’envoi"
    SENT = "sent", "envoyé"
    REFUSED = "refused", "refusé"
    UNCERTAIN = "uncertain", "incertain"
    REPLACED = "replaced", "remplacé"


class Delivery(Work):
    """A version of a signed attestation to bring to one address; composing its mails is its work.

    `sha256` names the signed file, `pieces` the sides that it was bound from: the same sides bound
    again are the same version. `stage` sums up that of its messages. `is_test`: it went to the
    address that all mail is redirected to, and its recipient has nothing.
    """

    class Role(models.TextChoices):
        """Whom it is for."""

        REGION = "region", "Région"
        COPY = "copy", "copie à l’établissement"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    attestation = models.ForeignKey(Attestation, models.PROTECT, related_name="deliveries")
    school = models.ForeignKey(School, models.PROTECT, related_name="deliveries")
    back = models.ForeignKey(Return, models.SET_NULL, null=True, related_name="deliveries")
    role = models.CharField(max_length=6, choices=Role.choices)
    recipient = models.CharField(max_length=254)
    version = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    pieces = models.CharField(max_length=64)
    stage = models.CharField(max_length=9, choices=Posting.choices, default=Posting.NEW)
    is_test = models.BooleanField(default=False)
    changed_at = models.DateTimeField(auto_now=True)
    sent_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)

    class Meta(Work.Meta):
        """A version goes once to an address."""

        abstract = False
        constraints = (
            models.UniqueConstraint(
                fields=("attestation", "version", "recipient"), name="delivered_once"
            ),
        )
        indexes = (  # type: ignore[assignment] # more of them
            *Work.Meta.indexes,
            models.Index(fields=("-changed_at", "-id"), name="deliveries_newest_first"),
            models.Index(fields=("stage", "id"), name="deliveries_by_stage"),
        )

    def __str__(self) -> str:
        return str(self.id)


class Message(Work):
    """One mail to hand over: a part of a delivery, a receipt, a reminder.

    `key` is what makes it one, and `message_id` follows from it and from `opening`, which grows
    when a mail that came back is sent anew. `sha256` names the mail in the store, as it is sent.
    `answers` are what servers said: moment, code and words, the last one at the end. `doubted_at`
    is when it was first not known whether the last try brought it there. `told` is what a mail that
    is no delivery says, to be written anew when a redirection comes or goes.
    """

    class Kind(models.TextChoices):
        """What a mail is."""

        DELIVERY = "delivery", "attestation"
        RECEIPT = "receipt", "accusé de réception"
        REMINDER = "reminder", "rappel"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=100, unique=True)
    school = models.ForeignKey(School, models.PROTECT, null=True, related_name="messages")
    delivery = models.ForeignKey(Delivery, models.CASCADE, null=True, related_name="messages")
    recipient = models.CharField(max_length=254)
    sent_to = models.CharField(max_length=254, blank=True)
    part = models.IntegerField(default=1)
    parts = models.IntegerField(default=1)
    opening = models.IntegerField(default=0)
    message_id = models.CharField(max_length=200, unique=True)
    subject = models.CharField(max_length=300)
    told = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(default=0)
    stage = models.CharField(max_length=9, choices=Posting.choices, default=Posting.NEW)
    answers = models.JSONField(default=list)
    tried_at = models.DateTimeField(null=True)
    doubted_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta(Work.Meta):
        """Messages are claimed like any work."""

        abstract = False

    def __str__(self) -> str:
        return self.message_id


class Approval(models.Model):
    """Somebody looked at what would be sent, and lets it go by this way: `way` is its digest."""

    way = models.CharField(max_length=64, unique=True)
    by = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.way


class Mail(Work):
    """A mail that came to our mailbox; looking at it, in a child, is its work.

    `box` is its place in the mailbox, `sha256` the mail as it came, kept apart and never served.
    `batches` are the files of scans that it brought, `refused` what of it was not taken, and why.
    """

    class Verdict(models.TextChoices):
        """What a mail turned out to be."""

        WAITING = "waiting", "à lire"
        SCANS = "scans", "numérisations"
        BOUNCE = "bounce", "avis de distribution"
        AUTOMATIC = "automatic", "réponse automatique"
        EMPTY = "empty", "sans fichier"
        QUARANTINE = "quarantine", "mis de côté"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    box = models.CharField(max_length=100, unique=True)
    school = models.ForeignKey(School, models.PROTECT, null=True, related_name="mails")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    message_id = models.CharField(max_length=255, blank=True)
    verdict = models.CharField(
        max_length=10, choices=Verdict.choices, default=Verdict.WAITING, db_index=True
    )
    reason = models.CharField(max_length=40, blank=True)
    batches = models.JSONField(default=list)
    refused = models.JSONField(default=list)
    is_receipt_due = models.BooleanField(default=False, db_index=True)
    purged_at = models.DateTimeField(null=True)

    class Meta(Work.Meta):
        """Mails are claimed like any work."""

        abstract = False

    def __str__(self) -> str:
        return str(self.id)


class Original(models.Model):
    """The paper original of an attestation, on its way: fetched to print, posted, received."""

    attestation = models.OneToOneField(
        Attestation, models.PROTECT, primary_key=True, related_name="original"
    )
    school = models.ForeignKey(School, models.PROTECT, related_name="originals")
    fetched_at = models.DateTimeField(null=True)
    fetched_by = models.CharField(max_length=40, blank=True)
    posted_date = models.DateField(null=True)
    posted_by = models.CharField(max_length=40, blank=True)
    received_at = models.DateTimeField(null=True)
    received_by = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return str(self.attestation_id)


class Reminder(models.Model):
    """Something late, told once: `subject` is what makes it one, `counts` what is late."""

    class Kind(models.TextChoices):
        """What is late."""

        NOT_RETURNED = "not-returned", "attestation imprimée et non revenue"
        NOT_ATTESTED = "not-attested", "cessions sur aucune attestation"
        YEAR_ENDS = "year-ends", "attestation complémentaire avant la fin de l’année scolaire"
        NOT_RECEIVED = "not-received", "original non reçu"

    school = models.ForeignKey(School, models.PROTECT, related_name="reminders")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    subject = models.CharField(max_length=60)
    attestation = models.ForeignKey(Attestation, models.PROTECT, null=True)
    due_date = models.DateField()
    counts = models.JSONField(default=dict)
    raised_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Once each."""

        constraints = (
            models.UniqueConstraint(fields=("school", "kind", "subject"), name="reminded_once"),
        )

    def __str__(self) -> str:
        return f"{self.school_id} {self.kind} {self.subject}"
