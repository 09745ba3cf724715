"""What several flows do on their way; no step imports a flow."""
