"""``newsletter preview``: any reader's issue in a browser, as it will be sent."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path

import click

from newsletter.app import read_settings
from newsletter.cli.output import warn
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

    Reads only: nothing is fetched, written or sent. Edits of the configuration
    and of themes show at the next look. Ctrl-C ends it.
    """
    folder: Path = ctx.find_root().obj["folder"]
    title = read_settings(folder, os.environ).newsletter.title
    serving = Serving()
    try:
        listener = listen(port)
        door = Door(port=listener.getsockname()[1])
        app = preview_app(folder.absolute(), os.environ, door=door, stop=serving.stop)
        click.echo(f"preview of {title}: {door.address}")
        click.echo("for you alone: the address holds a secret. Ctrl-C ends it")
        if opens and not webbrowser.open(door.address_once()):
            warn("no browser could be opened; open the address above yourself")
        serving.run(app, listener)
    except KeyboardInterrupt:
        # An interrupt is how it ends.
        click.echo()
    click.echo("preview ended")
