"""What the mailboxes hold, beside what must be there: read over IMAP, byte for byte."""

import email.policy
import hashlib
import imaplib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from docgen.errors import InvalidInput
from docgen.mailing.splitting import join

if TYPE_CHECKING:
    from docgen.backoffice.models import Delivery, Message, Return

SEVERAL = 200  # mails fetched at once
MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)


@dataclass
class Findings:
    """What came out of it: counts of mails, but for `unjoined`, which counts deliveries."""

    seconds: float = 0.0
    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    stray: int = 0
    unfinished: int = 0
    unshown: int = 0
    unjoined: int = 0
    spared: int = 0
    facts: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Tell whether all blows fell, and nothing at all is wrong."""
        wrong = self.lost, self.duplicated, self.altered, self.stray
        return not any((*wrong, self.unfinished, self.unshown, self.unjoined, self.spared))


Box = dict[str, list[bytes]]  # mails by Message-ID


def fetched(url: str) -> Box:
    """Read a whole mailbox."""
    told = urlsplit(url)
    box: Box = {}
    with imaplib.IMAP4(told.hostname or "", told.port or 143) as line:
        line.login(unquote(told.username or ""), unquote(told.password or ""))
        _, (count, *_) = line.select(unquote(told.path.strip("/")), readonly=True)
        last = int(count or 0)
        for first in range(1, last + 1, SEVERAL):
            some = f"{first}:{min(first + SEVERAL - 1, last)}"
            _, rows = line.fetch(some, "(BODY.PEEK[])")
            for row in rows:
                if isinstance(row, tuple):
                    found = MESSAGE_ID.search(row[1])
                    box.setdefault(found[1].decode() if found else "", []).append(row[1])
    return box


def judged(
    backs: "Iterable[Return]", boxes: Mapping[str, Box], refusals: Mapping[str, str]
) -> Findings:
    """Compare all that came with all that must have; `refusals` are words by whom they are of."""
    from docgen.backoffice.models import Delivery, Message

    found = Findings()
    rows = Message.objects.filter(kind="delivery").select_related("delivery").order_by("part")
    messages = list(rows)
    parts: dict[object, list[Message]] = {}
    for each in messages:
        parts.setdefault(each.delivery_id, []).append(each)
        _judge(each, boxes.get(each.recipient, {}), refusals, found)
    known = {(each.recipient, each.message_id) for each in messages}
    found.stray = sum(
        len(mails)
        for recipient, box in boxes.items()
        for name, mails in box.items()
        if (recipient, name) not in known
    )
    deliveries = list(Delivery.objects.all())
    _judge_plan(backs, deliveries, found)
    for row in deliveries:
        _judge_whole(row, parts.get(row.pk, []), boxes.get(row.recipient, {}), found)
    kinds = Counter(each.stage for each in messages)
    found.facts.append(f"{len(messages)} mails: {_counted(kinds)}")
    split = sum(each.part == 1 and each.parts > 1 for each in messages)
    found.facts.append(f"{split} deliveries in parts")
    return found


def _judge(message: "Message", box: Box, refusals: Mapping[str, str], found: Findings) -> None:
    """Judge one mail: sent, it came once as it is kept; refused, it did not, and was refused."""
    mails = box.get(message.message_id, [])
    found.duplicated += max(len(mails) - 1, 0)
    if len(mails) > 1:
        told = " ".join(f"{each['at'][11:19]} {each['verdict']}," for each in message.answers)
        found.facts.append(f"twice: {message.message_id[1:9]}, {_role(message)}, {told}")
    found.altered += sum(hashlib.sha256(each).hexdigest() != message.sha256 for each in mails)
    if message.stage == "sent":
        found.lost += not mails
    elif message.stage == "refused":
        words = refusals.get(message.message_id) or refusals.get(message.recipient)
        found.lost += words is None
        found.unshown += bool(mails) or not (words and _is_shown(message, words))
    else:
        found.unfinished += 1


def _role(message: "Message") -> str:
    return str(message.delivery.role) if message.delivery else ""


def _is_shown(message: "Message", words: str) -> bool:
    """Tell whether a person who looks at a delivery sees what the server said."""
    from docgen.backoffice import deliveries

    code, _, text = words.partition(" ")
    why = deliveries.why(message.delivery) if message.delivery else ""
    return text in why and code in why


def _judge_plan(backs: "Iterable[Return]", rows: "list[Delivery]", found: Findings) -> None:
    """Judge what was planned: the region once, then the school once; all come to an end."""
    planned = Counter((each.attestation_id, str(each.role)) for each in rows)
    sent = {each.attestation_id for each in rows if each.role == "region" and each.stage == "sent"}
    for back in backs:
        attestation = back.paper.attestation_id or 0 if back.paper else 0
        for role, wanted in (("region", 1), ("copy", int(attestation in sent))):
            count = planned[attestation, role]
            found.lost += max(wanted - count, 0)
            found.duplicated += max(count - wanted, 0)
    found.unfinished += sum(each.stage not in ("sent", "refused") for each in rows)


def _judge_whole(delivery: "Delivery", parts: "list[Message]", box: Box, found: Findings) -> None:
    """Judge whether what came of a delivery is the signed file again, each part a PDF."""
    if any(each.stage != "sent" for each in parts):
        return
    mails = [mail for each in parts for mail in box.get(each.message_id, [])[:1]]
    numbers = [(each.part, each.parts) for each in parts]
    whole = [(number, len(parts)) for number in range(1, len(parts) + 1)]
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.pdf") for number in range(len(mails))]
        for path, mail in zip(paths, mails, strict=True):
            path.write_bytes(_attachment(mail))
        is_same = numbers == whole and _joined(paths, Path(folder, "whole")) == delivery.sha256
    found.unjoined += not is_same


def _joined(paths: list[Path], target: Path) -> str:
    if len(paths) == 1:
        return hashlib.sha256(paths[0].read_bytes()).hexdigest()
    try:
        return join(paths, target)
    except InvalidInput:
        return ""


def _attachment(mail: bytes) -> bytes:
    """Give the PDF of a mail, which a strict parser takes."""
    parsed = BytesParser(policy=email.policy.strict).parsebytes(mail)
    (attachment,) = parsed.iter_attachments()
    content = attachment.get_content()
    return content if isinstance(content, bytes) else b""


def _counted(kinds: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
