"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
    x.A.AB.AES.ANSWER_MS.AWAKE_SCANS.B.BIG.BLIND_START_S.BODY_LIMIT_BYTES.BOOT
    x.BOOTLOADER_VERSION.BadReply.BadResponse.Battery.Bell.BlockDevice.Buzzer.BytesIO.C.CARRIED
    x.CBC.CHECK_IN.CHUNK_BYTES.COLUMNS.COMMANDS.COPY.COVER_OPEN.Canvas.Catalogue.CatalogueError
    x.CborError.Cell.Chat.ChatAborted.ChatError.ChatTimeout.CheckIn.Choice.Cipher.Clock.Commands
    x.Config.ConfigError.ConnectionLost.ControlBlock.ControlError.D.DEFLATED.DELIVERED.DUKA_R1
    x.DayReport.Debouncer.DeflateIO.Delegation.DeltaError.Dialogs.Display.Download.Duka.E.ECB
    x.ERROR.ERRORS.EXTRA.Encrypt0.Envelope.Event.Expired.F.FEED_MS.FILE.FIRST_LOCK_S.FLOAT_MINOR
    x.FREE_TRIES.Forked.G.GET.GaveWay.Gone.H.HARDWARE_CLASS.HARDWARE_REVISION.HEAD.HEAD_BYTES
    x.HEAD_LIMIT_BYTES.HEIGHT.HINTS_TOP.HttpClient.HttpError.I.IDLE_MS.IDLE_STEPS.INDEX
    x.INTENT_OFFLINE.INTENT_ONLINE.IOBase.IRQ_RXIDLE.Idle.InstallError.Interrupted.J.JOURNAL
    x.JOURNAL_READS.JOURNAL_VERSION.Journal.JournalDamaged.JournalFull.JsonError.K
    x.KEYID_HEX_DIGITS.KEYS.KNOWN_FILES.Kept.Keypad.Keys.L.LANGUAGES.LIMITS_BYTES.LINES
    x.LINE_CHARS.LINE_LIMIT_BYTES.LONGEST_LOCK_S.LONGEST_PAUSE_S.Ladder.LastLook.Lcd.LineReader
    x.Link.LinkError.LinkTimeout.Listed.Lock.M.MAX_BATCHES.MAX_BODY_BYTES.MAX_BYTES
    x.MAX_DELEGATIONS.MAX_DEPTH.MAX_HEAD_BYTES.MAX_ITEMS.MAX_MESSAGE_BYTES.MAX_OPEN
    x.MAX_PIN_BYTES.MAX_PRODUCTS.MAX_ROOT_ROTATIONS.MAX_SERIAL_BYTES.MAX_VOUCHERS
    x.MERCHANT_SILENT_MS.MESSAGE_BYTES.MIN_PIN_BYTES.MODEM_BAUD.Malformed.Memory.Messenger
    x.Metadata.Mismatch.Missing.Modem.ModemError.Mount.N.NAMES.NETWORK_MS.NEW.NONCE_BYTES
    x.NO_ANSWER.Newest.NoCoverage.NoData.NoModem.NoNetwork.NoSim.NotSigned.O.OFFLINE.OK
    x.ONE_REQUEST_BYTES.ONLINE.OTHER.Offer.P.PAGES.PAGE_BYTES.PAPER_OUT.PIN_DIGITS.PITCH.POLLIN
    x.POST.PRINTED.PRINTER_BAUD.PRINT_MS.Partition.PartitionError.Payload.Preparation.Prices
    x.Printer.Product.Q.QUEUE_KEYS.R.RADIO_SILENT_MS.REASON_BYTES.RECEIVE_BYTES.RECORD_BYTES
    x.REFUSED.REPLY_BYTES.REPRINT.RESERVE_BYTES.Radio.Range.Reader.Record.Refused
    x.RegistrationDenied.Release.ReleaseRefused.Response.Ring.Rollback.Rollout.Running.S.SALE
    x.SCAN_MS.SEARCHING.SECTOR_BYTES.SETTING.SETTLED.SHOW_MS.SLOT_STATES.SMALL.START_SWEEP_BYTES
    x.STAY.STEADY_SCANS.STOCK.STOCK_HELD.STOCK_RECEIVED.STOCK_RECORD.SWEEP_BYTES.Sale
    x.SaleRefused.SalesState.Scan.ScanError.Screen.SealError.SelfTestFailed.Server.ServerRefused
    x.SignatureCheck.Signers.SimLocked.Slot.SpiDisplay.State.StdioConsole.Stock.StockError
    x.StorageError.Store.StreamReader.Supervisor.T.TAG_BYTES.TECHNICIAN_SILENT_MS.TEXTS.TICK_MS
    x.TIMESTAMP_BYTES.TOP.TargetsFile.TargetsRoles.Terminal.ThreadSafeFlag.Till.TimeoutError
    x.TooLarge.TrustError.TrustedMetadata.U.UINT32.UNKNOWN.UnicodeError.Untrusted.UpdateClient.V
    x.Verified.VfsLfs2.Voucher.W.WIDTH.Walk.Way.Words.X.Y.Z.ZLIB._ACTIVE._ALGORITHM._AT_REST
    x._Answer._BASE._BOLD._BREAK._CENTRE._CONFIG._CURVE._Comparison._DAY_S._DOUBLE._ENTRIES
    x._ERASED._ERASED_WORD._ESCAPES._EXPONENT._EXTERNAL_AAD._Encryptor._Exactly._FAULTS._FEED
    x._FEED_MS._FILE._FIRST._FIRST_PAUSE_MS._HEAD._Inflater._JUDGES._K._KEPT._KEY_MS._L
    x._LATELY_MS._LEFT._LONGEST_LINE._LONGEST_PAUSE_MS._LONGEST_SLEEP_MS._LOST._LOW._Lungs
    x._MAGIC._METADATA._MISSES._NEW._NOBODY_LOOKS_MS._NOTHING_TO_SELL._NOT_ITS_FAULT._NO_NEWS
    x._NO_SERVER._OF_AN_OFFER._ONE_VALUE._ON_PAPER._P._PAGES_PER_SECTOR._PARTS._PART_RECORDS
    x._PERIOD._PLAIN._POLL_MS._PRICES._PRINT_MS._PROTECTED._Products._QUIET_MS._REPLY_CHARS
    x._REPLY_MS._REQUESTS._RESERVE._ROOM._Reader._SBOX._SECOND_MS._SECRET_SETTINGS._SHIFTED
    x._SIGNAL_MS._SINGLE._SLOT._SPACE._SPKI._START._STATUS_MS._STAY._STEPS._Sink._SlotWriter
    x._Source._TABLE._TALL._TARGETS._TO_CHOOSE._TO_PREPARE._TO_VERIFY._Taken._UNFINISHED
    x._UNKNOWN._WORDS.__aenter__.__aexit__.__all__.__dict__.__import__._aad._add._address._adopt
    x._aes._affine._after._all_rows._alone._answer._append._array._asked._asked_s._at._awake
    x._bar._base_table._batch._batches._battery._before._begin._begun_without_head._bell._block
    x._board._boot._boot_count._breath_ms._breathe._broken._buffer._buzzer._by_hash._bytes
    x._cached._candidate._canvas._carry._catalogue._channel._check._check_date._check_in
    x._check_not_older._check_snapshot_version._chunk._chunk_ms._chunks._circumstances._client
    x._clock._column._columns._commas._compress._console._control._copy._count._cramped
    x._data_command._data_waiting._deadline._debouncer._decompress._depth._digest._digits
    x._double._doubtful._drain._due_ms._encrypt_block._enter._entry._erase._escaped._exchange
    x._expand._expander._expires_s._facts._failed._fed_ms._fetch._fetched._file._files._fill
    x._filled._finish_first._first_rung._first_since._fits._flag._flash._flush._fold._folder
    x._fresh._from._full._gate_closed._gate_facts._get._give_back._glob._glyph._halted._hand_out
    x._head._heads._heard._held._hints._holds._holds_firmly._holds_s._host._in_command._in_set
    x._in_turn._install._integers._is_connected._is_number._is_permitted._is_selling._k._keep
    x._keep_expired._kept._key._keypad._keys._known._last._lcd._length._limbs._limit_bytes._line
    x._list_stock._listed._listed_with._load._load_checkpoint._lock._log._log_at._look
    x._make_room._map._mark._mark_of._may_begin._may_install._metadata._missing._modem
    x._modem_log._must_look._name._names._need._needed._negated._newest_page._news._next_mark
    x._nonce._note._note_key._noted._now._now_ns._number._number_in._obey._odd_multiples
    x._offline_behind._on_catalogue._on_closed._on_data._on_head._on_lost._open._open_books
    x._open_failures._opened._out_of_service._outcome._pads._page._page_after._pair._parse
    x._partition._partitions._passed_over._path._patterns._pause_ms._payload._piece._pin_seal
    x._place._plain._point._poll._poll_ms._poll_s._port._post._power_key._prepare
    x._press_power_key._pressed._pressed_or._print._printer._program._put_down_at._queue._radio
    x._reach_out._read._read_catalogue._read_signal._reader._realtime._reason_bytes._record
    x._refused_batch._registration._releases._remove._renew_stock._resume._retry_s._ring
    x._rollout._rows._rtc._run._running._sale._salt._scan._scratch._seal._sector._sector_hash
    x._security_version._seen._select._selling._send._sent._server._settings._sign_in._signature
    x._signatures._signers._sink._size._size_bytes._skipping._slip._snapshot._sold_from_stock
    x._sound._source._speak._spoiled._start._state._status._stem._stock._stopped._store._stored
    x._stream._strengthen._switch._sync_due_ms._tables._tag._take._take_root._taken._targets
    x._technician_ms._terminal._terminal_id._text._ticks._tidy._time_s._tip._told._told_s._touch
    x._touched_ms._trust._trusted._try._type._uart._ui._unmarked._update_log._update_roots
    x._updates._value._verify_ed25519._w._wait_out._wake._walk._watchdog._watched._ways._why
    x._within._without_ghost._write._xor8._xor_key_stream._zlib.a.a2b_base64.aad.aborts.accept
    x.acknowledge.acknowledged.action.active.add.add_up.adopt.advice.aes.aes_cbc.aes_ecb
    x.after_minor.algorithms.alive.alive_ms.also_settled.always.amount_minor.answer.answer_ms
    x.answers.any_down.apart.apn.apply.are_new.argument.arguments.array.ascii.ask.ask_server
    x.asyncio.at.at_start.attach.attached.b.back.bad.base.base_sha256.base_size.batch.batch_id
    x.batch_ids.batches.battery.battery_mv.baud.before.begin.begin_offline.begin_online
    x.begin_trial.behind.bell.big.binascii.bits.blind_starts.block.blocked.board.body
    x.body_length.body_of.bold.boot.boot_count.boot_info.boot_ms.booted.bootloader.boots.bottom
    x.breath.breathe.bring.bring_up.buf.buffer.built.built_s.busy.but.buzzer.byte.bytes_received
    x.c.calendar.cancel.canonical.canvas.catalogue.cause.cbor.cell.certain.chain.challenge
    x.change.channel.char.character.charging.chat.check.check_bytes.check_in.check_sim
    x.check_target.checking.checkpoint.chip_id.choice.choose.chosen.chunk_size.chunked
    x.clear_failure.client.climb.clock.closed.code.coded.collect.columns.command.commands
    x.commission.commission_minor.commit.compat.complete.condition.config.confirm.connect
    x.connected.connection.consistent_snapshot.console.container.content.content_range
    x.contradicts.control.cose.count_fault.counter.cover_open.crash.crashes.crashes_allowed
    x.crc32.create.create_task.crypto.cryptolib.currency.custom.cut.cut_ask.cut_print.d.damaged
    x.data.data_command.data_vfs.date_text.date_time.date_time_text.datetime.day.day_report.days
    x.deadline_ms.debit_minor.decode.decompress.decompressobj.default.deflate.delattr.delegated
    x.delegation.delegations.delivered.delivery.delta.denied.denied_ms.depth.derive_keys.desk
    x.detail.details.device_key.dialogs.digest.digest_of.digits.direction.discard.display.do_
    x.do_challenge.do_configure.do_export.do_may_retire.do_retire.do_settings.do_status.do_sync
    x.do_test.do_unlock.done.doubt.down.down_key.download.drivers.dropped.dump.dumps.duplicate
    x.duration_ms.duties.e.e_.e_other.earlier.ecdsa.ed25519.either.empty.en.encode
    x.encode_request.encode_within.encrypt.encryptor.ended.entry.enumerate.eof.equal.erase
    x.erase_sector.error.errors.etag.every_ms.exchange.exists.expand.expired.expires.expires_s
    x.expiry.explain.external_aad.extra.f.facts.fail.failed_release.failure.failure_reason.fault
    x.faults.feed.fetch.fetch_stock.fetch_voucher.field.fields.file.file_name.files.fill
    x.firmware.first.first_kept.fits.flash.float.float_left.float_minor.float_now.flows.flush
    x.folder.font.forget.forgotten_batch.fork.forked.found.free_bytes.free_sectors.fresh_until_s
    x.from_hex.from_pem.from_sequence.fromhex.full.g.gap_ms.garbled.gate.gate_battery_mv
    x.gate_blocks.gate_facts.gate_idle_s.gate_unsynced_records.gc.give_back.give_up_lost
    x.give_way.gives_way.good.groups.h.halted.hand_over.happens.hardware.hardware_class
    x.hardware_revision.hardware_revisions.has.has_news.has_voucher.hash_flash.hashes.hashlib
    x.head.head_ms.headers.hear.hear_first.height.hex.hexlify.high.hint.hints.hkdf_sha256
    x.hmac_sha256.hold.holds_s.host.http.http_client.http_post.hurry.i.identity.idle_ms.idle_s
    x.image.image_hash.image_sha256.image_size.image_size_bytes.implementation.in_step.in_use
    x.inflater.info.install.instructions.intent.invert.io.ioctl.irq.is_ascii.is_asked.is_blank
    x.is_blind.is_bound.is_digits.is_due.is_empty.is_last.is_ready.is_renewed.is_same.is_sound
    x.is_still.is_sure.is_upgrade.is_way_back.is_whole.item.items_left.iv.j.journal
    x.journal_reads.journal_version.journal_writes.json.k.keep.keep_expired.keep_from.keep_only
    x.kept.key_ms.key_within.keyid.keyids.keypad.keypad_columns.keypad_rows.keytype.keyval.kind
    x.known.l.ladder.language.last.last_failure.last_look.last_money.last_q.last_sale.later
    x.layout.lcd.learn.least.ledger_minor.left.length.length_bytes.lent.level.levels.limit_bytes
    x.limits.line.lines.link.listdir.listed.load.load_prefix.loaded.loads.lock.lock_s.locked
    x.locked_for.log.look.looked.looked_s.lost.low.m.m_day.m_info.m_language.m_messages
    x.m_reprint.main.major.make_firm.make_room.malformed.mapped.mark.mark_bad.marked.match
    x.matches.max.max_age_s.max_amount_minor.max_bytes.max_count.max_depth.max_items
    x.max_total_minor.may_be_out.may_break.may_format.may_renew.mem_free.memory.memoryview.menu
    x.merchant.merchant_name.merchant_text.message.message_counter.messages.messenger.meta
    x.metadata.method.milliseconds.min.min_bootloader.minor_digits.missed.mkdir.mkfs.mode.modem
    x.modem_power_key.modes.modules.money.money_and_dates.monotonic_ns.month.more.most.most_ms
    x.mount.mount_data.mounting.ms.mtime.must_wait.mv.n.n_.name.names.natural.net.network.new
    x.new_catalogue.new_size.newer_lost.newest.news.next_sequence.no_answer.no_float.no_gprs
    x.no_last.no_modem.no_network.no_paper.no_sim.no_stock.nonce.not_before_s.not_newer.not_sold
    x.not_yet.note.note_key.now.now_s.np_.number.o.of.offer.offer_stock.office.offline
    x.offline_count.offline_debit_minor.offline_limits.offline_refusal.offline_total_minor
    x.offset.ok.old.old_size.oldest.on_catalogue.on_head.on_newest.on_registration.on_trial.one
    x.online.open_pin.open_reply.open_sale.open_still.operation.operator.orphans.os.other.out
    x.out_of_service.p.p256.pack.pack_into.page.pages.pair.paper.paper_out.parent.parse
    x.parse_head.parse_time.part.partition.partitions.parts.path.path_matches.paths.pattern
    x.pause_ms.pause_s.payload.payloads.payloads_for.pbkdf2_sha256.pending.percent.permit.pick
    x.picture.piece.pieces.pin.pin_groups.pin_hash.pin_is.pin_lines.pin_rounds.pin_salt.place
    x.places.plain_body.policy.poll.poll_ms.poll_s.port.post.postpone.postponed.power_cycle
    x.power_key.prefix.prepare.price.prices.printed.printer.product.product_id.products.program
    x.prompt.property.prove.public.public_key.put.q.quiet.quoted.r.r_day.r_offline.r_sale
    x.r_serial.r_thanks.r_valid.radio.radio_cycle.random.raw.rb.reached.read_hashes.read_into
    x.read_keys.read_raw.readable.readblocks.reads.ready.reason.recalled.receipt.receive
    x.received.record.record_crash.records.recover.recovery.refresh.refusal.refuse.refused
    x.refused_numbers.register.registered.registration_ms.release.releases.rename.renew.reply
    x.report.reported.reprint.reprints.request.request_recovery.reserve.reset.reset_cause
    x.response.responses.rest.restart.restated.retire.retry_ms.reversed.revision.revisions.right
    x.ring.rings.role.roles.rollout.room.room_for_sale.root.root_bytes.root_version.rotated
    x.rounds.rows.rpartition.rsa.rsa_pss.rtc.run.run_flow.run_once.rung.rungs.running
    x.running_sha256.running_well.s.s_config.s_journal.said.sale.sales.salt.same.save.say.scan
    x.scheme.scratch.screen.script.seal.seal_request.sealed.second_ms.seconds.secret.sector
    x.sector_of.sectors.security_fits.security_version.seek.seen.select.selftest_deadline_s.sell
    x.sell_q.sell_what.selling.sent.sequence.serial.serve.server.server_time.service.session
    x.sessions.set_rtc.settings.settle.settled_at.sha256.sha512.shared.shorten.show.show_pin_q
    x.shown.sig.sign_in.signal.signature.signatures.signed.signers.silence_ms.sim800.sim_locked
    x.sim_ms.sink.size.size_bytes.skip.sleep.sleep_ms.slip.slot.slot_.slot_a.slot_b.slot_state
    x.slots.small.snapshot.snapshot_version.sold.sold_t.sound.sources.spent_batch.spoiled
    x.standard.start_trial.starting.stat.state.status.status_bar.statvfs.stdin.stdout.step_ms
    x.stepping_stone.steps.stock.stock_delivery.stock_key.stock_left.stock_q.stop_batches
    x.stop_selling.storage.store.stream.strict.string.struct.sums.supervisor.switch.sync.sync_s
    x.sys.t.table.tag.take.take_channel.take_raw.take_role.target.target_name.targets.task
    x.technician_permit.tell.terminal.terminal_id.terminating.test.text.text_width.texts.then
    x.threshold.through.ticks.ticks_add.ticks_diff.ticks_ms.ticks_us.tidy.till.time.time_s
    x.time_seen.timeout_ms.timestamp.timestamp_version.tip.title.to_beat_ms.today.told.too_long
    x.top.total.total_minor.transport.trial.trial_failed.trials.tried.tries_left.trigger.trouble
    x.truncated.trust.trusted.try_others_first.tuf.tuf_delegations.tuf_files.tuf_paths
    x.tuf_signed.u.uart.ui.uid.umount.unconfirmed_boots.unconfirmed_boots_allowed
    x.unconsumed_tail.under_way.unescape.unfinished.unhexlify.union.unix_seconds.unknown.unlock
    x.unpack.unpack_from.unread_prices.unreadable.unseal.unsolicited.unsynced.unsynced_count.up
    x.up_key.update.update_delegated.update_root.update_snapshot.update_targets.update_timestamp
    x.updates.use.utc_offset_s.utf8.v.verified.verify.verify_signature.version.vfs.view.views
    x.void_at.voucher.voucher_sequence.w.wait.wait_at_most.wait_for_ms.wait_for_network
    x.wait_print.waiting.waits.waits_for.wanted.watch.watchdog.way.ways.wb.what.where.who.whole
    x.why.width.width_px.window.with_keys.with_t.within.words.work.wrap.wrap_columns.writeblocks
    x.writes.written.wrong.wrong_pin.x.y.year.your_pin.z.zlib["  "][" HTTP/1.1"][" at byte "]
    x[" bytes"][" first"][" is "][" is for "][" payload: "][" refused: "][" s"]["!"]['"']["#"]
    x["%%%02X"]["*C"]["+"]["+-"]["-"]["--"]["-._~"]["-from-"]["."][".."][".full"][".json"]
    x[".last"][".new"][".root.json"]["/data"]["/m"]["/plan.json"]["/stock"]["/trust"]["0"]["04"]
    x["1"]["1."]["2"]["3"]["4"]["5"]["6"]["7"]["8"]["9"][":"][": "][": FAULT"][": ok"][":%d"]
    x["<H"]["<I"]["<dictcomp>"]["<genexpr>"]["<lambda>"]["<listcomp>"][">4sIII8sH"][">BBII"]
    x[">I"][">II"]["?"]["CME "]["HTTP/1.0"]["Host: "]["Terminal "]["["]["]"]["check-in"]
    x["chunk size"]["class"]["cut short"]["expanding "]["host name"]["journal: "]["keyid "]
    x["left alone"]["modem: "]["no address"]["no list"]["no memory"]["no value"]["not UTF-8"]
    x["not a map"]["not a time"]["not kept: "]["not ready"]["partition "]["printer "]
    x["receive: "]["refused: "]["rollout-"]["rollout/"]["root %d"]["root.json"]["signed in"]
    x["signed out"]["stock/%d"]["stock: "]["too long"]["too slow"]["two of "]["{} mV {}%"]
    x["{} x {}"]["{} {}"]["{} {}: {}"]["{}/{}.cbor"]["{}: {}"]["|"]
    import bootloader.shared
    import bootloader.shared.breath
    import bootloader.shared.calendar
    import bootloader.shared.canonical
    import bootloader.shared.cbor
    import bootloader.shared.compat
    import bootloader.shared.console
    import bootloader.shared.control
    import bootloader.shared.cose
    import bootloader.shared.crypto
    import bootloader.shared.crypto.aes
    import bootloader.shared.crypto.ed25519
    import bootloader.shared.crypto.p256
    import bootloader.shared.crypto.rsa_pss
    import bootloader.shared.crypto.sha512
    import bootloader.shared.crypto.signatures
    import bootloader.shared.display
    import bootloader.shared.hashes
    import bootloader.shared.partitions
    import bootloader.shared.release
    import bootloader.shared.rollout
    import bootloader.shared.strict
    import bootloader.shared.tidy
    import bootloader.shared.tuf
    import bootloader.shared.tuf_delegations
    import bootloader.shared.tuf_files
    import bootloader.shared.tuf_paths
    import bootloader.shared.tuf_signed
    import firmware.bell
    import firmware.clock
    import firmware.drivers
    import firmware.drivers.battery
    import firmware.drivers.buzzer
    import firmware.drivers.keypad
    import firmware.drivers.lcd
    import firmware.drivers.printer
    import firmware.duties
    import firmware.duties.apart
    import firmware.duties.check_in
    import firmware.duties.out_of_service
    import firmware.duties.radio
    import firmware.duties.status_bar
    import firmware.duties.supervisor
    import firmware.duties.trial
    import firmware.flows
    import firmware.flows.day_report
    import firmware.flows.float
    import firmware.flows.info
    import firmware.flows.language
    import firmware.flows.menu
    import firmware.flows.messages
    import firmware.flows.recover
    import firmware.flows.reprint
    import firmware.flows.sell
    import firmware.flows.session
    import firmware.flows.sign_in
    import firmware.flows.steps
    import firmware.flows.steps.ask_server
    import firmware.flows.steps.explain
    import firmware.flows.steps.hand_over
    import firmware.flows.steps.paper
    import firmware.kept
    import firmware.kept.config
    import firmware.kept.files
    import firmware.kept.memory
    import firmware.kept.store
    import firmware.lent
    import firmware.log
    import firmware.main
    import firmware.net
    import firmware.net.http
    import firmware.net.http_client
    import firmware.net.link
    import firmware.net.modem
    import firmware.net.modem.advice
    import firmware.net.modem.chat
    import firmware.net.modem.errors
    import firmware.net.modem.ladder
    import firmware.net.modem.sim800
    import firmware.net.modem.standard
    import firmware.office
    import firmware.office.ask
    import firmware.office.check_in
    import firmware.office.messenger
    import firmware.office.stock_delivery
    import firmware.office.sync
    import firmware.paper
    import firmware.paper.receipt
    import firmware.sales
    import firmware.sales.catalogue
    import firmware.sales.day
    import firmware.sales.journal
    import firmware.sales.mounting
    import firmware.sales.offline_limits
    import firmware.sales.ring
    import firmware.sales.sale
    import firmware.sales.scan
    import firmware.sales.state
    import firmware.sales.stock
    import firmware.sales.till
    import firmware.service
    import firmware.service.commands
    import firmware.service.console
    import firmware.service.parts
    import firmware.terminal
    import firmware.ui
    import firmware.ui.canvas
    import firmware.ui.dialogs
    import firmware.ui.font
    import firmware.ui.money_and_dates
    import firmware.ui.screen
    import firmware.ui.texts
    import firmware.update
    import firmware.update.choice
    import firmware.update.client
    import firmware.update.delta
    import firmware.update.download
    import firmware.update.errors
    import firmware.update.gate
    import firmware.update.install
    import firmware.update.last_look
    import firmware.update.metadata
    import firmware.update.newest
    import firmware.update.offer
    import firmware.update.payload
    import firmware.update.prepare
    import firmware.update.prices
    import firmware.update.record
    import firmware.update.server
    import firmware.update.switch
    import firmware.update.verified
