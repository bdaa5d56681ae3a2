"""The screens: one module an area, each with its `urls`; `frame` is what they stand on."""
