"""Issues of real papers over SMTP: to aiosmtpd, to Postfix, to a server that dies.

The issues are prepared once; each test delivers a copy of that ledger.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.app import open_app
from newsletter.model import IssueState
from tests.conftest import missing
from tests.support import postfix
from tests.support.corpus import load_publisher, serve_corpus
from tests.support.project import Project
from tests.support.smtp import Fault, FaultyServer, certificates, mailroom
from tests.support.web import HttpServer

FIRST = date(2026, 5, 11)
DAYS = tuple(FIRST + timedelta(days=n) for n in range(4))
INTERESTS = ("agent*", "diffusion", '"language model*"', "robot*", "video", "source:hf")
#: Readers whom Postfix takes, and those whom it refuses.
WELCOME = tuple(f"reader{n}@example.net" for n in range(50))
REFUSED = ("hard@example.net", "soft@example.net", "full@example.net")
S = IssueState


def readers(addresses: tuple[str, ...]) -> str:
    return "".join(
        f'[[subscribers]]\naddress = "{address}"\nname = "Ré {n}"\nmax_items = 5\n'
        f"schedule = \"daily 07:30\"\ninterests = ['{INTERESTS[n % 6]}']\n"
        for n, address in enumerate(addresses)
    )


def prepare(
    root: Path, corpus: Path, days: tuple[date, ...], addresses: tuple[str, ...]
) -> Project:
    """Return a project whose ledger holds an issue ready for each day and reader."""
    project = Project(root=root)
    publisher = replace(load_publisher(corpus), arxiv={})
    with HttpServer() as server:
        project.write(serve_corpus(publisher, server), readers(addresses))
        for day in days:
            publisher.now = datetime(day.year, day.month, day.day, 20, 0, tzinfo=UTC)
            with open_app(project.root / "config", {}) as app:
                app.refresh(at=publisher.now)
                app.prepare(at=publisher.now, everyone=True)
    return project


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Project:
    """Give a project with 200 issues ready, of four days."""
    root = tmp_path_factory.mktemp("many")
    return prepare(root, shared / "corpus" / "papers.jsonl.gz", DAYS, WELCOME)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Project:
    """Give a project with 12 issues ready, of one day."""
    root = tmp_path_factory.mktemp("few")
    corpus = shared / "corpus" / "papers.jsonl.gz"
    return prepare(root, corpus, DAYS[:1], WELCOME[:12])


Copied = Callable[[Project, str], Project]


@pytest.fixture
def copied(tmp_path: Path) -> Copied:
    """Give a way to have a copy of a prepared project, by a name."""

    def copy(project: Project, name: str) -> Project:
        shutil.copytree(project.root, tmp_path / name)
        return Project(root=tmp_path / name)

    return copy


def over_smtp(project: Project, port: int, **more: str) -> Project:
    """Return *project* with a transport of SMTP, in clear on this machine."""
    smtp = {"HOST": "127.0.0.1", "PORT": str(port), "SECURITY": "none", **more}
    return replace(
        project,
        environ={
            "NEWSLETTER_DELIVERY__TRANSPORT": "smtp",
            **{f"NEWSLETTER_DELIVERY__SMTP__{k}": v for k, v in smtp.items()},
        },
    )


def outbox_of(project: Project) -> dict[str, bytes]:
    """Deliver into the outbox; return the mails by key."""
    project.run("deliver")
    return {p.stem: p.read_bytes() for p in project.outbox.glob("*/*.eml")}


def key_of(content: bytes) -> str:
    found = re.search(rb"^Message-ID:\s+<([0-9a-f]{32})@", content, re.MULTILINE)
    assert found, content[:500]
    return found[1].decode()


def states(project: Project) -> Counter[str]:
    counts: Counter[str] = Counter(project.json("status")["issues"])
    return counts


@pytest.mark.long
@pytest.mark.timeout(600)
def test_aiosmtpd_receives_200_issues_as_the_outbox_does(
    many: Project, copied: Copied
) -> None:
    expected = outbox_of(copied(many, "outbox"))
    assert len(expected) == 200
    project = copied(many, "smtp")
    with mailroom() as room:
        project = over_smtp(project, room.port)
        project.run("deliver")
        assert states(project) == {S.SENT: 200}
        project.run("deliver")
    assert {key_of(mail.content): mail.content for mail in room.mails} == expected
    assert len(room.mails) == 200
    assert room.connections == 1
    assert {mail.recipient for mail in room.mails} == set(WELCOME)
    assert {mail.sender for mail in room.mails} == {"digest@example.org"}


def added(content: bytes) -> tuple[list[str], bytes]:
    """Return the names of the fields that a server put on top, and the rest."""
    found = re.search(rb"^From: ", content, re.MULTILINE)
    assert found
    head = content[: found.start()].decode("ascii")
    return re.findall(r"^([\w-]+):", head, re.MULTILINE), content[found.start() :]


@pytest.fixture
def server(judges: Path) -> Iterator[postfix.Postfix]:
    """Give a Postfix that refuses hard@, soft@ and full@example.net."""
    if reason := postfix.why_not():
        missing(reason)
    with tempfile.TemporaryDirectory(prefix="postfix-") as folder:
        Path(folder).chmod(0o755)  # its parts run under names of their own
        with postfix.postfix(
            judges / "postfix_loopback.sh", Path(folder, "server")
        ) as it:
            yield it


@pytest.mark.long
@pytest.mark.timeout(600)
def test_postfix_takes_200_issues_and_three_refusals_end_as_they_must(
    many: Project, copied: Copied, server: postfix.Postfix
) -> None:
    expected = outbox_of(copied(many, "outbox"))
    project = over_smtp(copied(many, "smtp"), server.port)
    project.write_readers(readers((*WELCOME, *REFUSED)))
    at = f"{DAYS[-1]}T21:00Z"
    with open_app(project.root / "config", project.environ) as app:
        app.prepare(at=datetime.fromisoformat(at), everyone=True)
        ours = {row.record.key for row in app.store.ledger.recent(limit=1000)}
    more = ours - set(expected)
    out, err = project.run("deliver", code=1)
    check_refusals(project, out, err)
    sent = states(project)[S.SENT]
    assert sent == len(ours) - 3
    for mail in server.mails(sent):
        fields, rest = added(mail)
        assert set(fields) <= {
            "Return-Path",
            "X-Original-To",
            "Delivered-To",
            "Received",
        }
        key = key_of(rest)
        if key not in more:
            assert rest.replace(b"\n", b"\r\n") == expected.pop(key)
    assert not expected


def check_refusals(project: Project, out: str, err: str) -> None:
    """Check what DELIVERY says of a mailbox that is not there, greylisted, full."""
    assert re.search(r"for hard@example.net: failed, 550 5.1.1 .*nothing more is", err)
    assert re.search(r"for soft@example.net: retry at .*: 450 4.2.1", out)
    assert re.search(r"for full@example.net: retry at .*: 452 4.2.2", out)
    with open_app(project.root / "config", project.environ) as app:
        rows = {
            row.record.address: row
            for row in app.store.ledger.recent(limit=1000)
            if row.record.address in REFUSED
        }
        statuses = [str(app.store.subscribers.get(a).status) for a in REFUSED]
    hard, soft, full = (rows[address] for address in REFUSED)
    assert statuses == ["bounced", "active", "active"]
    assert (hard.state, soft.state, full.state) == (S.FAILED, S.RETRY, S.RETRY)
    assert soft.retry_at == soft.updated_at + timedelta(minutes=5)
    assert full.retry_at == full.updated_at + timedelta(minutes=15)
    assert (soft.attempts, full.attempts) == (1, 1)
    said, _ = project.run("status")
    assert "failed: " in said
    assert said.count("again at ") == 2


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_server_killed_in_mid_run_loses_nothing_and_status_names_each(
    many: Project, copied: Copied
) -> None:
    project = copied(many, "smtp")
    with FaultyServer() as first:
        # Killed when it has the 60th mail, before it says so.
        first.on_mail = lambda _: first.kill() if len(first.mails) == 60 else None
        project = over_smtp(project, first.port)
        _, err = project.run("deliver", code=1)
    assert "delivery stopped: " in err
    assert "cannot be reached" in err
    doubtful = key_of(first.mails[-1].content)
    said, _ = project.run("status")
    assert re.search(f"unknown: {doubtful[:12]} for .*may have arrived", said)
    found = states(project)
    assert (found[S.SENT], found[S.UNKNOWN]) == (59, 1)
    assert found[S.READY] + found[S.RETRY] == 140
    with FaultyServer() as second:
        project = over_smtp(project, second.port)
        project.run("deliver")
        assert states(project) == {S.SENT: 199, S.UNKNOWN: 1}
        taken = [key_of(mail.content) for mail in (*first.mails, *second.mails)]
        assert len(taken) == len(set(taken)) == 200
        check_doubt(project, doubtful, second)


def check_doubt(project: Project, key: str, server: FaultyServer) -> None:
    """A person says to repeat it: the same Message-ID once more, and it is over."""
    out, _ = project.run("deliver", "--resolve-unknown", "repeat", key[:12])
    assert f"deliver   {key[:12]} for " in out
    assert key_of(server.mails[-1].content) == key
    assert states(project) == {S.SENT: 200}
    _, err = project.run("deliver", "--resolve-unknown", "drop", key[:12], code=2)
    assert "is sent; only one that is unknown or held" in err


@pytest.mark.long
def test_a_mail_in_doubt_is_dropped_on_a_persons_word(
    few: Project, copied: Copied
) -> None:
    project = copied(few, "smtp")
    with FaultyServer((Fault(at="dot", does="take and drop", times=(3,)),)) as server:
        project = over_smtp(project, server.port)
        _, err = project.run("deliver", code=1)
        doubtful = key_of(server.mails[2].content)
        assert f"{doubtful[:12]} for" in err
        assert f"--resolve-unknown repeat {doubtful[:12]}" in err
        assert project.json("deliver", "--resolve-unknown", "drop", doubtful[:12]) == [
            doubtful
        ]
        assert states(project) == {S.SENT: 11, S.FAILED: 1}
        assert "unknown" not in project.run("status")[0]
        project.run("deliver")
    assert len(server.mails) == 12


@pytest.mark.parametrize("words", [("abc",), ("--resolve-unknown", "drop")])
def test_a_resolution_and_keys_go_together(
    project: Project, words: tuple[str, ...]
) -> None:
    project.write("")
    _, err = project.run("deliver", *words, code=2)
    assert "go together" in err


@pytest.mark.long
def test_a_server_that_refuses_mail_after_mail_is_asked_no_more(
    few: Project, copied: Copied
) -> None:
    project = copied(few, "smtp")
    with FaultyServer((Fault(at="dot", does="554 5.7.1 listed"),)) as server:
        project = over_smtp(project, server.port)
        _, err = project.run("deliver", code=1)
    assert "refuses mail after mail" in err
    assert states(project)[S.HELD] == 3
    said, _ = project.run("status")
    assert said.count("held: ") == 3
    assert "mend what is said there" in said
    assert not server.mails


@pytest.mark.long
def test_without_starttls_where_it_is_required_nothing_goes_and_the_run_says_why(
    few: Project, copied: Copied
) -> None:
    project = copied(few, "smtp")
    with FaultyServer() as server:
        project = over_smtp(project, server.port, SECURITY="starttls")
        _, err = project.run("deliver", code=1)
    assert "does not offer STARTTLS, so nothing was sent" in err
    assert states(project) == {S.RETRY: 8, S.READY: 4}
    verbs = [line.split(" ")[0].upper() for line in server.heard]
    assert set(verbs) <= {"EHLO", "QUIT"}


def test_with_a_certificate_of_another_name_nothing_goes_and_the_run_says_why(
    few: Project, copied: Copied
) -> None:
    project = copied(few, "smtp")
    tls, ca = certificates("mail.example.org")
    ca_file = project.root / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_file))
    with mailroom(tls=tls) as room:
        project = over_smtp(
            project, room.port, SECURITY="starttls", CA_FILE=str(ca_file)
        )
        _, err = project.run("deliver", code=1)
        assert not room.mails
    assert "the certificate of 127.0.0.1" in err
    assert "cannot be trusted" in err
    assert "delivery.smtp.host" in err
    assert states(project) == {S.RETRY: 8, S.READY: 4}
