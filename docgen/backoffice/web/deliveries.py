"""What is mailed to the region: states, words of servers, retry, mark."""

from django.urls import URLPattern, path

from docgen.backoffice.web.soon import soon

urls: list[URLPattern] = [
    path("envois/", soon, name="deliveries"),
    path("envois/<uuid:delivery>/", soon, name="delivery"),
]
