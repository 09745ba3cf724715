"""Robot terminals: each buys from one supplier every few minutes, by the roads that terminals take,
and an alarm names the link that broke; canaries, which do the same for queues. For `cli.worker`.

A robot is a terminal like any other, enrolled and paid for by the office; it stands in
`robots.toml` with its device key. Why nothing of it is hidden: docs/decisions/0066-robots.md.
"""
