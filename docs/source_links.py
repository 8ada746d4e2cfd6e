"""A hook of MkDocs: links to files outside docs/ lead to the repository.

A page links to a test or an example by its path, such as ``../../tests/test_races.py``, which works
in a checkout. On the site the same link has to name the repository. A link to a file that is not
there is a warning, and so fails a strict build.
"""

import logging
import re
from pathlib import Path
from typing import Any

LINK = re.compile(r"(?<=\]\()(?:\.\./)+[^)\s]+(?=\))")
LOG = logging.getLogger("mkdocs.plugins.source_links")


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Replace a page's links to files outside docs/."""
    docs = Path(config.docs_dir)
    root = docs.parent

    def replaced(link: re.Match[str]) -> str:
        path, _, anchor = link[0].partition("#")
        target = (docs / page.file.src_uri).parent.joinpath(path).resolve()
        if target.is_relative_to(docs) or not target.is_relative_to(root):
            return link[0]
        if not target.exists():
            LOG.warning("%s links to %s, which does not exist", page.file.src_uri, path)
        kind = "tree" if target.is_dir() else "blob"
        address = f"{config.repo_url}/{kind}/main/{target.relative_to(root).as_posix()}"
        return f"{address}#{anchor}" if anchor else address

    return LINK.sub(replaced, markdown)
