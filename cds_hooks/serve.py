"""Running the application under uvicorn: one socket, one sentence when it is ready, a clean stop."""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
from starlette.types import ASGIApp

from cds_hooks import core_images, logging
from cds_hooks.app import create_app
from cds_hooks.audit import AuditStore, open_store
from cds_hooks.auth import check_keys
from cds_hooks.clock import check_clock, utc_now
from cds_hooks.connections import GuardedProtocol, allow_files
from cds_hooks.errors import AddressTrouble, SettingsTrouble
from cds_hooks.plugins import check_services, load_others, load_plugin
from cds_hooks.service import Plugin
from cds_hooks.settings import PREFIX, Settings, check_exposure, load, unknown_variables
from cds_hooks.tls import certificate_files, context

Files = tuple[Path, Path] | None

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 65
STOP_SECONDS = 5
SERVED_HOST, SERVED_ADDRESS = "CDS_HOOKS_SERVED_HOST", "CDS_HOOKS_SERVED_ADDRESS"
YOUNG_OBJECTS = 20_000


class Server(uvicorn.Server):
    """uvicorn's server that says when it is ready, and ends with exit code 0 when it is told to stop."""

    def __init__(self, config: uvicorn.Config, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle_memory()
        if self._ready:
            print(self._ready, flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # The signal is not kept, so that uvicorn does not raise it again after the clean stop.
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True


def settle_memory() -> None:
    """Keeps what was loaded at the start out of the garbage collector's later rounds; it began with :func:`gc.disable`.

    A start makes next to no garbage, and looking for it again and again takes a sixth of the time.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
    gc.enable()


def serve(host: str, port: int, workers: int) -> None:
    """Serves until it is told to stop. Raises a :class:`Trouble` or ``StoreError`` if it cannot start."""
    gc.disable()  # until settle_memory
    settings = load()
    check_exposure(settings, host)
    check_workers(settings, workers)
    check_clock(utc_now())
    files = certificate_files(settings)
    logging.configure()
    core_images.forbid()
    warn_of_unknown_variables()
    allow_files()
    listener = listen(host, port)
    address = address_of(host, listener, "https" if files else "http")
    plugin = load_plugin(settings.plugin, settings.site(address))
    check_services(settings, plugin)
    ready = ready_sentence(plugin, settings, host, address)
    store = open_store(settings.database, settings.data_dir) if settings.audit else None
    if workers == 1:
        others = load_others(settings, address, plugin)
        app = create_app(plugin, settings, host=host, address=address, store=store, others=others)
        run_one(app, listener, ready, store, files)
    else:
        if store is not None:  # it was opened to see that it can be; each worker opens it for itself
            store.close()
        check_keys(settings)
        run_many(listener, host, address, workers, ready, files)


def run_one(app: ASGIApp, listener: socket.socket, ready: str, store: AuditStore | None, files: Files) -> None:
    try:
        Server(configuration(app, files=files), ready).run([listener])
    finally:
        if store is not None:
            store.close()


def run_many(listener: socket.socket, host: str, address: str, workers: int, ready: str, files: Files) -> None:
    from uvicorn.supervisors import Multiprocess

    os.environ[SERVED_HOST], os.environ[SERVED_ADDRESS] = host, address
    settle_memory()
    print(ready, flush=True)
    config = configuration("cds_hooks.serve:worker", workers=workers, factory=True, files=files)
    Multiprocess(config, [listener]).run()


def worker() -> ASGIApp:
    """The application of one worker process; also what another ASGI server may load as a factory."""
    gc.disable()  # until settle_memory
    settings = load()
    logging.configure()
    core_images.forbid()
    host = os.environ.get(SERVED_HOST, "127.0.0.1")
    address = os.environ.get(SERVED_ADDRESS, "http://127.0.0.1:8000")
    check_exposure(settings, host)
    plugin = load_plugin(settings.plugin, settings.site(address))
    app = create_app(plugin, settings, host=host, address=address, others=load_others(settings, address, plugin))
    settle_memory()
    return app


def configuration(
    app: ASGIApp | str, *, workers: int = 1, factory: bool = False, files: Files = None
) -> uvicorn.Config:
    """How uvicorn runs ``app``; ``files`` are the certificate and the key of HTTPS."""
    certificate, key = files or (None, None)
    return uvicorn.Config(
        app,
        workers=workers,
        factory=factory,
        http=GuardedProtocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_context_factory=context if files else None,
    )


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound and listens; raises :class:`AddressTrouble` with one sentence."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        raise AddressTrouble(_address_sentence(host, port, error)) from error
    listener.set_inheritable(True)
    return listener


def _address_sentence(host: str, port: int, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use by another program. Stop that one, or choose another with --port."
    if number == errno.EACCES:
        return f"This user may not open port {port}. Choose one above 1023 with --port."
    if number == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"This machine has no address {host}. Give one of its own with --host, such as 127.0.0.1."
    return f"Cannot serve on {host}, port {port}: {error}."


def address_of(host: str, listener: socket.socket, scheme: str = "http") -> str:
    port = listener.getsockname()[1]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def ready_sentence(plugin: Plugin, settings: Settings, host: str, address: str) -> str:
    if settings.offers_try_it(host):
        return f"{plugin.name} is ready: try it at {address}/"
    return f"{plugin.name} is ready at {address}/cds-services"


def check_workers(settings: Settings, workers: int) -> None:
    if workers > 1 and settings.audit and settings.database.startswith("sqlite"):
        raise SettingsTrouble(
            f"--workers {workers} needs an audit store that several processes may write; SQLite takes one writer only. "
            f"Use --workers 1."
        )


def warn_of_unknown_variables() -> None:
    for name in unknown_variables():
        structlog.get_logger().warning("unknown-setting", name=name, meaning=f"no setting of this name; all: {PREFIX}*")
