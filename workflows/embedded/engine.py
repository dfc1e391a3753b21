"""The embedded engine: runs the functions and state machines of the template on one machine, in one process and one
folder.

Each part stands for an AWS service: ``http`` for API Gateway and Cognito, ``lambda_`` for Lambda, DynamoDB Streams and
EventBridge Scheduler, ``step_functions`` for Step Functions, ``template`` for CloudFormation, ``metrics`` for
CloudWatch.

The folder holds

    expediter.sqlite    the event log, documents, data keys, executions and their journal, the feed's checkpoint
    sandbox.sqlite      the ledgers of the sandbox, if the providers are simulated; the engine itself never reads them
    providers.json      the credentials of real providers, if there are any
    views.sqlite        the views of the log; derived, so it may be deleted while no engine runs
    exports/            files of events for auditors, kept for a day
    views.key           the key of the views' blind indexes; a new one means that the views are built again
    clock.json          where the engine's clock was, so that it continues after a restart
    tokens.key          the secret that signs access tokens; a process that can read it can act in any role
    archive/            the content of orders that ended long ago, if they are archived
    erased-keys.txt     the ids of the data keys that were destroyed; read at the start, and in no backup
    checkpoint.key      the private key that signs checkpoints
    checkpoints/        the checkpoints, unless another folder is named for them: then that is in checkpoints.path

and, while an engine runs, SQLite's ``-wal`` and ``-shm`` files and a lock file beside each database.
``expediter backup`` copies the folder of a running engine; other copies are safe only while no engine runs on it.
"""

from __future__ import annotations

import logging
import resource
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, InvalidStateError
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from pathlib import Path

from workflows.archive.archiving import archive_orders
from workflows.audit.changed_heads import FeedHeads
from workflows.audit.head_tree import HeadTree
from workflows.breakers.dependencies import Dependency
from workflows.breakers.settings import DEFAULTS, BreakerSettings
from workflows.clock import Clock
from workflows.embedded.alarms import Alarms
from workflows.embedded.checkpoint_folder import FolderCheckpoints, checkpoint_folder, signer_in
from workflows.embedded.checkpoint_metrics import CheckpointMetrics
from workflows.embedded.erased_keys import ErasedKeys, destroy_again
from workflows.embedded.export_folder import ExportFolder
from workflows.embedded.files import DATABASE, ERASED_KEYS, PICTURES
from workflows.embedded.http.api import HttpApi
from workflows.embedded.http.limits import live_within
from workflows.embedded.http.live import PATH, LiveFront
from workflows.embedded.http.probes import MetricSource
from workflows.embedded.http.server import HttpServer
from workflows.embedded.http.tokens import AccessTokens
from workflows.embedded.lambda_.feed import EventSourceMapping
from workflows.embedded.lambda_.functions import WORKERS, Functions
from workflows.embedded.lambda_.published_events import PublishedEvents
from workflows.embedded.lambda_.schedules import Schedules
from workflows.embedded.metrics import EngineMetrics
from workflows.embedded.pictures import FolderPictures
from workflows.embedded.projector_process import ProjectorProcess
from workflows.embedded.projector_thread import ProjectorThread
from workflows.embedded.providers import OpenGateways, elsewhere
from workflows.embedded.restoring import check_no_backup
from workflows.embedded.steady_clock import SAVE_EVERY_S, SteadyClock
from workflows.embedded.step_functions.driver import IN_MEMORY_MAX, Driver
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.machines import Machine, read_machines
from workflows.embedded.step_functions.reads import JournalReads
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.running import Definitions
from workflows.embedded.template import Template, read_template
from workflows.embedded.view_builder import views_of
from workflows.embedded.view_reads import ViewReads
from workflows.engine import EVENT_TYPES, assemble
from workflows.event_store.codec import Codec
from workflows.hub.hub import Hub, sleep
from workflows.hub.watch import Watch
from workflows.projections.progress import RunningProjector
from workflows.projections.view_metrics import ViewMetrics
from workflows.publishing.webhooks.http_sender import HttpWebhookSender
from workflows.settings import read
from workflows.sqlite.database import Database
from workflows.sqlite.documents import SqliteDocuments
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing
from workflows.sqlite.recent import Recent
from workflows.time_budgets import Budgets, read_budgets

log = logging.getLogger(__name__)

FEED = "Feed"
"""The function that gets every commit."""

WEBHOOKS = "Webhooks"
"""The function that gets every published event, as behind the queue of the template."""

ARCHIVE_FIRST_S, ARCHIVE_EVERY_S = 60.0, 24 * 3600.0
"""After the start, and after the end of a run."""

CLOSE_WITHIN_S = 10.0
"""How long ``close`` waits for functions under way. One that takes longer is invoked again by the next engine."""


class EmbeddedEngine:
    """One engine on one folder: ``open`` it, ``serve`` HTTP or use its ``ports``, then ``close`` it."""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        template: Path,
        parameters: Mapping[str, str] | None = None,
        gateways: OpenGateways,
        breakers: Mapping[Dependency, BreakerSettings] = DEFAULTS,
        clock: Clock | None = None,
        workers: int = WORKERS,
        in_memory_max: int = IN_MEMORY_MAX,
        projector_apart: bool = True,
        erased_keys: Path | None = None,
        checkpoints: Path | None = None,
        archive_after: timedelta | None = None,
    ) -> EmbeddedEngine:
        """Open the folder, or create it, and continue the executions in it.

        Args:
            checkpoints: The folder to publish checkpoints in. By default it is in the engine's folder, where those who
                can change the log can change them too.
            clock: Instead of the folder's own clock, which does not jump.
            projector_apart: Whether the projector of the views has a process of its own, as it does in production.
            erased_keys: The list of destroyed keys, if it is not in the folder.
            archive_after: Archive daily the orders that ended and did not change for so long; None: never.

        Raises:
            FolderIsBackup: The folder is a backup that was not restored.
            TemplateInvalid, ParameterUnknown: The template or a parameter is wrong; the folder was not touched.
            DatabaseInUse: Another engine runs on the folder.
            DatabaseForeign: The folder has a database of another program.
        """
        check_no_backup(folder)
        parsed = read_template(template, parameters)
        machines = read_machines(parsed)
        with ExitStack() as opened:
            engine = cls(
                folder=folder,
                template=parsed,
                machines=machines,
                gateways=gateways,
                breakers=breakers,
                clock=clock,
                workers=workers,
                in_memory_max=in_memory_max,
                projector_apart=projector_apart,
                erased_keys=erased_keys or folder / ERASED_KEYS,
                checkpoints=checkpoints,
                opened=opened,
            )
            engine._begin()
            if archive_after is not None:
                engine._archive_daily(archive_after)
            engine._opened = opened.pop_all()
        return engine

    def __init__(
        self,
        *,
        folder: Path,
        template: Template,
        machines: Mapping[str, Machine],
        gateways: OpenGateways,
        breakers: Mapping[Dependency, BreakerSettings],
        clock: Clock | None,
        workers: int,
        in_memory_max: int,
        projector_apart: bool,
        erased_keys: Path,
        checkpoints: Path | None,
        opened: ExitStack,
    ) -> None:
        """Only for ``open``. What is pushed on ``opened`` is closed in reverse order."""
        self._template = template
        self._opened = opened
        self.failed: Future[None] = Future()
        """Gets an exception when the engine cannot go on, e.g. because the disk is full: close it, start it again."""
        self._hub = hub = opened.enter_context(closing(Hub()))
        opened.enter_context(closing(Watch(hub)))
        database = opened.enter_context(Database(folder / DATABASE, hub=hub, on_break=self._fail))
        clock = self._clock = clock or self._steady_clock(folder)
        self.tokens = AccessTokens.of(folder)
        self.gateways = opened.enter_context(gateways(folder, clock, hub))
        recent = Recent()
        erased = ErasedKeys(erased_keys)
        keyring = SqliteKeyRing(database, before_destroy=erased.add, on_destroy=lambda: hub.ask(recent.clear))
        log = SqliteEventLog(database, Codec(keyring, EVENT_TYPES), clock, recent=recent)
        self._database, self._event_log = database, log
        alarms = opened.enter_context(closing(Alarms(clock, hub)))
        journal = Journal(database)
        definitions = Definitions(journal)
        self.reports = Reports(journal, definitions)
        self._functions = Functions(template.functions, clock=clock, hub=hub, alarms=alarms, workers=workers)
        self.executions = Driver(
            database,
            journal,
            definitions,
            machines,
            self._functions,
            clock=clock,
            hub=hub,
            alarms=alarms,
            in_memory_max=in_memory_max,
            on_break=self._fail,
        )
        self._feed = EventSourceMapping(
            log,
            database,
            self._functions,
            function=FEED,
            clock=clock,
            hub=hub,
            alarms=alarms,
            calls_max=max(1, workers // 2),
            on_break=self._fail,
        )
        self._metrics = EngineMetrics(
            hub=hub,
            database=database,
            journal=journal,
            driver=self.executions,
            feed=self._feed,
            functions=self._functions,
        )
        documents = SqliteDocuments(database)
        destroy_again(erased.ids(), log, documents, keyring, clock)
        reads = opened.enter_context(closing(ViewReads()))
        views = views_of(folder, feed=log, elsewhere=reads)
        opened.callback(views.close)
        self.projector: RunningProjector = (
            ProjectorProcess(folder, log, clock, hub) if projector_apart else ProjectorThread(folder, views, log, clock)
        )
        exports = ExportFolder(folder, str(views.url), clock)
        opened.callback(exports.close)
        sender = HttpWebhookSender()
        opened.callback(sender.close)
        self._published = PublishedEvents(log, documents, self._functions, function=WEBHOOKS, hub=hub)
        self._live = LiveFront(
            log,
            documents,
            clock=clock,
            hub=hub,
            budgets=_budgets(template),
            limits=live_within(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
        )
        self._heads = HeadTree(
            store=FolderCheckpoints(checkpoint_folder(folder, checkpoints)),
            changed=FeedHeads(log),
            signer=signer_in(folder),
            log=log,
        )
        self._schedules = Schedules(template.functions, self._functions, clock=clock, alarms=alarms)
        self.ports = assemble(
            log=log,
            documents=documents,
            executions=self.executions,
            payments=self.gateways.payments,
            kitchen=self.gateways.kitchen,
            couriers=self.gateways.couriers,
            clock=clock,
            keyring=elsewhere(hub, keyring),
            views=views,
            pause=sleep,
            webhooks=elsewhere(hub, sender),
            breakers=breakers,
            live_path=PATH,
            pictures=elsewhere(hub, FolderPictures(folder / PICTURES)),
            exports=elsewhere(hub, exports),
            heads=elsewhere(hub, self._heads),
            courier_moved=self._live.courier_moved,
            execution_reads=elsewhere(hub, JournalReads(journal, definitions, self.reports, machines)),
        )

    def serve(self, port: int, *, metrics: Sequence[MetricSource] = ()) -> int:
        """Serve HTTP on 127.0.0.1 until ``close``.

        Args:
            port: 0 takes a free port.
            metrics: Served at ``/metrics`` beside the engine's own.

        Returns:
            The port in use.

        Raises:
            PortTaken: The port cannot be listened on.
        """
        api = HttpApi(
            self._template,
            self._functions,
            self.tokens,
            self._clock,
            failure=lambda: self.failed.exception() if self.failed.done() else None,
            metrics=(self._metrics, ViewMetrics(self.projector), CheckpointMetrics(self._heads), self._live, *metrics),
            live=self._live,
        )
        server = self._opened.enter_context(closing(HttpServer(api.app, port)))
        self._opened.callback(self._live.close)
        log.info("serving", extra={"port": server.port})
        return server.port

    def close(self) -> None:
        """Answer the requests under way and wait for functions, 10 s at most. The next engine continues the rest."""
        self._opened.close()

    def __enter__(self) -> EmbeddedEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _steady_clock(self, folder: Path) -> Clock:
        """Continue the folder's clock, and save it at intervals and at the end."""
        clock = SteadyClock.of(folder)

        def save() -> None:
            clock.save(folder)
            self._hub.after(SAVE_EVERY_S, save)

        self._hub.soon(lambda: self._hub.after(SAVE_EVERY_S, save))
        self._opened.callback(clock.save, folder)
        return clock

    def _fail(self, error: BaseException) -> None:
        with suppress(InvalidStateError):  # only the first error is kept
            self.failed.set_exception(error)

    def _begin(self) -> None:
        """Start the parts. Those that run functions are closed before those that functions use."""
        self._opened.callback(self.executions.close)
        self._opened.callback(self._functions.close, CLOSE_WITHIN_S)
        self._functions.start(self.ports)
        self.executions.begin()
        self._schedules.begin()
        if FEED in self._template.functions:
            self._feed.begin()
            self._opened.callback(self._feed.close)
        self.projector.begin()
        self._opened.callback(self.projector.close)
        if WEBHOOKS in self._template.functions:
            self._published.begin()
            self._opened.callback(self._published.close)

    def _archive_daily(self, after: timedelta) -> None:
        """Archive old orders once soon, and then once a day, on a thread beside the hub."""
        hub = self._hub

        def archive() -> None:
            try:
                before = self._clock.now() - after
                done = hub.elsewhere(lambda: archive_orders(self._event_log, self._event_log.segments, before))
                log.info("old orders were archived", extra={"orders": done.orders, "kept": done.kept})
            except Exception as error:  # the next day tries again, and nothing is lost
                log.error("old orders could not be archived: %s", error, extra={"error": type(error).__name__})
            hub.after(ARCHIVE_EVERY_S, lambda: hub.spawn(archive))

        hub.soon(lambda: hub.after(ARCHIVE_FIRST_S, lambda: hub.spawn(archive)))


def _budgets(template: Template) -> Budgets:
    """Return the time budgets of the template's machines; the defaults if it has no functions that read them."""
    feed = template.functions.get(FEED)
    return read({} if feed is None else feed.environment, read_budgets)
