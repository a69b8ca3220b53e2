"""The command line: each command a few lines over a use case.

Commands are imported when they are called, so that ``--help`` is quick.
Exit codes: 0 done; 1 an issue was lost or waits for a person, or a source is
broken; 2 wrong usage or configuration.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import click

from newsletter import __version__
from newsletter.errors import (
    ConfigError,
    ConflictError,
    NewsletterError,
    NotFoundError,
    QueryError,
    ThemeError,
)

#: Mistakes of whoever typed the command or wrote the configuration.
_USAGE = (ConfigError, QueryError, ThemeError, NotFoundError, ConflictError)

#: Command -> (where it is, what ``--help`` says of it).
_COMMANDS = {
    "demo": ("running:demo", "Show the whole pipeline on bundled samples, offline."),
    "run": ("running:run", "All stages for everyone due; what cron calls."),
    "refresh": ("running:refresh", "Fetch what is new and release what is due."),
    "prepare": ("running:prepare", "Match and compose into the ledger."),
    "deliver": ("running:deliver", "Render what is ready and hand it over."),
    "show": ("looking:show", "Print a past issue again, byte for byte."),
    "preview": ("previewing:preview", "Show any reader's issue on a local page."),
    "match": ("trying:match", "Try a query on what was listed lately."),
    "status": ("looking:status", "What is due, sent, unknown and failed, and why."),
    "doctor": ("doctor:doctor", "What is wrong, and what to do about it."),
    "subscribers": ("readers:subscribers", "Readers: who they are, come and go."),
    "profile": ("profiles:profile", "What readers want: show, edit, check, diff."),
    "acronyms": ("acronyms:acronyms", "Short forms that find their long ones."),
    "sources": ("feeds:sources", "Add, remove, check sources; release what is held."),
    "theme": ("themes:theme", "Your own look: new, check."),
    "db": ("database:database", "Upgrade or back up the database."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the pipeline."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, attribute = _COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(
            import_module(f"newsletter.cli.{module}"), attribute
        )
        return command

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the list of commands without importing one."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("config"),
    show_default=True,
    help="The folder of newsletter.toml.",
)
@click.option("--verbose", is_flag=True, help="Say more; show where a fault arose.")
@click.version_option(__version__, prog_name="newsletter")
@click.pass_context
def cli(ctx: click.Context, folder: Path, *, verbose: bool) -> None:
    """Your own daily papers: a personalised digest for every reader."""
    ctx.obj = {"folder": folder, "verbose": verbose}


def main() -> None:
    """Run the command line; turn errors into a sentence and an exit code."""
    try:
        cli(prog_name="newsletter")
    except NewsletterError as error:
        if "--verbose" in sys.argv:
            raise
        click.echo(f"newsletter: {error}", err=True)
        sys.exit(2 if isinstance(error, _USAGE) else 1)
