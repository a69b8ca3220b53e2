from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.assembling import assemble
from newsletter.errors import PermanentDeliveryError
from newsletter.mime import ascii_address, build_message
from newsletter.model import Issue, Rendered
from tests.support.issues import KEY, NEWSLETTER, TOKEN, issue

RENDERED = Rendered(
    subject="A subject", html_parts=("<p>Grüße</p>\n",), text_parts=("Grüße\n",)
)
ISSUE = issue()


def parsed(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def mail(rendered: Rendered = RENDERED, **fields: object) -> EmailMessage:
    return parsed(build_message(rendered, replace(ISSUE, **fields)))  # type: ignore[arg-type] # any field


def with_newsletter(**fields: object) -> Issue:
    return replace(ISSUE, newsletter=replace(NEWSLETTER, **fields))  # type: ignore[arg-type] # any field


def test_all_fields_are_there_in_order() -> None:
    content = build_message(RENDERED, ISSUE)
    head = content.partition(b"\r\n\r\n")[0].decode("ascii")
    assert head.split("\r\n") == [
        "From: Daily Papers <digest@example.org>",
        "To: Ada <ada@example.org>",
        "Subject: A subject",
        "Date: Thu, 05 Mar 2026 07:30:00 +0000",
        f"Message-ID: <{KEY}@daily-papers.example.org>",
        "Reply-To: editor@example.org",
        "List-Id: Daily Papers <daily-papers.example.org>",
        "List-Unsubscribe:",
        f" <https://digest.example.org/u/{TOKEN}>,",
        " <mailto:leave@example.org?subject=unsubscribe>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "List-Help: <https://example.org/about>",
        "Auto-Submitted: auto-generated",
        "Feedback-ID: 20260305:issue:digest:daily-papers",
        "MIME-Version: 1.0",
        "Content-Type: multipart/alternative;",
        f' boundary="=_{KEY}"',
    ]


def test_the_plainest_part_comes_first_and_both_are_seven_bit() -> None:
    content = build_message(RENDERED, ISSUE)
    assert content.isascii()
    parts = list(parsed(content).iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    for part in parts:
        assert part["Content-Transfer-Encoding"] == "quoted-printable"
        assert "MIME-Version" not in part


def test_the_same_issue_is_the_same_bytes() -> None:
    assert build_message(RENDERED, ISSUE) == build_message(RENDERED, ISSUE)


def test_without_optional_settings_their_fields_are_left_out() -> None:
    bare = replace(
        with_newsletter(
            from_name="",
            unsubscribe_mailto=None,
            reply_to=None,
            contact=None,
        ),
        unsubscribe_url=None,
        name="",
    )
    message = parsed(build_message(RENDERED, bare))
    assert message["From"] == "digest@example.org"
    assert message["To"] == "ada@example.org"
    for name in (
        "Reply-To",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "List-Help",
    ):
        assert name not in message


def test_one_click_is_promised_over_https_only() -> None:
    assert "List-Unsubscribe-Post" not in mail(unsubscribe_url="http://example.org/u/x")
    assert "List-Unsubscribe-Post" not in mail(unsubscribe_url=None)
    assert mail(unsubscribe_url=None)["List-Unsubscribe"] == (
        "<mailto:leave@example.org?subject=unsubscribe>"
    )


def test_an_address_as_contact_is_a_mailto() -> None:
    message = parsed(build_message(RENDERED, with_newsletter(contact="us@example.org")))
    assert message["List-Help"] == "<mailto:us@example.org>"


def test_a_uri_cannot_leave_its_brackets() -> None:
    hostile = 'https://example.org/a>, <b"\r\nBcc: x ü'
    message = mail(unsubscribe_url=hostile)
    assert message["List-Unsubscribe"].split(", ")[0] == (
        "<https://example.org/a%3E%2C%20%3Cb%22%20Bcc:%20x%20%C3%BC>"
    )
    assert "Bcc" not in message


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("Ada", "Ada <ada@example.org>"),
        ("Ada, Countess", '"Ada, Countess" <ada@example.org>'),
        ('A "B" \\ C', r'"A \"B\" \\ C" <ada@example.org>'),
        ("Ada\r\nBcc: eve@example.org", '"Ada Bcc: eve@example.org" <ada@example.org>'),
        ("Zoë", "=?utf-8?b?Wm/Dqw==?= <ada@example.org>"),
        ("=?utf-8?q?x?=", "=?utf-8?"),
    ],
)
def test_names_are_plain_quoted_or_encoded(name: str, raw: str) -> None:
    content = build_message(RENDERED, replace(ISSUE, name=name))
    assert b"\r\nTo: " + raw.encode() in content
    to = parsed(content)["To"].addresses[0]
    assert to.display_name == " ".join(name.split())
    assert to.addr_spec == "ada@example.org"


def test_a_long_subject_in_any_script_is_folded() -> None:
    for subject in (
        "word " * 45,
        "Übergröße " * 20,
        "大规模" * 60,
        "x" * 240,
        "\N{GRINNING FACE}" * 100,
    ):
        message = mail(replace(RENDERED, subject=subject))
        assert message["Subject"] == " ".join(subject.split())


def test_a_domain_in_another_script_goes_out_in_ascii() -> None:
    assert ascii_address("info@bücher.example") == "info@xn--bcher-kva.example"
    assert ascii_address("info@straße.example") == "info@xn--strae-oqa.example"
    assert ascii_address(" a.b+c@example.org ") == "a.b+c@example.org"


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("zoë@example.org", "not ASCII"),
        ("nobody", "not a mail address"),
        ("@example.org", "not a mail address"),
        ("a@", "not a mail address"),
        ("a b@example.org", "not a mail address"),
        ("a>@example.org", "not a mail address"),
        ("a\r\nb@example.org", "not a mail address"),
        ("a@ü..example", "not the domain"),
    ],
)
def test_an_address_that_no_header_takes_is_refused(address: str, message: str) -> None:
    with pytest.raises(PermanentDeliveryError, match=message):
        build_message(RENDERED, replace(ISSUE, address=address))


# Separators of str.splitlines and the C1 controls count as line ends or nothing.
LINES = st.text(max_size=400)


@settings(max_examples=60, deadline=None)
@given(subject=LINES, name=LINES, title=LINES, text=LINES, html=LINES)
def test_whatever_the_texts_the_mail_parses_back_without_defects(
    subject: str, name: str, title: str, text: str, html: str
) -> None:
    given_issue = replace(with_newsletter(title=title, from_name=title), name=name)
    rendered = Rendered(subject=subject, html_parts=(html,), text_parts=(text,))
    content = build_message(rendered, given_issue)
    assert_octets_are_sound(content)
    message = parsed(content)
    for part in message.walk():
        assert not part.defects
    for name_, value in message.items():
        assert not value.defects, (name_, value)
    assert message["Subject"] == cleaned_subject(subject)
    display = message["To"].addresses[0].display_name
    # The parser of some versions keeps the space between two encoded-words.
    assert display.replace(" ", "") == cleaned(name)[:120].replace(" ", "")
    bodies = [part.get_content() for part in message.iter_parts()]
    assert [body.replace("\r\n", "\n").rstrip("\n") for body in bodies] == [
        lines(text).rstrip("\n"),
        lines(html).rstrip("\n"),
    ]


CONTROLS = "\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066\u2067"
FSI, PDI = "\u2068", "\u2069"


def cleaned(value: str, controls: str = CONTROLS + FSI + PDI) -> str:
    value = re.sub("[\ufffe\uffff\ud800-\udfff]", "\ufffd", value)
    return " ".join(re.sub(f"[{controls}]", " ", value).split())


def cleaned_subject(value: str) -> str:
    kept = cleaned(value, CONTROLS)[:250].strip()
    said = "".join(re.findall(f"[{FSI}{PDI}]", kept))
    return kept if said == (FSI + PDI) * (len(said) // 2) else cleaned(kept)


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (f"{FSI}Mamba{PDI} \u0648", f"{FSI}Mamba{PDI} \u0648"),
        (f"{FSI}Mamba", "Mamba"),
        (f"Mamba{PDI} {FSI}", "Mamba"),
        (f"{FSI}a{FSI}b{PDI}c{PDI}", "a b c"),
        (f"{FSI}{'x' * 260}{PDI}", "x" * 249),
    ],
)
def test_a_subject_keeps_isolates_that_are_closed(subject: str, said: str) -> None:
    rendered = Rendered(subject=subject, html_parts=("x",), text_parts=("x",))
    found = parsed(build_message(rendered, ISSUE))["Subject"]
    assert found == cleaned_subject(subject) == said


def lines(value: str) -> str:
    value = re.sub("[\ufffe\uffff\ud800-\udfff]", "\ufffd", value)
    return value.replace("\r\n", "\n").replace("\r", "\n")


def assert_octets_are_sound(content: bytes) -> None:
    """Check lengths and line ends (RFC 5322, 2.1.1), encoded-words (RFC 2047, 2)."""
    assert content.isascii()
    assert b"\0" not in content
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", content)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    head = content.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n"):
        assert line.strip()
        assert len(line) <= 78 or b" " not in line.strip()
    for word in re.findall(rb"=\?[^?]+\?[bqBQ]\?[^?]*\?=", head):
        assert len(word) <= 75


# --- assembling ---------------------------------------------------------------------


class Stub:
    """A renderer without a theme."""

    theme = "stub"
    theme_hash = "0"

    def render(self, issue: Issue) -> Rendered:
        return replace(RENDERED, subject=issue.name)


class Stamp:
    """A signer that says who it is."""

    def __init__(self, name: bytes) -> None:
        self.name = name

    def sign(self, content: bytes) -> bytes:
        return b"X-Signed: " + self.name + b"\r\n" + content


def test_a_mail_is_rendered_built_and_signed_in_turn() -> None:
    message = assemble(ISSUE, renderer=Stub(), signers=(Stamp(b"one"), Stamp(b"two")))
    assert message.content.startswith(b"X-Signed: two\r\nX-Signed: one\r\nFrom: ")
    assert b"\r\nSubject: Ada\r\n" in message.content
    assert (message.key, message.day) == (KEY, date(2026, 3, 5))
    assert message.envelope_from == "digest@example.org"
    assert message.envelope_to == "ada@example.org"


def test_the_envelope_may_have_a_sender_of_its_own_and_days_are_the_newsletters() -> (
    None
):
    given_issue = with_newsletter(
        bounce_address="bounce@example.org", timezone="Pacific/Auckland"
    )
    late = replace(given_issue, slot=given_issue.slot.replace(hour=20))
    message = assemble(late, renderer=Stub())
    assert message.envelope_from == "bounce@example.org"
    assert message.day == date(2026, 3, 6)
