"""What is said to the server, message by message; only the seal makes an answer count."""
