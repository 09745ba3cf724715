"""What the merchant looks up: float, day report, messages, language, the terminal; menu entries."""

from firmware.flows import receipt, sell
from firmware.texts import LANGUAGES, NAMES, Words, date_time_text

REFRESH_MS = 45000
PRINT_MS = 40000
BACK = (("*", "back"),)


async def show_float(app):
    """The float and the commission of today."""
    words = app.words
    today = app.till.day_report(app.now(), app.config.utc_offset_s)
    await app.ui.ask(
        words("float"),
        [
            (words("commission"), app.money(today.commission_minor)),
            (words("unsynced"), str(app.till.unsynced_count)),
        ],
        BACK,
        big=app.price(app.till.float_minor),
    )


def _rows(app, today):
    words = app.words
    rows = []
    for product_id, count, total_minor in today.products:
        product = app.catalogue.product(product_id)
        name = product.name if product else product_id
        rows.append(("{} x {}".format(count, name), app.money(total_minor)))
    rows.append(None)
    rows.append((words("sales"), str(today.count)))
    rows.append((words("total"), app.price(today.total_minor)))
    rows.append((words("commission"), app.price(today.commission_minor)))
    rows.append((words("reprints"), str(today.reprints)))
    rows.append((words("float"), app.price(app.till.float_minor)))
    rows.append((words("unsynced"), str(app.till.unsynced_count)))
    return rows


async def day_report(app):
    """Today's sales on the screen, and on paper when wanted."""
    words = app.words
    rows = _rows(app, app.till.day_report(app.now(), app.config.utc_offset_s))
    key = await app.ui.ask(
        words("m_day"),
        [row for row in rows if row],
        (("*", "back"), ("#", "print")),
    )
    if key != "#" or not await sell.paper_ready(app):
        return
    data = receipt.report(words, app.config, rows, app.terminal_id, app.now())
    done, outcome = await app.ui.busy(
        app.printer.print(data), words("m_day"), words("wait_report"), PRINT_MS
    )
    status = outcome[1] if done else "error"
    if status not in ("ok", "unknown"):
        await app.ui.bad(words("not_printed"), words("np_" + status))


async def messages(app):
    """What the server last had to say to the merchant, else what is new in the release."""
    words = app.words
    text = app.message or app.updates.news(words.language) or words("no_messages")
    await app.ui.ask(words("m_messages"), text, BACK)


async def language(app):
    """Choose the language; it is kept."""
    at = await app.ui.choose(app.words("m_language"), NAMES)
    if at is not None:
        app.memory.put("language", LANGUAGES[at])
        app.words = app.ui.words = Words(LANGUAGES[at])


async def info(app):
    """What a technician asks for on the telephone."""
    words = app.words
    boot = app.boot_info
    release = str(boot.release) + (" " + words("on_trial") if boot.trial else "")
    mv, percent, _ = app.battery.read()
    await app.ui.ask(
        words("m_info"),
        [
            (words("terminal"), app.terminal_id),
            (words("release"), release),
            (words("slot"), boot.slot),
            (words("signal"), str(app.signal)),
            (words("battery"), "{} mV {}%".format(mv, percent)),
            (words("time"), date_time_text(app.now(), app.config.utc_offset_s)),
        ],
        BACK,
    )
