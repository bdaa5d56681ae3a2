"""What holds for every test: no network, and the same patience on every machine."""

import ipaddress
import os
import sys

from hypothesis import settings


class NetworkRefused(RuntimeError):
    """A test spoke to another machine; the loopback alone is allowed."""


def refuse_network(event: str, args: tuple[object, ...]) -> None:
    """Refuse, from Python's audit events, to look up or reach anything but this machine."""
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event in {"socket.connect", "socket.sendto"} and isinstance(args[1], tuple):
        host = args[1][0]  # a path, not a pair, is a socket of this machine
    else:
        return
    if not _is_here(host):
        raise NetworkRefused(f"a test asked for {host!r}: tests use no network")


def _is_here(host: object) -> bool:
    if host in {None, "", b"", "localhost", b"localhost"}:
        return True
    try:
        return ipaddress.ip_address(os.fsdecode(str(host))).is_loopback
    except ValueError:
        return False


sys.addaudithook(refuse_network)
if "CI" not in os.environ:  # there, hypothesis has a profile of its own: same examples each time
    settings.register_profile("house", deadline=None)  # a busy machine is no fault of the code
    settings.load_profile("house")
