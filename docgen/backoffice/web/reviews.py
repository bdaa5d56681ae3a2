"""The review queue: a page beside proposals, keyboard first, undo."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("relecture/", soon, name="reviews"),
    path("relecture/<uuid:side>/", soon, name="review"),
]
