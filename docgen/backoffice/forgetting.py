"""What goes of a mail that came and was kept long enough: its content first, then its names."""

from django.db.models import F
from django.db.models.functions import Now

from docgen.backoffice.models import Mail, State


def content(mail: Mail) -> tuple[int, set[str]]:
    """Forget what a mail held; one that nobody could read is put aside by then.

    Give the rows that changed, and the files that they named.
    """
    row = Mail.objects.select_for_update().get(pk=mail.pk)
    changes: dict[str, object] = {"purged_at": Now(), "is_receipt_due": False}
    if row.state != State.DONE:
        changes |= {"verdict": Mail.Verdict.QUARANTINE, "reason": "never-read"}
        changes |= {"state": State.DONE, "token": F("token") + 1, "finished_at": Now()}
    return Mail.objects.filter(pk=row.pk).update(**changes), {row.sha256} - {""}


def names(mail: Mail) -> tuple[int, set[str]]:
    """Forget how the sender of a mail named it, and its files."""
    refused = [{**each, "label": ""} for each in mail.refused]
    if not mail.message_id and refused == mail.refused:
        return 0, set()
    return Mail.objects.filter(pk=mail.pk).update(message_id="", refused=refused), set()
