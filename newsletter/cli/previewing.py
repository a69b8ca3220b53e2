"""``newsletter preview``: any reader's issue in a browser, as it will be sent."""

from __future__ import annotations

import os
import webbrowser
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import click

from newsletter.app import read_settings
from newsletter.cli.output import warn
from newsletter.errors import NewsletterError
from newsletter.web.desk import Desk
from newsletter.web.door import Door
from newsletter.web.preview import preview_app
from newsletter.web.serving import USUAL_PORT, Serving, listen


@click.command()
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Listen on this port; 0: on any free one.  [default: {USUAL_PORT}, or "
    "a free one where it is taken]",
)
@click.pass_context
def preview(ctx: click.Context, port: int | None, *, opens: bool) -> None:
    """Show any reader's issue as it will be sent, on a local page.

    Nothing is fetched or written, and nothing sent but by its button, to
    preview_to. Edits of the configuration and of themes show at once. Ctrl-C
    ends it.
    """
    folder: Path = ctx.find_root().obj["folder"]
    title = read_settings(folder, os.environ).newsletter.title
    serving, ended = Serving(), Event()
    try:
        listener = listen(port)
        door = Door(port=listener.getsockname()[1])
        desk = Desk(folder=folder.absolute(), environ=os.environ)
        app = preview_app(
            desk, door=door, stop=serving.stop, is_ending=lambda: serving.is_ending
        )
        Thread(target=_warm, args=[desk, serving, ended]).start()
        click.echo(f"preview of {title}: {door.address}")
        click.echo("for you alone: the address holds a secret. Ctrl-C ends it")
        if opens and not webbrowser.open(door.address_once()):
            warn("no browser could be opened; open the address above yourself")
        serving.run(app, listener)
    except KeyboardInterrupt:
        # An interrupt is how it ends.
        click.echo()
    finally:
        ended.set()
    click.echo("preview ended")


def _warm(desk: Desk, serving: Serving, ended: Event) -> None:
    """Look once, so that the first page comes as fast as the others.

    Not before the server is up: an interrupt of the main thread while that
    imports leaves the lock of imports held for ever. No daemon either: one
    that is at work while the interpreter ends aborts it.
    """
    while not serving.is_up:
        if ended.wait(0.05):
            return
    # What is wrong is said by the page, to who looks.
    with suppress(NewsletterError):
        desk.warm()
