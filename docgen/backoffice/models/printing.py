"""Print jobs: what was asked for, cut in volumes, document by document."""

import uuid

from django.db import models

from docgen.backoffice.models.accounts import PrintShop
from docgen.backoffice.models.people import School
from docgen.backoffice.models.work import Work


class TemplateVersion(models.Model):
    """A template as it was when something was printed from it: its folder, as a zip file."""

    slug = models.CharField(max_length=100)
    version = models.CharField(max_length=20)
    checksum = models.CharField(max_length=64, unique=True)
    archive = models.BinaryField()
    seen_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.slug} {self.version}"


class CompiledForm(models.Model):
    """The layout of a template version, as first compiled: a later engine prints the same."""

    template = models.ForeignKey(TemplateVersion, models.PROTECT, related_name="forms")
    base = models.CharField(max_length=50)
    form = models.BinaryField()

    class Meta:
        """A layout is compiled once."""

        constraints = (
            models.UniqueConstraint(fields=("template", "base"), name="one_form_a_layout"),
        )

    def __str__(self) -> str:
        return f"{self.template} {self.base}"


class PrintJob(models.Model):
    """A print job; what it prints is copied here and on its documents, for ever the same.

    `constants` are the values that all documents share, `letterhead` the school as it was,
    `marks` those of the copies. `sides` (printed) and `sheets` are what the layout promises.
    """

    class Stage(models.TextChoices):
        """Where a job is, from the order to the paper."""

        ACCEPTED = "accepted", "acceptée"
        READY = "ready", "prête"
        RELEASED = "released", "remise à l’imprimeur"
        PRINTED = "printed", "imprimée"
        REOPENED = "reopened", "à vérifier"
        FAILED = "failed", "refusée"
        CANCELLED = "cancelled", "annulée"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    school = models.ForeignKey(School, models.PROTECT, related_name="jobs")
    template = models.ForeignKey(TemplateVersion, models.PROTECT, related_name="jobs")
    layout = models.CharField(max_length=50)
    school_year = models.CharField(max_length=9, blank=True)
    stage = models.CharField(max_length=9, choices=Stage.choices, default=Stage.ACCEPTED)
    key_number = models.SmallIntegerField()
    constants = models.JSONField()
    on = models.DateField()
    letterhead = models.JSONField()
    marks = models.JSONField(default=list)
    separators = models.BooleanField(default=False)
    by_class = models.BooleanField(default=True)
    profile = models.BinaryField(default=b"")
    profile_name = models.CharField(max_length=100, blank=True)
    documents = models.IntegerField()
    sides = models.IntegerField()
    sheets = models.IntegerField()
    ticket = models.CharField(max_length=64, blank=True)
    requested_by = models.CharField(max_length=40)
    reprint_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="reprints")
    shop = models.ForeignKey(PrintShop, models.PROTECT, null=True, related_name="jobs")
    created_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True)
    released_at = models.DateTimeField(null=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        """Newest first is how jobs are listed."""

        indexes = (models.Index(fields=("-created_at", "-id"), name="jobs_newest_first"),)

    def __str__(self) -> str:
        return str(self.id)


class Volume(Work):
    """A part of a job: the unit of work, of retry, and the file that a print shop opens.

    `sha256` names its file in the store, `register` that of its lines of manifest.csv.
    """

    job = models.ForeignKey(PrintJob, models.CASCADE, related_name="volumes")
    number = models.IntegerField()
    documents = models.IntegerField()
    sides = models.IntegerField(default=0)
    sheets = models.IntegerField(default=0)
    separators = models.IntegerField(default=0)
    size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    register = models.CharField(max_length=64, blank=True)
    counted_sheets = models.IntegerField(null=True)

    class Meta(Work.Meta):
        """Volumes of a job are numbered from 1."""

        abstract = False
        constraints = (models.UniqueConstraint(fields=("job", "number"), name="volumes_numbered"),)

    def __str__(self) -> str:
        return f"{self.job_id}/{self.number}"


class Document(models.Model):
    """One document of a job, with the values it prints; rows are written once.

    `person` is the school's internal identifier, `title` the name shown in bookmarks only.
    """

    volume = models.ForeignKey(Volume, models.CASCADE, related_name="rows")
    position = models.IntegerField()
    person = models.CharField(max_length=32)
    division = models.CharField(max_length=50, blank=True)
    title = models.CharField(max_length=500, blank=True)
    number = models.BinaryField(max_length=6)
    reference = models.CharField(max_length=20)
    variant = models.CharField(max_length=50)
    values = models.JSONField()
    mark = models.CharField(max_length=60, blank=True)

    class Meta:
        """Documents of a volume are in the order of printing."""

        constraints = (
            models.UniqueConstraint(fields=("volume", "position"), name="documents_in_order"),
        )
        indexes = (
            models.Index(fields=("reference",), name="documents_by_reference"),
            models.Index(fields=("number",), name="documents_by_number"),
        )

    def __str__(self) -> str:
        return self.reference
