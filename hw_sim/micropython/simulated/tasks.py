"""Tasks and their queue on the simulated chip's clock, in place of the interpreter's own."""

# The interpreter's are machine code that reads the host's clock. What `asyncio.core` asks of both:
# https://github.com/micropython/micropython/blob/master/extmod/asyncio/core.py
# Tasks that are due at the same tick run in the order in which they were pushed.
from time import ticks_diff, ticks_ms


class TaskQueue:
    def __init__(self):
        self._tasks = []  # the first one due is the last

    def push(self, task, due=None):
        task.data = None
        task.ph_key = due = ticks_ms() if due is None else due
        tasks = self._tasks
        at = len(tasks)
        while at and ticks_diff(tasks[at - 1].ph_key, due) <= 0:
            at -= 1
        tasks.insert(at, task)

    def peek(self):
        return self._tasks[-1] if self._tasks else None

    def pop(self):
        return self._tasks.pop()

    def remove(self, task):
        self._tasks.remove(task)


class Task:
    # `state`: True while nobody waits for it, a queue of those who do, False when it is over.
    # `data`: the queue or task it waits in; once over, what it ended with.
    def __init__(self, coro, context=None):
        self.coro = coro
        self.data = None
        self.state = True
        self.ph_key = 0
        self._context = context

    def __iter__(self):
        if not self.state:
            self.state = False
        elif self.state is True:
            self.state = TaskQueue()
        elif not isinstance(self.state, TaskQueue):
            raise RuntimeError("can't wait")
        return self

    def __next__(self):
        if not self.state:
            raise self.data
        waiter = self._context["cur_task"]
        self.state.push(waiter)
        waiter.data = self

    def done(self):
        return not self.state

    def cancel(self):
        context = self._context
        if not self.state:
            return False
        if self is context["cur_task"]:
            raise RuntimeError("can't cancel self")
        task = self
        while isinstance(task.data, Task):
            task = task.data
        queue = context["_task_queue"]
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            queue.push(task)
        elif ticks_diff(task.ph_key, ticks_ms()) > 0:
            queue.remove(task)
            queue.push(task)
        task.data = context["CancelledError"]
        return True
