"""The verdict: exact, deaf to order and to what is late or doubled, and never silent about why."""
