"""Programs that hooks call in tests: real servers on loopback, which check what they receive."""

import base64
import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Behave = Callable[["Handler"], None]


@dataclass
class Receiver:
    """A server that answers as told, and remembers what came: its headers and its bytes."""

    port: int = 0
    status: int = 204
    behave: Behave | None = None
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?from=docgen"

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(content) for _, content in self.came]


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.came.append((headers, content))
        if self.receiver.behave:
            self.receiver.behave(self)
            return
        self.send_response(self.receiver.status)
        if 300 <= self.receiver.status < 400:
            self.send_header("Location", f"http://127.0.0.1:{self.receiver.port}/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a server for the time of a test."""
    made = Receiver()
    handler = type("Own", (Handler,), {"receiver": made})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    made.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def is_genuine(secret: str, headers: dict[str, str], content: bytes) -> bool:
    """Check a call as a receiver does, written from the words of the standard alone."""
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = b".".join(
        [headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), content]
    )
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    versions = [each.split(",", 1) for each in headers["webhook-signature"].split(" ")]
    is_recent = abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return is_recent and any(
        version == "v1" and hmac.compare_digest(found, expected) for version, found in versions
    )
