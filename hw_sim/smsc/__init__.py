"""A simulated short message service centre, a program of its own (`python -m hw_sim.smsc`): SMPP
3.4 towards services, a line of JSON a message towards mobile networks, and what befalls messages
on their way.
"""
