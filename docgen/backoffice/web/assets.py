"""What pages load besides themselves: style, script and library files, from installed packages.

Each is served under its own digest, for ever the same and kept by browsers, and compressed once.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

OWN, BOOTSTRAP, HTMX = "docgen.backoffice", "js_lib_bootstrap5", "django_htmx"
CSS, JS, SVG = "text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"
PLACES = {
    "bootstrap.css": (BOOTSTRAP, "static/js-lib-bootstrap5/css/bootstrap.min.css", CSS),
    "htmx.js": (HTMX, "static/django_htmx/htmx-2.min.js", JS),
    "docgen.css": (OWN, "assets/docgen.css", CSS),
    "docgen.js": (OWN, "assets/docgen.js", JS),
    "icon.svg": (OWN, "assets/icon.svg", SVG),
}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent; `packed` is the same, compressed."""

    content: bytes
    packed: bytes
    digest: str
    content_type: str


@cache
def found(name: str) -> Asset:
    """Read a file, once.

    Raises:
        KeyError: when it is not one of ours.
    """
    package, place, content_type = PLACES[name]
    content = files(package).joinpath(place).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Asset(content, gzip.compress(content, mtime=0), digest, content_type)


def address(name: str) -> str:
    """Give the address of a file as it is now."""
    return reverse("asset", args=(found(name).digest, name))


@require_safe
def show(request: HttpRequest, digest: str, name: str) -> HttpResponse:
    """Send a file; an older digest than its own does not exist."""
    if name not in PLACES or found(name).digest != digest:
        raise Http404
    asset = found(name)
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    content = asset.packed if is_packed else asset.content
    response = HttpResponse(content, content_type=asset.content_type)
    if is_packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = FOR_EVER
    patch_vary_headers(response, ("Accept-Encoding",))
    return response


urls: list[URLPattern] = [path("fichiers/<str:digest>/<str:name>", show, name="asset")]
