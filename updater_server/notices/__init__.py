"""Alarms reach people: by mail, by SMS, by webhook; each kind once, in groups, and never more in an
hour than a person can read.
"""
