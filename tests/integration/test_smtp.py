"""The SMTP sender against real servers: willing, faulty, with and without TLS."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from newsletter.delivery.smtp import Smtp, Timeouts
from newsletter.errors import (
    DeliveryError,
    PermanentDeliveryError,
    TransientDeliveryError,
)
from newsletter.model import IssueState, Message, Outcome, Security, SmtpServer
from tests.support.issues import SLOT, FixedClock
from tests.support.smtp import Fault, FaultyServer, Mailroom, certificates, mailroom

S = IssueState
QUICK = Timeouts(connect=2, command=0.5, data=0.5, content=2, dot=0.5, quit=0.2)
#: More than the buffers of two sockets hold.
LONG = b"x" * 76 + b"\r\n"


def letter(number: int, *, to: str = "", size: int = 2_000) -> Message:
    head = f"Subject: number {number}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    return Message(
        key=f"{number:032x}",
        envelope_from="bounces@example.org",
        envelope_to=to or f"reader{number}@example.net",
        content=head + LONG * (size // len(LONG)) + b".dot\r\n..\r\nend\r\n",
        day=SLOT.date(),
    )


def local(
    port: int, security: Security = Security.NONE, **more: str | None
) -> SmtpServer:
    server = SmtpServer(host="127.0.0.1", port=port, security=security)
    return replace(server, **more)  # type: ignore[arg-type] # any text field of it


def sender(server: SmtpServer) -> Smtp:
    return Smtp(server, clock=FixedClock(), timeouts=QUICK)


def deliver(server: FaultyServer | Mailroom, *messages: Message) -> list[Outcome]:
    smtp = sender(local(server.port))
    try:
        return list(smtp.send(messages))
    finally:
        smtp.close()


def faulty(*faults: Fault) -> FaultyServer:
    return FaultyServer(faults)


# --- mail ---------------------------------------------------------------------


def test_all_mails_go_over_one_connection_byte_for_byte() -> None:
    letters = [letter(n) for n in range(20)]
    with mailroom() as room:
        outcomes = deliver(room, *letters)
    assert [o.state for o in outcomes] == [S.SENT] * 20
    assert [o.key for o in outcomes] == [m.key for m in letters]
    assert room.connections == 1
    assert [m.content for m in room.mails] == [m.content for m in letters]
    assert {m.sender for m in room.mails} == {"bounces@example.org"}
    assert room.mails[7].recipient == "reader7@example.net"


def test_a_mail_that_begins_with_a_dot_keeps_it() -> None:
    dotted = replace(letter(1), content=b".first\r\n.\r\n..\r\n")
    with mailroom() as room:
        deliver(room, dotted)
    assert [m.content for m in room.mails] == [dotted.content]


def test_nothing_is_connected_without_a_mail() -> None:
    with faulty() as server:
        assert deliver(server) == []
    assert server.connections == 0


def test_the_server_hears_the_size_and_a_farewell() -> None:
    with faulty() as server:
        deliver(server, letter(1))
    assert f"mail FROM:<bounces@example.org> size={len(letter(1).content)}" in (
        server.heard
    )
    assert server.heard[-1].lower() == "quit"


def test_a_server_that_hangs_at_the_farewell_does_not_hold_us_up() -> None:
    with faulty(Fault(at="quit", does="hang")) as server:
        assert [o.state for o in deliver(server, letter(1))] == [S.SENT]


# --- faults of one mail ---------------------------------------------------------

#: (fault, state, code, accepted by the server, what the reason says)
ONE_MAIL = [
    (Fault(at="mail", does="451 4.7.1 later"), S.RETRY, 451, False, "451 4.7.1 later"),
    (Fault(at="mail", does="552 5.3.4 too big"), S.HELD, 552, False, "552 5.3.4 too"),
    (Fault(at="rcpt", does="450 4.2.1 greylisted"), S.RETRY, 450, False, "greylisted"),
    (Fault(at="rcpt", does="452 4.2.2 full"), S.RETRY, 452, False, "452 4.2.2 full"),
    (Fault(at="rcpt", does="550 5.1.1 nobody"), S.FAILED, 550, False, "550 5.1.1 no"),
    (Fault(at="rcpt", does="550 5.7.1 listed"), S.HELD, 550, False, "550 5.7.1 liste"),
    (Fault(at="rcpt", does="drop"), S.RETRY, None, False, "when it was told the recip"),
    (Fault(at="rcpt", does="hang"), S.RETRY, None, False, "timed out"),
    (Fault(at="data", does="451 x"), S.RETRY, 451, False, "451 x"),
    (Fault(at="data", does="554 5.7.1 no"), S.HELD, 554, False, "554 5.7.1 no"),
    (Fault(at="data", does="drop"), S.RETRY, None, False, "before it had the whole"),
    (Fault(at="body", does="drop"), S.RETRY, None, False, "before it had the whole"),
    (Fault(at="body", does="421 bye"), S.RETRY, None, False, "before it had the who"),
    (Fault(at="dot", does="451 4.3.0 busy"), S.RETRY, 451, False, "451 4.3.0 busy"),
    (Fault(at="dot", does="421 4.3.2 down"), S.RETRY, 421, False, "421 4.3.2 down"),
    (Fault(at="dot", does="554 5.7.1 spam"), S.HELD, 554, False, "554 5.7.1 spam"),
    (Fault(at="dot", does="drop"), S.UNKNOWN, None, False, "before it said that"),
    (Fault(at="dot", does="take and drop"), S.UNKNOWN, None, True, "before it said"),
    (Fault(at="dot", does="hang"), S.UNKNOWN, None, False, "timed out"),
    (Fault(at="dot", does="999 what"), S.UNKNOWN, 999, False, "999 what"),
]


@pytest.mark.parametrize(
    ("fault", "state", "code", "accepted", "reason"),
    ONE_MAIL,
    ids=[f"{row[0].at}-{row[0].does}" for row in ONE_MAIL],
)
def test_a_fault_touches_one_mail_and_the_next_ones_go(
    fault: Fault, state: IssueState, code: int | None, accepted: bool, reason: str
) -> None:
    first, *others = letter(1, size=6_000_000), letter(2), letter(3)
    with faulty(replace(fault, times=(1,))) as server:
        outcome, *rest = deliver(server, first, *others)
    assert (outcome.state, outcome.code) == (state, code)
    assert reason in (outcome.reason or "")
    assert [o.state for o in rest] == [S.SENT, S.SENT]
    taken = [mail.recipient for mail in server.mails]
    assert taken == [first.envelope_to] * accepted + [m.envelope_to for m in others]


def test_only_a_recipient_that_does_not_exist_has_bounced() -> None:
    replies = ["550 5.1.1 no", "550 no", "550 5.2.1 closed", "552 5.2.2 full", "554 x"]
    faults = [
        Fault(at="rcpt", does=reply, times=(n,)) for n, reply in enumerate(replies, 1)
    ]
    with FaultyServer(tuple(faults)) as server:
        outcomes = deliver(server, *(letter(n) for n in range(len(replies))))
    assert [o.state for o in outcomes] == [S.FAILED] * 5
    assert [o.bounced for o in outcomes] == [True, True, True, False, False]
    assert server.connections == 1


def test_a_server_that_breaks_off_after_a_refusal_has_still_refused() -> None:
    faults = Fault(at="rcpt", does="550 5.1.1 no"), Fault(at="rset", does="drop")
    with FaultyServer(tuple(replace(f, times=(1,)) for f in faults)) as server:
        outcomes = deliver(server, letter(1), letter(2))
    assert [o.state for o in outcomes] == [S.FAILED, S.SENT]
    assert server.connections == 2


def test_only_greylisting_is_marked_as_such() -> None:
    with faulty(Fault(at="rcpt", does="450 4.2.0 wait", times=(1,))) as server:
        outcomes = deliver(server, letter(1), letter(2))
    assert [o.greylisted for o in outcomes] == [True, False]


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "body"])
@pytest.mark.parametrize("does", ["drop", "421 4.3.2 closing"])
def test_a_kept_connection_that_ends_is_made_anew_and_nothing_is_lost(
    stage: str, does: str
) -> None:
    fault = Fault(at=stage, does=does, times=(2,))  # type: ignore[arg-type] # a Stage
    with faulty(fault) as server:
        outcomes = deliver(server, *(letter(n, size=6_000_000) for n in range(3)))
    assert [o.state for o in outcomes] == [S.SENT] * 3
    assert len(server.mails) == 3
    assert server.connections == 2


def test_a_reply_with_controls_and_no_end_is_kept_short_and_clean() -> None:
    fault = Fault(at="dot", does="451 a\x1b[31m" + "long " * 90)
    with faulty(fault) as server:
        (outcome,) = deliver(server, letter(1))
    assert outcome.reason
    assert "\x1b" not in outcome.reason
    assert len(outcome.reason) <= 204


def test_a_reply_line_without_end_is_a_lost_connection() -> None:
    with faulty(Fault(at="rcpt", does="250 " + "a" * 20_000)) as server:
        (outcome,) = deliver(server, letter(1))
    assert (outcome.state, outcome.code) == (S.RETRY, None)
    assert "Line too long" in (outcome.reason or "")


# --- faults of the server -------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault(at="banner", does="421 busy"), TransientDeliveryError, "421 busy"),
        (Fault(at="banner", does="554 no"), PermanentDeliveryError, "554 no"),
        (Fault(at="banner", does="drop"), TransientDeliveryError, "cannot be reached"),
        (Fault(at="banner", does="hang"), TransientDeliveryError, "not answer|timed"),
        (Fault(at="ehlo", does="drop"), TransientDeliveryError, "cannot be reached"),
        (Fault(at="mail", does="drop"), TransientDeliveryError, "broke off before"),
        (Fault(at="mail", does="421 x"), TransientDeliveryError, "broke off before"),
        (
            Fault(at="mail", does="553 5.7.1 not yours"),
            PermanentDeliveryError,
            "refuses the sender bounces@example.org: 553 5.7.1 not yours; set news",
        ),
    ],
    ids=lambda value: value.does if isinstance(value, Fault) else None,
)
def test_what_is_wrong_with_the_server_is_no_mails_fault(
    fault: Fault, error: type[DeliveryError], says: str
) -> None:
    with faulty(fault) as server, pytest.raises(error, match=says):
        deliver(server, letter(1), letter(2))
    assert server.mails == []


def test_a_server_that_goes_away_keeps_what_it_took() -> None:
    with faulty() as server:
        smtp = sender(local(server.port))
        outcomes = smtp.send([letter(n) for n in range(5)])
        assert [next(outcomes).state for _ in range(2)] == [S.SENT, S.SENT]
        server.kill()
        with pytest.raises(TransientDeliveryError, match="nothing listens there"):
            next(outcomes)
    assert len(server.mails) == 2


def test_refused_mail_after_mail_it_stops() -> None:
    with faulty(Fault(at="dot", does="554 5.7.1 spam")) as server:
        smtp = sender(local(server.port))
        outcomes: list[Outcome] = []
        with pytest.raises(PermanentDeliveryError, match="refuses mail after mail"):
            outcomes.extend(smtp.send([letter(n) for n in range(9)]))
        smtp.close()
    assert server.connections == 1
    assert server.heard.count("DATA") == 3


def test_lost_mail_after_mail_it_stops() -> None:
    with (
        faulty(Fault(at="rcpt", does="drop")) as server,
        pytest.raises(TransientDeliveryError, match="breaks off mail after mail"),
    ):
        deliver(server, *(letter(n) for n in range(9)))
    assert server.connections == 3


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("nowhere.invalid", "there is no such name"),
        ("127.0.0.1", "nothing listens there; look at delivery.smtp.host and port"),
    ],
)
def test_who_cannot_be_reached_is_named(host: str, says: str) -> None:
    with socket.socket() as taken:
        # Bound, and not listening: nobody else gets it meanwhile.
        taken.bind(("127.0.0.1", 0))
        server = replace(local(taken.getsockname()[1]), host=host)
        with pytest.raises(TransientDeliveryError, match=says):
            list(sender(server).send([letter(1)]))


# --- TLS and password -------------------------------------------------------------


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_over_tls_with_a_good_certificate_mail_goes(
    security: Security, tmp_path: Path
) -> None:
    context, ca = certificates("localhost")
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with mailroom(tls=context, from_the_start=security is Security.TLS) as room:
        server = replace(
            local(room.port, security),
            host="localhost",
            ca_file=str(tmp_path / "ca.pem"),
        )
        smtp = sender(server)
        outcomes = list(smtp.send([letter(1), letter(2)]))
        smtp.close()
    assert [o.state for o in outcomes] == [S.SENT, S.SENT]
    assert room.over_tls == [True, True]


def test_where_starttls_is_required_and_not_offered_nothing_is_sent() -> None:
    with faulty() as server:
        smtp = sender(
            local(server.port, Security.STARTTLS, username="digest", password="s3cret")
        )
        with pytest.raises(PermanentDeliveryError, match="does not offer STARTTLS"):
            list(smtp.send([letter(1)]))
    assert server.mails == []
    assert [line.split()[0].upper() for line in server.heard] == ["EHLO"]


def test_where_starttls_is_offered_and_then_refused_nothing_is_sent() -> None:
    with FaultyServer(extensions=("STARTTLS",)) as server:
        smtp = sender(local(server.port, Security.STARTTLS))
        with pytest.raises(TransientDeliveryError, match=r"454 4\.7\.0 no TLS now"):
            list(smtp.send([letter(1)]))
    assert [line.split()[0].upper() for line in server.heard] == ["EHLO", "STARTTLS"]


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize(
    ("name", "trusts", "says"),
    [
        ("other.example.net", True, "Hostname mismatch"),
        ("localhost", False, "unable to get local issuer certificate"),
    ],
)
def test_with_a_bad_certificate_nothing_is_sent(
    security: Security, name: str, trusts: bool, says: str, tmp_path: Path
) -> None:
    context, ca = certificates(name)
    voucher = ca if trusts else certificates(name)[1]
    trusted = tmp_path / "ca.pem"
    voucher.cert_pem.write_to_path(str(trusted))
    with mailroom(tls=context, from_the_start=security is Security.TLS) as room:
        server = replace(
            local(room.port, security, username="digest", password="s3cret"),
            host="localhost",
            ca_file=str(trusted),
        )
        with pytest.raises(PermanentDeliveryError, match=says) as caught:
            list(sender(server).send([letter(1)]))
    assert "nothing was sent" in str(caught.value)
    assert room.mails == []
    assert room.logins == []


def test_a_port_that_speaks_no_tls_is_named() -> None:
    with (
        faulty() as server,
        pytest.raises(PermanentDeliveryError, match='465 with "tls"'),
    ):
        list(sender(local(server.port, Security.TLS)).send([letter(1)]))
    assert server.mails == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_opens_the_way() -> None:
    with mailroom(auth=True) as room:
        server = local(room.port, username="digest", password="s3cret")
        smtp = sender(server)
        outcomes = list(smtp.send([letter(1)]))
        smtp.close()
    assert [o.state for o in outcomes] == [S.SENT]
    assert set(room.logins) == {("digest", "s3cret")}


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_wrong_password_stops_all_and_is_not_printed() -> None:
    with mailroom(auth=True) as room:
        server = local(room.port, username="digest", password="wr0ng")
        with pytest.raises(
            PermanentDeliveryError, match="user name 'digest'"
        ) as caught:
            list(sender(server).send([letter(1)]))
    assert caught.value.code == 535
    assert "wr0ng" not in str(caught.value)
    assert "wr0ng" not in repr(server)
    assert room.mails == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_a_password_that_smtp_cannot_carry_is_named() -> None:
    with mailroom(auth=True) as room:
        server = local(room.port, username="digest", password="geheimnisß")
        with pytest.raises(PermanentDeliveryError, match="other than ASCII") as caught:
            list(sender(server).send([letter(1)]))
    assert "geheimnis" not in str(caught.value)


def test_a_login_that_makes_no_sense_is_named() -> None:
    garbage = Fault(at="other", does="334 a")
    with FaultyServer((garbage,), extensions=("AUTH LOGIN",)) as server:
        smtp = sender(local(server.port, username="digest", password="s3cret"))
        with pytest.raises(PermanentDeliveryError, match="in a way that we know"):
            list(smtp.send([letter(1)]))
    assert server.mails == []


def test_a_server_that_wants_no_password_is_named() -> None:
    with faulty() as server:
        smtp = sender(local(server.port, username="digest", password="s3cret"))
        with pytest.raises(
            PermanentDeliveryError, match=r"leave delivery\.smtp\.username out"
        ):
            list(smtp.send([letter(1)]))
    assert server.mails == []
    assert not any("s3cret" in line for line in server.heard)
