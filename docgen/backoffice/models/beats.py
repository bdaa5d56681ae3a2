"""Signs of life: when each worker last swept, when a daily chore was last done."""

from django.db import models
from django.db.models.functions import Now


class Beat(models.Model):
    """The last time that something happened, on the database's clock: `worker/…` or `chore/…`.

    Whoever moves a chore's row on has the chore: of many workers, one.
    """

    name = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name
