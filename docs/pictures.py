"""Pictures of mails as readers see them: ``python docs/pictures.py [FOLDER]``.

Every theme of templates/, in light and dark, as wide as a phone and as a window
of a mail program, for three readers: one entry; twelve in sections; Arabic. All
come from the samples of ``newsletter demo`` and one more, through the whole
pipeline. Each page is judged in the same run: it must fit 320 pixels, ask
nobody for anything, and axe must find nothing serious, contrast in the dark
included. Without FOLDER it is docs/pictures/mails/, and docs/pictures.md is written.

Needs Chromium, node, and playwright-core and axe-core in build/node.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

from newsletter.app import open_app
from newsletter.cli.running import DEMO_AT

REPOSITORY = Path(__file__).resolve().parents[1]
PICTURES = REPOSITORY / "docs" / "pictures" / "mails"
PAGE = REPOSITORY / "docs" / "pictures.md"
MODULES = REPOSITORY / "build" / "node" / "node_modules"
#: Octets of all pictures together.
MOST = 2_000_000
#: Pixels of a page that a picture shows; the rest is cut.
HEIGHT = 1100
WIDTHS = (600, 375)
SCHEMES = ("light", "dark")
SOURCE = """
[[sources]]
name = "awraq"
kind = "feed"
path = "demo/sources/arabic.xml"
first_days = 7
"""
#: Whose mails are shown: the beginning of the address, and what to say of it.
READERS = {
    "one": "One entry",
    "sections": "Twelve entries, in sections",
    "arabic": "Arabic, from right to left",
}


def themes() -> tuple[str, ...]:
    """Return the themes there are."""
    found = (REPOSITORY / "templates").glob("*/theme.toml")
    return tuple(sorted(path.parent.name for path in found))


def write_project(root: Path) -> Path:
    """Write the configuration whose mails are shown; return its folder."""
    folder = root / "demo"
    shutil.copytree(REPOSITORY / "config" / "demo", folder)
    shutil.copy(PICTURES / "arabic.xml", folder / "sources")
    settings = folder / "newsletter.toml"
    settings.write_text(settings.read_text("utf-8") + SOURCE, "utf-8")
    readers = (PICTURES / "subscribers.toml").read_text("utf-8")
    if not (REPOSITORY / "newsletter" / "locale" / "ar").is_dir():
        # The words of a mail are not translated here: entries alone are.
        readers = readers.replace('language = "ar"\n', "")
    (folder / "subscribers.toml").write_text(readers, "utf-8")
    return folder


def mails(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the HTML of each reader's mail in each theme, with its name."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("NEWSLETTER_")}
    environ["NEWSLETTER_DATABASE__URL"] = f"sqlite:///{root}/pictures.db"
    environ["NEWSLETTER_DELIVERY__OUTBOX"] = str(root / "outbox")
    with open_app(write_project(root), environ) as app:
        app.run(at=DEMO_AT, everyone=True)
        for row in app.store.ledger.recent(limit=100):
            issue = app.assembler.issue(row.record)
            for theme in themes():
                mail = app.assembler.make_of(replace(issue, theme=theme))
                message = message_from_bytes(mail.content, policy=policy.default)
                part = message.get_body(("html",))
                if part is not None:
                    name = issue.address.partition("@")[0]
                    yield f"{theme}-{name}", str(part.get_content())


def browser() -> Mapping[str, str]:
    """Return the environment of what drives the browser.

    Raises:
        SystemExit: Something is not installed.
    """
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    node = shutil.which("node")
    wanted = {
        "chromium": bool(chromium),
        "node": bool(node),
        **{str(MODULES / x): (MODULES / x).is_dir() for x in _PACKAGES},
    }
    absent = [name for name, is_there in wanted.items() if not is_there]
    if absent:
        raise SystemExit(
            f"pictures: not installed: {', '.join(absent)}; .ci/run brings them, or"
            f" type: npm install --prefix build/node {' '.join(_PACKAGES)}"
        )
    return {
        **os.environ,
        "CHROMIUM": str(chromium),
        "NODE": str(node),
        "NODE_MODULES": str(MODULES),
    }


_PACKAGES = ("playwright-core", "axe-core")


def take(pages: Path, folder: Path) -> Iterator[str]:
    """Put a picture of each page into *folder*; yield what is wrong with it.

    Raises:
        SystemExit: The browser could not be driven.
    """
    environ = browser()
    ended = subprocess.run(  # noqa: S603 - our own words, no shell
        [
            environ["NODE"],
            str(REPOSITORY / "tests" / "browser" / "look.mjs"),
            *map(str, sorted(pages.glob("*.html"))),
        ],
        env={**environ, "PICTURES": str(folder), "HEIGHT": str(HEIGHT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise SystemExit(f"pictures: the browser failed:\n{ended.stderr}")
    for view in json.loads(ended.stdout):
        wrong = {
            key: view[key]
            for key in ("overflow", "small", "remote", "findings")
            if view[key]
        }
        if wrong:
            where = f"{view['file']}, {view['width']} px, {view['colorScheme']}"
            yield f"{where}: {wrong}"


def page() -> str:
    """Return docs/pictures.md, which shows them all."""
    lines = [
        "# What the mails look like",
        "",
        "Written by `make pictures`, as the pictures are: the pipeline over invented",
        "entries, looked at by Chromium, and judged in the same run. A picture shows",
        "the beginning of a mail.",
    ]
    for theme in themes():
        lines += ["", f"## The theme {theme}"]
        for reader, told in READERS.items():
            names = [
                f"{theme}-{reader}-{width}-{scheme}"
                for width in WIDTHS
                for scheme in SCHEMES
            ]
            images = [
                f"![{told}, {name.rsplit('-', 2)[1]} pixels wide,"
                f" {name.rsplit('-', 1)[1]}](pictures/mails/{name}.webp)"
                for name in names
            ]
            lines += ["", f"### {told}: {theme}", "", *images]
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """Take the pictures; return the exit code: 1 where something is wrong."""
    folder = Path(arguments[0]) if arguments else PICTURES
    browser()
    with tempfile.TemporaryDirectory(prefix="newsletter-pictures-") as scratch:
        root = Path(scratch)
        pages, taken = root / "pages", root / "taken"
        pages.mkdir()
        taken.mkdir()
        for name, html in mails(root):
            (pages / f"{name}.html").write_text(html, "utf-8")
        wrong = list(take(pages, taken))
        files = sorted(taken.glob("*.webp"))
        size = sum(file.stat().st_size for file in files)
        if size > MOST:
            wrong.append(f"all together are {size} octets, more than {MOST}")
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.webp"):
            old.unlink()
        for file in files:
            shutil.copy(file, folder)
    if not arguments:
        PAGE.write_text(page(), "utf-8")
    sys.stdout.write(f"{len(files)} pictures in {folder}, {size // 1000} KB\n")
    sys.stderr.writelines(f"pictures: {finding}\n" for finding in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
