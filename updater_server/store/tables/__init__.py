"""The database's tables, one file a subject. Every room above imports them from here; the schema
itself is made by the migrations.

Money is integers in minor units. Times are Unix seconds. Ids of terminals are their 8 bytes.
Rows of `ledger_*`, `journal_*`, `voucher_assignment`, `voucher_aside`, `stock_outcome`,
`stock_return`, `deposit`, `operator_log`, `technician_event`, `vend_event`, `supplier_report` and
the trade's (`parties`, but tokens), `wave_*`, `running_history`, `party_region` and of `matching`
are never updated or deleted: triggers refuse it (migrations 0002 to 0033, on PostgreSQL from 0016
on).
"""

from __future__ import annotations

from updater_server.store.tables.air import air_month
from updater_server.store.tables.base import metadata
from updater_server.store.tables.fleet import (
    alarm,
    bench_entry,
    check_in,
    running_history,
    technician,
    technician_event,
    terminal,
)
from updater_server.store.tables.journals import (
    is_online,
    journal_late,
    journal_record,
    loss_accepted,
)
from updater_server.store.tables.lookout import canary, fleet_picture, region_heard
from updater_server.store.tables.matching import (
    matching_decision,
    matching_finding,
    matching_page,
    matching_run,
    matching_step,
    supplier_file,
)
from updater_server.store.tables.merchant_notices import merchant_notice
from updater_server.store.tables.money import (
    account,
    currency,
    deposit,
    is_credit,
    ledger_entry,
    ledger_transaction,
    price,
)
from updater_server.store.tables.notices import notice, notice_told
from updater_server.store.tables.parties import (
    api_token,
    closed_day,
    closed_sum,
    commission_rate,
    credit_limit,
    day_share,
    movement,
    party,
    terminal_owner,
)
from updater_server.store.tables.programs import api_order, telephone, webhook, webhook_dead
from updater_server.store.tables.restores import (
    database_restore,
    restore_scope,
    restore_serial,
    restore_stock,
    restore_terminal,
)
from updater_server.store.tables.server import (
    check_point,
    number,
    operator_log,
    server_constant,
    server_mark,
    wrapped_secret,
)
from updater_server.store.tables.sms import sms_number, sms_word
from updater_server.store.tables.suppliers import (
    is_open,
    supplier,
    supplier_product,
    supplier_report,
    vend,
    vend_event,
)
from updater_server.store.tables.views import party_region, sale_count, sale_log, view_kept
from updater_server.store.tables.vouchers import (
    sale,
    stock_batch,
    stock_outcome,
    stock_return,
    voucher,
    voucher_aside,
    voucher_assignment,
    voucher_import,
)
from updater_server.store.tables.waves import wave_event, wave_trial, wave_verdict

__all__ = [
    "account",
    "air_month",
    "alarm",
    "api_order",
    "api_token",
    "bench_entry",
    "canary",
    "check_in",
    "check_point",
    "closed_day",
    "closed_sum",
    "commission_rate",
    "credit_limit",
    "currency",
    "database_restore",
    "day_share",
    "deposit",
    "fleet_picture",
    "is_credit",
    "is_online",
    "is_open",
    "journal_late",
    "journal_record",
    "ledger_entry",
    "ledger_transaction",
    "loss_accepted",
    "matching_decision",
    "matching_finding",
    "matching_page",
    "matching_run",
    "matching_step",
    "merchant_notice",
    "metadata",
    "movement",
    "notice",
    "notice_told",
    "number",
    "operator_log",
    "party",
    "party_region",
    "price",
    "region_heard",
    "restore_scope",
    "restore_serial",
    "restore_stock",
    "restore_terminal",
    "running_history",
    "sale",
    "sale_count",
    "sale_log",
    "server_constant",
    "server_mark",
    "sms_number",
    "sms_word",
    "stock_batch",
    "stock_outcome",
    "stock_return",
    "supplier",
    "supplier_file",
    "supplier_product",
    "supplier_report",
    "technician",
    "technician_event",
    "telephone",
    "terminal",
    "terminal_owner",
    "vend",
    "vend_event",
    "view_kept",
    "voucher",
    "voucher_aside",
    "voucher_assignment",
    "voucher_import",
    "wave_event",
    "wave_trial",
    "wave_verdict",
    "webhook",
    "webhook_dead",
    "wrapped_secret",
]
