"""How a row of the table of routes is written that is a page, or a form of one."""

from waldur_slurm.gateway.doors.scopes import Scope
from waldur_slurm.gateway.surfaces import Surface
from waldur_slurm.gateway.web.ask import Handler
from waldur_slurm.gateway.web.pages.rendering import HTML
from waldur_slurm.gateway.web.route import Public, Route


def shows(path: str, scope: Scope | Public, handler: Handler, says: str) -> Route:
    return Route("GET", path, scope, handler, says, Surface.PAGES, media_types=(HTML,))


def does(path: str, scope: Scope | Public, handler: Handler, says: str) -> Route:
    return Route("POST", path, scope, handler, says, Surface.PAGES, media_types=(HTML,), status=303)
