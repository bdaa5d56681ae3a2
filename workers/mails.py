"""Mails that came, read; and receipts, written once all that they brought is known."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from docgen.backoffice import mails, receipts, store
from docgen.backoffice.models import Mail
from docgen.backoffice.queue import READ_MAIL, RECEIPTS, app
from docgen.mailing.incoming import Incoming
from workers.children import Limits, Outcome, Say
from workers.working import Make, work_on

# The largest mail that is read takes some seven times its size while it is taken apart.
LIMITS = Limits(memory=2**30, processor=20, wall=60, file=2**28)


@app.task(name=f"docgen.{READ_MAIL}")
def read_mail(identifier: str) -> None:
    """Read the mails that wait; the identifier only says that there are some."""
    work_on(Mail, _begin, _finish, mails.fail, LIMITS, died=_put_aside)


@app.task(name=f"docgen.{RECEIPTS}")
def write_receipts(identifier: str) -> None:
    """Write the receipts that are due; the identifier only says that there are some."""
    receipts.write_due()


def _begin(mail: Mail) -> Make:
    # Loaded once, for all the children to come.
    from PIL import Image

    from docgen.mailing import incoming

    Image.preinit()
    wanted = mails.begin(mail)
    path = store.borrowed(wanted.sha256)

    def make(say: Say, folder: Path) -> dict[str, Any]:
        return asdict(incoming.read(path, folder, wanted.house))

    return make


def _finish(mail: Mail, told: dict[str, Any], folder: Path) -> bool:
    return mails.finish(mail, msgspec.convert(told, Incoming), folder)


def _put_aside(mail: Mail, outcome: Outcome) -> bool:
    return mails.died(mail)
