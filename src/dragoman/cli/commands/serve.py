"""`dragoman serve`."""

from dataclasses import replace

import click

from dragoman.cli.banner import Banner
from dragoman.cli.failures import CommandError
from dragoman.cli.hosting import MEMORY, Hosting, check_stores, list_stores, prepare_app
from dragoman.cli.listening import listen, reserving
from dragoman.cli.loading import App
from dragoman.cli.logs import LEVELS, set_up_logs
from dragoman.cli.output import Output, output_option
from dragoman.cli.readers import read_url
from dragoman.cli.serving import serve_here, serve_in_workers
from dragoman.cli.teaching import TeachingCommand

_PEM = click.Path(exists=True, dir_okay=False, resolve_path=True)


@click.command(cls=TeachingCommand, short_help="Serve one agent or several over HTTP.")
@click.argument("targets", metavar="MODULE:AGENT...", nargs=-1, required=True)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Listen at this address; 0.0.0.0 is every one."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes any that is free."
)
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes that share the tasks."
)
@click.option(
    "--store",
    metavar="URL",
    default="",
    help="Where tasks are kept. Default: the agent's, or .dragoman/MODULE.db",
)
@click.option(
    "--drain-seconds",
    type=click.FloatRange(0),
    help="How long what is at work may take to finish when told to stop. Default: the agent's, 10.",
)
@click.option(
    "--public-url", type=read_url, metavar="URL", help="The address that callers use, if there is a proxy."
)
@click.option(
    "--grpc-port",
    type=click.IntRange(0, 65535),
    help="Serve gRPC as well, at this port; 0 takes any that is free.",
)
@click.option("--grpc-cert", type=_PEM, metavar="FILE", help="The certificate for TLS over gRPC, in PEM.")
@click.option("--grpc-key", type=_PEM, metavar="FILE", help="Its key.")
@click.option(
    "--grpc-client-ca",
    type=_PEM,
    metavar="FILE",
    help="Demand client certificates that these roots have signed.",
)
@click.option("--log-level", type=click.Choice(LEVELS), default="info", show_default=True)
@output_option
def command(
    *,
    targets: tuple[str, ...],
    host: str,
    port: int,
    workers: int,
    store: str,
    drain_seconds: float | None,
    public_url: str | None,
    grpc_port: int | None,
    grpc_cert: str | None,
    grpc_key: str | None,
    grpc_client_ca: str | None,
    log_level: str,
    out: Output,
) -> None:
    """Serve one agent or several over HTTP, and gRPC if wanted, until Ctrl-C.

    MODULE:AGENT names it as Python imports it, from the current folder on, or by its file; without :AGENT it is
    the one called "agent".

      dragoman serve greeter:agent
      dragoman serve agents/greeter.py --port 0
      dragoman serve greeter:agent --host 0.0.0.0 --public-url https://greeter.example.com

    Several are served under one address, each below /MODULE, or below a name that is put before it; / lists them.

      dragoman serve weather:agent flights:agent
      dragoman serve weather=forecasts.north:agent flights:agent

    Tasks outlive the process: they are kept in .dragoman/MODULE.db below the current folder, unless the agent names
    a store itself or --store does.

      --store sqlite:///tasks.db             a file below the current folder
      --store sqlite:////var/lib/tasks.db    a file anywhere
      --store memory:                        nothing is kept

    With --workers 4, four processes share the tasks in the SQLite file. Any of them takes any call for any task: what
    is said to a task, or cancels it, reaches the one that runs it by way of the file.

    With --grpc-port 50051, it answers over gRPC as well, and its card says so. It needs the extra: pip install
    'dragoman[grpc]'. Workers share the port, on Linux.

      dragoman serve greeter:agent --grpc-port 50051 --grpc-cert server.pem --grpc-key server.key

    Ctrl-C, or SIGTERM, stops in order: nothing new is begun, streams end so that their readers come back, and what is at
    work has --drain-seconds to finish. What lasts longer is given up, and taken up by the next start if its skill can
    go on. A second signal waits no longer.

    With --json, one line of JSON tells the address when the agent is ready.
    """
    set_up_logs(log_level)
    hosting = Hosting(
        targets=targets,
        store=store,
        keeps=True,
        public_url=public_url or "",
        log_level=log_level,
        drain_seconds=drain_seconds,
        host=host,
        workers=workers,
        grpc_cert=grpc_cert or "",
        grpc_key=grpc_key or "",
        grpc_client_ca=grpc_client_ca or "",
    )
    _check_tls(hosting, grpc_port)
    if grpc_port is None:
        _serve(hosting, port, out)
        return
    with reserving(host, grpc_port) as number:
        _serve(replace(hosting, grpc_port=number), port, out)


def _serve(hosting: Hosting, port: int, out: Output) -> None:
    workers = hosting.workers
    app = prepare_app(hosting)
    check_stores(app)
    if workers > 1:
        _check_shareable(app, workers)
    listener = listen(hosting.host, port)
    banner = Banner.of(app, listener, workers=workers)
    if workers == 1:
        serve_here(app, hosting, listener, lambda: banner.show(out))
        return
    banner.show(out)
    serve_in_workers(app, hosting, listener, workers)


def _check_tls(hosting: Hosting, grpc_port: int | None) -> None:
    has_files = hosting.grpc_cert or hosting.grpc_key or hosting.grpc_client_ca
    if has_files and grpc_port is None:
        raise CommandError("--grpc-cert, --grpc-key and --grpc-client-ca go with --grpc-port")
    if bool(hosting.grpc_cert) != bool(hosting.grpc_key) or (
        hosting.grpc_client_ca and not hosting.grpc_cert
    ):
        raise CommandError("TLS needs both, --grpc-cert and --grpc-key")


def _check_shareable(app: App, workers: int) -> None:
    if any(store.location == MEMORY for store in list_stores(app)):
        raise CommandError(
            f"{workers} workers cannot share tasks in memory: each would know its own only; "
            "use --workers 1, or --store sqlite:///tasks.db"
        )
