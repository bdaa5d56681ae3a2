"""What comes home: scans, their sides, and the documents bound again from them."""

import uuid

from django.db import models

from docgen.backoffice.models.papers import Attestation, Conversion
from docgen.backoffice.models.people import School
from docgen.backoffice.models.printing import Document
from docgen.backoffice.models.work import Work


class Paper(models.Model):
    """A document printed one by one (attestation, convention), that its codes recognise.

    `needed` are the sides that must come home, `zones` those signed: side, name, label and box in
    points. `sha256` names its file in the store; documents of print jobs are in `Document`. What
    `is_mailed` goes to the region once it has come home signed.
    """

    number = models.BinaryField(unique=True, max_length=6)
    school = models.ForeignKey(School, models.PROTECT, related_name="papers")
    slug = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    reference = models.CharField(max_length=20)
    person = models.CharField(max_length=32, blank=True)
    sides = models.IntegerField()
    width = models.FloatField()
    height = models.FloatField()
    needed = models.JSONField(default=list)
    zones = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64)
    is_mailed = models.BooleanField(default=False)
    attestation = models.ForeignKey(Attestation, models.PROTECT, null=True, related_name="papers")
    conversion = models.ForeignKey(Conversion, models.SET_NULL, null=True, related_name="papers")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """A person may type the reference."""

        indexes = (models.Index(fields=("reference",), name="papers_by_reference"),)

    def __str__(self) -> str:
        return self.reference


class ScanBatch(models.Model):
    """A file of scans as it was received: the same file of the same school is the same batch.

    `sha256` names the file as sent, kept apart and never served; `label` is the name that its
    sender gave it. `school` is None for a pile of several schools.
    """

    class Stage(models.TextChoices):
        """Where a batch is, from the file to its sides."""

        RECEIVED = "received", "reçu"
        READ = "read", "lu"
        REFUSED = "refused", "refusé"

    class Source(models.TextChoices):
        """Which way it came."""

        API = "api", "envoi"
        COMMAND = "command", "commande"
        FOLDER = "folder", "dossier surveillé"
        MAIL = "mail", "courriel"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    school = models.ForeignKey(School, models.PROTECT, null=True, related_name="scans")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    label = models.CharField(max_length=100, blank=True)
    source = models.CharField(max_length=7, choices=Source.choices)
    kind = models.CharField(max_length=4, blank=True)
    stage = models.CharField(max_length=8, choices=Stage.choices, default=Stage.RECEIVED)
    sides = models.IntegerField(null=True)
    problems = models.JSONField(default=list)
    requested_by = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        """The same file twice is one batch."""

        constraints = (
            models.UniqueConstraint(fields=("school", "sha256"), name="scans_once"),
            models.UniqueConstraint(
                fields=("sha256",), condition=models.Q(school=None), name="piles_once"
            ),
        )
        indexes = (models.Index(fields=("-created_at", "-id"), name="scans_newest_first"),)

    def __str__(self) -> str:
        return str(self.id)


class ScanPart(Work):
    """Sides of a batch that are read together: `first` to `last`, the last one not among them.

    The first part also opens the file and counts its sides: until then its `last` is None.
    `copy` names its clean copy in the store, a PDF that holds the images alone; `previews` holds
    a small picture of each side, one after the other. `skipped` are the sides that put an end to
    who read them.
    """

    batch = models.ForeignKey(ScanBatch, models.CASCADE, related_name="parts")
    first = models.IntegerField()
    last = models.IntegerField(null=True)
    copy = models.CharField(max_length=64, blank=True)
    previews = models.CharField(max_length=64, blank=True)
    readings = models.JSONField(default=list)
    skipped = models.JSONField(default=list)

    class Meta(Work.Meta):
        """A side is in one part."""

        abstract = False
        constraints = (models.UniqueConstraint(fields=("batch", "first"), name="scan_parts_once"),)

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.first}"


class Return(models.Model):
    """A document that comes home, side after side, and the signed file that is bound from them.

    `version` grows whenever its sides change, and `bound_version` is the one that `sha256` holds.
    `missing` are the sides that are still awaited, `unsigned` the zones found empty, `unseen` those
    that could not be looked at: side and name.
    `sources` is the index of the signed file: per side, the scan and the side it came from, or the
    original print.
    """

    class Stage(models.TextChoices):
        """How far a document is."""

        PARTIAL = "partial", "incomplet"
        COMPLETE = "complete", "complet"
        BOUND = "bound", "relié"
        EMPTY = "empty", "rien de reçu"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BinaryField(unique=True, max_length=6)
    school = models.ForeignKey(School, models.PROTECT, related_name="returns")
    reference = models.CharField(max_length=20)
    slug = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    person = models.CharField(max_length=32, blank=True)
    division = models.CharField(max_length=50, blank=True)
    document = models.ForeignKey(Document, models.SET_NULL, null=True, related_name="returns")
    paper = models.ForeignKey(Paper, models.PROTECT, null=True, related_name="returns")
    sides = models.IntegerField()
    needed = models.JSONField(default=list)
    stage = models.CharField(max_length=8, choices=Stage.choices, default=Stage.PARTIAL)
    version = models.IntegerField(default=0)
    bound_version = models.IntegerField(default=0)
    missing = models.JSONField(default=list)
    unsigned = models.JSONField(default=list)
    unseen = models.JSONField(default=list)
    sources = models.JSONField(default=list)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    problems = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    bound_at = models.DateTimeField(null=True)

    class Meta:
        """A person may type the reference."""

        indexes = (
            models.Index(fields=("reference",), name="returns_by_reference"),
            models.Index(fields=("school", "-changed_at"), name="returns_of_a_school"),
            models.Index(fields=("bound_at",), name="returns_by_binding"),
        )

    def __str__(self) -> str:
        return self.reference


class ScannedPage(models.Model):
    """One side of a batch, with its one outcome.

    `reading` is what was read (`scanning.findings.Reading`), `turned` by how many degrees somebody
    turned it since. `back` and `side` are set for what is in a document: known, or its duplicate.
    """

    class Outcome(models.TextChoices):
        """What a scanned side is. A discarded one is kept, and can come back."""

        KNOWN = "known", "reconnue"
        DUPLICATE = "duplicate", "en double"
        FOREIGN = "foreign", "étrangère"
        SUPERSEDED = "superseded", "d’une impression remplacée"
        UNKNOWN = "unknown", "sans code"
        UNREADABLE = "unreadable", "illisible"
        INCONSISTENT = "inconsistent", "contradictoire"
        BLANK = "blank", "blanche"
        DISCARDED = "discarded", "écartée"

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    batch = models.ForeignKey(ScanBatch, models.CASCADE, related_name="pages")
    index = models.IntegerField()
    part = models.ForeignKey(ScanPart, models.CASCADE, related_name="pages")
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    reason = models.CharField(max_length=40, blank=True)
    reading = models.JSONField()
    quality = models.FloatField(default=0)
    turned = models.SmallIntegerField(default=0)
    back = models.ForeignKey(Return, models.SET_NULL, null=True, related_name="pages")
    side = models.SmallIntegerField(null=True)
    is_by_hand = models.BooleanField(default=False)

    class Meta:
        """A side is found once in its batch; a side of a document comes from one scan."""

        constraints = (
            models.UniqueConstraint(fields=("batch", "index"), name="scanned_pages_once"),
            models.UniqueConstraint(
                fields=("back", "side"),
                condition=models.Q(outcome="known"),
                name="one_scan_a_side",
            ),
        )
        indexes = (
            models.Index(fields=("outcome", "id"), name="pages_by_outcome"),
            models.Index(fields=("batch", "outcome"), name="pages_counted"),
        )

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.index}"


class ReviewStep(models.Model):
    """What somebody decided about a side, and what it was before: so that it can be undone."""

    page = models.ForeignKey(ScannedPage, models.CASCADE, related_name="steps")
    action = models.CharField(max_length=10)
    before = models.JSONField()
    after = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    by = models.CharField(max_length=40)
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.page_id} {self.action}"


class Binding(Work):
    """Documents of a school to bind again: `returns` holds the id and the version of each.

    A document that changed since has a younger binding: what this one makes of it is dropped.
    """

    school = models.ForeignKey(School, models.PROTECT, related_name="bindings")
    returns = models.JSONField(default=list)

    class Meta(Work.Meta):
        """Bindings are claimed like any work."""

        abstract = False

    def __str__(self) -> str:
        return str(self.pk)
