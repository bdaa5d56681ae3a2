"""Progress as it happens: server-sent events, for a minute at most, then the client comes back."""

import json
import threading
import time
from collections.abc import Iterator
from uuid import UUID

from django.http import StreamingHttpResponse
from ninja import Router

from docgen.backoffice.api.access import Request, scope
from docgen.backoffice.api.print_jobs import job_of, progress_of
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.models import PrintJob
from docgen.errors import Problem

router = Router(tags=["print-jobs"])
LONGEST = 60  # seconds
EVERY = 0.5  # seconds between two looks
SIGN_OF_LIFE = 10  # seconds of silence at most: proxies cut what says nothing
MOST_AT_ONCE = 16  # streams a process; each holds a thread
_places = threading.BoundedSemaphore(MOST_AT_ONCE)
EVENT = {  # each event of the stream; `data` is JSON
    "type": "object",
    "properties": {
        "event": {"enum": ["progress", "end"]},
        "data": {"type": "string"},
        "retry": {"type": "integer"},
    },
}
STREAM = {
    "responses": {
        200: {
            "description": "Événements `progress`, puis `end` quand plus rien ne bouge",
            "content": {"text/event-stream": {"schema": EVENT}},
        }
    }
}


@router.get("/print-jobs/{job}/events", auth=scope("read:print-jobs"), openapi_extra=STREAM)
def events(request: Request, job: UUID) -> StreamingHttpResponse:
    """Suit un lot : un événement à chaque progrès, pendant une minute au plus."""
    job_of(request, job)
    if not _places.acquire(blocking=False):
        problem = Problem("trop de suivis sont ouverts.", "", "Interrogez le lot lui-même.")
        raise Refused("too-many-requests", problem, headers={"Retry-After": "10"})
    headers = {"X-Accel-Buffering": "no"}
    return StreamingHttpResponse(
        Watch(request, job), content_type="text/event-stream", headers=headers
    )


class Watch:
    """The events of one job for one client; its place is given back however it ends."""

    def __init__(self, request: Request, job: UUID) -> None:
        self.request, self.job = request, job
        self.is_open = True

    def __iter__(self) -> Iterator[bytes]:
        """Give an event whenever something changed."""
        end = time.monotonic() + LONGEST
        last, spoke = "", 0.0
        yield b"retry: 1000\n\n"
        while time.monotonic() < end:
            try:
                row = job_of(self.request, self.job)  # asked each time: rights may end meanwhile
            except Refused:
                yield _event("end", "{}")
                return
            told = progress_of(row).model_dump_json()
            if told != last:
                last, spoke = told, time.monotonic()
                yield _event("progress", told)
            elif time.monotonic() - spoke > SIGN_OF_LIFE:
                spoke = time.monotonic()
                yield b": ...\n\n"
            if row.stage != PrintJob.Stage.ACCEPTED:
                yield _event("end", json.dumps({"stage": row.stage}))
                return
            time.sleep(EVERY)

    def close(self) -> None:
        """Give the place back."""
        if self.is_open:
            self.is_open = False
            _places.release()


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()
