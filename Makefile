# `make demo` and `make test` set up whatever is missing, then run; `make help` lists the rest.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench bench-scan bench-ledger bench-post bench-web chaos samples fix setup lock screenshots
export PYTHON MAKECMDGOALS
# Pages are looked at while nobody changes what they show; then the paths of people are walked.
PAGES = pytest tests/browser/test_pages_desk.py tests/browser/test_pages_phone.py -n 2 --dist loadfile
PATHS = pytest tests/browser --ignore-glob="*/test_pages_*" -n 2 --dist loadfile

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand --tabs=12

demo: ## Print the documents of a made-up region into out/, then serve its site (the main job)
	@scripts/setup run
	@.venv/bin/python -m samples.demo --out out/

test: ## Run every test, then the service's own on PostgreSQL, Redis and S3
	@scripts/setup dev
	@.venv/bin/python -m pytest -n auto --dist worksteal -m "not alone"
	@.venv/bin/python -m tests.service.servers pytest tests/service -n auto --dist worksteal -m "not embedded and not alone"
	@.venv/bin/python -m tests.service.servers pytest tests/service -m alone
	@.venv/bin/python -m tests.browser.town $(PAGES) + $(PATHS)

check: ## Check format, lint, types and layers, then run every test
	@scripts/setup dev
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/python -m pytest -n auto --dist worksteal -m "not alone"
	.venv/bin/python -m tests.service.servers pytest tests/service -n auto --dist worksteal -m "not embedded and not alone"
	.venv/bin/python -m tests.service.servers pytest tests/service -m alone
	.venv/bin/python -m tests.browser.town $(PAGES) + $(PATHS)

fix: ## Format, and mend what ruff can mend
	@scripts/setup dev
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

samples: ## Check every template: fields, pages and sheets promised
	@scripts/setup run
	@.venv/bin/docgen templates check

screenshots: ## Take the pictures of the guides again, in a real browser
	@scripts/setup dev
	@.venv/bin/python -m samples.screenshots

bench: ## Measure the press beside other ways of filling, in one run
	@scripts/setup dev
	@.venv/bin/python -m bench
	@.venv/bin/python -m bench.farm

bench-scan: ## Scan what we print as schools do, read it, and say how much is recognised
	@scripts/setup dev
	@.venv/bin/python -m bench.scan

bench-ledger: ## Compare the ledger of 60,000 cessions with a recount, and time it
	@scripts/setup dev
	@.venv/bin/python -m bench.ledger

chaos: ## Kill workers, Redis and PostgreSQL while they print, and count what is lost
	@scripts/setup dev
	@.venv/bin/python -m bench.chaos
	@.venv/bin/python -m bench.farm_outages

bench-post: ## Mail while workers, databases and mail servers are killed, and count what came
	@scripts/setup dev
	@.venv/bin/python -m bench.post
	@.venv/bin/python -m bench.post --quick --blind

bench-web: ## Open every screen in a region of 200 schools, and say what takes too long
	@scripts/setup dev
	@.venv/bin/python -m bench.web

setup: ## Install what a developer needs, and nothing more
	@scripts/setup dev

lock: ## Pin every dependency of pyproject.toml again
	@scripts/lock
