"""What happens is told once, in the transaction that makes it happen, and to whoever listens."""

from docgen.backoffice import outbox
from docgen.backoffice.models import Event


def tell(
    kind: str, subject: str, *, school: str = "", actor: str = "docgen", **facts: object
) -> None:
    """Add an event, and the calls to make about it; call it in that transaction, after its changes.

    `facts` are counts and identifiers: never a name, never a value.
    """
    facts_told = {"kind": kind, "subject": subject, "school": school, "actor": actor}
    outbox.announce(Event.objects.create(**facts_told, facts=facts))
