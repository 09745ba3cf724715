"""Random days of two merchants while the server's process ends anywhere, judged by a model."""
