"""`dragoman db`."""

import sys

import click

from dragoman.cli.databases import database_argument, told
from dragoman.cli.exits import Exit
from dragoman.cli.output import Output, output_option
from dragoman.cli.teaching import TeachingGroup
from dragoman.store.sqlite.files import FileSizes, Plan, StoreFile


@click.group(cls=TeachingGroup, short_help="Measure, check and migrate the file that keeps tasks.")
def command() -> None:
    """Measure, check and migrate the file that keeps an agent's tasks.

    FILE is the file itself, or the URL that the agent is served with.

      dragoman db sizes .dragoman/greeter.db
      dragoman db check sqlite:////var/lib/greeter/tasks.db
    """


@command.command(short_help="Say how much there is of each thing.")
@database_argument
@output_option
def sizes(database: StoreFile, out: Output) -> None:
    """Say how many rows there are of each thing, and how many bytes of text and data in them. Agents may go on meanwhile.

    dragoman db sizes .dragoman/greeter.db
    dragoman db sizes .dragoman/greeter.db --json | jq .fileBytes
    """
    with told():
        found = database.sizes()
    out.document(
        {
            "version": found.version,
            "kinds": {size.kind: {"rows": size.rows, "bytes": size.bytes} for size in found.kinds},
            "fileBytes": found.file_bytes,
            "freeBytes": found.free_bytes,
            "walBytes": found.wal_bytes,
        }
    )
    out.say(_show_sizes(database, found))


def _show_sizes(database: StoreFile, found: FileSizes) -> str:
    lines = [f"{database.path}, schema version {found.version}", f"  {'':<16}  {'rows':>12}  {'bytes':>16}"]
    lines += [f"  {size.kind:<16}  {size.rows:>12,}  {size.bytes:>16,}" for size in found.kinds]
    lines += [
        f"  {'in the file':<16}  {'':>12}  {found.file_bytes:>16,}  of which free: {found.free_bytes:,}",
        f"  {'in the log (WAL)':<16}  {'':>12}  {found.wal_bytes:>16,}",
    ]
    return "\n".join(lines)


@command.command(short_help="Say whether anything is wrong with the file.")
@database_argument
@output_option
def check(database: StoreFile, out: Output) -> None:
    """Read everything in the file, and say what is wrong with it. The exit code is 1 if anything is.

    dragoman db check .dragoman/greeter.db
    """
    with told():
        findings = database.check()
    out.document({"sound": not findings, "findings": list(findings)})
    for finding in findings:
        out.say(finding)
    if findings:
        out.cross("the file is not sound; restore it from a backup")
        sys.exit(Exit.FAILED)
    out.tick("the file is sound")


@command.command(short_help="Bring a file of an earlier version to the newest.")
@database_argument
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_option
def migrate(database: StoreFile, dry_run: bool, out: Output) -> None:
    """Bring a file that an earlier Dragoman wrote to the newest version of the schema; there is no way back.

    An agent does the same when it starts. This way you choose when. Stop the agent before, and copy the file.

      dragoman db migrate .dragoman/greeter.db --dry-run
      dragoman db migrate .dragoman/greeter.db
    """
    with told():
        plan = database.plan() if dry_run else database.migrate()
    out.document(
        {
            "version": plan.version,
            "newest": plan.newest,
            "migrations": [{"number": number, "for": words} for number, words in plan.migrations],
            "dryRun": dry_run,
        }
    )
    _tell_plan(plan, out, is_done=not dry_run)


def _tell_plan(plan: Plan, out: Output, *, is_done: bool) -> None:
    if not plan.migrations:
        out.tick(f"the file has schema version {plan.version}, which is the newest")
        return
    for number, words in plan.migrations:
        out.say(f"{number}: {words}")
    if is_done:
        out.tick(f"migrated from schema version {plan.version} to {plan.newest}")
    else:
        out.note(f"would migrate from schema version {plan.version} to {plan.newest}")
