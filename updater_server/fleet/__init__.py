"""The terminals and the people around them: enrolment, what each really runs, permits, technicians,
alarms. No money: what a terminal sells and owes is `sales`, which may call this room.
"""
