"""A real OpenID Connect provider: django-oauth-toolkit, a Django project and a process of its own.

`python -m tests.service.provider FOLDER PORT RETURN GOODBYE` makes a key and a database in FOLDER,
and answers on the loopback until it is ended. FOLDER/people.json says who may sign in, with which
claims, and how a token of theirs is spoilt.
"""
