"""Issue -> Message: the one way to make a mail.

    Renderer.render -> mime.build_message -> Signer.sign, one after the other

Preview, outbox, SMTP and ``show`` all come through here, so all have the
same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from newsletter import mime
from newsletter.model import Edition, Issue, IssueRecord, Message, Profile
from newsletter.ports import Entries, Ledger, Renderer, Signer, Subscribers
from newsletter.selecting import recall


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembler:
    """Makes the mail of any issue in the ledger, the first time and again."""

    entries: Entries
    subscribers: Subscribers
    ledger: Ledger
    #: A theme's renderer by its name.
    renderer: Callable[[str], Renderer]
    signers: Sequence[Signer]
    #: The first signs links.
    secrets: Sequence[bytes]

    def issue(
        self,
        record: IssueRecord,
        *,
        profile: Profile | None = None,
        edition: Edition | None = None,
    ) -> Issue:
        """Return the issue that *record* refers to.

        Args:
            record: Of the ledger, or one that might be.
            profile: What the record names. None: it is in the store.
            edition: The same.

        Raises:
            NotFoundError: What it was made from is gone.
        """
        ids = {item.version_id for item in (*record.items, *record.more)}
        return recall(
            record,
            versions=self.entries.versions(ids),
            profile=profile or self.subscribers.profile(record.profile_hash),
            edition=edition or self.ledger.edition(record.edition_hash),
            secrets=self.secrets,
        )

    def make(self, record: IssueRecord) -> Message:
        """Return the mail of *record*: the same bytes each time.

        Raises:
            NotFoundError: What it was made from is gone.
            RenderError: The theme fails on it.
            ThemeError: Its theme is gone, or cannot be used.
            PermanentDeliveryError: An address cannot stand in a mail.
        """
        return self.make_of(self.issue(record))

    def make_of(self, issue: Issue) -> Message:
        """Return the mail of *issue*, in its theme.

        Raises:
            RenderError: The theme fails on it.
            ThemeError: Its theme is gone, or cannot be used.
            PermanentDeliveryError: An address cannot stand in a mail.
        """
        return assemble(
            issue, renderer=self.renderer(issue.theme), signers=self.signers
        )

    def theme_hash(self, theme: str) -> str:
        """Return what a theme's files are now."""
        return self.renderer(theme).theme_hash


def assemble(
    issue: Issue, *, renderer: Renderer, signers: Sequence[Signer] = ()
) -> Message:
    """Return the finished mail of *issue*, with its envelope.

    Args:
        issue: As selecting recalled it from the ledger.
        renderer: The theme that the issue names.
        signers: Each puts its signature before what it gets; may be none.

    Raises:
        RenderError: The theme fails on this issue.
        PermanentDeliveryError: An address cannot stand in a mail.
    """
    newsletter = issue.newsletter
    content = mime.build_message(renderer.render(issue), issue)
    for signer in signers:
        content = signer.sign(content)
    sender = newsletter.bounce_address or newsletter.from_address
    return Message(
        key=issue.key,
        envelope_from=mime.ascii_address(sender),
        envelope_to=mime.ascii_address(issue.address),
        content=content,
        day=issue.slot.astimezone(ZoneInfo(newsletter.timezone)).date(),
        shown=issue.selection.receipt.shown,
    )
