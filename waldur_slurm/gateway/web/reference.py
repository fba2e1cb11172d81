"""Prints docs/gateway-api.md, made from the table of routes."""

from waldur_slurm.gateway.web.openapi import page
from waldur_slurm.gateway.web.routes import ROUTES

if __name__ == "__main__":
    print(page(ROUTES), end="")  # noqa: T201 - the page is this module's data
