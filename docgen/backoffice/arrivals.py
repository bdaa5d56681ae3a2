"""What the region has: attestations that were mailed to it, or whose original it received."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, TruncWeek
from django.utils import timezone

from docgen.backoffice import ledger
from docgen.backoffice.models import Attestation, AttestedCession, Delivery, Return, State

UNSAID = ("record", "region", "letterhead")  # long, and told by no list
Attestations = QuerySet[Any]  # with what is told of them here
AWAITED = Q(mailed_at__isnull=False) | Q(original__posted_date__isnull=False)


def dated(rows: Attestations) -> Attestations:
    """Tell when each was mailed first (`mailed_at`), and when it arrived, whichever way."""
    first = ledger.sendings().order_by("sent_at").values("sent_at")[:1]
    mailed = rows.annotate(mailed_at=Subquery(first))
    dates: Attestations = mailed.annotate(arrived_at=Coalesce("mailed_at", "original__received_at"))
    return dates.defer(*UNSAID).select_related("school", "original")


def arrived(rows: Attestations) -> Attestations:
    """Keep the attestations that the region has, by mail or on paper."""
    found: Attestations = dated(rows).filter(arrived_at__isnull=False)
    return found


def counted(rows: Attestations) -> Attestations:
    """Tell how many cessions each lists (`listed`)."""
    mine = AttestedCession.objects.filter(attestation=OuterRef("pk")).order_by()
    number = mine.values("attestation").annotate(count=Count("pk")).values("count")
    told: Attestations = rows.annotate(listed=Subquery(number))
    return told


def awaited(rows: Attestations) -> Attestations:
    """Keep the attestations whose paper original is on its way, or should be."""
    # Without a row of its own, an original is not received either: the join keeps it.
    live: Attestations = dated(rows).filter(original__received_at=None)
    return live.filter(AWAITED).exclude(state=State.CANCELLED)


def by_week(rows: Attestations, since: datetime) -> dict[datetime, int]:
    """Count the attestations that arrived, week by week, by the Monday of each."""
    weeks = arrived(rows).filter(arrived_at__gte=since).annotate(week=TruncWeek("arrived_at"))
    found = weeks.order_by().values("week").annotate(count=Count("pk"))
    return {each["week"]: each["count"] for each in found}


def versions(of: QuerySet[Delivery], attestation: Attestation) -> list[Delivery]:
    """Give what was planned for the region of an attestation, the youngest version first."""
    rows = of.filter(attestation=attestation, role=Delivery.Role.REGION)
    return list(rows.order_by("-version"))


def held_version(planned: Iterable[Delivery]) -> Delivery | None:
    """Give the version that the region has, among those that were planned; the youngest of them."""
    return next((each for each in planned if _is_there(each)), None)


def doubts(back: Return) -> Iterator[str]:
    """Say what a signed file leaves in doubt: empty signature zones, and those not looked at."""
    for zones, what in ((back.unsigned, "est vide"), (back.unseen, "n’a pas pu être regardée")):
        for each in zones:
            yield f"Face {each['side']} : la case « {each['zone']} » {what}."


def _is_there(row: Delivery) -> bool:
    """Tell whether a delivery reached the region, and did not come back since."""
    if row.is_test or row.stage != "sent":
        return False
    came_back = row.bounced_at and (row.sent_at is None or row.bounced_at >= row.sent_at)
    return not came_back


def week_of(moment: datetime) -> datetime:
    """Give the Monday, at midnight where the schools are, of the week of a moment."""
    here = timezone.localtime(moment)
    day = here.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return timezone.make_aware(day - timedelta(days=day.weekday()))
