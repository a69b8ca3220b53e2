"""Two ways from a view to a mail's bodies: by the templates alone, and sharing.

Both give the same text. The plain way is what a theme says, word for word: it
names the place of a fault, and is what the tests hold the other one to. The
sharing way keeps on a shelf what mails have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from types import CodeType

from jinja2 import Template, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from newsletter.quoting import Segment
from newsletter.rendering import templates
from newsletter.rendering.keeping import Kept, Shelf
from newsletter.rendering.reads import modules_of
from newsletter.rendering.saying import spoken
from newsletter.rendering.seen import CardView, IssueView, LineView
from newsletter.rendering.sharing import FILTERS, OWN, PLACE, Generator, Sharing
from newsletter.rendering.themes import BODY_MJML, BODY_TEXT, SUBJECT
from newsletter.rendering.words import Words

#: Types whose values tell pieces apart; others are not the same for long.
_KEYS = frozenset({bool, int, str, type(None)})
Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A theme's templates, ready to fill."""

    subject_template: Template
    html_template: Template
    text_template: Template
    #: A line of a template that was compiled to the theme's own, by file.
    lines: Mapping[str, Callable[[int], int]]
    #: None: nothing is shared.
    shelf: Shelf | None

    def subject(self, seen: IssueView) -> str:
        """Return the subject as the theme writes it.

        Raises:
            RenderError: The theme fails on it.
        """
        parts = templates.fill(self.subject_template, lines=self.lines, issue=seen)
        return "".join(parts)

    def html(self, seen: IssueView) -> Parts:
        """Return the HTML body.

        Raises:
            RenderError: The theme fails on it.
        """
        return self._parts(self.html_template, seen)

    def text(self, seen: IssueView) -> Parts:
        """Return the text body: one line feed at its end, none at its beginning.

        Raises:
            RenderError: The theme fails on it.
        """
        parts = list(self._parts(self.text_template, seen))
        while parts and not parts[0].strip("\n"):
            del parts[0]
        while parts and not parts[-1].strip("\n"):
            del parts[-1]
        if parts and parts[0].startswith("\n"):
            parts[0] = parts[0].lstrip("\n")
        if parts and parts[-1].endswith("\n"):
            parts[-1] = parts[-1].rstrip("\n")
        return (*parts, "\n")

    def _parts(self, template: Template, seen: IssueView) -> Parts:
        parts = templates.fill(template, lines=self.lines, issue=seen)
        return parts if self.shelf is not None else ("".join(parts),)


def plain_way(
    env: ImmutableSandboxedEnvironment, lines: Mapping[str, Callable[[int], int]]
) -> Way:
    """Return the way that shares nothing, by the templates of *env*."""
    return Way(
        subject_template=env.get_template(SUBJECT),
        html_template=env.get_template(BODY_MJML),
        text_template=env.get_template(BODY_TEXT),
        lines=lines,
        shelf=None,
    )


def sharing_way(
    files: Mapping[str, str], plain: Way, *, words: Words, shelf: Shelf
) -> Way:
    """Return the way that shares, for the templates that *plain* fills.

    Args:
        files: Their sources, the MJML compiled.
        plain: Where the subject is from, which is never shared.
        words: What the frame is written with, as in *plain*.
        shelf: Of the theme; what is on it is kept by language.
    """
    filters = _filters(shelf)
    segments: dict[str, Segment] = {}
    html = _rewritten(BODY_MJML, files, filters, segments, words)
    text = _rewritten(BODY_TEXT, files, filters, segments, words)
    env = templates.environment(files, words)
    env.filters |= filters
    # Known to all files: Jinja makes an imported one anew where globals differ.
    env.globals |= segments
    return Way(
        subject_template=plain.subject_template,
        html_template=env.template_class.from_code(env, html, env.make_globals(None)),
        text_template=env.template_class.from_code(env, text, env.make_globals(None)),
        lines=plain.lines,
        shelf=shelf,
    )


def _rewritten(
    file: str,
    files: Mapping[str, str],
    filters: Mapping[str, Callable[..., object]],
    segments: dict[str, Segment],
    words: Words,
) -> CodeType:
    """Return the code of *file*, rewritten; its constant text goes to *segments*."""
    env = templates.environment(files, words)
    env.filters |= filters

    def parse(name: str) -> nodes.Template | None:
        if name not in files:
            return None
        parsed = env.parse(files[name], name, name)
        return spoken(parsed, words, escapes=templates.is_escaped(name))

    template = env.parse(files[file], file, file)
    template = spoken(template, words, escapes=templates.is_escaped(file))
    module = modules_of(template, parse)
    # Pieces that are of no card are told apart by this name alone.
    name = f"{words.language}:{file}"
    # For what we wrote ourselves alone: what a theme puts out is always escaped.
    if Sharing(file=name, module=module, segments=segments).rewrite(template):
        env.code_generator_class = Generator
    return env.compile(template, name=file, filename=file)


def _filters(shelf: Shelf) -> Mapping[str, Callable[..., object]]:
    """Return what rewritten templates look pieces up and keep them by."""
    found: dict[str, Callable[..., object]] = {}
    for read, (find, keep) in FILTERS.items():
        found[find] = _find_own(shelf) if read == OWN else _FINDERS[read]
        found[keep] = _keeper(shelf, read, is_loose=read == OWN)
    return found


# What these look for is asked for more than a hundred times a mail: they are
# written for speed. What is no card of ours fails at its first attribute, and a
# value that cannot be a key fails as one.


def _find(thing: CardView | LineView, piece: str, *read: object) -> Segment | None:
    """Return what *piece* made of *thing* where it read the same, or None."""
    try:
        return thing._kept.pieces.get(_key(piece, read) if read else piece)  # type: ignore[union-attr] # caught # noqa: SLF001 - hidden from themes alone
    except (AttributeError, TypeError):
        return None


def _find_there(thing: CardView, piece: str, *read: object) -> Segment | None:
    try:
        return thing._kept.pieces.get(_key(piece, (*read, thing.number)))  # type: ignore[union-attr] # caught # noqa: SLF001 - hidden from themes alone
    except (AttributeError, TypeError):
        return None


_FINDERS: Mapping[tuple[str, ...], Callable[..., Segment | None]] = {
    (): _find,
    PLACE: _find_there,
}


def _find_own(shelf: Shelf) -> Callable[..., Segment | None]:
    def find(thing: CardView, piece: str, *read: object) -> Segment | None:
        try:
            own = (thing.interests, thing.score, thing.is_close)
            return shelf.loose(_key(piece, (*read, *own)))
        except (AttributeError, TypeError):
            return None

    return find


def _keeper(
    shelf: Shelf, names: tuple[str, ...], *, is_loose: bool
) -> Callable[..., str]:
    def keep(thing: object, made: str, piece: str, *read: object) -> str:
        """Return what *piece* made of *thing*, kept where that is possible."""
        # Jinja's Markup would be copied at each turn, and is no plain text.
        text = str(made)
        of = getattr(thing, "_kept", None)
        if type(of) is not Kept or not all(type(value) in _KEYS for value in read):
            return text
        if names:
            read = (*read, *[getattr(thing, name) for name in names])
        key = _key(piece, read) if read else piece
        return shelf.keep_piece(None if is_loose else of, key, text)

    return keep


def _key(piece: str, read: tuple[object, ...]) -> Hashable:
    # With their types: 1 and True are equal, and are not written alike.
    return piece, read, tuple(map(type, read))
