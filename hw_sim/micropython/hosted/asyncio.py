"""MicroPython's `asyncio` for a hosted CPU: what tasks wait for. Tasks are in asyncio_core.py."""

import io
from types import coroutine

import asyncio_core as core
from asyncio_core import (  # noqa: F401  what programs take from here
    CancelledError,
    Loop,
    Task,
    TimeoutError,
    create_task,
    current_task,
    get_event_loop,
    run,
    run_until_complete,
    sleep,
    sleep_ms,
)


class Event:
    """Set or not; tasks wait until it is."""

    def __init__(self):
        self.state = False
        self.waiting = core.TaskQueue()

    def is_set(self):
        """Whether it is."""
        return self.state

    def set(self):
        """Set it: all who wait go on."""
        while self.waiting.peek():
            core._task_queue.push(self.waiting.pop())
        self.state = True

    def clear(self):
        """Not set any more."""
        self.state = False

    @coroutine
    def wait(self):
        """Return True once it is set."""
        if not self.state:
            self.waiting.push(core.cur_task)
            core.cur_task.data = self.waiting
            yield
        return True


class ThreadSafeFlag(io.IOBase):
    """Set from anywhere, heard by one task, which clears it by that."""

    def __init__(self):
        self.state = 0

    def ioctl(self, request, flags):
        """Ready to be read while set."""
        return self.state * flags if request == 3 else -1

    def set(self):
        """Wake who waits."""
        self.state = 1

    def clear(self):
        """Not set any more."""
        self.state = 0

    @coroutine
    def wait(self):
        """Return once it is set, and clear it."""
        if not self.state:
            core._io_queue.queue_read(self)
            yield
        self.state = 0


class Lock:
    """Held by one task at a time; the next in line gets it from who lets go."""

    def __init__(self):
        self.state = 0  # 1: held; a task: about to be that one's
        self.waiting = core.TaskQueue()

    def locked(self):
        """Whether somebody holds it."""
        return self.state == 1

    def release(self):
        """Let go. RuntimeError if nobody holds it."""
        if self.state != 1:
            raise RuntimeError("Lock not acquired")
        if self.waiting.peek():
            self.state = self.waiting.pop()
            core._task_queue.push(self.state)
        else:
            self.state = 0

    @coroutine
    def acquire(self):
        """Hold it; True."""
        if self.state != 0:
            self.waiting.push(core.cur_task)
            core.cur_task.data = self.waiting
            try:
                yield
            except core.CancelledError:
                if self.state == core.cur_task:
                    self.state = 1
                    self.release()
                raise
        self.state = 1
        return True

    async def __aenter__(self):
        return await self.acquire()

    async def __aexit__(self, *_):
        return self.release()


async def _tell(waiter, awaited):
    result = None
    try:
        result = await awaited
        status = True
    except BaseException as error:
        status = error
    if waiter.data is None and waiter.cancel():
        waiter.data = core.CancelledError(status, result)


async def wait_for(aw, timeout, pause=core.sleep):
    """What `aw` gives, or TimeoutError after so many seconds; it is cancelled then."""
    aw = core.as_task(aw)
    if timeout is None:
        return await aw
    teller = core.create_task(_tell(core.cur_task, aw))
    try:
        await pause(timeout)
    except core.CancelledError as error:
        status = error.value
        if status is None:  # cancelled from outside
            teller.cancel()
            raise
        if status is True:
            return error.args[1]
        raise status
    teller.cancel()
    await teller
    raise core.TimeoutError


def wait_for_ms(aw, timeout):
    """As `wait_for`, in milliseconds."""
    return wait_for(aw, timeout, core.sleep_ms)


class _Gathering:
    @staticmethod
    def remove(task):
        """A gathering is in no queue."""


@coroutine
def gather(*aws, return_exceptions=False):
    """What all of them give, as a list; the first exception, if any, ends the others."""
    tasks = [core.as_task(each) for each in aws]
    me = core.cur_task
    left = 0
    raised = None

    def done(task, error):
        nonlocal left, raised
        if me.data is not _Gathering:
            return
        if not return_exceptions and not isinstance(error, StopIteration):
            raised = error
        else:
            left -= 1
            if left:
                return
        core._task_queue.push(me)

    for task in tasks:
        if task.state is True:
            task.state = done
            left += 1
        elif task.state:
            raise RuntimeError("can't gather")
        elif not isinstance(task.data, StopIteration) and not return_exceptions:
            left = -len(tasks)
    cancel_all = False
    if left > 0:
        me.data = _Gathering
        try:
            yield
        except core.CancelledError as error:
            cancel_all = True
            raised = error
    out = []
    for task in tasks:
        if task.state is done:
            task.state = True
            if cancel_all:
                task.cancel()
        if not return_exceptions and raised is None and isinstance(task.data, StopIteration):
            out.append(task.data.value)
        else:
            is_value = isinstance(task.data, StopIteration)
            out.append(task.data.value if is_value else task.data)
    if raised is not None:
        raise raised
    if left < 0:
        raise next(each.data for each in tasks if not isinstance(each.data, StopIteration))
    return out


class Stream:
    """A stream that tasks read from and write to."""

    def __init__(self, s, e={}):  # noqa: B006
        self.s = s
        self.out_buf = b""

    @coroutine
    def read(self, n=-1):
        """At most `n` bytes, as soon as there are any; -1 for all until the end."""
        out = b""
        while True:
            core._io_queue.queue_read(self.s)
            yield
            got = self.s.read(n)
            if got is not None:
                if n >= 0:
                    return got
                if not got:
                    return out
                out += got

    @coroutine
    def readinto(self, buf):
        """Fill some of `buf`; how much."""
        core._io_queue.queue_read(self.s)
        yield
        return self.s.readinto(buf)

    def write(self, buf):
        """Write, or keep for `drain`."""
        if not self.out_buf:
            written = self.s.write(buf)
            if written == len(buf):
                return
            if written is not None:
                buf = buf[written:]
        self.out_buf += buf

    async def drain(self):
        """Return once everything is written."""
        if not self.out_buf:
            await core.sleep_ms(0)
            return
        view = memoryview(self.out_buf)
        at = 0
        while at < len(view):
            await self._writable()
            at += self.s.write(view[at:]) or 0
        self.out_buf = b""

    @coroutine
    def _writable(self):
        core._io_queue.queue_write(self.s)
        yield


StreamReader = Stream
StreamWriter = Stream
