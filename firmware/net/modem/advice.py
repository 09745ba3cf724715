"""What a technician is told to do about each `code` of a ModemError; loaded by the test of the
modem alone.
"""

TEXTS: dict[str, str] = {
    "modem": "Modem fault. Switch off and on.",
    "no_modem": "Modem does not answer. Call for service.",
    "no_sim": "No SIM card. Put one in.",
    "sim_locked": "SIM is locked. Remove its PIN in a phone.",
    "denied": "Network refuses this SIM. Ask the operator.",
    "no_coverage": "No network here. Try another place.",
    "no_gprs": "No data service. Check SIM credit.",
    "link": "Server not reached. Try again.",
    "link_timeout": "Server not reached. Try again.",
}
