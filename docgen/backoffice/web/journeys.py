"""Where an attestation is, in words: edited, printed, returned, mailed, posted, received."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from docgen.backoffice.models import Attestation, Delivery, Original, Posting, Return, State
from docgen.backoffice.web.frame import Asked, seen
from docgen.typography import NBSP

GOOD, BAD, WAIT, BUSY = "good", "bad", "wait", "busy"
WORKING = (State.WAITING, State.CLAIMED)
STUCK = (State.FAILED, State.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of an attestation: `day` is when it was done, `note` says what is known of it."""

    label: str
    day: date | datetime | None
    note: str = ""

    @property
    def is_moment(self) -> bool:
        """Tell whether the hour is known too."""
        return isinstance(self.day, datetime)


@dataclass(frozen=True, slots=True)
class Journey:
    """An attestation, the signed paper that came home, what was sent of it, and its original."""

    row: Attestation
    original: Original | None
    back: Return | None
    delivery: Delivery | None
    mailed_at: datetime | None

    @property
    def is_working(self) -> bool:
        """Tell whether its papers are being made."""
        return self.row.state in WORKING

    @property
    def is_stuck(self) -> bool:
        """Tell whether its papers could not be made."""
        return self.row.state in STUCK

    @property
    def is_bound(self) -> bool:
        """Tell whether the signed file is whole."""
        return self.back is not None and self.back.stage == Return.Stage.BOUND

    @property
    def is_signed(self) -> bool:
        """Tell whether it came home whole, and signed wherever it must be."""
        back = self.back
        return self.is_bound and back is not None and not back.unsigned and not back.unseen

    @property
    def missing(self) -> list[str]:
        """Say what is still awaited of the signed paper, in sentences."""
        if self.back is None or self.back.stage == Return.Stage.EMPTY:
            return []
        told = [f"la face {side} n’est pas revenue" for side in self.back.missing]
        for each in self.back.unsigned:
            told.append(f"la case «{NBSP}{each['zone']}{NBSP}» (face {each['side']}) est vide")
        for each in self.back.unseen:
            zone, side = each["zone"], each["side"]
            told.append(f"la case «{NBSP}{zone}{NBSP}» (face {side}) n’a pas pu être lue")
        return told

    @property
    def state(self) -> tuple[str, str]:
        """Say in a few words where it is, and how that looks."""
        original = self.original
        if original and original.received_at:
            return "original reçu", GOOD
        if self.is_working:
            return "en préparation", BUSY
        if self.is_stuck:
            return "à relancer", BAD
        if original and original.posted_date:
            return "original posté", BUSY
        if self.mailed_at:
            return "original à poster", WAIT
        if self.is_signed:
            return "signée, envoi en cours", BUSY
        if self.missing:
            return "retour incomplet", BAD
        if original and original.fetched_at:
            return "à faire signer et à renvoyer", WAIT
        return "à imprimer", WAIT

    @property
    def words(self) -> str:
        """Give the words of the state."""
        return self.state[0]

    @property
    def look(self) -> str:
        """Give the look of the state."""
        return self.state[1]

    @property
    def steps(self) -> list[Step]:
        """Give all its steps in their usual order."""
        original, back = self.original, self.back
        returned = back.bound_at if back and self.is_signed else None
        return [
            Step("Éditée", self.row.created_at),
            Step("Imprimée", original.fetched_at if original else None),
            Step("Revenue signée", returned, "incomplète" if self.missing else ""),
            Step("Envoyée à la Région", self.mailed_at, self._sending()),
            Step("Original posté", original.posted_date if original else None),
            Step("Original reçu", original.received_at if original else None),
        ]

    def _sending(self) -> str:
        if self.delivery is None or self.mailed_at:
            return ""
        told = Posting(self.delivery.stage).label
        return f"{told}, pour essai" if self.delivery.is_test else str(told)


def journeys(request: Asked, rows: Sequence[Attestation]) -> list[Journey]:
    """Tell where attestations are, in two queries however many they are.

    The rows come with their `original`.
    """
    ids = [row.pk for row in rows]
    backs = {each.paper.attestation_id: each for each in _backs(request, ids) if each.paper}
    last: dict[int, Delivery] = {}
    mailed: dict[int, datetime] = {}
    for each in _deliveries(request, ids):
        if each.stage != Posting.REPLACED or each.attestation_id not in last:
            last[each.attestation_id] = each
        if _is_there(each) and each.sent_at:
            mailed.setdefault(each.attestation_id, each.sent_at)
    return [
        Journey(
            row,
            getattr(row, "original", None),
            backs.get(row.pk),
            last.get(row.pk),
            mailed.get(row.pk),
        )
        for row in rows
    ]


def _backs(request: Asked, ids: Sequence[int]) -> Iterable[Return]:
    """Give what came home, of the last print of each at the end."""
    rows = seen(Return, request).filter(paper__attestation__in=ids, paper__is_mailed=True)
    return (
        rows.select_related("paper")
        .defer("sources", "paper__zones")
        .order_by("paper__created_at", "paper__pk")
    )


def _deliveries(request: Asked, ids: Sequence[int]) -> Iterable[Delivery]:
    rows = seen(Delivery, request).filter(attestation__in=ids, role=Delivery.Role.REGION)
    return rows.order_by("version", "changed_at")


def _is_there(row: Delivery) -> bool:
    """Tell whether the region has it, as the ledger counts: sent, and not come back since."""
    came_back = row.bounced_at and (row.sent_at is None or row.bounced_at >= row.sent_at)
    return row.stage == Posting.SENT and not row.is_test and not came_back
