"""Django's settings, all from the environment; without any, everything lives in the data folder.

| variable               | without it                                                        |
|------------------------|-------------------------------------------------------------------|
| DOCGEN_DATA            | the user's own data folder                                        |
| DATABASE_URL           | SQLite, `docgen.sqlite3` in the data folder                       |
| BROKER_URL             | a queue of files, `queue/` in the data folder                     |
| DOCGEN_S3_BUCKET       | files, `artifacts/` in the data folder; with a bucket, AWS_…      |
|                        | (AWS_ACCESS_KEY_ID, AWS_DEFAULT_REGION…) as for any client of S3  |
| DOCGEN_S3_ENDPOINT     | Amazon's own; the address of another store that speaks S3         |
| DOCGEN_SECRET_KEY      | made once, `django.key` in the data folder                        |
| DOCGEN_HOSTS           | this machine only (names, separated by commas)                    |
| DOCGEN_HTTPS           | plain HTTP; `1` behind a proxy that speaks HTTPS                  |
| DOCGEN_OIDC_ISSUER     | accounts with a password only                                     |
| DOCGEN_OIDC_CLIENT_ID, DOCGEN_OIDC_CLIENT_SECRET | what the provider knows docgen by       |
| DOCGEN_OIDC_SCOPES     | `openid`                                                          |
| DOCGEN_OIDC_ROLE_CLAIM, DOCGEN_OIDC_UAI_CLAIM | `role`, `uai`                              |
| DOCGEN_OIDC_ROLES      | our own names of roles; `their=ours`, separated by commas         |
| DOCGEN_API_PACE        | 1200/m, requests of one client to one process                     |
| DOCGEN_HOOK_HOSTS      | hooks call https addresses of the internet only (hosts separated  |
|                        | by commas, with their port if need be: HTTP and private ones too) |
| DOCGEN_METRICS_TOKEN   | /metrics answers this machine only                                 |
| DOCGEN_LOG_LEVEL       | INFO: JSON lines on the error stream, without personal data        |
| DOCGEN_KEEP_…          | how long each kind of document is kept (docgen.backoffice.keeping)|
| DOCGEN_REMIND_…        | when schools are reminded (docgen.backoffice.reminders)           |
| DOCGEN_INBOX           | scans left in files: `arrivees/` in the data folder               |
| DOCGEN_SCAN_MOST       | 2048, megabytes of scans in one upload, and in one file           |
| DOCGEN_SMTP_…, DOCGEN_MAIL_…, DOCGEN_IMAP_… | mails are files (docgen.backoffice.post)    |
| DOCGEN_PUBLIC_URL      | http://127.0.0.1:8000, the address that people and clients use     |
"""

import os
import secrets
from pathlib import Path

import dj_database_url
from botocore.config import Config

from docgen.backoffice import logs
from docgen.backoffice.post import read_post
from docgen.datafolder import data_folder
from docgen.errors import InvalidInput, Problem
from docgen.files import write_new

DATA = data_folder()
DATA.mkdir(parents=True, exist_ok=True)


def _secret() -> str:
    if given := os.environ.get("DOCGEN_SECRET_KEY"):
        return given
    path = DATA / "django.key"
    if not path.exists():
        write_new(path, secrets.token_urlsafe(50).encode(), mode=0o600)
    return path.read_text()


def _megabytes(name: str, usual: str) -> int:
    text = os.environ.get(name) or usual
    if not (text.isascii() and text.isdigit() and int(text)):
        what = "un nombre de mégaoctets est attendu."
        raise InvalidInput(Problem(what, name, f"Essayez {usual}."))
    return int(text)


SECRET_KEY = _secret()
DEBUG = False
IS_HTTPS = os.environ.get("DOCGEN_HTTPS") == "1"
API_PACE = os.environ.get("DOCGEN_API_PACE", "1200/m")
HOOK_HOSTS = frozenset(filter(None, os.environ.get("DOCGEN_HOOK_HOSTS", "").split(",")))
METRICS_TOKEN = os.environ.get("DOCGEN_METRICS_TOKEN", "")
LOGGING = logs.settings(os.environ.get("DOCGEN_LOG_LEVEL", "INFO"))
PUBLIC_URL = os.environ.get("DOCGEN_PUBLIC_URL", "http://127.0.0.1:8000")
ALLOWED_HOSTS = os.environ.get("DOCGEN_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.forms",  # the templates of its widgets, for a renderer of our own
    "django_htmx",
    "axes",
    "docgen.backoffice",
]
MIDDLEWARE = [
    "docgen.backoffice.metrics.Watch",
    "docgen.backoffice.api.guard.Guard",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "docgen.backoffice.web.uploads.Bounds",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "docgen.backoffice.urls"
WSGI_APPLICATION = "docgen.backoffice.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["docgen.backoffice.templatetags.pages"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "docgen.backoffice.web.menus.facts",
            ],
        },
    }
]
FORM_RENDERER = "docgen.backoffice.web.inputs.Renderer"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

DATABASES = {
    "default": dj_database_url.config(default=f"sqlite:///{DATA}/docgen.sqlite3", conn_max_age=60)
}
IS_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")
if IS_SQLITE:
    # A writer takes its place at the start of a transaction and waits for it: no deadlock.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 2

QUEUE_FOLDER = DATA / "queue"
BROKER_URL = os.environ.get("BROKER_URL", "filesystem://localhost/")
if BROKER_URL.startswith("filesystem"):
    (QUEUE_FOLDER / "control").mkdir(parents=True, exist_ok=True, mode=0o700)

S3_BUCKET = os.environ.get("DOCGEN_S3_BUCKET", "")
ARTIFACTS = {
    "BACKEND": "docgen.backoffice.store.WholeFileStorage",
    "OPTIONS": {"location": str(DATA / "artifacts"), "file_permissions_mode": 0o600},
}
if S3_BUCKET:
    ARTIFACTS = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": os.environ.get("DOCGEN_S3_ENDPOINT"),
            "file_overwrite": True,  # named by content: the same name is the same file
            "default_acl": None,
            "client_config": Config(
                connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2}
            ),
        },
    }
STORAGES = {
    "default": ARTIFACTS,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

AUTH_USER_MODEL = "backoffice.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "docgen.backoffice.passwords.EnoughBits"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL, LOGIN_REDIRECT_URL = "sign-in", "home"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # else anybody could lock for ever
AXES_LOCKOUT_CALLABLE = "docgen.backoffice.accounts.locked"
AXES_USERNAME_CALLABLE = "docgen.backoffice.accounts.typed"
AXES_CLIENT_IP_CALLABLE = "docgen.backoffice.accounts.client_address"
AXES_DISABLE_ACCESS_LOG = True  # events tell who signed in, by number
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = [
    *("username", "ip_address", "csrfmiddlewaretoken"),
    *("old_password", "new_password1", "new_password2"),
]

OIDC_ISSUER = os.environ.get("DOCGEN_OIDC_ISSUER", "")
OIDC_RP_CLIENT_ID = os.environ.get("DOCGEN_OIDC_CLIENT_ID", "")
OIDC_RP_CLIENT_SECRET = os.environ.get("DOCGEN_OIDC_CLIENT_SECRET", "")
OIDC_RP_SCOPES = os.environ.get("DOCGEN_OIDC_SCOPES", "openid")
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 5
OIDC_ROLE_CLAIM = os.environ.get("DOCGEN_OIDC_ROLE_CLAIM", "role")
OIDC_UAI_CLAIM = os.environ.get("DOCGEN_OIDC_UAI_CLAIM", "uai")
OIDC_ROLES = {"back_office": "back_office", "school": "school", "region": "region"}
if roles := os.environ.get("DOCGEN_OIDC_ROLES"):
    OIDC_ROLES = {theirs: ours for theirs, _, ours in (r.partition("=") for r in roles.split(","))}
if OIDC_ISSUER:
    AUTHENTICATION_BACKENDS.append("docgen.backoffice.oidc.ProviderBackend")

SESSION_COOKIE_AGE = 8 * 3600  # a working day
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # schools share machines
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 365 * 86400 if IS_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
CSRF_FAILURE_VIEW = "docgen.backoffice.pages.no_token"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000  # every pupil of a large school, ticked
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = 20
# Files of people, for the time of a request: in a folder that nobody else reads.
UPLOADS = DATA / "uploads"
UPLOADS.mkdir(exist_ok=True, mode=0o700)
FILE_UPLOAD_TEMP_DIR = str(UPLOADS)
INBOX = Path(os.environ.get("DOCGEN_INBOX") or DATA / "arrivees")
SCAN_MOST = _megabytes("DOCGEN_SCAN_MOST", "2048") << 20
POST = read_post(DATA)

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_TZ = True
USE_I18N = True
