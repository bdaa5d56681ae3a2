"""The addresses of the screens, area by area."""

from django.urls import URLPattern

from docgen.backoffice.web import (
    about,
    accounts,
    assets,
    attestations,
    conventions,
    dashboard,
    deliveries,
    filling,
    handovers,
    history,
    home,
    imports,
    jobs,
    ledger,
    loans,
    newjob,
    originals,
    region,
    reviews,
    scans,
    schools,
    shop,
    templates,
)

AREAS = (
    *(home, dashboard, jobs, newjob, templates, schools, accounts, history, deliveries),
    *(imports, handovers, loans, conventions, filling, attestations, scans, reviews, ledger),
    *(region, originals, shop, about, assets),
)
urlpatterns: list[URLPattern] = [pattern for area in AREAS for pattern in area.urls]
