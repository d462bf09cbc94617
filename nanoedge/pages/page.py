"""Filling in a page's template: text is escaped, a name that is not given is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nanoedge import __version__
from nanoedge.errors import NanoEdgeError

FRAME = Path(__file__).parent


def rendered(template: Path, values: dict[str, Any], includes: Sequence[Path] = ()) -> str:
    """The page's text.

    Args:
        template: a file that extends `frame.html` of this folder, which brings style, dark and light, and the footer.
        values: what the template names; text in it is escaped.
        includes: folders of further templates that it includes.

    Raises:
        NanoEdgeError: when Jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise NanoEdgeError("The page is made by Jinja2: pip install 'nanoedge[train]'.") from error
    folders = [template.parent, FRAME, *includes]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    return environment.get_template(template.name).render(version=__version__, **values)
