"""Starts the provider."""

import json
import os
import sys
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def main(folder: Path, port: int, back: str, goodbye: str) -> None:
    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    os.environ["PROVIDER_FOLDER"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.service.provider.settings"
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the loopback has no certificate

    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    for name in json.loads((folder / "people.json").read_text("utf-8")):
        User.objects.create_user(name)
    Application.objects.create(
        name="docgen",
        client_id="docgen",
        client_secret="secret of docgen",  # noqa: S106
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        algorithm=Application.RS256_ALGORITHM,
        redirect_uris=back,
        post_logout_redirect_uris=goodbye,
        skip_authorization=True,
    )
    make_server("127.0.0.1", port, get_wsgi_application(), Server).serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
