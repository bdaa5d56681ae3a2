"""Measures for Prometheus: how requests fare, and what the tables say of the work.

Several processes answer for one service: with PROMETHEUS_MULTIPROC_DIR they add their counts up in
that folder (`docgen serve` gives one); what the tables say is asked for at each scrape.
"""

import hmac
import ipaddress
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator

from django.conf import settings
from django.db.models import Count, Sum
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from docgen.backoffice import beats
from docgen.backoffice.logs import request_id
from docgen.backoffice.models import (
    Attestation,
    Binding,
    Conversion,
    Delivery,
    HookCall,
    Mail,
    Message,
    ScanPart,
    State,
    Volume,
    Work,
)

KINDS: dict[str, type[Work]] = {
    "volume": Volume,
    "attestation": Attestation,
    "conversion": Conversion,
    "scan_part": ScanPart,
    "binding": Binding,
    "hook_call": HookCall,
    "delivery": Delivery,
    "message": Message,
    "mail": Mail,
}
FOREIGN_ID = re.compile(r"[0-9a-f-]{16,64}")  # a request's number given by a proxy; never a name
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30)
DURATIONS = Histogram(
    "docgen_request_seconds",
    "Durée des requêtes",
    ("method", "route", "status"),
    buckets=BUCKETS,
)
logger = logging.getLogger(__name__)
Answer = Callable[[HttpRequest], HttpResponseBase]


class Watch:
    """Numbers every request, times it, and tells it in one line: its route, never its address."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request."""
        given = request.headers.get("X-Request-ID", "")
        number = given if FOREIGN_ID.fullmatch(given) else uuid.uuid4().hex
        token = request_id.set(number)
        began = time.perf_counter()
        try:
            response = self.answer(request)
            response["X-Request-ID"] = number
            self._tell(request, response, time.perf_counter() - began)
            return response
        finally:
            request_id.reset(token)

    @staticmethod
    def _tell(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        route = request.resolver_match.route if request.resolver_match else ""
        method = request.method if request.method in METHODS else "other"
        DURATIONS.labels(method, route, response.status_code).observe(seconds)
        level = logging.DEBUG if route.startswith(("health/", "metrics")) else logging.INFO
        facts = {"method": method, "route": route, "status": response.status_code}
        logger.log(level, "request", extra={**facts, "ms": round(seconds * 1000)})


def page(request: HttpRequest) -> HttpResponse:
    """Answer a scrape: for this machine, or for who has the token; nobody else knows of it.

    Raises:
        Http404: for anybody else.
    """
    if not _may_scrape(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Tables())
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(DURATIONS)
    encode, kind = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=kind)


def _may_scrape(request: HttpRequest) -> bool:
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(given.encode(), token.encode()):
        return True
    # Behind a proxy of this machine, everybody comes from the loopback.
    forwarded = {"X-Forwarded-For", "Forwarded", "X-Real-IP"} & set(request.headers)
    try:
        here = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    return here and not forwarded


class Tables(Collector):
    """What the tables say, at the moment of the scrape."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give the measures, one by one."""
        yield from _work()
        printed = Volume.objects.filter(state=State.DONE).aggregate(all=Sum("documents"))["all"]
        yield GaugeMetricFamily(
            "docgen_documents_printed", "Documents des volumes imprimés", printed or 0
        )
        yield GaugeMetricFamily("docgen_workers", "Exécutants en vie", beats.workers())
        age = beats.last_sweep()
        if age is not None:
            yield GaugeMetricFamily(
                "docgen_last_sweep_seconds", "Âge du dernier passage d’un exécutant", age
            )
        free = shutil.disk_usage(settings.DATA).free
        yield GaugeMetricFamily("docgen_free_bytes", "Place libre du dossier de données", free)


def _work() -> Iterator[GaugeMetricFamily]:
    work = GaugeMetricFamily("docgen_work", "Travaux, par état", labels=("kind", "state"))
    waits = GaugeMetricFamily(
        "docgen_oldest_waiting_seconds", "Âge du plus ancien travail en attente", labels=("kind",)
    )
    for kind, model in KINDS.items():
        rows = model._default_manager
        counts = dict(rows.values_list("state").annotate(Count("pk")).order_by())
        for state in State.values:
            work.add_metric((kind, state), counts.get(state, 0))
        waiting = rows.filter(state=State.WAITING).annotate(now=Now()).order_by("created_at")
        oldest = waiting.values_list("created_at", "now").first()
        waits.add_metric((kind,), (oldest[1] - oldest[0]).total_seconds() if oldest else 0)
    yield work
    yield waits
