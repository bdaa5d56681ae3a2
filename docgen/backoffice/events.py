"""What happens is told once, in the transaction that makes it happen."""

from docgen.backoffice.models import Event


def tell(
    kind: str, subject: str, *, school: str = "", actor: str = "docgen", **facts: object
) -> None:
    """Add an event. `facts` are counts and identifiers: never a name, never a value."""
    Event.objects.create(kind=kind, subject=subject, school=school, actor=actor, facts=facts)
