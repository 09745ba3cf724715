"""The whole picture on one machine: balancer, server processes, worker, PostgreSQL with standbys
under Patroni and etcd, mail. `python -m tests.env` brings it up in a folder of its own (`inv env`).
"""
