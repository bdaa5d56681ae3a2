"""The addresses of the screens, area by area."""

from django.urls import URLPattern

from docgen.backoffice.web import (
    about,
    accounts,
    assets,
    attestations,
    batches,
    conventions,
    dashboard,
    decisions,
    deliveries,
    delivery,
    filling,
    handovers,
    history,
    home,
    imports,
    installing,
    jobs,
    ledger,
    loans,
    mails,
    missing,
    newjob,
    originals,
    people,
    programs,
    received,
    receivedone,
    region,
    reminders,
    returns,
    reviews,
    scans,
    schools,
    shop,
    templates,
)

AREAS = (
    *(home, dashboard, jobs, newjob, templates, schools, accounts, history, deliveries, delivery),
    *(programs, installing),
    *(imports, people, handovers, loans, conventions, filling, attestations),
    *(scans, reviews, ledger),
    *(batches, missing, returns, decisions),
    *(region, received, receivedone, originals, mails, reminders),
    *(shop, about, assets),
)
urlpatterns: list[URLPattern] = [pattern for area in AREAS for pattern in area.urls]
