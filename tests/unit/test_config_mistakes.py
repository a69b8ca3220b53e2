"""Every mistake of a configuration: its place, what is wrong, what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.config import load_settings, load_subscribers
from newsletter.config.acronyms import load_acronyms
from newsletter.config.subscribers import pointed
from newsletter.errors import ConfigError
from newsletter.sources import KINDS

HEAD = '[newsletter]\ntitle = "Papers"\nfrom = "digest@example.org"\n'
SOURCE = '[[sources]]\nname = "notes"\nkind = "feed"\n'
READER = '[[subscribers]]\naddress = "ada@example.org"\n'


def problems(
    monkeypatch: pytest.MonkeyPatch,
    root: Path,
    newsletter: str | bytes,
    readers: str | bytes | None = None,
) -> tuple[str, ...]:
    """Load what is wrong from config/, named as a person names it."""
    monkeypatch.chdir(root)
    folder = Path("config")
    folder.mkdir()
    for name, text in (("newsletter", newsletter), ("subscribers", readers)):
        if text is not None:
            raw = text if isinstance(text, bytes) else text.encode()
            (folder / f"{name}.toml").write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load_subscribers(folder, load_settings(folder, {}, kinds=KINDS))
    return caught.value.problems


WRONG_SETTINGS = [
    (
        "[fetch]\ntimeout_s = 'fast'\n",
        "5: fetch.timeout_s: 'fast' is not a number; expected seconds, such as 30",
    ),
    ("[fetch]\ntimeout = 3\n", "5: fetch.timeout: there is no such key; did you"),
    ("[fetch]\nqq = 3\n", "5: fetch.qq: there is no such key; expected one of allow_"),
    ("[fetsh]\n", "4: fetsh: there is no such key; did you mean fetch?"),
    (
        SOURCE + "path = 'a'\nsetle = '2h'\n",
        "8: sources[1].setle: a source of kind 'feed' has no such key; did you mean se",
    ),
    (
        SOURCE + "path = 'a'\nqq = 1\n",
        "8: sources[1].qq: a source of kind 'feed' has no such key; expected one of fi",
    ),
    ("fetch = 3\n", "4: newsletter.fetch: there is no such key; expected one of base_"),
    ("[fetch]\nper_host = true\n", "5: fetch.per_host: true is not a whole number"),
    ("[fetch]\nper_host = 1.5\n", "5: fetch.per_host: 1.5 is not a whole number;"),
    ("[fetch]\nper_host = 0\n", "5: fetch.per_host: 0 is out of range; expected 1 to"),
    ("[fetch]\ntimeout_s = nan\n", "5: fetch.timeout_s: nan is not a finite number"),
    ("[fetch]\nmax_bytes = []\n", "5: fetch.max_bytes: a list is not a whole number"),
    (
        "[fetch]\nallow_private = [\n  '::1',\n  'http://a',\n]\n",
        "7: fetch.allow_private[2]: 'http://a' is not an address in digits; expected",
    ),
    (
        "[fetch]\nallow_private = ['127.0.0.1:99999']\n",
        "5: fetch.allow_private[1]: '127.0.0.1:99999' is not an address in digits",
    ),
    (
        "[fetch]\nproxy = 'https://me:pw@proxy.example.org'\n",
        "5: fetch.proxy: 'https://…@proxy.example.org' is not the address of a proxy;",
    ),
    ("[fetch]\nproxy = 'http://p.example.org/x'\n", "5: fetch.proxy: 'http://p.exa"),
    ("[fetch]\nproxy = 'http://p.example.org:x'\n", "5: fetch.proxy: 'http://p.exa"),
    ("[fetch]\nproxy = 'proxy:3128'\n", "5: fetch.proxy: 'proxy:3128' is not the ad"),
    ("[fetch]\nproxy = 'http://a b'\n", "5: fetch.proxy: 'http://a b' is not the ad"),
    (
        SOURCE + "url = 'https://me:pw@example.org/'\n",
        "7: sources[1].url: 'https://…@example.org/' holds a user name, which would be",
    ),
    ("[fetch]\nallow_private = 'a'\n", "5: fetch.allow_private: 'a' is not a list; ex"),
    ("[catch_up]\nat_most = 6\n", "5: catch_up.at_most: 6 is not a duration; expected"),
    ("[catch_up]\nat_most = '6'\n", "5: catch_up.at_most: '6' is not a duration"),
    ("[catch_up]\nat_most = '99999w'\n", "5: catch_up.at_most: '99999w' is too long"),
    ("[catch_up]\nmax_lookback = '0s'\n", "5: catch_up.max_lookback: nothing at all"),
    (
        "[catch_up]\npolicy = 'never'\n",
        '5: catch_up.policy: \'never\' is unknown; expected "late" or "merge"',
    ),
    (
        "[database]\nurl = 'mysql://ada:secret@localhost/x'\n",
        "5: database.url: 'mysql://ada:…@localhost/x' names no database that can be",
    ),
    ("[database]\nurl = 'sqlite:///:memory:'\n", "5: database.url: 'sqlite:///:memory"),
    ("[ranking]\ntitle = 'high'\n", "5: ranking.title: 'high' is not a number; exp"),
    ("[ranking]\ntitle = -1\n", "5: ranking.title: -1 is out of range; expected 0 to"),
    ("[ranking]\ntitle = 0.12345678\n", "5: ranking.title: 0.12345678 has too many"),
    ("[delivery.smtp]\nport = 70000\n", "5: delivery.smtp.port: 70000 is out of range"),
    ("[delivery.smtp]\nper_day = -1\n", "5: delivery.smtp.per_day: -1 is out of range"),
    ("[delivery]\ndkim = 3\n", "5: delivery.dkim: 3 is not a list; expected [[delive"),
    ("[delivery]\nsmtp = 3\n", "5: delivery.smtp: 3 is not a table; expected [name]"),
    ("timezone = 'Europe/Londn'\n", "4: newsletter.timezone: there is no time zone"),
    ("list_id = 'papers'\n", "4: newsletter.list_id: 'papers' is not a list id;"),
    (f"list_id = 'a.{'b' * 255}'\n", "4: newsletter.list_id: 'a.bbb"),
    ("theme = '../x'\n", "4: newsletter.theme: '../x' is not a name; expected"),
    ("contact = 'ftp://a.example'\n", "4: newsletter.contact: 'ftp://a.example' is n"),
    ("contact = 'https://a b/'\n", "4: newsletter.contact: 'https://a b/' is not an"),
    ("contact = 'https://a:99999/'\n", "4: newsletter.contact: 'https://a:99999/'"),
    ("base_url = 'https://a.example/?x'\n", "4: newsletter.base_url: 'https://a.exam"),
    ("reply_to = 'nobody'\n", "4: newsletter.reply_to: 'nobody' is not an address;"),
    ('postal_address = "a\\u0000"\n', "4: newsletter.postal_address: 'a\\x00' has a"),
    (
        "secret_env = 3\n",
        "4: newsletter.secret_env: 3 is not a list; expected the name",
    ),
    (
        SOURCE,
        "4: sources[1]: the source has neither url nor path; expected exactly one",
    ),
    (
        SOURCE + "path = 'a'\nurl = 'https://a.example/'\n",
        "4: sources[1]: the source has both url and path; expected exactly one",
    ),
    (
        SOURCE + "url = 'a.xml'\n",
        "7: sources[1].url: 'a.xml' is not an address; expected one that begins with",
    ),
    (
        SOURCE + "path = 'a'\n" + SOURCE + "path = 'b'\n",
        "9: sources[2].name: line 5 names a source 'notes' too; expected another",
    ),
    (
        "[[sources]]\nname = 'a b'\nkind = 'feed'\npath = 'a'\n",
        "5: sources[1].name: 'a b' is not a name; expected letters",
    ),
    (
        "[[sources]]\nname = 'a'\nkind = 'feeds'\npath = 'a'\n",
        '6: sources[1].kind: there is no kind "feeds"; expected "arxiv" or',
    ),
    (
        "[[sources]]\nname = 'a'\nkind = 'qq'\npath = 'a'\n",
        '6: sources[1].kind: there is no kind "qq"; expected "arxiv" or "feed" or',
    ),
    (
        "[[sources]]\nname = 'a'\npath = 'a'\n",
        '4: sources[1].kind: is required, and not there; expected kind = "feed"',
    ),
]


@pytest.mark.parametrize(("text", "expected"), WRONG_SETTINGS)
def test_a_wrong_setting_is_named_with_its_line_and_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    (problem,) = problems(monkeypatch, tmp_path, HEAD + text)
    assert problem.startswith(f"config/newsletter.toml:{expected}")


WRONG_FILES: list[tuple[str | bytes, str]] = [
    ("", "config/newsletter.toml: newsletter: is required, and not there; expected a"),
    (
        "[newsletter]\ntitle = 'T'\n",
        "config/newsletter.toml:1: newsletter.from: is required, and not there; expec",
    ),
    (
        "[newsletter]\ntitle = ''\nfrom = 'a@example.org'\n",
        "config/newsletter.toml:2: newsletter.title: '' is empty or has a line end",
    ),
    (
        "[newsletter]\ntitle = 'T'\nfrom = 'Papers, Daily <a@example.org>'\n",
        "config/newsletter.toml:3: newsletter.from: 'Papers, Daily <a@example.org>' is",
    ),
    (
        "[newsletter]\ntitle = 'T'\nfrom = 'a@example.org, b@example.org'\n",
        "config/newsletter.toml:3: newsletter.from: 'a@example.org, b@example.org' is",
    ),
    (
        '[newsletter]\ntitle = "T"\nfrom = "A\\nBcc: b <a@example.org>"\n',
        "config/newsletter.toml:3: newsletter.from: 'A\\nBcc: b <a@example.org>' is em",
    ),
    (
        "[newsletter\ntitle = 'T'\n",
        "config/newsletter.toml:1: column 12: this is no TOML: ",
    ),
    (
        "[newsletter]\ntitle = [\n  'T',\n",
        "config/newsletter.toml:3: column 7: this is no TOML: ",
    ),
    (
        "[newsletter]\ntitle = 'T'\ntitle = 'U'\n",
        "config/newsletter.toml:3: column 12: this is no TOML: Cannot overwrite a",
    ),
    (
        b"[newsletter]\n# caf\xe9\n",
        "config/newsletter.toml:2: a byte is not UTF-8 (0xe9); save the file as UTF-8",
    ),
]


@pytest.mark.parametrize(("text", "expected"), WRONG_FILES)
def test_a_wrong_file_is_named_with_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | bytes,
    expected: str,
) -> None:
    (problem,) = problems(monkeypatch, tmp_path, text)
    assert problem.startswith(expected)


WRONG_READERS = [
    (
        "[[subscribers]]\nname = 'A'\n",
        "1: subscribers[1].address: is required, and not",
    ),
    ("[[subscribers]]\naddress = 'a'\n", "2: subscribers[1].address: 'a' is not an ad"),
    (
        "[[subscribers]]\naddress = 'ü@example.org'\n",
        "2: subscribers[1].address: 'ü@example.org' is not an address; expected one",
    ),
    (
        "[[subscribers]]\naddress = 'A <a@example.org>'\n",
        "2: subscribers[1].address: 'A <a@example.org>' is not an address",
    ),
    (READER + "adress = 'x'\n", "3: subscribers[1].adress: there is no such key; did"),
    (READER + "timezone = 'Mars'\n", "3: subscribers[1].timezone: there is no time"),
    (
        READER + "schedule = 'daily 25:99'\n",
        "3: subscribers[1].schedule: 'daily 25:99': '25:99' is not a time of day",
    ),
    (READER + "schedule = 'often'\n", "3: subscribers[1].schedule: 'often' is not a"),
    (READER + "schedule = [7]\n", "3: subscribers[1].schedule: [7] is not a schedule"),
    (READER + "schedule = []\n", "3: subscribers[1].schedule: no schedule; expected"),
    (READER + "order = 'best'\n", "3: subscribers[1].order: 'best' is unknown; expec"),
    (READER + "max_items = 0\n", "3: subscribers[1].max_items: 0 is out of range; e"),
    (READER + "max_items = '9'\n", "3: subscribers[1].max_items: '9' is not a whole"),
    (READER + "skip_empty = 'no'\n", "3: subscribers[1].skip_empty: 'no' is not true"),
    (READER + 'name = "a\\u0007"\n', "3: subscribers[1].name: 'a\\x07' has a control"),
    (
        READER + "interests = [\n  'a',\n  3,\n]\n",
        "5: subscribers[1].interests[2]: 3 is not an interest; expected a query in",
    ),
    (
        READER + "interests = ['a', { query = 'b', wieght = 2 }]\n",
        "3: subscribers[1].interests[2].wieght: there is no such key; did you mean we",
    ),
    (
        READER + "interests = [{ name = 'b' }]\n",
        "3: subscribers[1].interests[1].query: is required, and not there; expected q",
    ),
    (
        READER + "interests = [{ query = 'b', weight = 0.001 }]\n",
        "3: subscribers[1].interests[1].weight: 0.001 is out of range; expected 0.01",
    ),
    (
        READER + "interests = [{ query = 'b', weight = 1.234 }]\n",
        "3: subscribers[1].interests[1].weight: 1.234 has too many decimals; expected",
    ),
    (
        READER + "interests = [{ query = 'b', weight = true }]\n",
        "3: subscribers[1].interests[1].weight: True is not a number; expected 0.01",
    ),
    (
        READER + READER.replace("ada", "Ada"),
        "4: subscribers[2].address: 'Ada@example.org' stands in line 2 already",
    ),
    (
        READER + "id = 'a'\n" + READER.replace("ada", "b") + "id = 'a'\n",
        "6: subscribers[2].id: 'a' stands in line 3 already; expected each once",
    ),
    (
        "[subscribers]\naddress = 'a@example.org'\n",
        "1: subscribers: a table is not a list; expected [[subscribers]] tables",
    ),
    ("subscribers = [3]\n", "1: subscribers[1]: 3 is not a table; expected [name]"),
    ("[[subscriber]]\n", "1: subscriber: there is no such key; did you mean subscrib"),
]


@pytest.mark.parametrize(("text", "expected"), WRONG_READERS)
def test_a_wrong_reader_is_named_with_its_line_and_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str
) -> None:
    (problem,) = problems(monkeypatch, tmp_path, HEAD, text)
    assert problem.startswith(f"config/subscribers.toml:{expected}")


#: Query, the start of what is said, and where the caret stands.
BROKEN_QUERIES = [
    ("a OR NOT b", "this is true of nearly everything", 0),
    ("NOT a", "this is true of nearly everything", 0),
    ("-survey", "this only says what to leave out", 0),
    ("(a OR b", "this bracket is never closed; expected )", 0),
    ("a OR b)", "nothing opens this bracket", 6),
    ('title:"x', None, 6),
    ("colour:red", "there is no field 'colour'; expected title:", 0),
    ("a AND", None, 5),
    ("OR a", None, 0),
    ("a AND OR b", None, 6),
    ("a and b", 'write AND, or put it in quotes ("and")', 2),
    ("", "the query is empty; write a word", 0),
    ("()", None, 1),
    ("a^heavy", None, 1),
    ("a^0", None, 1),
    ('""', None, 1),
]


@pytest.mark.parametrize("broken", BROKEN_QUERIES, ids=repr)
@pytest.mark.parametrize("key", ["interests", "mutes"])
def test_a_broken_query_is_named_with_a_caret_under_its_place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    broken: tuple[str, str | None, int],
) -> None:
    query, expected, caret = broken
    readers = (
        f"{READER}\n{READER.replace('ada', 'b')}{key} = [\n  'fine',\n  '{query}',\n]"
    )
    (problem,) = problems(monkeypatch, tmp_path, HEAD, readers)
    said, shown, pointer = problem.split("\n")
    place = f"config/subscribers.toml:8: subscribers[2].{key}[2]: "
    assert said.startswith(place + (expected or ""))
    assert len(said) > len(place) + 10
    assert shown == f"    {query}"
    assert pointer == " " * (4 + caret) + "^"


def test_a_broken_query_of_the_defaults_is_named_in_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HEAD + "[defaults]\nmutes = ['fine',\n  '(a']\n"
    (problem,) = problems(monkeypatch, tmp_path, text)
    assert problem.startswith("config/newsletter.toml:6: defaults.mutes[2]: this brack")


LATER = [
    ("[delivery.smtp]\nconnections = 2\n", 5, "delivery.smtp.connections"),
    ("[delivery.smtp]\nrate_per_second = 1.5\n", 5, "delivery.smtp.rate_per_second"),
    ("[delivery.smtp]\nper_domain = 3\n", 5, "delivery.smtp.per_domain"),
    ("[delivery.smtp]\nper_day = 50\n", 5, "delivery.smtp.per_day"),
    (
        "[[delivery.dkim]]\ndomain = 'example.org'\nselector = 'a'\nkey_file = 'k'\n",
        4,
        "delivery.dkim[1]",
    ),
    ("[retention]\nsightings = '200d'\n", 5, "retention.sightings"),
    ("[retention]\nissues = '10d'\n", 5, "retention.issues"),
    ("[retention]\nentries = '10d'\n", 5, "retention.entries"),
    ("[log]\nformat = 'json'\n", 5, "log.format"),
]


@pytest.mark.parametrize(("text", "line", "key"), LATER)
def test_what_is_yet_to_come_is_refused_not_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: int, key: str
) -> None:
    (problem,) = problems(monkeypatch, tmp_path, HEAD + text)
    assert problem.startswith(f"config/newsletter.toml:{line}: {key}: ")
    before, _, cure = problem.partition("is not there yet in this version")
    assert before
    assert len(cure) > 8


@pytest.mark.parametrize(
    ("value", "hint"),
    [("deutsch", ""), ("pt_BR", "pt-BR"), ("en-", ""), ("日本", "")],
)
def test_what_is_no_language_tag_is_refused_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, hint: str
) -> None:
    text = f"{HEAD}language = '{value}'\n[defaults]\nlanguage = '{value}'\n"
    readers = f"{READER}language = '{value}'\n"
    (tmp_path / "other").mkdir()
    first, second = problems(monkeypatch, tmp_path, text)
    (third,) = problems(monkeypatch, tmp_path / "other", HEAD, readers)
    assert first.startswith("config/newsletter.toml:4: newsletter.language: ")
    assert second.startswith("config/newsletter.toml:6: defaults.language: ")
    assert third.startswith("config/subscribers.toml:3: subscribers[1].language: ")
    for problem in (first, second, third):
        assert 'expected one like "en", "de" or "pt-BR"' in problem
        assert (f'did you mean "{hint}"?' in problem) == bool(hint)


@pytest.mark.parametrize("value", ["de", "de-AT", "pt-BR", "zh-Hant-TW", "es-419"])
def test_any_language_may_be_asked_for(tmp_path: Path, value: str) -> None:
    said = f"language = '{value}'\n"
    (tmp_path / "newsletter.toml").write_text(HEAD + said)
    (tmp_path / "subscribers.toml").write_text(READER)
    settings = load_settings(tmp_path, {}, kinds=KINDS)
    reader = (load_subscribers(tmp_path, settings) or ())[0]
    assert settings.newsletter.language == reader.language == value


@pytest.mark.parametrize(
    ("value", "hint"),
    [("english", "en"), ("EN", "en"), ("en-GB", "en"), ("xx", ""), ("porter", "")],
)
def test_a_language_without_stems_is_named_with_those_that_have_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, hint: str
) -> None:
    (problem,) = problems(monkeypatch, tmp_path, HEAD, f"{READER}stem = '{value}'\n")
    assert problem.startswith("config/subscribers.toml:3: subscribers[1].stem: ")
    assert '"none" or one of ar, ca, da, de' in problem
    assert ("did you mean" in problem) == bool(hint)
    assert not hint or problem.endswith(f'did you mean "{hint}"?')


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('LLM = "large language model"\nllm = "long lines"\n', 2, "line 1 says what"),
        ('\nAI = "intelligence"\n', 2, "expected two words or more"),
        ('"--" = "two dashes"\n', 1, "expected a short form such as LLM"),
        ('[LLM]\nlong = "large language model"\n', 1, "expected LLM ="),
        ('A = "a b"\nA = "a c"\n', 2, "no TOML"),
        ("LLM = large language model\n", 1, "no TOML"),
    ],
)
def test_a_wrong_acronym_is_named_with_its_line_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, line: int, what: str
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "acronyms.toml").write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_acronyms(Path("config"))
    (problem,) = caught.value.problems
    assert problem.startswith(f"config/acronyms.toml:{line}: ")
    assert what in problem


def test_all_mistakes_of_settings_are_named_at_once_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = HEAD + (
        "[log]\nformat = 'xml'\n[fetch]\nper_host = 0\n[catch_up]\nat_most = 6\n"
    )
    found = problems(monkeypatch, tmp_path, text)
    assert [p.split(":")[1] for p in found] == ["5", "7", "9"]


def test_one_readers_mistake_does_not_hide_anothers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = (
        "[[subscribers]]\naddress = 'nobody'\n"
        f"{READER}interests = ['(a']\n"
        f"{READER}language = 'deutsch'\n"
        f"{READER}"
    )
    text = HEAD + "[defaults]\ninterests = ['b)']\n"
    found = problems(monkeypatch, tmp_path, text, readers)
    assert [p.split(": ")[1] for p in found] == [
        "defaults.interests[1]",
        "subscribers[1].address",
        "subscribers[3].language",
        "subscribers[2].interests[1]",
        "subscribers[4].address",
    ]


def test_a_missing_folder_and_a_missing_file_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path / "confg", {}, kinds=KINDS)
    (problem,) = caught.value.problems
    assert problem.startswith(f"there is no folder {tmp_path}/confg: ")
    assert "newsletter demo" in problem
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {}, kinds=KINDS)
    assert str(caught.value).startswith(f"{tmp_path}/newsletter.toml is not there: ")


def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory; expected"):
        load_settings(tmp_path, {}, kinds=KINDS)


def test_a_long_wrong_value_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"{HEAD}[fetch]\ntimeout_s = '{'x' * 900}'\n"
    (problem,) = problems(monkeypatch, tmp_path, text)
    assert len(problem) < 250


def test_the_caret_stands_below_wide_and_combining_characters() -> None:
    assert pointed("拡散 (b", 3) == "    拡散 (b\n         ^"
    assert pointed("e\N{COMBINING ACUTE ACCENT} (b", 3).endswith("\n      ^")


def test_only_the_neighbourhood_of_a_long_query_is_shown() -> None:
    query = "a" * 100 + "(" + "b" * 100
    shown, pointer = pointed(query, 100).split("\n")
    assert shown == "    …" + "a" * 60 + "(" + "b" * 59 + "…"
    assert pointer == " " * 65 + "^"
    assert shown[pointer.index("^")] == "("
