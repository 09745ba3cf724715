"""What others make, sold: the server against simulated suppliers that misbehave."""
