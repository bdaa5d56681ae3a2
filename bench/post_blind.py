"""The workers of the control: a planted fault, for the trial to find.

What is uncertain is said not to be in the mailbox, without looking: once its grace is over it is
sent again, as by a program that trusts its own memory alone.
"""

from datetime import datetime

from docgen.backoffice import posting
from docgen.backoffice.post import Post
from docgen.backoffice.posting import Looked
from workers.app import app

__all__ = ["app"]


def _look_nowhere(post: Post, message_id: str, since: datetime | None = None) -> Looked:
    return Looked("absent")


posting.look_up = _look_nowhere
