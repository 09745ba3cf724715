"""What the office has to say to the merchant."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.desk import Desk


async def run(desk: "Desk") -> None:
    """What the server last had to say to the merchant, else what is new in the release."""
    words = desk.words
    text = desk.message or desk.updates.news(words.language) or words("no_messages")
    await desk.ui.ask(words("m_messages"), text, (("*", "back"),))
