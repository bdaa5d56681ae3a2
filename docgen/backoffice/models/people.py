"""Schools, their people and their tablets, as the last import of each left them."""

from django.db import models


class School(models.Model):
    """A lycée, known by its UAI; `address` is a list of lines."""

    uai = models.CharField(max_length=8, primary_key=True)
    name = models.CharField(max_length=200)
    address = models.JSONField(default=list)
    postal_code = models.CharField(max_length=5)
    city = models.CharField(max_length=100)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    head_civility = models.CharField(max_length=10, blank=True)
    head_name = models.CharField(max_length=100)
    head_title = models.CharField(max_length=100)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.uai


class Person(models.Model):
    """Somebody who receives a tablet; `internal_id` comes from the school's own files.

    Who is no longer in the files of a school year is `is_present=False`: their cessions stay.
    """

    class Audience(models.TextChoices):
        """Whom a document is for."""

        PUPIL = "pupil", "élève"
        TEACHER = "teacher", "professeur"

    school = models.ForeignKey(School, models.PROTECT, related_name="people")
    audience = models.CharField(max_length=7, choices=Audience.choices)
    internal_id = models.CharField(max_length=32)
    school_year = models.CharField(max_length=9)
    is_present = models.BooleanField(default=True)
    rank = models.IntegerField(default=0)
    family_name = models.CharField(max_length=200)
    first_name = models.CharField(max_length=200)
    usage_name = models.CharField(max_length=200, blank=True)
    birth_date = models.DateField(null=True)
    division = models.CharField(max_length=50, blank=True)
    level = models.CharField(max_length=100, blank=True)
    ine = models.CharField(max_length=11, blank=True)
    civility = models.CharField(max_length=10, blank=True)
    function = models.CharField(max_length=200, blank=True)

    class Meta:
        """A person has one row a school."""

        constraints = (
            models.UniqueConstraint(
                fields=("school", "audience", "internal_id"), name="one_row_a_person"
            ),
        )

    def __str__(self) -> str:
        return self.internal_id


class Guardian(models.Model):
    """A person with parental authority over a pupil, in the order of the school's files."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="guardians")
    rank = models.IntegerField()
    civility = models.CharField(max_length=10, blank=True)
    family_name = models.CharField(max_length=200)
    first_name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=30, blank=True)

    def __str__(self) -> str:
        return f"{self.person_id}/{self.rank}"


class Device(models.Model):
    """A tablet of a school's stock."""

    school = models.ForeignKey(School, models.PROTECT, related_name="devices")
    serial = models.CharField(max_length=32)
    model = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=50, blank=True)

    class Meta:
        """A tablet is in one school's stock once."""

        constraints = (
            models.UniqueConstraint(fields=("school", "serial"), name="one_row_a_device"),
        )

    def __str__(self) -> str:
        return self.serial


class Cession(models.Model):
    """A tablet handed over for good. `cancelled_at` takes it off the register; the row stays."""

    school = models.ForeignKey(School, models.PROTECT, related_name="cessions")
    person = models.ForeignKey(Person, models.PROTECT, related_name="cessions")
    serial = models.CharField(max_length=32)
    ceded_date = models.DateField(null=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        """A tablet is ceded once at a time."""

        constraints = (
            models.UniqueConstraint(
                fields=("school", "serial"),
                condition=models.Q(cancelled_at=None),
                name="one_cession_a_device",
            ),
        )

    def __str__(self) -> str:
        return self.serial


class Loan(models.Model):
    """A tablet lent; `returned_date` is empty until it comes back.

    `state` is how it left, `returned_state` and `returned_note` how it came back.
    """

    class Condition(models.TextChoices):
        """How a tablet is when it comes back."""

        GOOD = "good", "en bon état"
        WORN = "worn", "usure normale"
        DAMAGED = "damaged", "endommagée"

    school = models.ForeignKey(School, models.PROTECT, related_name="loans")
    person = models.ForeignKey(Person, models.PROTECT, related_name="loans")
    serial = models.CharField(max_length=32)
    start_date = models.DateField()
    end_date = models.DateField()
    state = models.CharField(max_length=200, blank=True)
    returned_date = models.DateField(null=True)
    returned_state = models.CharField(max_length=7, choices=Condition.choices, blank=True)
    returned_note = models.CharField(max_length=200, blank=True)

    class Meta:
        """A tablet is lent once at a time."""

        constraints = (
            models.UniqueConstraint(
                fields=("school", "serial"),
                condition=models.Q(returned_date=None),
                name="one_loan_a_device",
            ),
        )

    def __str__(self) -> str:
        return self.serial
