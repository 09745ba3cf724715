"""What a program computes takes the time that somebody measured on a real core."""

# The board says which functions take how long (docs/simulated-time.md); each call of one lets so
# much time pass before it works. A module that the program has just loaded is found when the
# program next waits or has computed for a millisecond: what it did before takes none.
import sys
import time

_measured = []  # [module's name, [path of a function, us], the module as it was last seen]


def know(table):
    """`table`: "module:function us" or "module:class.function us", a line each."""
    for line in table.split("\n"):
        where, us = line.split()
        name, path = where.split(":")
        for known in _measured:
            if known[0] == name:
                known[1].append((path, int(us)))
                break
        else:
            _measured.append([name, [(path, int(us))], None])
    time.before_wait = _look


def _look():
    for known in _measured:
        module = sys.modules.get(known[0])
        if module is not known[2]:
            known[2] = module
            if module is not None:
                for path, us in known[1]:
                    _charge(module, path.split("."), us)


def _charge(module, path, us):
    owner = module
    for name in path[:-1]:
        owner = getattr(owner, name)
    works = getattr(owner, path[-1])

    def takes_time(*arguments):
        time.spend(us)
        return works(*arguments)

    setattr(owner, path[-1], takes_time)
