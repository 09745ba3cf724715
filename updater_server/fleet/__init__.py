"""The terminals: enrolment, what each really runs, and alarms. For the server process."""
