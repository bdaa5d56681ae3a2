"""Who may ask for what: people with an account, programs with a token."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models

from docgen.backoffice.models.people import School


class Role(models.TextChoices):
    """What somebody may see and do; `docgen.backoffice.gate` tells it row by row."""

    BACK_OFFICE = "back_office", "gestionnaire"
    SCHOOL = "school", "établissement"
    REGION = "region", "région"
    PRINT_SHOP = "print_shop", "imprimeur"


class PrintShop(models.Model):
    """A print shop that jobs are released to."""

    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class Holder(models.Model):
    """Who holds rights: a role, and the school or the shop that bounds it."""

    role = models.CharField(max_length=11, choices=Role.choices)
    school = models.ForeignKey(School, models.PROTECT, null=True, blank=True)
    shop = models.ForeignKey(PrintShop, models.PROTECT, null=True, blank=True)

    class Meta:
        """Shared by people and programs; a school's rights always name the school."""

        abstract = True
        constraints: ClassVar[tuple[models.BaseConstraint, ...]] = (
            models.CheckConstraint(
                condition=(
                    (models.Q(role=Role.SCHOOL) & ~models.Q(school=None))
                    | (models.Q(role=Role.PRINT_SHOP) & ~models.Q(shop=None))
                    | models.Q(role__in=(Role.BACK_OFFICE, Role.REGION))
                ),
                name="%(class)s_is_bounded",
            ),
        )


class User(AbstractUser, Holder):
    """A person with an account: a password, or a `subject`, who they are at their provider.

    `subject` is a digest of the provider and of its own identifier: some of them use an address.
    """

    subject = models.CharField(max_length=64, blank=True, default="")

    class Meta(AbstractUser.Meta, Holder.Meta):
        """Somebody at a provider has one account."""

        abstract = False
        constraints = (
            *Holder.Meta.constraints,
            models.UniqueConstraint(
                fields=("subject",), condition=~models.Q(subject=""), name="one_account_a_subject"
            ),
        )

    def __str__(self) -> str:
        return f"user:{self.pk}"


class Client(Holder):
    """A program that calls the API with a token; only the token's SHA-256 is kept."""

    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta(Holder.Meta):
        """The constraints of holders."""

        abstract = False

    def __str__(self) -> str:
        return f"client:{self.pk}"
