"""Tags and filters of the pages; `pages` is known to every template."""
