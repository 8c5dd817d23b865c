"""A page from a template: one HTML file with its style inside, that opens offline."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .. import __version__


def render_page(
    template: str,
    facts: Mapping[str, Any],
    styles: Sequence[str] = ("page.css",),
    filters: Mapping[str, Callable[..., Any]] | None = None,
) -> str:
    """The page as text; besides `facts` the template has css, version and made_at.

    Args:
        template, styles: files of this package.
        filters: further ones for the template.
    """
    environment = Environment(
        loader=PackageLoader("her2map", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters or {})
    files = resources.files("her2map").joinpath("report")
    css = "".join(files.joinpath(name).read_text(encoding="utf-8") for name in styles)
    return environment.get_template(template).render(
        css=Markup(css),  # escaped quotes would spoil it
        version=__version__,
        made_at=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        **facts,
    )
