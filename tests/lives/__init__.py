"""Whole lives of terminals: days and weeks of a shop on simulated time, judged at each midnight."""
