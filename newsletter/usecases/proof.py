"""A proof: one reader's issue, sent to the editor alone and to nobody else.

It is the reader's mail in all that is seen, with "[Preview]" before its
subject, a Message-ID of its own, and no way to act for the reader: nothing
in its header to leave by, and links for leaving that lead nowhere. The ledger
never hears of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from newsletter import mime
from newsletter.assembling import Assembler
from newsletter.errors import DeliveryError
from newsletter.model import Issue, Message, Outcome
from newsletter.ports import Transport

MARK = "[Preview]"
#: A name that no server ever has (RFC 2606, section 2).
NOWHERE = "https://nowhere.invalid/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """The use case."""

    assembler: Assembler
    #: Whom proofs go to; no other address is ever used.
    to: str

    def make(self, issue: Issue, *, key: str) -> Message:
        """Return the proof of *issue*.

        Args:
            issue: A reader's.
            key: 32 hex digits, of no issue: the Message-ID is made of it.

        Raises:
            RenderError: The theme fails on it.
            PermanentDeliveryError: An address cannot stand in a mail.
        """
        rendered = self.assembler.renderer(issue.theme).render(disarmed(issue))
        marked = replace(rendered, subject=f"{MARK} {rendered.subject}")
        newsletter = replace(issue.newsletter, unsubscribe_mailto=None)
        headed = replace(
            issue,
            key=key,
            newsletter=newsletter,
            address=self.to,
            name="",
            unsubscribe_url=None,
            preferences_url=None,
        )
        content = mime.build_message(marked, headed)
        for signer in self.assembler.signers:
            content = signer.sign(content)
        sender = newsletter.bounce_address or newsletter.from_address
        return Message(
            key=key,
            envelope_from=mime.ascii_address(sender),
            envelope_to=mime.ascii_address(self.to),
            content=content,
            day=issue.slot.astimezone(ZoneInfo(newsletter.timezone)).date(),
        )

    def send(self, issue: Issue, *, key: str, transport: Transport) -> Outcome:
        """Send the proof of *issue* and return what became of it.

        Raises:
            RenderError: The theme fails on it.
            DeliveryError: The transport takes no mail at all.
        """
        message = self.make(issue, key=key)
        try:
            outcomes = list(transport.send([message]))
        finally:
            transport.close()
        if not outcomes:
            raise DeliveryError("the transport said nothing of the mail; try again")
        return outcomes[0]


def disarmed(issue: Issue) -> Issue:
    """Return *issue* with links that look as before and act for nobody."""
    newsletter = issue.newsletter
    return replace(
        issue,
        unsubscribe_url=_dead(issue.unsubscribe_url or newsletter.unsubscribe_mailto),
        preferences_url=_dead(issue.preferences_url),
    )


def anonymous(issue: Issue) -> Issue:
    """Return *issue* disarmed, and for nobody by name."""
    return replace(disarmed(issue), address="reader@example.org", name="")


def _dead(link: str | None) -> str | None:
    """Return what stands where *link* stood. None: nothing did."""
    return NOWHERE if link else None
