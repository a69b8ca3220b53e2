"""Every exception that the product raises on purpose.

    NewsletterError
    ├── ConfigError (ValueError)          configuration, file, line and key
    ├── QueryError (ValueError)           a query that cannot be read, with its position
    ├── NotFoundError (LookupError)       a key, address or name that nobody has
    ├── ConflictError                     the state does not allow that move
    ├── SourceError
    │   ├── FetchError (ConnectionError)  no usable answer; status, retry_after_s
    │   └── ParseError (ValueError)       an answer of the wrong shape
    ├── StorageError                      the database cannot be opened, read or written
    ├── RenderError                       one mail cannot be rendered; template, line
    ├── ThemeError                        a whole theme cannot be used; file, line
    │   └── UnacceptedThemeError          it was judged, and refused
    ├── DeliveryError                     code, enhanced_code
    │   ├── TransientDeliveryError        worth trying again
    │   └── PermanentDeliveryError        not worth trying again
    └── LinkError (ValueError)            a signed link that is not ours

A message says what happened, to what, and what to do about it. Adapters
translate the faults that an operator can mend, at their edge and with
``from exc``; bugs pass through untranslated.
"""

from __future__ import annotations


class NewsletterError(Exception):
    """The root: catch this to catch everything that is raised on purpose."""


class ConfigError(NewsletterError, ValueError):
    """The configuration has mistakes.

    ``problems`` holds every mistake found, one line each, in the form
    ``file:line: key: what is wrong; what was expected``.
    """

    def __init__(self, *problems: str) -> None:
        """Keep every problem, so that one run names them all."""
        super().__init__("\n".join(problems))
        self.problems = problems


class QueryError(NewsletterError, ValueError):
    """A query cannot be read, or would match nearly everything.

    ``position`` is the 0-based offset into ``query`` where it went wrong;
    ``reason`` is the sentence without the query and the caret.
    """

    def __init__(self, reason: str, *, query: str, position: int) -> None:
        """Compose the message: the reason, the query, a caret under the place."""
        super().__init__(f"{reason} (at character {position + 1} of {query!r})")
        self.reason = reason
        self.query = query
        self.position = position


class NotFoundError(NewsletterError, LookupError):
    """Nothing goes by that key, address or name."""


class ConflictError(NewsletterError):
    """What is stored does not allow that change (a move, a version, a lease)."""


class SourceError(NewsletterError):
    """One source could not be read; the others go on."""


class FetchError(SourceError, ConnectionError):
    """No usable answer came back."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        """Keep the HTTP status and the server's wish, where there are any."""
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class ParseError(SourceError, ValueError):
    """An answer came back, but not of the shape that the source promises."""


class StorageError(NewsletterError):
    """The database cannot be opened, read, written or migrated."""


class RenderError(NewsletterError):
    """One mail cannot be rendered; that issue fails and the rest go."""

    def __init__(self, message: str, *, template: str, line: int | None = None) -> None:
        """Keep the place in the theme."""
        super().__init__(message)
        self.template = template
        self.line = line


class ThemeError(NewsletterError):
    """A theme cannot be loaded or compiled; nothing can be rendered with it."""

    def __init__(self, message: str, *, file: str, line: int | None = None) -> None:
        """Keep the place in the theme."""
        super().__init__(message)
        self.file = file
        self.line = line


class UnacceptedThemeError(ThemeError):
    """A theme was judged and refused: no mail goes out with it."""


class DeliveryError(NewsletterError):
    """A message could not be handed over."""

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        enhanced_code: str | None = None,
    ) -> None:
        """Keep the reply code (RFC 5321) and the enhanced one (RFC 3463)."""
        super().__init__(message)
        self.code = code
        self.enhanced_code = enhanced_code


class TransientDeliveryError(DeliveryError):
    """Worth trying again later."""


class PermanentDeliveryError(DeliveryError):
    """Not worth trying again."""


class LinkError(NewsletterError, ValueError):
    """A link's token is damaged, forged, or for another purpose."""
