"""The daemon: signals, systemd's ready and watchdog words, reload, and an end in time. No business rules.

`run()` is what `listener run` calls. Order: lock, database, pages and socket, model, engine, ready.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from types import FrameType
from typing import Literal, Protocol

from listener.app import App, make_app, utc_now
from listener.casework.accounts import FIRST_FOR
from listener.control import Control, Words, socket_path
from listener.core.errors import ListenerError, SettingsError, StoreError, StoreFull
from listener.core.tools import Clock
from listener.engine.threads import Engine
from listener.errands import Errands, welcome_url
from listener.lock import Lock
from listener.pipeline.listen import ears_of
from listener.settings import Settings
from listener.telemetry import get_logger, set_up_logging

ENGINE_GRACE = 6.0
"""Seconds that running units of work get at the end; with the pages' and the database's share less than ten."""
LAST_MOMENT = 9.0
RELOAD_GRACE = 10.0
REPORT_EVERY = 10.0


class Pages(Protocol):
    """The pages, bound to a port."""

    @property
    def url(self) -> str:
        """Their address on this machine."""
        ...

    def start(self) -> None:
        """Begin to answer."""
        ...

    def stop(self) -> None:
        """End within two seconds."""
        ...


Health = Callable[[], Sequence[str]]
Serve = Callable[[App, Health], Pages]
"""Binds the pages of an App; given by the caller, since daemon and pages do not know each other."""


class Supervisor:
    """Tells systemd how we fare, by datagrams to $NOTIFY_SOCKET; silent without one.

    Args:
        environ: the environment systemd started us with.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read the address and the watchdog's span."""
        name = environ.get("NOTIFY_SOCKET", "")
        self._address = f"\0{name[1:]}" if name.startswith("@") else name
        span = environ.get("WATCHDOG_USEC", "")
        ours = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self.watchdog = int(span) / 1e6 if span.isdigit() and ours else None
        """Seconds within which systemd wants to hear WATCHDOG=1; None: it does not watch."""

    def say(self, *words: str) -> None:
        """Send words such as READY=1; a systemd that does not listen must not end us."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            try:
                line.settimeout(1.0)
                line.connect(self._address)
                line.send("\n".join(words).encode())
            except OSError as problem:
                get_logger().warning("step_failed", step="sd_notify", error=str(problem))


@dataclass(frozen=True, slots=True)
class _Order:
    """What a signal or a command wants of the main thread; the answer is empty or says why not."""

    what: Literal["stop", "reload"]
    answer: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)


class Daemon:
    """Runs an App until it is told to end.

    Args:
        app: the application; the caller holds its lock and closes it.
        load: reads the configuration anew.
        serve: binds the pages; None: without pages.
        tell: says a line to the person who started us.
        supervisor: systemd.
    """

    def __init__(
        self, app: App, *, load: Callable[[], Settings], serve: Serve | None, tell: Callable[[str], None],
        supervisor: Supervisor,
    ) -> None:  # fmt: skip
        """Keep them; nothing runs yet."""
        self._app = app
        self._load = load
        self._serve = serve
        self._tell = tell
        self._supervisor = supervisor
        self._engine: Engine | None = None
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._stalled: tuple[str, ...] = ()
        self._address = ""

    def run(self) -> tuple[str, ...]:
        """Work until SIGTERM or SIGINT.

        Returns:
            Names of the threads that did not end in time.

        Raises:
            AdapterError: the scorer cannot be loaded.
            SettingsError: the pages' address cannot be bound.
            StoreError: the control socket cannot be made.
        """
        with ExitStack() as ends:
            self._heed_signals()
            errands = Errands(self._app, self._wake, lambda: self._address, alone=False)
            control = Control(
                socket_path(self._app.settings.state_dir),
                {**errands.all(), "reload": self._asked_to_reload, "status": self._status},
            )
            ends.callback(control.stop)
            control.start()
            if self._serve is not None:
                pages = self._serve(self._app, self.troubles)
                ends.callback(pages.stop)
                pages.start()
                self._address = pages.url
                self._tell(f"Pages: {pages.url}")
                self._welcome()
            self._app.warm()
            self._engine = self._start_engine()
            self._supervisor.say("READY=1", self._standing())
            get_logger().info("started", revision=self._app.settings.revision, scorer=self._app.scorer.name)
            self._attend()
            self._supervisor.say("STOPPING=1", "STATUS=ending: running work gets a few seconds")
            get_logger().info("stopping")
            _end_at_last()
        return self._stop_engine()

    def _welcome(self) -> None:
        """While nobody has an account, say how to make the first one: on the terminal, never in the log."""
        try:
            secret = self._app.accounts.first_link()
        except StoreFull:
            return
        if secret is not None:
            hours = FIRST_FOR // timedelta(hours=1)
            self._tell("")
            self._tell(f"Nobody has an account yet. Open this link to make yours; it works once, for {hours} hours:")
            self._tell(f"    {welcome_url(self._app.settings, secret, self._address)}")
            self._tell("")

    def troubles(self) -> tuple[str, ...]:
        """What keeps the work from going on, a sentence each; empty when all is well."""
        engine = self._engine
        if engine is None:
            return ("The model is not loaded yet.",)
        return (
            *(f"The step {name} makes no progress." for name in engine.stalled()),
            *(f"The step {name} fails: {why}." for name, why in engine.troubles().items()),
            *(("The disk is full.",) if engine.full else ()),
        )

    def _heed_signals(self) -> None:
        """Turn signals into orders; a SimpleQueue may be filled from a handler, an Event may not."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._orders.put(_Order("reload" if number == signal.SIGHUP else "stop"))

    def _attend(self) -> None:
        """Heed orders, and tell systemd in between that we are alive while the steps are."""
        pause = min(REPORT_EVERY, (self._supervisor.watchdog or REPORT_EVERY) / 3)
        while True:
            try:
                order = self._orders.get(timeout=pause)
            except queue.Empty:
                order = None
            if order is not None and order.what == "stop":
                return
            if order is not None:
                order.answer.put(self._reload())
            self._report()

    def _report(self) -> None:
        assert self._engine is not None
        stalled = self._engine.stalled()
        if stalled != self._stalled:
            self._stalled = stalled
            for name in stalled:
                get_logger().error("step_failed", step=name, error="no progress: the watchdog is not fed any more")
        fed = ("WATCHDOG=1",) if self._supervisor.watchdog is not None and not stalled else ()
        self._supervisor.say(*fed, self._standing())

    def _standing(self) -> str:
        """A line for `systemctl status`."""
        troubles = self.troubles()
        if troubles:
            return f"STATUS={troubles[0]}"
        try:
            polled, down = self._app.store.places.standing()
        except StoreError as problem:
            return f"STATUS=The database cannot be read: {problem.message}"
        return f"STATUS=listening at {polled} places" + (f", {down} of them down" if down else "")

    def _start_engine(self) -> Engine:
        engine = Engine(self._app.steps(), self._app.on_full, ears_of(self._app.adapters.listening))
        engine.start()
        return engine

    def _wake(self, step: str) -> None:
        if self._engine is not None:
            self._engine.wake(step)

    def _reload(self) -> str:
        """Take a new configuration, or keep the old one and say why."""
        before = self._app.settings
        try:
            self._app.reload(self._load())
        except (SettingsError, StoreError) as problem:
            get_logger().error("reload_refused", error=str(problem))
            return str(problem)
        assert self._engine is not None
        general = self._app.settings.listener
        set_up_logging(general.log_level, general.log_format)
        late = self._engine.stop(RELOAD_GRACE)
        self._engine = self._start_engine()
        waits = _needs_restart(before, self._app.settings)
        get_logger().info(
            "reloaded", revision=self._app.settings.revision, needs_restart=", ".join(waits), late=", ".join(late)
        )
        return ""

    def _asked_to_reload(self, _words: Words) -> Words:
        before, order = self._app.settings, _Order("reload")
        self._orders.put(order)
        try:
            refusal = order.answer.get(timeout=60.0)
        except queue.Empty:
            raise ListenerError("the daemon did not come to it in 60 s; its log says why") from None
        if refusal:
            raise SettingsError(refusal)
        now = self._app.settings
        return {"revision": now.revision, "needs_restart": list(_needs_restart(before, now))}

    def _status(self, _words: Words) -> Words:
        return {"pid": os.getpid(), "revision": self._app.settings.revision, "troubles": list(self.troubles())}

    def _stop_engine(self) -> tuple[str, ...]:
        assert self._engine is not None
        return self._engine.stop(ENGINE_GRACE)


def _needs_restart(before: Settings, now: Settings) -> tuple[str, ...]:
    """Sections of a reloaded configuration that act only after a restart."""
    pairs = (
        ("scorer", before.scorer, now.scorer),
        ("store", before.store, now.store),
        ("state_dir", before.state_dir, now.state_dir),
        ("web", (before.web.enabled, before.web.host, before.web.port), (now.web.enabled, now.web.host, now.web.port)),
    )
    return tuple(name for name, old, new in pairs if old != new)


def _end_at_last() -> None:
    """Let the process end in time even if the disk hangs; the next start returns the leases."""
    timer = threading.Timer(LAST_MOMENT, os._exit, (0,))
    timer.daemon = True
    timer.start()


def run(
    settings: Settings, *, load: Callable[[], Settings], serve: Serve | None, tell: Callable[[str], None],
    clock: Clock = utc_now,
) -> None:  # fmt: skip
    """Be the daemon until SIGTERM or SIGINT.

    Args:
        settings: the configuration.
        load: reads it anew, for reloads.
        serve: binds the pages; None: without pages.
        tell: says a line to the person who started us.
        clock: says the present.

    Raises:
        StoreError: another Listener works here, or the database cannot be used.
        SettingsError: something configured cannot be built or bound.
        AdapterError: the scorer cannot be loaded.
    """
    lock = Lock(settings.state_dir)
    lock.take()
    app = make_app(settings, clock)
    app.sync()
    daemon = Daemon(app, load=load, serve=serve, tell=tell, supervisor=Supervisor(os.environ))
    try:
        late = daemon.run()
    except ListenerError:
        app.close()
        raise
    app.store.release(counted=False)
    get_logger().info("stopped", late=", ".join(late))
    if late:
        # Their connections are in use, and an interpreter that ends under a running native call may crash.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    app.close()
