"""Tasks and loop of MicroPython's `asyncio` for a hosted CPU; they are CPython's coroutines."""

# https://docs.micropython.org/en/latest/library/asyncio.html, with as many looks at the clock, in
# the same order, as MicroPython's own has: each takes simulated time. Tasks and their queue are
# those that the interpreter takes on simulated time, too.
import select
import sys
from time import ticks_add, ticks_diff, ticks_ms

from tasks import Task as _PlainTask
from tasks import TaskQueue

_READ, _URGENT, _WRITE, _STREAM = 0, 1, 2, 3  # places in what `_Streams` keeps of one
_IDLE_MS = 3  # nothing can wake anybody, but the main task is not done


class CancelledError(BaseException):
    """A task was cancelled."""

    @property
    def value(self):
        """The first argument; every exception of MicroPython has it."""
        return self.args[0] if self.args else None


class TimeoutError(Exception):
    """What was waited for did not happen in time."""


class Task(_PlainTask):
    """A task; waiting for it gives what it returns, or raises what it raised."""

    __await__ = _PlainTask.__iter__


class _Pause:
    def __init__(self):
        self.until = None

    def __await__(self):
        return self

    __iter__ = __await__

    def __next__(self):
        if self.until is None:
            raise StopIteration
        _task_queue.push(cur_task, self.until)
        self.until = None


_pause = _Pause()  # one for all: it is awaited as soon as it is made


def sleep_ms(t):
    """Wait so many milliseconds from now."""
    _pause.until = ticks_add(ticks_ms(), max(0, t))
    return _pause


def sleep(t):
    """Wait so many seconds from now."""
    return sleep_ms(int(t * 1000))


class _Streams:
    # Tasks that wait for streams, at most one for each purpose.
    def __init__(self):
        self.poller = select.poll()
        self.map = {}

    @staticmethod
    def _events(entry):
        return (
            (entry[_READ] is not None) * select.POLLIN
            | (entry[_URGENT] is not None) * select.POLLPRI
            | (entry[_WRITE] is not None) * select.POLLOUT
        )

    def _enqueue(self, stream, place):
        entry = self.map.get(id(stream))
        if entry is None:
            self.map[id(stream)] = entry = [None, None, None, stream]
            entry[place] = cur_task
            self.poller.register(stream, self._events(entry))
        else:
            entry[place] = cur_task
            self.poller.modify(stream, self._events(entry))
        cur_task.data = self

    def queue_read(self, stream):
        self._enqueue(stream, _READ)

    def queue_write(self, stream):
        self._enqueue(stream, _WRITE)

    def _dequeue(self, stream):
        del self.map[id(stream)]
        self.poller.unregister(stream)

    def remove(self, task):
        # A cancelled task; whoever else waits for the same stream waits no more, as there.
        for entry in list(self.map.values()):
            if task in entry[:_STREAM]:
                self._dequeue(entry[_STREAM])

    def hear(self, found):
        for stream, event in found:
            entry = self.map[id(stream)]
            if event & (select.POLLIN | select.POLLERR) and entry[_READ] is not None:
                _task_queue.push(entry[_READ])
                entry[_READ] = None
            if event & (select.POLLOUT | select.POLLERR) and entry[_WRITE] is not None:
                _task_queue.push(entry[_WRITE])
                entry[_WRITE] = None
            events = self._events(entry)
            if events:
                self.poller.modify(stream, events)
            else:
                self._dequeue(stream)


def create_task(coro):
    """A task that runs `coro` from the next turn on."""
    if not hasattr(coro, "send"):
        raise TypeError("coroutine expected")
    task = Task(coro, globals())
    _alive.add(task)
    _task_queue.push(task)
    return task


def as_task(awaitable):
    """It, if it is a task already, else a new one."""
    return awaitable if isinstance(awaitable, Task) else create_task(awaitable)


def _next_task(main_task):
    # The first task that is due; None if there can be none any more.
    tasks = _task_queue._tasks
    poll = _io_queue.poller.poll
    while True:
        ms = -1
        if tasks:
            ms = ticks_diff(tasks[-1].ph_key, ticks_ms())
            if ms < 0:
                ms = 0
        elif not _io_queue.map:
            if not main_task or not main_task.state:
                return None
            ms = _IDLE_MS
        found = poll(ms)
        if found:
            _io_queue.hear(found)
        if ms <= 0:
            return tasks.pop()


def _run_once(task):
    # Resume a task until it waits again; what ended it, or None.
    thrown = task.data
    try:
        if thrown is None:
            task.coro.send(None)
            return None
        task.data = None
        if task.state is None:  # it has ended, and nobody asked why
            return StopIteration()
        task.coro.throw(thrown)
    except (CancelledError, StopIteration) as error:
        error.__traceback__ = None  # it would hold the task, which holds it
        return error
    except Exception as error:
        return error
    return None


def _finish(task, error, awaited):
    # Tell those who wait for a task that it is over.
    if task.state is True:
        task.state = False if awaited else None
    elif callable(task.state):
        task.state(task, error)
        task.state = False
        awaited = True
    else:
        while task.state.peek():
            _task_queue.push(task.state.pop())
            awaited = True
        task.state = False
    if not awaited and not isinstance(error, (CancelledError, StopIteration)):
        _task_queue.push(task)
    task.data = error


def run_until_complete(main_task=None):
    """Run tasks until the main one is over."""
    global cur_task
    while True:
        task = _next_task(main_task)
        if task is None:
            cur_task = None
            return None
        cur_task = task
        thrown = task.data
        error = _run_once(task)
        if error is None:
            continue
        _alive.discard(task)
        is_main = task is main_task
        if is_main:
            cur_task = None
            if not isinstance(error, StopIteration):
                task.state = False
                raise error
            if task.state is None:
                task.state = False
        if task.state:
            _finish(task, error, is_main)
        elif task.state is None:
            task.data = thrown
            Loop.call_exception_handler(
                {
                    "message": "Task exception wasn't retrieved",
                    "exception": thrown,
                    "future": task,
                }
            )
        if is_main:
            return error.value


def run(coro):
    """Run `coro` as the main task; what it returns."""
    return run_until_complete(create_task(coro))


class Loop:
    """The event loop; there is one."""

    _exc_handler = None
    create_task = staticmethod(create_task)

    @staticmethod
    def run_until_complete(awaitable):
        """See `run_until_complete`."""
        return run_until_complete(as_task(awaitable))

    @staticmethod
    def set_exception_handler(handler):
        """`handler(loop, context)` is told of what ended a task that nobody waits for."""
        Loop._exc_handler = handler

    @staticmethod
    def default_exception_handler(loop, context):
        """Print it."""
        print(context["message"], file=sys.stderr)
        print("future:", context["future"], "coro=", context["future"].coro, file=sys.stderr)
        sys.print_exception(context["exception"], sys.stderr)

    @staticmethod
    def call_exception_handler(context):
        """Tell the handler."""
        (Loop._exc_handler or Loop.default_exception_handler)(Loop, context)


def get_event_loop():
    """The loop."""
    return Loop


def current_task():
    """The task that runs."""
    if cur_task is None:
        raise RuntimeError("no running event loop")
    return cur_task


cur_task = None
_alive = set()  # tasks that have not ended: when the chip does, they are closed
_task_queue = TaskQueue()
_io_queue = _Streams()
