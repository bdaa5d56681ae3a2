"""One call to an address that a stranger chose: looked at before it is connected to, and bounded.

A name is resolved once, and what was looked at is what is connected to. Redirections are not
followed; of the answer, the status and its headers are all that is read.
"""

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from urllib.parse import SplitResult, urlsplit

SECONDS = 10  # for everything: the name, the connection, the handshake, the answer
PATIENCE = 5  # seconds without a byte
PORTS = {"https": 443, "http": 80}
INTERNET_6 = ipaddress.IPv6Network("2000::/3")
# IPv6 addresses that hold an IPv4 address, which may be a private one.
HOLDS_4 = (ipaddress.IPv6Network("2002::/16"), ipaddress.IPv6Network("2001::/32"))


@dataclass(frozen=True, slots=True)
class Order:
    """What to send where; `trusted` are hosts (or host:port) that may be private, and plain."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    trusted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, or 0 and why there is none."""

    status: int
    milliseconds: int
    fault: str = ""


class Refused(Exception):
    """An address that is not called; its text says why."""


def send(order: Order) -> Answer:
    """Send a call; whatever the other side does, it ends in time."""
    start = time.monotonic()
    told: SimpleQueue[tuple[int, str]] = SimpleQueue()
    # In a thread: nothing else ends a name server that does not answer, or an answer in drips.
    Thread(target=lambda: told.put(_sent(order)), daemon=True).start()
    try:
        status, fault = told.get(timeout=SECONDS)
    except Empty:
        status, fault = 0, "délai dépassé"
    return Answer(status, round((time.monotonic() - start) * 1000), fault)


def fault_of(url: str, trusted: frozenset[str]) -> str:
    """Say why an address cannot be called, as far as it shows; "" when it can."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except (ValueError, UnicodeError):
        return "ce n’est pas une adresse."
    if not host or parts.scheme not in PORTS or port == 0 or not url.isascii():
        return "ce n’est pas une adresse https://…"
    if any(each.isspace() or not each.isprintable() for each in url):
        return "elle contient une espace."
    if parts.username is not None or parts.password is not None:
        return "elle contient un nom ou un mot de passe."
    if parts.fragment:
        return "elle contient un fragment (#…)."
    if is_trusted(parts, trusted):
        return ""
    if parts.scheme != "https":
        return "elle n’est pas en https."
    return "" if not _is_literal(host) or is_public(host) else "elle n’est pas sur Internet."


def is_trusted(parts: SplitResult, trusted: frozenset[str]) -> bool:
    """Tell whether the settings name the host of an address."""
    host = parts.hostname or ""
    return host in trusted or f"{host}:{parts.port or PORTS[parts.scheme]}" in trusted


def is_public(address: str) -> bool:
    """Tell whether an IP address is somebody's on the internet: not private, local or shared."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        holds_4 = any(ip in network for network in HOLDS_4)
        return ip in INTERNET_6 and ip.is_global and not holds_4
    return ip.is_global and not ip.is_multicast


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _sent(order: Order) -> tuple[int, str]:
    try:
        return _status(order), ""
    except Refused as error:
        return 0, str(error)
    except ssl.SSLCertVerificationError:
        return 0, "certificat refusé"
    except ssl.SSLError:
        return 0, "échec de TLS"
    except socket.gaierror:
        return 0, "nom introuvable"
    except TimeoutError:
        return 0, "délai dépassé"
    except http.client.HTTPException:
        return 0, "réponse illisible"
    except OSError:
        return 0, "connexion impossible"


def _status(order: Order) -> int:
    parts = urlsplit(order.url)
    if fault := fault_of(order.url, order.trusted):
        raise Refused(fault)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.sock = _connected(host, port, is_trusted(parts, order.trusted))
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        path = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        headers = {"Host": parts.netloc, "Connection": "close", **order.headers}
        connection.request(
            "POST", path if path.startswith("/") else f"/{path}", order.body, headers
        )
        return connection.getresponse().status
    finally:
        connection.close()


def _connected(host: str, port: int, trusted: bool) -> socket.socket:
    """Connect to the addresses that a name leads to, if each of them may be called."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not trusted and not all(map(is_public, addresses)):
        raise Refused("ce nom ne mène pas à Internet")
    failure: OSError = ConnectionError("no address")
    for address in addresses[:3]:
        try:
            return socket.create_connection((address, port), PATIENCE)
        except OSError as error:
            failure = error
    raise failure
