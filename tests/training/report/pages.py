"""Reading a page as a browser would, and opening it in one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.browser import QUIET, REQUIRED

OFFLINE = (
    "--host-resolver-rules=MAP * ~NOTFOUND"  # nothing leaves the machine, not even what the browser itself asks for
)
OF_THE_PAGE = "101845102"  # how Chromium's network log marks what a page asks for, "blink_resource_loader"


class Page(HTMLParser):
    """Collects what a browser would fetch, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data", "action", "srcset")
        ]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def assert_stands_alone(text: str) -> None:
    fetched = [target for target in Page(text).fetched if not target.startswith(("#", "data:image/"))]
    assert fetched == []
    assert not re.search(r"@import|url\((?!#)", text)


def opened(page: Path, folder: Path, *flags: str) -> tuple[str, list[str], list[str]]:
    """The document after its scripts have run, what the console said, and which addresses it asked for."""
    browser = shutil.which("chromium")
    if browser is None:
        (pytest.fail if REQUIRED else pytest.skip)("needs chromium (Debian)")
    log = folder / "net.json"
    command = [
        browser,
        *QUIET,
        OFFLINE,
        *flags,
        "--enable-logging=stderr",
        "--v=0",
        f"--user-data-dir={folder / 'profile'}",
    ]
    command += [f"--log-net-log={log}", "--dump-dom", page.resolve().as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    asked = re.findall(rf'"traffic_annotation":{OF_THE_PAGE},"url":"([^"]*)"', log.read_text(errors="replace"))
    shutil.rmtree(folder / "profile", ignore_errors=True)
    return done.stdout, said, asked


def answer_of(page: Path, folder: Path, script: str, *flags: str) -> Any:
    """What `script`, a function's body, returns in the page."""
    asking = folder / "asking.html"
    text = page.read_text()
    tail = (
        '<pre id="answer"></pre><script>document.getElementById("answer").textContent = '
        f"JSON.stringify((() => {{ {script} }})());</script></body>"
    )
    asking.write_text(text.replace("</body>", tail))
    document, said, _ = opened(asking, folder, *flags)
    assert said == []
    found = re.search(r'<pre id="answer">(.*?)</pre>', document, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
