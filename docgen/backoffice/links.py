"""Links that open one file of a released job without an account, for the time that they say.

A link is signed and holds for one release to one shop: taken back, reopened or released again, the
job's links of before are dead.
"""

import time
from dataclasses import dataclass

from django.core import signing

from docgen.backoffice import gate
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import PrintJob, Role

SALT = "docgen.links"
LIVE = (PrintJob.Stage.RELEASED, PrintJob.Stage.PRINTED)


class LinkRefused(Exception):
    """A link that was altered, has expired, or belongs to a release that is over."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link gives: the job, and which of its files."""

    job: PrintJob
    part: str


def make(job: PrintJob, part: str, expires: int) -> str:
    """Make the token of a link to a part of a released job; `expires` is in seconds of the epoch.

    Raises:
        LinkRefused: when the job is not with a shop.
    """
    if job.stage not in LIVE or job.shop_id is None:
        raise LinkRefused
    facts = [str(job.pk), job.shop_id, _release(job), part, expires]
    return signing.dumps(facts, salt=SALT)


def read(token: str) -> Opened:
    """Give what a link opens, today.

    Raises:
        LinkRefused: when it opens nothing, whatever the reason.
    """
    try:
        identifier, shop, released, part, expires = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError) as error:
        raise LinkRefused from error
    if expires <= time.time():
        raise LinkRefused
    bearer = Actor(f"link:{shop}", Role.PRINT_SHOP, shop=shop)
    job = gate.visible(PrintJob, bearer).filter(pk=identifier, stage__in=LIVE).first()
    if job is None or _release(job) != released:
        raise LinkRefused
    return Opened(job, part)


def _release(job: PrintJob) -> str:
    return job.released_at.isoformat() if job.released_at else ""
