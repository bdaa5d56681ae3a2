"""The one Django application of docgen."""

from django.apps import AppConfig


class BackofficeConfig(AppConfig):
    """Names the application and its tables."""

    name = "docgen.backoffice"
    label = "backoffice"
    verbose_name = "docgen"
    default_auto_field = "django.db.models.BigAutoField"
