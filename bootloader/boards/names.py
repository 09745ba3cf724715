"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
    x.A.AB.ACK.AES.AMOUNT.ANSWERED.ANSWER_BYTES.ANSWER_MS.AWAKE_SCANS.Answer.B.BIG.BILL
    x.BLIND_START_S.BODY_LIMIT_BYTES.BOOT.BOOTLOADER_VERSION.BadReply.BadResponse.Battery.Bell
    x.BlockDevice.Buzzer.BytesIO.C.CANCEL.CANCELLED.CARRIED.CASHIER.CBC.CHECK_IN.CHUNK_BYTES
    x.COLUMNS.COMMANDS.CON.COPY.COVER_OPEN.Canvas.Catalogue.CatalogueError.CborError.Cell.Chat
    x.ChatAborted.ChatError.ChatTimeout.CheckIn.Choice.Cipher.Clock.Commands.Config.ConfigError
    x.ConnectionLost.ControlBlock.ControlError.D.DEFLATED.DELIVERED.DETAILS.DUKA_R1.DayReport
    x.Debouncer.DeflateIO.Delegation.DeltaError.Dialogs.Display.Download.Duka.E.ECB.ERROR.ERRORS
    x.EVEN.EXTRA.Encrypt0.Envelope.Event.Expired.F.FEED_MS.FILE.FIRST_LOCK_S.FLOAT_MINOR
    x.FREE_TRIES.Forked.Found.G.GET.GaveWay.Gone.H.HARDWARE_CLASS.HARDWARE_REVISION.HEAD
    x.HEAD_BYTES.HEAD_LIMIT_BYTES.HEIGHT.HINTS_TOP.HttpClient.HttpError.I.IDLE_MS.IDLE_STEPS
    x.INDEX.INTENT_OFFLINE.INTENT_ONLINE.IOBase.IRQ_RXIDLE.Idle.InstallError.Interrupted.J
    x.JOURNAL.JOURNAL_READS.JOURNAL_VERSION.Journal.JournalDamaged.JournalFull.JsonError.K
    x.KEYID_HEX_DIGITS.KEYS.KINDS.KNOWN_FILES.Kept.Keypad.Keys.L.LANGUAGES.LEAST_DIGITS.LETTERS
    x.LIMITS_BYTES.LINES.LINE_CHARS.LINE_LIMIT_BYTES.LONGEST_LOCK_S.LONGEST_PAUSE_S.LOOK_UP
    x.LOOK_UP_MS.LOW_PERCENT.Ladder.LastLook.Lcd.LineReader.Link.LinkError.LinkTimeout.Listed
    x.Lock.M.MARKS.MAX_AGAIN_S.MAX_BATCHES.MAX_BODY_BYTES.MAX_BYTES.MAX_DELEGATIONS.MAX_DEPTH
    x.MAX_DETAILS.MAX_HEAD_BYTES.MAX_ITEMS.MAX_LABEL.MAX_MESSAGE_BYTES.MAX_NAME.MAX_OPEN
    x.MAX_PIN_BYTES.MAX_PRODUCTS.MAX_ROOT_ROTATIONS.MAX_SERIAL_BYTES.MAX_VALUE.MAX_VOUCHERS
    x.MERCHANT_SILENT_MS.MESSAGE_BYTES.METER.MIN_PIN_BYTES.MODEM_BAUD.MOST.MOST_BYTES
    x.MOST_DIGITS.MOST_LETTERS.Malformed.Memory.Messenger.Metadata.Mismatch.Missing.Model.Modem
    x.ModemError.Mount.N.NAMES.NETWORK_MS.NEW.NEWS.NON.NONCE_BYTES.NO_ANSWER.Newest.NoCoverage
    x.NoData.NoModem.NoNetwork.NoSim.NotSigned.O.OFFLINE.OK.ONE_REQUEST_BYTES.ONLINE.OTHER.OWNER
    x.Offer.Open.P.PAGES.PAGE_BYTES.PAPER_OUT.PATH.PENDING.PIN.PITCH.POLLIN.POST.PRINTED
    x.PRINTER_BAUD.PRINT_MS.Partition.PartitionError.PatchError.Payload.People.PeopleError
    x.Person.Preparation.Prices.Printer.Product.Products.Q.QUEUE_KEYS.R.RADIO_SILENT_MS
    x.REASON_BYTES.RECEIVE_BYTES.RECORD_BYTES.REFUSED.REPLY_BYTES.REPRINT.RESERVE_BYTES.REST_MS
    x.RETRY_FIRST_MS.RST.RUNGS.Radio.Range.Reader.Recent.Recipient.Record.Refused
    x.RegistrationDenied.Release.ReleaseRefused.Response.Ring.Rollback.Rollout.Running.S.SALE
    x.SCAN_MS.SEARCHING.SECTOR_BYTES.SEND_BYTES.SETTING.SETTLED.SHOW_MS.SLOT_STATES.SMALL
    x.START_SWEEP_BYTES.STEADY_SCANS.STOCK.STOCK_HELD.STOCK_RECEIVED.STOCK_RECORD.SWEEP_BYTES
    x.Sale.SaleFirst.SaleRefused.SalesState.Scan.ScanError.Screen.SealError.SelfTestFailed
    x.Server.ServerRefused.SignatureCheck.Signers.SimLocked.Slot.SpiDisplay.State.StdioConsole
    x.Stock.StockError.StorageError.Store.StreamReader.Supervisor.T.TABLE.TAG_BYTES.TECHNICIAN
    x.TECHNICIAN_SILENT_MS.TEXTS.TICK_MS.TIMESTAMP_BYTES.TOP.TOPUP.TargetsFile.TargetsRoles
    x.Terminal.ThreadSafeFlag.Till.TimeoutError.TooLarge.TrustError.TrustedMetadata.U.UINT32
    x.UNKNOWN.UNTIL_END.UnicodeError.Untrusted.UpdateClient.V.Verified.VfsLfs2.Voucher.W
    x.WEAK_PERCENT.WHILE_SELLING.WIDTH.Walk.Way.Words.X.Y.Z.ZLIB._ACTIVE._ACUTE._ADRIFT_MS
    x._ALGORITHM._ANSWER_MS._ASK._AT_A_GLANCE._AT_ONCE_MS._AT_REST._A_PAGE._Answer._BASE._BOLD
    x._BOUNDS._BREAK._BY_OTHERS._CALL._CANCELLING._CAPITALS._CELL._CENTRE._CHECK_IN._CLIMB
    x._CONFIG._COUNTS._CURVE._Comparison._DATAGRAM._DAY._DAY_S._DIGITS._DOT._DOTTED._DOUBLE
    x._ENTRIES._ERASED._ERASED_WORD._ESCAPES._EXPONENT._EXTERNAL_AAD._Encryptor._Exactly._FAULTS
    x._FEED._FEED_MS._FILE._FINISHING._FIRST._FIRST_PAUSE_MS._GRAVE._HEAD._HISTOGRAMS._Here
    x._IMAGE._Image._Inflater._JUDGES._K._KEPT._KEY_MS._L._LATELY_MS._LEFT._LOGITS._LONGEST_LINE
    x._LONGEST_PAUSE_MS._LONGEST_SLEEP_MS._LOOK_MS._LOST._LOW._Lungs._MAGIC._METADATA
    x._METER_DIGITS._MISSES._MORE_STEPS._MOST._MOST_DIGITS._Made._NEEDED._NEEDS._NEW._NEWS
    x._NEW_PIN._NOBODY_LOOKS_MS._NONE._NOTHING_TO_SELL._NOT_ITS_FAULT._NO_NEWS._NO_SERVER._News
    x._OF_AN_OFFER._OF_PEOPLE._ONE_VALUE._ON_PAPER._OURS._OWNER._OWNERS._P._PAGE
    x._PAGES_PER_SECTOR._PARTS._PART_RECORDS._PEOPLE._PERIOD._PIECES._PIN._PLAIN._POLL_MS
    x._PRICES._PRICE_LIST._PRINT_MS._PRODUCT._PROTECTED._QR_LOOK._QUIET_MS._READER._RECENT
    x._REMOVE._RENAME._REPLY_CHARS._REPLY_MS._REQUESTS._RESERVE._ROLES._ROOM._ROWS._Reader._SBOX
    x._SCAN._SECOND_MS._SECRET_SETTINGS._SEEK_MS._SELDOM_MS._SELLER._SELLING._SHIFTED._SIGNAL_MS
    x._SINGLE._SLOT._SPACE._SPKI._START._STATUS_MS._STAY._STEPS._STEPS_BY_OTHERS
    x._STEPS_OF_AN_END._STEPS_OF_PEOPLE._STOCK._SYNC._Sink._SlotWriter._Source._TAIL._TAIL_HIGH
    x._TALL._TARGETS._TECHNICIAN._TECHNICIANS._TITLE_PX._TO_CHOOSE._TO_PREPARE._TO_VERIFY._Taken
    x._UNFINISHED._UNKNOWN._VERSION._WINDOWS._WORDS.__aenter__.__aexit__.__all__.__dict__
    x.__import__._aad._add._address._adopt._adrift_ms._aes._affine._afford._after._after_same
    x._after_two._again._all_rows._alone._answer._answered._append._array._ask._asked._asked_s
    x._at._awake._bar._base_multiple._batch._batches._battery._before._begin._begun_without_head
    x._bell._bit_weights._bits._block._block_at._board._boot._boot_count._bounded._breath_ms
    x._breathe._broken._buffer._buzzer._by_hash._by_post._bytes._cached._candidate._canvas
    x._carry._catalogue._change._channel._check._check_bytes._check_date._check_in
    x._check_not_older._check_secret._check_snapshot_version._choose._chunk._chunk_ms._chunks
    x._circumstances._client._clock._code._code_bit._codes._column._columns._commas._compress
    x._confirm._console._control._control_of._copy._count._cramped._cut._data_command
    x._data_waiting._datagram._deadline._debouncer._decompress._depth._details._digest._digits
    x._distance._done._double._doubtful._drain._drawn._due_ms._encrypt_block._enter._entry
    x._erase._escaped._exchange._expand._expander._expires_s._facts._failed._fed_ms._fetch
    x._fetched._figure._file._files._fill._filled._finish_first._first_since._fits._flag._flash
    x._flush._flushed._fold._folder._foot._fresh._from._full._gate_closed._gate_facts._get
    x._give_back._glob._halted._hand_out._hang_up._head._head_bytes._head_line._heads._hear
    x._heard._held._here._hints._history._holds._holds_firmly._holds_s._host._in_command._in_set
    x._in_turn._index._install._integers._is_at_work._is_code._is_connected._is_number._is_open
    x._is_permitted._is_selling._is_watched._journal._judged._k._keep._keep_expired._kept._key
    x._keypad._keys._kind._known._last._lcd._length._limbs._limit_bytes._line._lines._list_stock
    x._listed._listed_with._load._load_checkpoint._lock._log._log_at._look._made._make_room._map
    x._mark._mark_of._may_begin._may_install._may_sell._metadata._missing._model._modem
    x._modem_log._must_look._name._named._names._need._needed._negated._newest_page._news._next
    x._next_mark._no_network._nonce._not_yet._note._note_key._noted._now._now_ns._number
    x._number_in._numbers._obey._odd_multiples._of_bits._of_details._of_same._offline_behind
    x._old._old_size._oldest._on_catalogue._on_closed._on_data._on_head._on_lost._on_ring._one
    x._only._open._open_books._opened._order._others._out_of_service._outcome._owner._pads._page
    x._page_after._pair._parse._partition._partitions._passed_over._path._patterns._pause
    x._pause_ms._payload._piece._pin_seal._place._plain._point._poll._poll_ms._poll_s._port
    x._post._prepare._press_power_key._pressed._pressed_or._print._printer._program._put_down_at
    x._queue._radio._range._rates._reach_out._read._read_catalogue._reader._realtime
    x._reason_bytes._record._refused_batch._releases._remove._renew_stock._rest._restate
    x._rests_until_ms._resume._retry_s._ring._rings._roles._rollout._rows._rtc._run._running
    x._said._sale._same._same_weights._says._scan._scratch._seal._seal_of._sector._sector_hash
    x._security_version._seen._select._sell._selling._send._sent._server._settings._shop
    x._sign_in._signature._signatures._signers._sink._size._size_bytes._skipping._slip._slots
    x._snapshot._sold_from_stock._sound._source._speak._spoiled._spread._stand_aside._start
    x._state._stock._stopped._store._stored._stream._strengthen._switch._switch_off._sync_due_ms
    x._t._table._tables._tag._take._take_in._take_root._taken._targets._technician_ms._terminal
    x._terminal_id._text._ticks._tidy._till._time_s._tip._to_dial._token._told._told_s._touch
    x._touched_ms._trust._trusted._try._type._uart._ui._unanswered._unmarked._unsent._until_end
    x._update_log._update_roots._updates._value._vat._verify_ed25519._version._w._wait._wake
    x._walk._wanted_s._watchdog._watched._ways._why._within._without_end._without_ghost._write
    x._xor8._xor_key_stream._zlib.a.a2b_base64.aad.aborts.accept.acknowledge.acknowledged.action
    x.active.add.add_up.address.adopt.advice.aes.aes_cbc.aes_ecb.after_minor.again_s.air
    x.algorithms.alive.alive_ms.alone.also_settled.always.amount.amount_minor.answer.answer_ms
    x.answered.answers.any_down.apart.apn.apn_login.apn_user.apply.are_new.argument.arguments
    x.arm.array.ascii.ask.ask_for.ask_server.asyncio.at.at_hand.at_least.at_most.at_once
    x.at_start.attach.attached.b.back.bad.bad_length.bad_meter.bad_start.base.base_sha256
    x.base_size.batch.batch_id.batch_ids.batches.battery.battery_mv.baud.before.begin
    x.begin_offline.begin_online.begin_trial.behind.bell.beside.big.bill.binascii.bits
    x.blind_starts.block.blocked.board.body.body_length.body_of.bold.boot.boot_count.boot_info
    x.boot_ms.booted.bootloader.boots.bottom.bound.breath.breathe.bring.bring_up.buf.buffer
    x.built.built_s.busy.but.buzzer.by.by_datagram.by_number.by_others.byte.bytes_received.c
    x.calendar.cancel.cancel_no.cancel_q.cancelled.cancelling.canonical.canvas.cashier.catalogue
    x.cause.cbor.cell.certain.chain.challenge.change.channel.char.character.charging.chat.check
    x.check_bytes.check_in.check_it.check_sim.check_target.checking.checkpoint.chip_id.choice
    x.choose.chosen.chunk_size.chunked.clear_failure.client.climb.clock.closed.coap.coap_port
    x.code.coded.codes.collect.columns.columns_of.command.commands.commission.commission_minor
    x.commission_of.commit.compat.complete.condition.config.confirm.connect.connected.connection
    x.consistent_snapshot.console.container.content.content_range.contradicts.control.control_of
    x.copies.cose.count_fault.counted.counter.counts.cover_open.crash.crashes.crashes_allowed
    x.crc32.create.create_task.crypto.cryptolib.currency.custom.cut.cut_ask.cut_print.d.d_
    x.d_other.damaged.data.data_command.data_vfs.datagram.date_text.date_time.date_time_text
    x.datetime.day.day_report.days.deadline_ms.debit_minor.decode.decompress.decompressobj
    x.default.deflate.delattr.delegated.delegation.delegations.delivered.delivery.delta.denied
    x.denied_ms.depth.derive_keys.desk.detail.details.device_key.dial.dialogs.digest.digest_of
    x.digit.digits.direction.discard.display.do_.do_challenge.do_configure.do_export
    x.do_may_retire.do_retire.do_settings.do_status.do_sync.do_test.do_unlock.done.doubt.down
    x.down_key.download.drivers.dropped.due.due_ms.dump.dumps.duplicate.duration_ms.duties.e.e_
    x.e_other.earlier.ecdsa.ed25519.either.empty.en.encode.encode_request.encode_within.encrypt
    x.encryptor.ended.entry.enumerate.eof.equal.erase.erase_sector.error.errors.etag.every_ms
    x.everybody.exchange.exists.expand.expired.expires.expires_s.expiry.explain.external_aad
    x.extra.f.facts.fail.failed_release.failure.failure_reason.fault.faults.feed.fetch
    x.fetch_stock.fetch_voucher.fewest.field.fields.file.file_name.files.fill.finish.firmware
    x.first.first_kept.first_rung.fits.flash.float.float_minor.float_now.flows.flush.folder.font
    x.forget.forgotten_batch.fork.forked.found.fr.free_bytes.free_sectors.fresh_until_s.from_hex
    x.from_pem.from_sequence.from_stock_refusal.fromhex.full.g.gap_ms.garbled.gate
    x.gate_battery_mv.gate_blocks.gate_facts.gate_idle_s.gate_sale.gate_unsynced_records.gc
    x.get_field.give_back.give_up_lost.give_way.gives_way.glyph.good.grouped.groups.growth.h.ha
    x.halted.hand_over.happens.hardware.hardware_class.hardware_revision.hardware_revisions.has
    x.has_kind.has_news.has_passed.has_voucher.hash_flash.hashes.hashlib.head.head_ms.headers
    x.heap_free.hear.height.held.helpline.hex.hexlify.high.hint.hints.hkdf_sha256.hmac_sha256
    x.hold.hold_back.holds_s.host.http.http_client.http_post.hurry.i.identity.idle_ms.idle_s
    x.image.image_hash.image_sha256.image_size.image_size_bytes.implementation.in_step.in_stock
    x.in_use.inflater.info.install.instructions.intent.invert.io.ioctl.irq.is_ascii.is_asked
    x.is_blank.is_blind.is_bound.is_digits.is_due.is_empty.is_first.is_guessed_first.is_hourly
    x.is_it.is_known.is_last.is_meter.is_number.is_offered.is_open.is_plain.is_ready.is_renewed
    x.is_right.is_same.is_sound.is_still.is_sure.is_upgrade.is_watched.is_way_back.is_whole.item
    x.items_left.iv.j.joining.journal.journal_reads.journal_version.journal_writes.json.judge
    x.jump.jumps.k.keep.keep_expired.keep_from.keep_only.kept.kept_ms.key_first.key_ms.key_n
    x.key_within.keyid.keyids.keypad.keypad_columns.keypad_rows.keytype.keyval.kind.kinds.known
    x.l.label.ladder.language.languages.last.last_failure.last_look.last_money.last_q.last_sale
    x.last_sales.later.layout.lcd.learn.least.least_minor.ledger_minor.left.length.length_bytes
    x.length_s.lent.letter.letters.level.levels.limit_bytes.limits.line.lines.link.listdir
    x.listed.load.load_prefix.loaded.loads.lock.lock_s.locked.locked_for.log.login.longest_ms
    x.look.look_back.look_up.looked.looked_s.lost.low.m.m_day.m_info.m_language.m_messages
    x.m_people.m_pin.m_reprint.m_sales.made.main.major.make_firm.make_room.malformed.mapped.mark
    x.mark_bad.marked.match.matches.max.max_age_s.max_amount_minor.max_bytes.max_count.max_depth
    x.max_items.max_minor.max_total_minor.may.may_be_asked.may_be_out.may_be_seen.may_begin
    x.may_break.may_end.may_format.may_go_on.may_leave.may_renew.mem_free.memory.memoryview.menu
    x.merchant.merchant_name.merchant_text.message.message_counter.message_id.messages.messenger
    x.meta.metadata.meter.method.milliseconds.min.min_bootloader.min_minor.minor_digits.missed
    x.misses.mistrust.mixed.mkdir.mkfs.mode.model.modem.modem_power_key.modes.modules.money
    x.money_and_dates.monotonic_ns.month.more.most.most_minor.most_ms.mount.mount_data.mounting
    x.ms.mtime.must_wait.mv.my_pin.n.n_.name.names.natural.net.network.new.new_catalogue.new_pin
    x.new_size.newer_lost.newest.news.next_number.next_rung.next_sequence.no_answer.no_float
    x.no_gprs.no_last.no_link.no_modem.no_name.no_network.no_news_s.no_paper.no_sim.no_stock
    x.nonce.not_among.not_before_s.not_kept.not_newer.not_sold.not_yet.note.note_key.now.now_s
    x.np_.number.numbers.o.of.offer.offer_stock.office.offline.offline_count.offline_debit_minor
    x.offline_limits.offline_refusal.offline_total_minor.offset.ok.old.old_size.oldest
    x.on_catalogue.on_head.on_newest.on_registration.on_restart.on_trial.once_more.one.online
    x.only.open_pin.open_reply.open_sale.open_still.opened.operation.operator.orphans.os.other
    x.others.out.out_of_service.outcome.owner.p.p256.pack.pack_into.page.pages.pair.paper
    x.paper_out.parent.parse.parse_head.parse_time.part.partition.partitions.parts.patch.patched
    x.path.path_matches.paths.pattern.pause.pause_ms.payload.payloads.payloads_for.pbkdf2_sha256
    x.pending.pending_t.people.percent.permille.permit.person.person_of.pick_up.picture.piece
    x.pieces.pieces_of.pin.pin_again.pin_easy.pin_groups.pin_hash.pin_is.pin_kept.pin_lines
    x.pin_new.pin_old.pin_rounds.pin_salt.pin_short.place.places.plain.plain_body.policy.poll
    x.poll_ms.poll_s.port.post.postpone.postponed.power_cycle.power_key.prefix.prepare.price
    x.price_list.prices.printed.printer.product.product_id.products.program.prompt.property
    x.prove.pt.public.public_key.purpose.put.put_down.q.question.quiet.quoted.r.r_copy.r_day
    x.r_dial.r_help.r_offline.r_sale.r_serial.r_tax.r_thanks.r_valid.r_vat.radio.radio_cycle
    x.random.ranges.raw.rb.reach.reached.read_hashes.read_into.read_keys.read_raw.read_signal
    x.readable.readblocks.reads.ready.reason.recalled.receipt.receive.received.recent.recipient
    x.record.record_crash.records.recover.recovery.refresh.refusal.refuse.refused
    x.refused_numbers.register.registered.registration.registration_ms.release.releases.remove_q
    x.rename.renew.reply.report.reported.reprint.reprints.request.request_recovery.reserve.reset
    x.reset_cause.resolve.response.responses.rest.rest_ms.restart.restarted.restarts.restated
    x.rests.retire.retry_ms.reversed.revision.revisions.right.ring.rings.role.roles.rollout.room
    x.room_for_sale.root.root_bytes.root_version.rotated.rounds.rows.rpartition.rsa.rsa_pss.rtc
    x.run.run_flow.run_once.rung.running.running_sha256.running_well.runs.s.s_config.s_journal
    x.said.sale.sale_no.sales.salt.same.save.say.scan.scheme.scratch.screen.script.seal
    x.seal_request.sealed.search_again_ms.search_ms.second_ms.seconds.secret.sector.sector_of
    x.sectors.sectors_read.security_fits.security_version.seek.seen.select.selftest_deadline_s
    x.sell.sell_q.sell_what.seller.seller_of.selling.sent.sequence.serial.serve.server
    x.server_time.service.session.sessions.set_aside.set_pin.set_rtc.settings.settle.settled_at
    x.sha256.sha512.sham.shape.shared.shop.shorten.show.show_pin_q.shown.sift.sig.sign_in.signal
    x.signature.signatures.signed.signers.silence_ms.sim800.sim800_names.sim800_start.sim_locked
    x.sim_ms.sink.size.size_bytes.skip.sleep.sleep_ms.slip.slot.slot_.slot_a.slot_b.slot_state
    x.slots.small.snapshot.snapshot_version.soft.sold.sold_t.sound.sources.spell.spell_on.spent
    x.spent_batch.spoiled.st_back.st_doubt.st_out.st_ready.st_refused.st_unread.st_waits.stale
    x.standard.stands.start_trial.started.starter.starting.starts.stat.state.status.status_bar
    x.statvfs.stdin.stdout.stem.step_minor.step_ms.stepping_stone.steps.stock.stock_delivery
    x.stock_key.stock_left.stock_q.stop_batches.stop_selling.storage.store.stream.strict.string
    x.struct.sums.supervisor.sw.switch.sync.sync_s.sys.t.table.tables.tag.take.take_channel
    x.take_in.take_raw.take_role.take_up.takes.target.target_name.targets.task.tax_number
    x.technician_permit.telephone.tell.terminal.terminal_id.terminating.terms.test.text
    x.text_width.texts.then.then_token.threshold.through.ticks.ticks_add.ticks_diff.ticks_ms
    x.ticks_us.tidy.till.time.time_s.time_seen.time_text.timeout_ms.timestamp.timestamp_version
    x.tip.title.titled.to_.to_beat_ms.today.token.token_.token_n.told.too_long.took.top.topup
    x.total.total_minor.touched_within.transport.trial.trial_failed.trials.tried.tries
    x.tries_left.trigger.trouble.truncated.trust.trusted.try_others_first.tuf.tuf_delegations
    x.tuf_files.tuf_paths.tuf_signed.type_.type_again.typed.typed_again.u.uart.ui.uid.umount
    x.unconfirmed_boots.unconfirmed_boots_allowed.unconsumed_tail.under_way.unescape.unfinished
    x.unhexlify.union.unix_seconds.unknown.unlock.unpack.unpack_from.unread_prices.unreadable
    x.unseal.unsent.unsent_sales.unsolicited.unsynced.unsynced_count.up.up_key.update
    x.update_delegated.update_root.update_snapshot.update_targets.update_timestamp.updates.use
    x.utc_offset_s.utf8.v.verified.verify.verify_signature.version.vfs.view.views.void_at
    x.voucher.voucher_sequence.w.wait.wait_at_most.wait_for_ms.wait_for_network.wait_ms
    x.wait_name.wait_out.wait_print.wait_sales.waiting.waits.waits_for.waits_ms.wanted.wanted_s
    x.was_asked.watch.watchdog.way.ways.wb.weak.weak_t.weights.what.where.who.whole.why.width
    x.width_px.window.windows.with_keys.with_signal.with_t.within.words.work.wrap.wrap_columns
    x.writeblocks.writes.written.wrong.wrong_pin.x.y.year.yo.your_pin.z.zlib["  "][" - "]
    x[" HTTP/1.1"][" at byte "][" bytes"][" first"][" is "][" is for "][" payload: "]
    x[" refused: "][" s"]["!"]['"']['"%s"']["#"]["%%%02X"]["%23"]["*C"]["+"]["+-"][", "]["-"]
    x["--"]["-._~"]["-from-"]["."][".."][".full"][".json"][".last"][".new"][".root.json"]
    x["/data"]["/m"]["/plan.json"]["/stock"]["/trust"]["/tuf/news/"]["0"]["04"]["1"]["1."]
    x["11 / 13"]["2"]["3"]["4"]["5"]["6"]["7"]["8"]["9"][":"][": "][": FAULT"][": ok"][":%d"]
    x["<H"]["<I"]["<dictcomp>"]["<genexpr>"]["<lambda>"]["<listcomp>"][">4sIII8sH"][">BBII"]
    x[">I"][">II"]["?"]["CME "]["HTTP/1.0"]["Host: "]["Tel."]["Tel. "]["Terminal "]["["]["]"]
    x["check-in"]["chunk size"]["class"]["cut short"]["expanding "]["host name"]["journal: "]
    x["keyid "]["left alone"]["modem: "]["news: "]["no list"]["no memory"]["no room"]
    x["no value"]["not UTF-8"]["not a map"]["not a time"]["not kept: "]["not ready"]
    x["partition "]["people: {}"]["person "]["printer "]["receive: "]["refused: "]["rollout-"]
    x["rollout/"]["root %d"]["root.json"]["signed in"]["signed out"]["stock/%d"]["stock: "]
    x["too long"]["too many"]["too slow"]["two of "]["w+b"]["{} mV {}%"]["{} x {}"]["{} {}"]
    x["{} {}: {}"]["{}/{}.cbor"]["|"]["̀́"]
    import bootloader.shared, bootloader.shared.breath, bootloader.shared.calendar
    import bootloader.shared.canonical, bootloader.shared.cbor, bootloader.shared.compat
    import bootloader.shared.console, bootloader.shared.control, bootloader.shared.cose
    import bootloader.shared.crypto, bootloader.shared.crypto.aes
    import bootloader.shared.crypto.ed25519, bootloader.shared.crypto.p256
    import bootloader.shared.crypto.rsa_pss, bootloader.shared.crypto.sha512
    import bootloader.shared.crypto.signatures, bootloader.shared.display
    import bootloader.shared.hashes, bootloader.shared.partitions, bootloader.shared.release
    import bootloader.shared.rollout, bootloader.shared.strict, bootloader.shared.tidy
    import bootloader.shared.tuf, bootloader.shared.tuf_delegations
    import bootloader.shared.tuf_files, bootloader.shared.tuf_paths
    import bootloader.shared.tuf_signed, firmware.bell, firmware.clock, firmware.counts
    import firmware.drivers, firmware.drivers.battery, firmware.drivers.buzzer
    import firmware.drivers.keypad, firmware.drivers.lcd, firmware.drivers.printer
    import firmware.duties, firmware.duties.apart, firmware.duties.check_in
    import firmware.duties.out_of_service, firmware.duties.radio, firmware.duties.status_bar
    import firmware.duties.supervisor, firmware.duties.trial, firmware.flows
    import firmware.flows.bill, firmware.flows.day_report, firmware.flows.float
    import firmware.flows.info, firmware.flows.language, firmware.flows.last_sales
    import firmware.flows.menu, firmware.flows.messages, firmware.flows.meter
    import firmware.flows.my_pin, firmware.flows.people, firmware.flows.recover
    import firmware.flows.reprint, firmware.flows.sell, firmware.flows.session
    import firmware.flows.sign_in, firmware.flows.steps, firmware.flows.steps.amount
    import firmware.flows.steps.ask_server, firmware.flows.steps.cancel
    import firmware.flows.steps.choose, firmware.flows.steps.day, firmware.flows.steps.explain
    import firmware.flows.steps.finish, firmware.flows.steps.hand_over
    import firmware.flows.steps.others, firmware.flows.steps.paper, firmware.flows.steps.pin
    import firmware.flows.steps.reach, firmware.flows.steps.recipient
    import firmware.flows.steps.spell, firmware.flows.topup, firmware.kept
    import firmware.kept.config, firmware.kept.files, firmware.kept.memory
    import firmware.kept.people, firmware.kept.store, firmware.lent, firmware.log
    import firmware.main, firmware.net, firmware.net.coap, firmware.net.http
    import firmware.net.http_client, firmware.net.link, firmware.net.modem
    import firmware.net.modem.advice, firmware.net.modem.chat, firmware.net.modem.climb
    import firmware.net.modem.errors, firmware.net.modem.joining, firmware.net.modem.ladder
    import firmware.net.modem.no_link, firmware.net.modem.sim800
    import firmware.net.modem.sim800_names, firmware.net.modem.sim800_start
    import firmware.net.modem.standard, firmware.office, firmware.office.ask
    import firmware.office.check_in, firmware.office.datagram, firmware.office.look_up
    import firmware.office.messenger, firmware.office.stock_delivery, firmware.office.sync
    import firmware.office.windows, firmware.paper, firmware.paper.letters
    import firmware.paper.receipt, firmware.sales, firmware.sales.by_others
    import firmware.sales.cancelling, firmware.sales.catalogue, firmware.sales.day
    import firmware.sales.details, firmware.sales.journal, firmware.sales.mounting
    import firmware.sales.offline_limits, firmware.sales.price_list, firmware.sales.product
    import firmware.sales.recent, firmware.sales.ring, firmware.sales.sale, firmware.sales.scan
    import firmware.sales.seller, firmware.sales.state, firmware.sales.stock
    import firmware.sales.till, firmware.service, firmware.service.commands
    import firmware.service.console, firmware.service.parts, firmware.terminal, firmware.ui
    import firmware.ui.canvas, firmware.ui.dialogs, firmware.ui.font, firmware.ui.languages
    import firmware.ui.languages.en, firmware.ui.languages.fr, firmware.ui.languages.ha
    import firmware.ui.languages.pt, firmware.ui.languages.sw, firmware.ui.languages.yo
    import firmware.ui.money_and_dates, firmware.ui.screen, firmware.ui.texts, firmware.update
    import firmware.update.choice, firmware.update.client, firmware.update.delta
    import firmware.update.download, firmware.update.errors, firmware.update.found
    import firmware.update.gate, firmware.update.install, firmware.update.last_look
    import firmware.update.metadata, firmware.update.model, firmware.update.newest
    import firmware.update.news, firmware.update.offer, firmware.update.patch
    import firmware.update.payload, firmware.update.pieces, firmware.update.prepare
    import firmware.update.prices, firmware.update.record, firmware.update.server
    import firmware.update.switch, firmware.update.verified
