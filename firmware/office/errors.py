"""What can become of a question to the server."""


class NoNetwork(Exception):
    """No answer came, or only "try later": nobody knows whether the server acted. Ask again."""


class BadReply(Exception):
    """Something answered, but not the server under our key, or not as specified: ask later."""


class ServerRefused(Exception):
    """The server's sealed word that it did not do it. `code` for programs, `text` for the log."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code + ": " + text)
        self.code = code
        self.text = text
