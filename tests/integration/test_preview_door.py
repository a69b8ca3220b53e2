"""Who may look at the preview: a real server, and requests as others send them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import ConfigError
from newsletter.web.serving import USUAL_PORT, Serving, listen
from tests.support.preview import Answer, RunningPreview
from tests.support.project import Project


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPreview]:
    """A preview of a project that has no database: all that matters is who asks."""
    project = Project(root=tmp_path_factory.mktemp("door"))
    project.write('[[sources]]\nname = "notes"\nkind = "feed"\npath = "notes.xml"\n')
    with RunningPreview(project.root / "config") as running:
        yield running
    assert not (project.root / "outbox").exists()


def assert_guarded(answer: Answer, *, has_script: bool = False) -> None:
    """Every answer, whatever it says, has the header fields that keep it safe."""
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors" in headers["content-security-policy"]
    assert "server" not in headers
    scripts = re.findall(r"script-src ([^;]*)", headers["content-security-policy"])
    assert scripts == (["'self'"] if has_script else [])


#: Every page that there is.
PAGES = (
    *("", "style.css", "preview.js", "mail", "readers", "file", "picture", "events"),
    *("try", "send", "end"),
)
POSTS = ("try", "send", "end")


def refused(answer: Answer, status: int = 403) -> bool:
    assert_guarded(answer)
    assert "set-cookie" not in answer.headers
    return answer.status == status


# --- coming in ----------------------------------------------------------------


def test_the_printed_address_lets_in_and_leaves_no_token_in_the_url(
    preview: RunningPreview,
) -> None:
    path = preview.door.address.removeprefix(preview.door.origin)
    answer = preview.ask(path)
    assert_guarded(answer)
    assert answer.status == 303
    assert answer.headers["location"] == preview.home
    cookie = answer.headers["set-cookie"]
    name, _, value = cookie.partition(";")[0].partition("=")
    assert value == preview.door.session != preview.door.token
    flags = {flag.strip().lower() for flag in cookie.split(";")[1:]}
    assert flags == {"httponly", "samesite=strict", f"path={preview.home[:-1].lower()}"}
    inside = preview.ask(preview.home, headers={"Cookie": f"{name}={value}"})
    assert_guarded(inside, has_script=True)
    assert inside.status == 404
    assert "newsletter refresh" in inside.body
    assert preview.ask(path).status == 303


def test_an_address_for_a_browsers_command_line_is_good_once(
    preview: RunningPreview,
) -> None:
    path = preview.door.address_once().removeprefix(preview.door.origin)
    assert preview.ask(path).status == 303
    assert refused(preview.ask(path))


@pytest.mark.parametrize(
    "query", ["", "?token=", "?token=wrong", "?token=%ff%00%C3%A9"]
)
def test_without_the_token_there_is_only_advice(
    preview: RunningPreview, query: str
) -> None:
    answer = preview.ask(f"/{query}")
    assert refused(answer)
    assert "newsletter preview" in answer.body
    assert preview.door.room not in answer.body


def test_a_token_works_nowhere_but_at_the_door(preview: RunningPreview) -> None:
    token = f"?token={preview.door.token}"
    assert refused(preview.ask(preview.home + token))
    assert refused(preview.ask(f"/{token}", method="POST"))


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "{name}=",
        "{name}=wrong",
        "other={session}",
        "{name}={token}",
        "{name}=\N{SNOWMAN}",
        "a b; =;;",
    ],
)
def test_without_the_cookie_nothing_is_shown(
    preview: RunningPreview, cookie: str
) -> None:
    door = preview.door
    said = cookie.format(name=door.cookie, session=door.session, token=door.token)
    for page in PAGES:
        answer = preview.ask(
            preview.home + page,
            headers={"Cookie": said.encode().decode("latin-1")},
        )
        assert refused(answer)


# --- who asks -----------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example.org",
        "evil.example.org:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "localhost.evil.example.org:{port}",
        "127.0.0.1:{port}.evil.example.org",
        "[::1]:{port}",
        "0.0.0.0:{port}",
        "",
    ],
)
def test_another_host_is_refused_even_with_the_cookie(
    preview: RunningPreview, host: str
) -> None:
    headers = {**preview.cookie, "Host": host.format(port=preview.door.port)}
    for page in PAGES:
        assert refused(preview.ask(preview.home + page, headers=headers), 400)
    token = f"/?token={preview.door.token}"
    assert refused(preview.ask(token, headers=headers), 400)


def test_localhost_is_a_name_of_ours(preview: RunningPreview) -> None:
    headers = {**preview.cookie, "Host": f"LocalHost:{preview.door.port}"}
    assert preview.ask(f"{preview.home}style.css", headers=headers).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_asks_for_is_refused(
    preview: RunningPreview, site: str
) -> None:
    headers = {**preview.cookie, "Sec-Fetch-Site": site}
    for page in PAGES:
        assert refused(preview.ask(preview.home + page, headers=headers))
        assert refused(preview.ask(preview.home + page, method="POST", headers=headers))


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_what_a_person_asks_for_is_shown(preview: RunningPreview, site: str) -> None:
    headers = {**preview.cookie, "Sec-Fetch-Site": site}
    assert preview.ask(f"{preview.home}style.css", headers=headers).status == 200


# --- paths and methods --------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "../../config/newsletter.toml",
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e/style.css",
        "style.css/",
        "style.css%00.html",
        "/style.css",
        "pages/style.css",
        "preview.html.j2",
    ],
)
def test_a_path_that_is_no_page_is_a_plain_page(
    preview: RunningPreview, path: str
) -> None:
    answer = preview.get(page=path)
    assert refused(answer, 404)
    assert "[newsletter]" not in answer.body
    assert preview.home in answer.body


def test_without_the_room_there_are_no_pages(preview: RunningPreview) -> None:
    for path in ("/", "/style.css", "//", "/end", "/mail?x=1"):
        assert preview.ask(path, headers=preview.cookie).status == 404
        assert refused(preview.ask(path))


def test_the_room_without_its_slash_leads_to_it(preview: RunningPreview) -> None:
    answer = preview.ask(preview.home[:-1], headers=preview.cookie)
    assert answer.status == 307
    assert answer.headers["location"].endswith(preview.home)


@pytest.mark.parametrize(
    ("page", "method", "status"),
    [
        ("", "POST", 405),
        ("", "PUT", 405),
        ("", "DELETE", 405),
        ("mail", "POST", 405),
        ("end", "GET", 405),
        ("try", "GET", 405),
        ("send", "GET", 405),
        ("readers", "POST", 405),
        ("file", "POST", 405),
        ("picture", "POST", 405),
        ("events", "POST", 405),
        ("preview.js", "POST", 405),
        ("preview.js", "HEAD", 200),
        ("style.css", "PATCH", 405),
        ("style.css", "HEAD", 200),
    ],
)
def test_each_page_has_its_methods(
    preview: RunningPreview, page: str, method: str, status: int
) -> None:
    answer = preview.ask(preview.home + page, method=method, headers=preview.cookie)
    assert_guarded(answer)
    assert answer.status == status
    if status == 405:
        assert answer.headers["allow"]
        assert "Method Not Allowed" in answer.body


# --- what changes something ---------------------------------------------------


def end(
    preview: RunningPreview,
    token: str | None = None,
    page: str = "end",
    **headers: str,
) -> Answer:
    """Post the form that ends the preview, or another one."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    form = preview.door.form_token if token is None else token
    return preview.ask(
        preview.home + page,
        method="POST",
        body=f"form_token={form}",
        headers={
            **preview.cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            **said,
        },
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example.org"},
        {"Origin": "https://evil.example.org", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Origin": "null", "Sec_Fetch_Site": "none"},
        {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "OWN", "Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "cross-site"},
        {},
    ],
)
@pytest.mark.parametrize("page", POSTS)
def test_a_post_from_elsewhere_is_refused(
    preview: RunningPreview, headers: dict[str, str], page: str
) -> None:
    said = {k: v.replace("OWN", preview.door.origin) for k, v in headers.items()}
    answer = end(preview, page=page, **said)
    assert refused(answer)
    assert preview.thread.is_alive()


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5000, "%F0%9F"])
@pytest.mark.parametrize("page", POSTS)
def test_a_post_without_the_forms_token_is_refused(
    preview: RunningPreview, token: str, page: str
) -> None:
    answer = end(preview, token, page, Origin=preview.door.origin)
    assert refused(answer)
    assert re.search("Not (?:tried|sent|ended)", answer.body)
    assert preview.thread.is_alive()


def test_a_form_cannot_lead_away_from_the_preview(preview: RunningPreview) -> None:
    answer = preview.ask(
        f"{preview.home}try",
        method="POST",
        body=f"form_token={preview.door.form_token}"
        "&reader=//evil.example.org/%0d%0aX: 1&issue=https://evil.example.org/&at=%0d%0a",
        headers={
            **preview.cookie,
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": preview.door.origin,
        },
    )
    assert answer.status == 303
    assert answer.headers["location"].startswith(f"{preview.home}?reader=%2F%2Fevil")
    assert "x" not in answer.headers


def test_the_script_asks_nobody_but_this_server_and_writes_no_html(
    preview: RunningPreview,
) -> None:
    script = preview.get(page="preview.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert not re.findall(
        r"https?:|innerHTML|outerHTML|insertAdjacent|eval", script.body
    )


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "OWN"}, {"Origin": "null", "Sec_Fetch_Site": "same-origin"}],
)
def test_our_own_form_ends_the_preview(tmp_path: Path, headers: dict[str, str]) -> None:
    with RunningPreview(tmp_path) as preview:
        said = {k: v.replace("OWN", preview.door.origin) for k, v in headers.items()}
        answer = end(preview, **said)
        assert_guarded(answer)
        assert answer.status == 200
        assert "The preview has ended" in answer.body
        preview.thread.join(timeout=30)
        assert not preview.thread.is_alive()


# --- ports --------------------------------------------------------------------


def test_nothing_listens_but_on_loopback() -> None:
    with listen(0) as listener:
        assert listener.getsockname()[0] == "127.0.0.1"


def test_a_port_in_use_is_an_error_that_says_so() -> None:
    with listen(0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} .* in use"):
            listen(port)


def test_without_a_port_the_usual_or_a_free_one_is_taken() -> None:
    first, second = listen(None), listen(None)
    with first, second:
        ports = {first.getsockname()[1], second.getsockname()[1]}
        assert len(ports) == 2
        assert USUAL_PORT in ports or is_taken(USUAL_PORT)


def is_taken(port: int) -> bool:
    with socket.socket() as other:
        return other.connect_ex(("127.0.0.1", port)) == 0


def test_a_port_that_cannot_be_had_is_said() -> None:
    # Only the superuser may, and who may needs no advice.
    try:
        listen(1).close()
    except ConfigError as error:
        assert "port 1 of 127.0.0.1 cannot be used" in str(error)  # noqa: PT017 - either is right


def test_stopping_what_does_not_run_does_nothing() -> None:
    serving = Serving()
    serving.stop()
    assert not serving.is_up
