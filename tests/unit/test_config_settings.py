"""What a right configuration means: documented values, defaults, environment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from newsletter.config import (
    Settings,
    load_settings,
    load_subscribers,
    sample_folder,
    starter_folder,
)
from newsletter.config.settings import slug
from newsletter.errors import ConfigError
from newsletter.model import (
    AfterCrash,
    CatchUp,
    CatchUpPolicy,
    FetchSettings,
    Newsletter,
    Order,
    Profile,
    Ranking,
    Sections,
    Security,
    SmtpServer,
    SourceSettings,
    SubscriberSpec,
)
from newsletter.sources import KINDS

HEAD = '[newsletter]\ntitle = "Daily Papers"\nfrom = "digest@example.org"\n'

FULL = """
[newsletter]
title = "Daily Papers"
from = "Daily Papers <digest@example.org>"
list_id = "papers.lists.example.org"
base_url = "https://digest.example.org/"
unsubscribe_mailto = "leave@example.org"
reply_to = "editor@example.org"
bounce_address = "bounces@example.org"
contact = "https://example.org/about"
postal_address = "1 Sample Street\\nExample Town"
language = "en"
timezone = "Europe/London"
theme = "plain"
secret_env = ["NEW_SECRET", "OLD_SECRET"]
secret_file = "keys/secret"

[database]
url = "sqlite:///data/papers.db"

[defaults]
schedule = ["mon 08:00", "thu 18:00"]
max_items = 5
mutes = ["survey"]
order = "votes"

[catch_up]
policy = "merge"
at_most = "2h"
max_lookback = "2w"
repeat_days = 30

[delivery]
transport = "outbox"
outbox = "post"
after_crash = "repeat"
expire_after = "90m"
window = 4

[delivery.smtp]
host = "relay.example.org"
port = 465
security = "tls"
username = "digest"
password_env = "RELAY_PASSWORD"
helo = "news.example.org"
connections = 1

[fetch]
allow_private = ["127.0.0.1:8000", "[::1]:80", "10.0.0.0/8", "localhost", "::1"]
max_bytes = 5_000_000
timeout_s = 12.5
per_host = 1
proxy = "http://me:pw@proxy.example.org:3128"
interval = "90s"

[ranking]
title = 3
freshness = 0.25
half_life = "36h"

[retention]
issues = "180d"

[log]
format = "text"

[[sources]]
name = "hf"
kind = "huggingface"
url = "https://huggingface.co/api/daily_papers"
path = ""
settle = "20h"
first_days = 0.5
max_new = 10
tags = ["papers"]
required = true

[[sources]]
name = "lab-notes"
kind = "feed"
path = "sample/lab-notes.xml"
interval = "0s"
"""

READERS = """
[[subscribers]]
address = "ada@example.org"
id = "ada"
name = "Ada"
timezone = "Asia/Tokyo"
schedule = "daily  07:30"
interests = [
  "mamba",
  { query = "robot*", name = "Robots", weight = 2.25 },
]
mutes = []
order = "newest"
sections = "source"
max_items = 3
min_votes = 7
stem = "none"
fill = false
skip_empty = false

[[subscribers]]
address = "grace@bücher.example"
timezone = ""
order = ""
"""


def write(root: Path, newsletter: str, readers: str | None = None) -> Path:
    folder = root / "config"
    folder.mkdir(exist_ok=True)
    (folder / "newsletter.toml").write_text(newsletter, "utf-8")
    if readers is not None:
        (folder / "subscribers.toml").write_text(readers, "utf-8")
    return folder


def read(
    root: Path, newsletter: str, environ: Mapping[str, str] | None = None
) -> Settings:
    return load_settings(write(root, newsletter), environ or {}, kinds=KINDS)


def specs(root: Path, newsletter: str, readers: str) -> tuple[SubscriberSpec, ...]:
    folder = write(root, newsletter, readers)
    found = load_subscribers(folder, load_settings(folder, {}, kinds=KINDS))
    assert found is not None
    return found


def test_two_lines_are_a_whole_configuration(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD)
    assert found.newsletter == Newsletter(
        title="Daily Papers",
        from_name="",
        from_address="digest@example.org",
        list_id="daily-papers.example.org",
    )
    assert found.catch_up == CatchUp()
    assert found.ranking == Ranking()
    assert found.sources == ()
    assert found.delivery.transport == "outbox"
    assert found.delivery.outbox == tmp_path / "outbox"
    assert found.delivery.window == 8
    assert found.delivery.expire_after == timedelta(hours=36)
    assert found.delivery.smtp.port == 587
    assert found.database_url == f"sqlite:///{tmp_path}/outbox/newsletter.db"
    assert found.secret_env == ("NEWSLETTER_SECRET",)
    assert found.secret_files == (tmp_path / "outbox" / ".secret",)
    assert found.template_folders == (tmp_path / "templates",)
    assert found.edition().newsletter == found.newsletter
    assert found.edition().ranking == found.ranking


def test_a_full_newsletter_table_means_what_is_documented(tmp_path: Path) -> None:
    found = read(tmp_path, FULL)
    assert found.newsletter == Newsletter(
        title="Daily Papers",
        from_name="Daily Papers",
        from_address="digest@example.org",
        list_id="papers.lists.example.org",
        base_url="https://digest.example.org",
        unsubscribe_mailto="leave@example.org",
        reply_to="editor@example.org",
        bounce_address="bounces@example.org",
        contact="https://example.org/about",
        postal_address="1 Sample Street\nExample Town",
        timezone="Europe/London",
        theme="plain",
    )
    assert found.secret_env == ("NEW_SECRET", "OLD_SECRET")
    assert found.secret_files == (tmp_path / "keys" / "secret",)
    assert found.database_url == f"sqlite:///{tmp_path}/data/papers.db"


def test_a_full_configuration_of_the_stages_means_what_is_documented(
    tmp_path: Path,
) -> None:
    found = read(tmp_path, FULL)
    assert found.catch_up == CatchUp(
        policy=CatchUpPolicy.MERGE,
        at_most=timedelta(hours=2),
        max_lookback=timedelta(days=14),
        repeat_days=30,
    )
    assert found.delivery.outbox == tmp_path / "post"
    assert found.delivery.expire_after == timedelta(minutes=90)
    assert found.delivery.window == 4
    assert found.delivery.after_crash is AfterCrash.REPEAT
    assert found.delivery.password_env == "RELAY_PASSWORD"
    assert found.delivery.smtp == SmtpServer(
        host="relay.example.org",
        port=465,
        security=Security.TLS,
        username="digest",
        helo="news.example.org",
    )
    assert found.ranking == Ranking(
        title=Decimal(3), freshness=Decimal("0.25"), half_life=timedelta(hours=36)
    )
    assert found.fetch == FetchSettings(
        allow_private=("127.0.0.1:8000", "[::1]:80", "10.0.0.0/8", "localhost", "::1"),
        max_bytes=5_000_000,
        timeout_s=12.5,
        per_host=1,
        proxy="http://me:pw@proxy.example.org:3128",
        user_agent=found.fetch.user_agent,
    )
    assert found.fetch.user_agent.endswith(" (+https://example.org/about)")
    assert found.sources == (
        SourceSettings(
            name="hf",
            kind="huggingface",
            url="https://huggingface.co/api/daily_papers",
            settle=timedelta(hours=20),
            first_days=0.5,
            max_new=10,
            tags=("papers",),
            required=True,
            interval=timedelta(seconds=90),
        ),
        SourceSettings(
            name="lab-notes",
            kind="feed",
            path=str(tmp_path / "sample" / "lab-notes.xml"),
            interval=timedelta(0),
        ),
    )


def test_a_full_subscriber_means_what_is_documented(tmp_path: Path) -> None:
    ada = specs(tmp_path, FULL, READERS)[0]
    first, second = ada.profile.interests
    assert ada == SubscriberSpec(
        address="ada@example.org",
        id="ada",
        name="Ada",
        timezone="Asia/Tokyo",
        language="en",
        schedule=("daily 07:30",),
        profile=Profile(
            interests=(first, second),
            order=Order.NEWEST,
            sections=Sections.SOURCE,
            max_items=3,
            min_votes=7,
            skip_empty=False,
        ),
    )
    assert (first.query, first.label) == ("mamba", "mamba")
    assert first.weight == Decimal(1)
    assert (second.query, second.label) == ("robot*", "Robots")
    assert second.weight == Decimal("2.25")


def test_a_subscriber_who_says_nothing_has_the_defaults(tmp_path: Path) -> None:
    grace = specs(tmp_path, FULL, READERS)[1]
    assert grace.address == "grace@bücher.example"
    assert grace.timezone == "Europe/London"
    assert grace.schedule == ("mon 08:00", "thu 18:00")
    assert grace.profile.order is Order.VOTES
    assert grace.profile.max_items == 5
    assert [mute.query for mute in grace.profile.mutes] == ["survey"]


def test_without_defaults_a_subscriber_has_the_documented_ones(tmp_path: Path) -> None:
    (only,) = specs(tmp_path, HEAD, '[[subscribers]]\naddress = "a@example.org"\n')
    assert only == SubscriberSpec(
        address="a@example.org",
        timezone="UTC",
        language="en",
        schedule=("weekdays 07:30",),
        profile=Profile(),
    )


def test_no_subscribers_file_is_none_and_an_empty_one_is_nobody(tmp_path: Path) -> None:
    folder = write(tmp_path, HEAD)
    settings = load_settings(folder, {}, kinds=KINDS)
    assert load_subscribers(folder, settings) is None
    write(tmp_path, HEAD, "")
    assert load_subscribers(folder, settings) == ()


def test_a_query_over_several_lines_becomes_one(tmp_path: Path) -> None:
    (only,) = specs(
        tmp_path,
        HEAD,
        '[[subscribers]]\naddress = "a@example.org"\n'
        'interests = ["""\nmamba\n  OR robot*"""]\n',
    )
    assert only.profile.interests[0].query == "mamba OR robot*"


def test_empty_text_means_not_set(tmp_path: Path) -> None:
    keys = ("list_id", "base_url", "reply_to", "contact", "postal_address", "timezone")
    more = "".join(f'{key} = ""\n' for key in (*keys, "secret_env", "secret_file"))
    written = read(tmp_path, HEAD + more + '[delivery]\noutbox = ""\n')
    plain = read(tmp_path, HEAD)
    assert written.newsletter == plain.newsletter
    assert written.secret_env == plain.secret_env
    assert written.secret_files == plain.secret_files
    assert written.delivery == plain.delivery


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Daily Papers", "daily-papers"),
        ("Études à l'école", "etudes-a-l-ecole"),
        ("日本の論文", "newsletter"),
        ("--", "newsletter"),
        ("a" * 90, "a" * 60),
    ],
)
def test_a_slug_is_made_of_any_title(title: str, expected: str) -> None:
    assert slug(title) == expected


def test_a_list_id_is_ascii_whatever_the_domain_is(tmp_path: Path) -> None:
    found = read(tmp_path, '[newsletter]\ntitle = "日本"\nfrom = "d@straße.example"\n')
    assert found.newsletter.list_id == "newsletter.xn--strae-oqa.example"
    assert found.fetch.user_agent.isascii()


def test_postgresql_makes_no_secret_by_itself(tmp_path: Path) -> None:
    url = "postgresql+psycopg://user@localhost/papers"
    found = read(tmp_path, f'{HEAD}[database]\nurl = "{url}"\n')
    assert found.database_url == url
    assert found.secret_files == ()


def test_absolute_paths_stay(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    found = read(
        root,
        f'{HEAD}[database]\nurl = "sqlite:///{tmp_path}/a.db"\n',
    )
    assert found.database_url == f"sqlite:///{tmp_path}/a.db"
    assert found.secret_files == (tmp_path / ".secret",)


def test_relative_paths_start_above_the_folder_however_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, HEAD)
    (folder / "inner").mkdir()
    for where, name in (
        (tmp_path, "config"),
        (folder, "."),
        (folder / "inner", ".."),
        (folder, "../config"),
    ):
        monkeypatch.chdir(where)
        found = load_settings(Path(name), {}, kinds=KINDS)
        assert found.root.resolve() == tmp_path.resolve()


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    folder = write(tmp_path, HEAD)
    text = "\ufeff" + HEAD.replace("\n", "\r\n")
    (folder / "newsletter.toml").write_bytes(text.encode())
    found = load_settings(folder, {}, kinds=KINDS)
    assert found.newsletter.title == "Daily Papers"


@pytest.mark.parametrize("folder", [starter_folder(), sample_folder()])
def test_the_configurations_that_come_with_the_product_load(folder: Path) -> None:
    settings = load_settings(folder, {}, kinds=KINDS)
    assert settings.sources
    assert load_subscribers(folder, settings)


def test_variables_are_laid_over_the_file(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        HEAD + '[delivery]\noutbox = "post"\n',
        {
            "NEWSLETTER_NEWSLETTER__TITLE": "2024",
            "NEWSLETTER_NEWSLETTER__FROM": "Other <other@example.org>",
            "NEWSLETTER_NEWSLETTER__SECRET_ENV": "A, B",
            "NEWSLETTER_DELIVERY__OUTBOX": "elsewhere",
            "NEWSLETTER_DELIVERY__SMTP__PORT": "25",
            "NEWSLETTER_DELIVERY__EXPIRE_AFTER": "2d",
            "NEWSLETTER_FETCH__TIMEOUT_S": "2.5",
            "NEWSLETTER_FETCH__ALLOW_PRIVATE": "127.0.0.1:8000, [::1]:80",
            "NEWSLETTER_RANKING__VOTES": "0.5",
            "NEWSLETTER_CATCH_UP__POLICY": "merge",
            "NEWSLETTER_SECRET": "not a setting",
            "NEWSLETTER_SMTP_PASSWORD": "not one either",
            "HOME__X": "nor this",
        },
    )
    assert found.newsletter.title == "2024"
    assert found.newsletter.from_address == "other@example.org"
    assert found.secret_env == ("A", "B")
    assert found.delivery.outbox == tmp_path / "elsewhere"
    assert found.delivery.smtp.port == 25
    assert found.delivery.expire_after == timedelta(days=2)
    assert found.fetch.timeout_s == 2.5
    assert found.fetch.allow_private == ("127.0.0.1:8000", "[::1]:80")
    assert found.ranking.votes == Decimal("0.5")
    assert found.catch_up.policy is CatchUpPolicy.MERGE


def test_lists_and_schedules_come_from_variables_too(tmp_path: Path) -> None:
    folder = write(tmp_path, HEAD, '[[subscribers]]\naddress = "a@example.org"\n')
    environ = {
        "NEWSLETTER_DEFAULTS__SCHEDULE": "mon,thu 18:00",
        "NEWSLETTER_DEFAULTS__INTERESTS": '["a", {"query": "b, c", "weight": 2}]',
        "NEWSLETTER_DEFAULTS__MUTES": "survey, poster",
        "NEWSLETTER_DEFAULTS__SKIP_EMPTY": "false",
    }
    settings = load_settings(folder, environ, kinds=KINDS)
    found = load_subscribers(folder, settings)
    assert found is not None
    assert found[0].schedule == ("mon,thu 18:00",)
    assert [i.query for i in found[0].profile.interests] == ["a", "b, c"]
    assert [m.query for m in found[0].profile.mutes] == ["survey", "poster"]
    assert not found[0].profile.skip_empty
    environ["NEWSLETTER_DEFAULTS__SCHEDULE"] = '["mon 18:00", "thu 07:00"]'
    settings = load_settings(folder, environ, kinds=KINDS)
    assert settings.defaults.schedule == ["mon 18:00", "thu 07:00"]


def test_an_empty_variable_takes_a_value_away(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        HEAD + 'base_url = "https://digest.example.org"\n',
        {"NEWSLETTER_NEWSLETTER__BASE_URL": ""},
    )
    assert found.newsletter.base_url is None


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("FETCH__TIMEOUT_S", "fast", "fetch.timeout_s: 'fast' is not a number"),
        ("FETCH__PER_HOST", "true", "fetch.per_host: true is not a whole number"),
        ("FETCH__PER_HOST", "1\nx = 2", "fetch.per_host: '1\\nx = 2' is not a whole"),
        ("FETCH__TIMEOUT", "3", "did you mean NEWSLETTER_FETCH__TIMEOUT_S?"),
        ("FETCH__ALLOW_PRIVATE", '["a"', "is not a list; expected one such as"),
        ("DELIVERY__SMTP__PROT", "3", "did you mean NEWSLETTER_DELIVERY__SMTP__PORT?"),
        ("DELIVERY__SMTP", "3", "there is no key delivery.smtp;"),
        ("QQ__ZZ", "3", "there is no key qq.zz; expected a key of newsletter.toml"),
        ("TITLE__X__Y", "3", "there is no key title.x.y"),
        ("SOURCES__0__URL", "x", "sources are named in newsletter.toml only"),
        ("LOG__FORMAT", "json", "is not there yet in this version"),
    ],
)
def test_a_wrong_variable_is_named(
    tmp_path: Path, variable: str, value: str, said: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, HEAD, {f"NEWSLETTER_{variable}": value})
    (problem,) = caught.value.problems
    assert problem.startswith(f"NEWSLETTER_{variable} (environment): ")
    assert said in problem


@pytest.mark.parametrize("what", ["delivery = 3\n", "delivery.smtp = 3\n"])
def test_a_variable_below_no_table_leaves_the_files_mistake_to_be_told(
    tmp_path: Path, what: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, what + HEAD, {"NEWSLETTER_DELIVERY__SMTP__PORT": "25"})
    (problem,) = caught.value.problems
    assert "newsletter.toml:1: delivery" in problem
    assert "3 is not a table" in problem


def test_a_broken_query_of_a_variable_names_the_variable(tmp_path: Path) -> None:
    folder = write(tmp_path, HEAD)
    environ = {"NEWSLETTER_DEFAULTS__INTERESTS": "good, (a OR b"}
    settings = load_settings(folder, environ, kinds=KINDS)
    with pytest.raises(ConfigError) as caught:
        load_subscribers(folder, settings)
    (problem,) = caught.value.problems
    assert problem.startswith(
        "NEWSLETTER_DEFAULTS__INTERESTS (environment): defaults.interests[2]: "
    )
