"""Programs that the nursery starts are processes of their own, as `python -m` starts them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.support import nursery


def _does(statement: str, **given: object) -> subprocess.CompletedProcess[str]:
    """`statement` in a program of its own: timeit runs any."""
    return nursery.run("timeit", "-n", "1", "-r", "1", statement, **given)  # type: ignore[arg-type]


def test_a_program_says_and_ends_as_one_that_the_interpreter_starts() -> None:
    for arguments in (["updater_server", "report", "--data", "/nowhere"], ["tools", "release"]):
        cold = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=nursery.ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        done = nursery.run(*arguments)
        assert (done.returncode, done.stdout, done.stderr) == (
            cold.returncode,
            cold.stdout,
            cold.stderr,
        )


def test_a_program_reads_what_is_typed_and_the_environment_it_is_given() -> None:
    assert nursery.run("json.tool", "--compact", typed='{"a":  1}').stdout == '{"a":1}\n'
    said = _does("import os, sys; sys.stderr.write(repr(dict(os.environ)))", environment={"A": "1"})
    assert said.stderr == "{'A': '1'}"


def test_what_a_program_changes_is_not_in_the_next() -> None:
    change = "import os, time, updater_server; time.time = 0; os.environ['A'] = '1'; os.chdir('/')"
    assert _does(change).returncode == 0
    look = "import os, time; assert time.time() and 'A' not in os.environ and os.getcwd() != '/'"
    done = _does(look, environment={})
    assert done.returncode == 0, done.stderr


def test_a_program_has_a_session_of_its_own_and_kill_9_ends_it() -> None:
    out, written = os.pipe()
    with os.fdopen(out, "rb") as said:
        with os.fdopen(written, "wb") as file:
            waits = "import os, time; os.write(1, b'here'); time.sleep(60)"
            program = nursery.start("timeit", "-n", "1", waits, stdout=file, stderr=file)
        assert said.read(4) == b"here"
        assert os.getsid(program.pid) == program.pid
        assert program.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            program.wait(0.01)
        program.send_signal(signal.SIGKILL)
        assert program.wait(10) == -signal.SIGKILL
        assert program.poll() == -signal.SIGKILL
        assert said.read() == b"", "nobody else holds its files"
    with pytest.raises(ProcessLookupError):
        os.kill(program.pid, 0)


def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        _does("import time; time.sleep(60)", timeout_s=0.2)


def test_what_libraries_import_when_they_are_used_is_there_already() -> None:
    """An application and a command line bring some modules with them, but no whole library."""
    use = (
        "import sys, litestar, typer, typer.testing; had = set(sys.modules); app = typer.Typer();"
        " app.command()(lambda n: None); litestar.Litestar([]);"
        " assert typer.testing.CliRunner().invoke(app, ['1']).exit_code == 0;"
        " new = sorted(set(sys.modules) - had); assert len(new) < 20, new"
    )
    done = _does(use)
    assert done.returncode == 0, done.stderr
