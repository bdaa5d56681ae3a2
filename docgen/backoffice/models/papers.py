"""Attestations, loan conventions, and the Word models that schools gave back."""

import uuid

from django.db import models

from docgen.backoffice.models.people import School
from docgen.backoffice.models.printing import TemplateVersion
from docgen.backoffice.models.work import Work


class Attestation(Work):
    """An attestation of cession: `record` is all that it says, frozen and sealed at its issue."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    school = models.ForeignKey(School, models.PROTECT, related_name="attestations")
    rank = models.IntegerField()
    number = models.IntegerField()
    school_year = models.CharField(max_length=9)
    start_date = models.DateField()
    end_date = models.DateField()
    record = models.JSONField()
    region = models.JSONField()
    letterhead = models.JSONField()
    references = models.JSONField(default=dict)
    files = models.JSONField(default=dict)
    requested_by = models.CharField(max_length=40)

    class Meta(Work.Meta):
        """Attestations of a school follow one another."""

        abstract = False
        constraints = (
            models.UniqueConstraint(fields=("school", "rank"), name="attestations_ranked"),
        )

    def __str__(self) -> str:
        return str(self.public_id)


class AttestedCession(models.Model):
    """A cession on an attestation: the database itself refuses it a second one."""

    attestation = models.ForeignKey(Attestation, models.PROTECT, related_name="cessions")
    school = models.ForeignKey(School, models.PROTECT)
    serial = models.CharField(max_length=32)
    person = models.CharField(max_length=32)
    withdrawn_by = models.ForeignKey(
        Attestation, models.PROTECT, null=True, related_name="withdrawals"
    )

    class Meta:
        """A cession that is not withdrawn is on one attestation."""

        constraints = (
            models.UniqueConstraint(
                fields=("school", "serial", "person"),
                condition=models.Q(withdrawn_by=None),
                name="attested_once",
            ),
        )

    def __str__(self) -> str:
        return self.serial


class SchoolModel(models.Model):
    """A convention that a school edited and gave back; the last one accepted is used."""

    school = models.ForeignKey(School, models.PROTECT, related_name="models")
    slug = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    accepted_at = models.DateTimeField(auto_now_add=True)
    accepted_by = models.CharField(max_length=40)

    def __str__(self) -> str:
        return f"{self.school_id}/{self.slug}"


class Conversion(Work):
    """Word documents to make for a school, from what is copied here.

    `loans` hold each loan with its person and its tablet; without any, the documents are the
    school's own: the model to edit, and the blanks. `model` is the file that the school gave back.
    """

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    school = models.ForeignKey(School, models.PROTECT, related_name="conversions")
    template = models.ForeignKey(TemplateVersion, models.PROTECT)
    format = models.CharField(max_length=4)
    is_merged = models.BooleanField(default=False)
    on = models.DateField()
    letterhead = models.JSONField()
    school_year = models.CharField(max_length=9, blank=True)
    loans = models.JSONField(default=list)
    model = models.CharField(max_length=64, blank=True)
    files = models.JSONField(default=dict)
    requested_by = models.CharField(max_length=40)

    class Meta(Work.Meta):
        """Conversions are claimed like any work."""

        abstract = False

    def __str__(self) -> str:
        return str(self.public_id)
