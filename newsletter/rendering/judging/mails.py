"""What is wrong with the mails that a theme makes of the samples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from newsletter.accepting import Fault, error, warning
from newsletter.rendering.addresses import safe_url
from newsletter.rendering.judging.clients import unshown
from newsletter.rendering.judging.legible import faint
from newsletter.rendering.judging.reading import Page, read
from newsletter.rendering.judging.samples import HOLE, Sample
from newsletter.rendering.judging.tracing import Traced
from newsletter.rendering.seen import IssueView
from newsletter.rendering.themes import BODY_MJML, BODY_TEXT, SUBJECT

#: Bytes of HTML; Gmail cuts at 102 KB, and quoting costs some.
HEAVY = 90_000
_TEXT_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"]+")
_REMOTE = re.compile(r"url\(\s*['\"]?\s*((?:https?:)?//[^)'\"]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What a theme made of one sample, whole: nothing is cut to fit."""

    sample: Sample
    #: What the theme saw.
    seen: IssueView
    subject: Traced
    html: Traced
    text: Traced


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """What the checks need to know of the theme itself."""

    files: Mapping[str, str]
    #: It asks for images from elsewhere.
    has_remote_images: bool

    def place(self, needle: str, traced: Traced, offset: int) -> tuple[str, int | None]:
        """Return the file and line that wrote a place of a mail.

        Static text is one piece from one Jinja tag to the next, so what stands
        in the theme word for word is looked for there, near that piece.
        """
        near = traced.line_at(offset)
        found = [
            (file != traced.file, abs(number - (near or 0)), file, number)
            for file, source in self.files.items()
            if file.endswith(".j2") and (file == traced.file or ".html" in file)
            for number, line in enumerate(source.lower().split("\n"), 1)
            if needle and needle.lower() in line
        ]
        if not found:
            return traced.file, near
        _, _, file, line = min(found)
        return file, line

    def mention(self, name: str, file: str) -> tuple[str, int | None]:
        """Return where the part *file* says *name*: there, or in what it imports."""
        is_text = file.endswith(".txt.j2")
        others = [f for f in self.files if f.endswith(".j2") and f != file]
        for one in (file, *others):
            if one.endswith(".txt.j2") is not is_text:
                continue
            lines = self.files[one].split("\n")
            # The last one: it is shown after it was asked for.
            found = [number for number, line in enumerate(lines, 1) if name in line]
            if found:
                return one, found[-1]
        return file, None


def faults_of(mail: Mail, theme: Theme) -> Iterator[Fault]:
    """Yield what is wrong with one mail, but for its weight."""
    page = read(mail.html)
    yield from _subject_faults(mail)
    if mail.sample.is_hostile:
        yield from _escaped(mail, page, theme)
        return
    missing = list(_ways_out(mail, page, theme))
    if missing:
        yield from missing
        return
    yield from _link_faults(mail, page, theme)
    yield from _image_faults(mail, page, theme)
    if mail.sample.is_usual:
        yield from _look_faults(mail, page, theme)


def _subject_faults(mail: Mail) -> Iterator[Fault]:
    if not mail.subject.text.strip():
        yield error(
            f"the subject of {mail.sample.name} is empty",
            "write one for every case, {% else %} included",
            file=SUBJECT,
        )


def _escaped(mail: Mail, page: Page, theme: Theme) -> Iterator[Fault]:
    """Yield where a text became markup, or a link that an entry made up."""
    cure = "put it between elements or into a quoted attribute, without |safe"
    for tag in page.tags:
        attributes = " ".join(tag.attributes)
        if HOLE in tag.name or HOLE in attributes or tag.name == "script":
            file, line = theme.place("", mail.html, tag.offset)
            what = "the text of an entry gets out of where it is put, as markup"
            yield error(what, cure, file=file, line=line)
            return
    for href, offset in page.links():
        if href and safe_url(href) is None:
            file, line = theme.place("", mail.html, offset)
            what = f"a text of an entry becomes the link {href[:40]!r}"
            yield error(what, "link to card.url or link.url", file=file, line=line)
            return
    for offset, style in page.styles:
        if HOLE in style:
            file, line = theme.place("", mail.html, offset)
            yield error(
                "a text of an entry is put into a style", cure, file=file, line=line
            )


def _ways_out(mail: Mail, page: Page, theme: Theme) -> Iterator[Fault]:
    """Yield which of the sender's links are missing in either part."""
    sender = mail.seen.sender
    links = {href for href, _ in page.links()}
    for url, name, what in (
        (sender.unsubscribe_url, "unsubscribe_url", "the link to unsubscribe"),
        (sender.preferences_url, "preferences_url", "the link to the preferences"),
    ):
        if url is None:
            continue
        for is_there, file in (
            (url in links, BODY_MJML),
            (url in mail.text.text, BODY_TEXT),
        ):
            if not is_there:
                at, line = theme.mention(name, file)
                yield error(
                    f"{what} is missing in {mail.sample.name}",
                    f"show issue.sender.{name} wherever there is one",
                    file=at,
                    line=line,
                )


def _link_faults(mail: Mail, page: Page, theme: Theme) -> Iterator[Fault]:
    links = page.links()
    for href, offset in links:
        if href in {"", "None", "#"}:
            file, line = theme.place(f'href="{href}"', mail.html, offset)
            what = f"a link leads nowhere (href={href!r}) in {mail.sample.name}"
            cure = "ask first: {% if card.url %}…{% endif %}"
            yield error(what, cure, file=file, line=line)
            return
        if href.startswith("http:"):
            file, line = theme.place(href, mail.html, offset)
            what = f"{href} is not encrypted"
            yield warning(what, "write https", file=file, line=line)
    missing = list(_missing(mail, [href for href, _ in links], theme))
    # Where links are missing they cannot stand in one order: say it once.
    yield from missing or _order(mail, links, theme)


#: Beside the link of the title: the paper's PDF, code, discussion.
_MORE = "card.links"


def _card_links(seen: IssueView) -> Iterator[tuple[str, str]]:
    """Yield every link of an entry, with the name that a theme has for it."""
    for section in seen.sections:
        for card in section.cards:
            if card.url:
                yield card.url, "card.url"
            yield from ((link.url, _MORE) for link in card.links)
    yield from (
        (line.url, "issue.receipt.titles") for line in seen.receipt.titles if line.url
    )


def _missing(mail: Mail, links: list[str], theme: Theme) -> Iterator[Fault]:
    """Yield what must be linked to and is not, or is in one part alone."""
    texts = set(_TEXT_LINK.findall(mail.text.text))
    told: set[tuple[str, str]] = set()
    for url, name in _card_links(mail.seen):
        if name == _MORE and url not in links and url not in texts:
            # A theme of headlines may do without them.
            continue
        for found, file in ((links, BODY_MJML), (texts, BODY_TEXT)):
            if url not in found and (name, file) not in told:
                told.add((name, file))
                at, line = theme.mention(name, file)
                yield error(
                    f"{mail.sample.name} has links that are not shown: {name}",
                    f"show {name}: both parts of a mail have the same links",
                    file=at,
                    line=line,
                )


def _order(mail: Mail, links: list[tuple[str, int]], theme: Theme) -> Iterator[Fault]:
    """Yield the first link that is not the same in both parts."""
    in_text = [
        (found[0], found.start()) for found in _TEXT_LINK.finditer(mail.text.text)
    ]
    for one, other in zip_longest(links, in_text):
        if one is not None and other is not None and one[0] == other[0]:
            continue
        cure = "both parts have the same links in the same order"
        if one is None:
            line = mail.text.line_at(other[1])
            what = f"{other[0]} is a link of the text part alone"
            yield error(what, cure, file=BODY_TEXT, line=line)
        else:
            said = "nothing" if other is None else other[0]
            what = f"{one[0]} stands where the text part has {said}"
            file, line = theme.place(one[0], mail.html, one[1])
            yield error(what, cure, file=file, line=line)
        return


def _image_faults(mail: Mail, page: Page, theme: Theme) -> Iterator[Fault]:
    for tag in page.tags:
        given = tag.attributes
        if (
            tag.name == "img"
            and not given.get("alt")
            and given.get("role") != "presentation"
        ):
            file, line = theme.place(given.get("src", ""), mail.html, tag.offset)
            what, cure = (
                "an image has no alt text",
                'add alt="…": most programs show no images at first',
            )
            yield warning(what, cure, file=file, line=line)
        said = [given.get("src", ""), given.get("background", "")]
        said += _REMOTE.findall(given.get("style", ""))
        yield from _remote(mail, theme, said, tag.offset)
    for offset, style in page.styles:
        yield from _remote(mail, theme, _REMOTE.findall(style), offset)


def _remote(
    mail: Mail, theme: Theme, addresses: list[str], offset: int
) -> Iterator[Fault]:
    if theme.has_remote_images:
        return
    for address in addresses:
        if re.match(r"(?:https?:)?//", address):
            file, line = theme.place(address, mail.html, offset)
            yield error(
                f"{address} is loaded when the mail is read, which tells who reads it",
                "leave it out, or write images = true into theme.toml",
                file=file,
                line=line,
            )


def _look_faults(mail: Mail, page: Page, theme: Theme) -> Iterator[Fault]:
    """Yield what is hard to read, and what mail programs do not show."""
    told: set[tuple[str, str, bool]] = set()
    for found in faint(page):
        key = (found.colour, found.background, found.is_dark)
        if key in told:
            continue
        told.add(key)
        file, line = theme.place(found.colour, mail.html, found.tag.offset)
        mode = "in dark mode " if found.is_dark else ""
        yield error(
            f"{found.colour} on {found.background} is hard to read {mode}"
            f"(contrast {found.ratio:.1f}, as in {found.text[:30]!r})",
            f"take colours of at least {found.least:g} (WCAG AA)",
            file=file,
            line=line,
        )
    uses: set[str] = set()
    for use in unshown(page):
        if use.what not in uses:
            uses.add(use.what)
            file, line = theme.place(_word(use.what), mail.html, use.offset)
            yield warning(use.what, use.cure, file=file, line=line)


def _word(what: str) -> str:
    """Return how what is not shown begins in a theme: ``<svg``, ``position``."""
    if "background" in what:
        # The words alone stand in many a theme.
        return "url("
    last = what.rpartition(" ")[2]
    return last.rstrip(">").rstrip("()")


def weight_faults(size: int) -> Iterator[Fault]:
    """Yield a warning where a usual mail is nearly too large to be shown whole.

    Args:
        size: Bytes of HTML of the usual sample, cut to what a mail has room for.
    """
    if size >= HEAVY:
        yield warning(
            f"a mail of twelve entries has {size // 1000} KB of HTML, near what"
            " Gmail cuts",
            "make the frame and the cards smaller",
            file=BODY_MJML,
        )
