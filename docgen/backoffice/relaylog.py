"""What a relay's log says of a message: lines in Postfix's manner, and the files rotated from it.

Postfix writes `QUEUE: message-id=<…>` while a message comes, and names its queue file again once
it has it: `(queue active)`, then `status=…` for each recipient.
"""

import gzip
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias, cast

Verdict: TypeAlias = Literal["found", "absent", "unknown"]

SECONDS = 60  # for all of the log
LINE = 1 << 14  # bytes that are read of a line at once
DRIFT = timedelta(minutes=1)  # between the relay's clock and ours
ANY_ZONE = timedelta(days=1)  # more than two clocks on the wall can differ by
ROTATED = r"([.-]\d+)?(\.gz)?"  # mail.log, mail.log.1, mail.log.2.gz, mail.log-20261122
QUEUED = re.compile(rb"\]: ([0-9A-Za-z]+): ")
TAKEN = re.compile(rb"\(queue active\)|\bstatus=(?:sent|deferred|bounced|expired)\b")
ISO = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")
SYSLOG = re.compile(rb"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d) ")
MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

NOT_ALL = "le journal du relais ne remonte pas jusqu’au premier envoi."
SILENT = "le journal du relais n’a plus rien noté depuis l’envoi."
FOREIGN = "ce n’est pas le journal d’un relais Postfix, ou il n’a pris aucun message."
BEGUN = "le relais a commencé à le recevoir, et n’a pas noté qu’il l’avait pris."
TOO_LONG = "le journal du relais est trop long pour être lu."


def look_up(path: Path, message_id: str, since: datetime | None) -> tuple[Verdict, str]:
    """Look up a message that was first handed over at `since`: the verdict, and why.

    It is absent only from a log that goes back to then, has gone on since, and names others.

    Raises:
        OSError: the log cannot be read.
    """
    last = path.stat().st_mtime
    files, goes_back = _files(path, since)
    try:
        seen = _search(files, message_id.encode(), time.monotonic() + SECONDS)
    except TimeoutError:
        return "unknown", TOO_LONG
    if seen == "taken":
        return "found", ""
    if seen == "begun":
        return "unknown", BEGUN
    if since is None or not goes_back:
        return "unknown", NOT_ALL
    if not seen:
        return "unknown", FOREIGN
    return ("absent", "") if last >= since.timestamp() else ("unknown", SILENT)


def _files(path: Path, since: datetime | None) -> tuple[list[Path], bool]:
    """Give the files to read, oldest first, and tell whether they go back far enough."""
    pattern = re.compile(re.escape(path.name) + ROTATED)
    found = [each for each in path.parent.iterdir() if pattern.fullmatch(each.name)]
    found.sort(key=lambda each: each.stat().st_mtime, reverse=True)
    for count, each in enumerate(found, 1):
        begun = _begun_at(each)
        if since and begun and begun < since - DRIFT:
            return found[:count][::-1], True
    return found[::-1], False


def _search(
    files: Iterable[Path], message_id: bytes, end: float
) -> Literal["taken", "begun", "others", ""]:
    """Say how far the message came: taken, begun, or not seen among others, if there are any."""
    named = b": message-id=" + message_id
    queues: set[bytes] = set()  # those that hold it; their names are used again one day
    seen: Literal["begun", "others", ""] = ""
    for path in files:
        with _opened(path) as stream:
            for number, line in enumerate(iter(lambda: stream.readline(LINE), b"")):
                if number % 1000 == 0 and time.monotonic() > end:
                    raise TimeoutError
                queue = QUEUED.search(line)
                if queue is None:
                    continue
                if b": message-id=" in line:
                    queues.discard(queue[1])
                    seen = seen or "others"
                    if line.rstrip().endswith(named):
                        queues.add(queue[1])
                        seen = "begun"
                elif queue[1] in queues and TAKEN.search(line):
                    return "taken"
    return seen


def _begun_at(path: Path) -> datetime | None:
    """Read when a log begins; when that is not sure, the latest that it may be."""
    last = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    with _opened(path) as stream:
        for line in islice(iter(lambda: stream.readline(LINE), b""), 100):
            if found := ISO.match(line):
                at = datetime.fromisoformat((found[1] + (found[2] or b"Z")).decode())
                return at if found[2] else at + ANY_ZONE
            if (found := SYSLOG.match(line)) and found[1] in MONTHS:
                day, hour, minute, second = map(int, found.groups()[1:])
                # No year: it is the last one that does not come after the end of the file. No
                # zone: the relay may have another than ours.
                month = MONTHS.index(found[1]) + 1
                for year in (last.year, last.year - 1):
                    at = datetime(year, month, day, hour, minute, second, tzinfo=UTC) + ANY_ZONE
                    if at <= last + 2 * ANY_ZONE:
                        return at
    return None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        yield cast("BinaryIO", stream)
