"""Waves of releases on trial: frozen when they begin, judged each hour, and halted if they do harm.

For the server's worker and for people who look at verdicts. Here live the frozen population, the
records of a wave as they were known, the book of verdicts, and the brake: what may halt a release,
and nothing else. Whether a release is harmful is said in `verdict`, a pure function.

How it goes is told in docs/verdict.md; the reasons are in docs/decisions/0056-telemetry.md.
"""
