"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
    x.A.AB.ACK.AES.ALL.AMOUNT.ANSWERED.ANSWER_BYTES.ANSWER_MS.APN.AWAKE_SCANS.Answer.B.BIG.BILL
    x.BLIND_START_S.BODY_LIMIT_BYTES.BOOT.BOOTLOADER_VERSION.BadReply.BadResponse.Battery.Bell
    x.BlockDevice.Box.Buzzer.BytesIO.C.CANCEL.CANCELLED.CARRIED.CASHIER.CBC.CHECK_IN.CHUNK_BYTES
    x.COLUMNS.COMMANDS.CON.COPY.COVER_OPEN.Canvas.Catalogue.CatalogueError.CborError.Cell.Chat
    x.ChatAborted.ChatError.ChatTimeout.CheckIn.Choice.Cipher.Clock.Closed.Commands.Config
    x.ConfigError.ConnectionLost.ControlBlock.ControlError.D.DATA_BYTES.DAY_S.DEFLATED.DELIVERED
    x.DETAILS.DUKA_R1.Debouncer.DeflateIO.Delegation.DeltaError.Dialogs.Display.Download.Duka.E
    x.ECB.ERROR.ERRORS.EVEN.EXTRA.Encrypt0.Envelope.Event.Expired.F.FEED_MS.FILE.FIRST_LOCK_S
    x.FLAGS.FLOAT_MINOR.FREE_TRIES.Forked.Found.G.GET.GaveWay.Gone.H.HARDWARE_CLASS
    x.HARDWARE_REVISION.HEAD.HEAD_BYTES.HEAD_LIMIT_BYTES.HEIGHT.HINTS_TOP.HttpClient.HttpError.I
    x.IDLE_MS.IDLE_STEPS.IMEI.INDEX.INTENT_OFFLINE.INTENT_ONLINE.IOBase.IRQ_FALLING.IRQ_RXIDLE
    x.Idle.InstallError.Interrupted.J.JOURNAL.JOURNAL_READS.JOURNAL_VERSION.Journal
    x.JournalDamaged.JournalFull.JsonError.K.KEYID_HEX_DIGITS.KEYS.KINDS.KNOWN_FILES.Kept.Keypad
    x.Keys.L.LANGUAGES.LEAST_DIGITS.LETTERS.LIMITS_BYTES.LINES.LINE_CHARS.LINE_LIMIT_BYTES.LOCK
    x.LONGEST_LOCK_S.LONGEST_PAUSE_S.LOOK_UP.LOOK_UP_MS.LOW_PERCENT.Ladder.LastLook.Lcd
    x.LineReader.Link.LinkError.LinkTimeout.Listed.Lock.M.MARKS.MAX_AGAIN_S.MAX_BATCHES
    x.MAX_BODY_BYTES.MAX_BYTES.MAX_DELEGATIONS.MAX_DEPTH.MAX_DETAILS.MAX_HEAD_BYTES.MAX_ITEMS
    x.MAX_LABEL.MAX_MESSAGE_BYTES.MAX_NAME.MAX_OPEN.MAX_PIN_BYTES.MAX_PRODUCTS
    x.MAX_ROOT_ROTATIONS.MAX_SERIAL_BYTES.MAX_VALUE.MAX_VOUCHERS.MERCHANT_SILENT_MS
    x.MESSAGE_BYTES.METER.MIN_PIN_BYTES.MODEM_BAUD.MOST.MOST_BYTES.MOST_DIGITS.MOST_LETTERS
    x.Malformed.Memory.Messenger.Metadata.Mismatch.Missing.Model.Modem.ModemError.Mount.N.NAMES
    x.NETWORK_MS.NEW.NEWS.NON.NONCE_BYTES.NO_ANSWER.Newest.NoCoverage.NoData.NoModem.NoNetwork
    x.NoSim.NotSigned.O.OFFLINE.OK.ONE_REQUEST_BYTES.ONLINE.OTHER.OWNER.Offer.Open.P.PAGES
    x.PAGE_BYTES.PAPER_OUT.PATH.PENDING.PIN.PITCH.POLLIN.POST.PRINTED.PRINTER_BAUD.PRINT_MS
    x.Partition.PartitionError.PatchError.Payload.People.PeopleError.Person.Preparation.Prices
    x.Printer.Product.Products.Q.QUEUE_KEYS.R.RADIO_SILENT_MS.REASON_BYTES.RECEIVE_BYTES
    x.RECORD_BYTES.REFUSED.REPLY_BYTES.REPRINT.RESERVE_BYTES.REST_MS.RETRY_FIRST_MS.RST.RUNGS
    x.Radio.Range.Reader.Recent.Recipient.Record.Refused.RegistrationDenied.Release
    x.ReleaseRefused.Report.Response.Ring.Rollback.Rollout.Running.S.SALE.SCAN_MS.SEARCHING
    x.SECTOR_BYTES.SEND_BYTES.SETTING.SETTLED.SHIFT_CLOSED.SHIFT_OPENED.SHOW_MS.SLOT_STATES
    x.SMALL.START_SWEEP_BYTES.STEADY_SCANS.STOCK.STOCK_HELD.STOCK_RECEIVED.STOCK_RECORD
    x.SWEEP_BYTES.Sale.SaleFirst.SaleRefused.SalesState.Scan.ScanError.Screen.SealError
    x.SelfTestFailed.Server.ServerRefused.Shift.Shifts.SignatureCheck.Signers.SimLocked.Slot
    x.SpiDisplay.State.StdioConsole.Stock.StockError.StorageError.Store.StreamReader.Supervisor
    x.T.TABLE.TAG_BYTES.TALLY.TECHNICIAN.TECHNICIAN_SILENT_MS.TEXTS.TICK_MS.TIMESTAMP_BYTES.TOP
    x.TOPUP.Tally.TargetsFile.TargetsRoles.Terminal.ThreadSafeFlag.Till.TimeoutError.TooLarge
    x.TrustError.TrustedMetadata.U.UINT32.UNKNOWN.UNTIL_END.USUAL.UnicodeError.Untrusted
    x.UpdateClient.V.Verified.VfsLfs2.Voucher.W.WEAK_PERCENT.WHILE_SELLING.WIDTH.WORD_BYTES.Walk
    x.Way.Words.X.Y.Z.ZLIB.Z_REPORT._._ACTIVE._ACUTE._ADRIFT_MS._ALGORITHM._ALL_LIT._ANSWER_MS
    x._ASK._ASK_MS._AS_HELD._AS_USUAL._AT_A_GLANCE._AT_ONCE_MS._AT_REST._A_PAGE._Answer._BASE
    x._BOLD._BOUNDS._BREAK._BY_OTHERS._BY_SMS._BY_SMS_MS._CALL._CANCELLING._CAPITALS._CELL
    x._CENTRE._CHECK_IN._CLIMB._COLUMNS._CONFIG._CONTRAST._COPY._COUNTS._CURVE._Comparison
    x._DATAGRAM._DAY._DAY_S._DIGEST_BYTES._DIGITS._DOT._DOTTED._DOUBLE._ENTRIES._ERASED
    x._ERASED_WORD._ESCAPES._EXPONENT._EXTERNAL_AAD._Encryptor._Exactly._FAULTS._FEED._FEED_MS
    x._FIGURES._FILE._FINISHING._FIRST._FIRST_PAUSE_MS._FLOWS._FOR_SMS._GRAVE._HEAD._HISTOGRAMS
    x._Here._IMAGE._Image._Inflater._JUDGES._K._KEPT._KEY_MS._L._LARGE._LATELY_MS._LEAST_DBM
    x._LEAST_MV._LEAST_SECOND_MS._LEFT._LETTER._LEVELS._LIT_MS._LOGITS._LONGEST_LINE
    x._LONGEST_PAUSE_MS._LONGEST_SLEEP_MS._LOOK_MS._LOST._LOW._Lungs._MAGIC._METADATA
    x._METER_DIGITS._MISSES._MORE_STEPS._MOST._MOST_DIGITS._MOST_LETTERS._MOST_MV
    x._MOST_SECOND_MS._Made._NAMES._NEEDED._NEEDS._NEW._NEWS._NEW_PIN._NOBODY_LOOKS_MS._NONE
    x._NOTHING_TO_SELL._NOT_ITS_FAULT._NO_NEWS._NO_SERVER._News._OF_AN_OFFER._OF_PEOPLE
    x._ONE_VALUE._ON_PAPER._OURS._OWNER._OWNERS._P._PACE._PAGE._PAGES._PAGES_PER_SECTOR._PAPER
    x._PARTS._PART_RECORDS._PATIENCE_MS._PATTERN._PEOPLE._PERIOD._PIECES._PIN._PLAIN._POLL_MS
    x._PRICES._PRICE_LIST._PRINT_MS._PRODUCT._PROTECTED._QR_LOOK._QUIET_MS._READER._RECENT
    x._REMOVE._RENAME._REPLY_CHARS._REPLY_MS._REPORTS._REQUESTS._RESERVE._REST_MS._ROLES._ROOM
    x._ROWS._Reader._SBOX._SCAN._SCRATCH._SECOND_MS._SECRET_SETTINGS._SEEK_MS._SELDOM_MS._SELLER
    x._SELLING._SETTINGS._SHIFTED._SHIFTS._SIGNAL_MS._SINGLE._SLOT._SMS_BOX._SPACE._SPKI._START
    x._STATES._STATUS_MS._STAY._STEPS._STEPS_BY_OTHERS._STEPS_OF_AN_END._STEPS_OF_PEOPLE
    x._STEPS_OF_REPORTS._STEPS_OF_SHIFTS._STEPS_OF_TRAINING._STILL_MS._STOCK._SYNC._Sink
    x._SlotWriter._Source._TAIL._TAIL_HIGH._TALL._TARGETS._TECHNICIAN._TECHNICIANS._TITLE_PX
    x._TODAY._TOKEN_DIGITS._TO_CHOOSE._TO_PREPARE._TO_VERIFY._Taken._UNFINISHED._UNKNOWN
    x._VERSION._WEEK._WINDOWS._WORDS._X._YESTERDAY.__aenter__.__aexit__.__all__.__dict__
    x.__import__._aad._add._address._adopt._adrift_ms._aes._affine._afford._after._after_same
    x._after_two._again._all_rows._alone._answer._answered._answers._append._array._ask._asked
    x._asked_s._at._awake._bar._base_multiple._batch._batches._battery._before._begin
    x._begun_without_head._bell._bit_weights._bits._block._block_at._board._boot._boot_count
    x._bounded._braked._breath_ms._breathe._broken._buffer._by_hash._by_post._by_sms._bytes
    x._cached._candidate._canvas._carry._cash._catalogue._change._channel._check._check_bytes
    x._check_date._check_in._check_not_older._check_secret._check_snapshot_version._choose
    x._chunk._chunk_ms._chunks._circumstances._client._clock._close._code._code_bit._codes
    x._column._columns._commas._compress._confirm._console._contrast._control._control_of
    x._copied._copies._copy._count._cramped._cut._data_command._data_waiting._datagram._days
    x._deadline._debouncer._decompress._depth._details._digest._digits._display._distance._done
    x._double._doubtful._drain._drawn._due_ms._encrypt_block._end._enter._entry._erase._escaped
    x._exchange._expand._expander._expires_s._facts._failed._fed_ms._fetch._fetched._figure
    x._figures._file._files._fill._filled._finish_first._first_since._fits._flag._flags._flash
    x._flush._flushed._fold._folder._foot._fresh._from._full._gate_closed._gate_facts._get
    x._give_back._glob._go_on._halted._hand_out._hand_over._hang_up._head._head_bytes._head_line
    x._heads._hear._heard._heed._held._here._hex._hints._history._holds._holds_firmly._holds_s
    x._host._in_command._in_set._in_turn._index._install._integers._is_at_work._is_code
    x._is_connected._is_his._is_number._is_open._is_permitted._is_selling._is_watched._journal
    x._judged._k._keep._keep_expired._kept._key._keypad._keys._kind._known._last._late._lcd
    x._length._limbs._limit_bytes._line._lines._list_stock._listed._listed_with._load
    x._load_checkpoint._lock._log._log_at._look._lost._made._make._make_room._map._mark._mark_of
    x._may_begin._may_install._may_sell._memory._messenger._metadata._missing._model._modem
    x._modem_log._must_look._name._named._names._need._needed._negated._newer._newest_page._news
    x._next._next_mark._no_network._nonce._not_yet._note._note_key._noted._now._now_ns._now_s
    x._number._number_in._numbers._obey._odd_multiples._of_before._of_bits._of_details._of_same
    x._off._offline_behind._old._old_size._oldest._on_catalogue._on_closed._on_data._on_head
    x._on_lost._on_ring._on_sms._one._one_of._only._open._open_books._opened._order._others
    x._out_of_service._outcome._owner._pace._pads._page._page_after._pair._parse._part
    x._partition._partitions._passed_over._path._patterns._pause._pause_ms._payload._piece
    x._pin_seal._place._plain._point._poll._poll_ms._poll_s._port._post._practise._prepare
    x._press_power_key._pressed._pressed_or._print._printer._program._put_down_at._queue._quoted
    x._radio._range._rates._reach_out._read._read_catalogue._read_sms._reader._realtime
    x._reason_bytes._record._refused_batch._releases._remember._remove._renew_stock._rest
    x._restate._rests_until_ms._resume._retry_s._ring._rings._roles._rollout._rows._rtc._run
    x._running._said._sale._same._same_weights._says._scan._scratch._seal._seal_of._sector
    x._sector_hash._security_version._seen._select._sell._selling._sells_by_sms._send._sent
    x._server._set_aside._settings._settle._shop._shown._sign_in._signature._signatures._signers
    x._sim._since_z._sink._size._size_bytes._skipping._slip._slots._snapshot._sold_from_stock
    x._sort._sound._source._speak._spoiled._spread._stand_aside._start._state._stock._stopped
    x._store._stored._stream._strengthen._switch._switch_off._sync_due_ms._t._table._tag._take
    x._take_back._take_in._take_root._taken._targets._technician_ms._terminal._terminal_id._text
    x._ticks._tidy._till._time_s._tip._to_dial._token._told._told_s._touch._touched_ms._trust
    x._trusted._try._turned_on._type._uart._ui._unanswered._unmarked._unsent._until_end
    x._update_log._update_roots._updates._value._vat._verify_ed25519._version._voucher._w._wait
    x._wake._walk._wanted_s._watchdog._watched._ways._why._within._without_end._without_ghost
    x._words._write._xor8._xor_key_stream._zlib.a.a2b_base64.aad.aborts.accept.acknowledge
    x.acknowledged.action.active.add.added.adding.address.adopt.advice.aes.aes_cbc.aes_ecb
    x.after_minor.again_s.air.algorithms.alive.alive_ms.alone.also_settled.always.amount
    x.amount_minor.answer.answer_ms.answered.answers.any_down.apart.apn.apn_login.apn_user.apply
    x.are_new.argument.arguments.arm.array.ascii.ask.ask_for.ask_server.asked.asks.asyncio.at
    x.at_hand.at_least.at_most.at_once.at_start.attach.attached.b.back.bad.bad_length.bad_meter
    x.bad_start.base.base_sha256.base_size.batch.batch_id.batch_ids.batches.battery.battery_mv
    x.baud.before.began.begin.begin_offline.begin_online.begin_trial.behind.bell.beside.big.bill
    x.binascii.bits.blind_starts.block.blocked.board.body.body_length.body_of.bold.boot
    x.boot_count.boot_info.boot_ms.booted.bootloader.boots.bottom.bound.braked.breath.breathe
    x.bring.bring_up.buf.buffer.built.built_s.busy.but.buzzer.by.by_datagram.by_number.by_others
    x.by_sms.byte.bytes_received.c.calendar.cancel.cancel_no.cancel_q.cancelled.cancelling
    x.canonical.canvas.card.cash_count.cash_minor.cash_now.cash_rows.cash_start.cashier
    x.catalogue.cause.cbor.cell.certain.chain.challenge.change.channel.char.character.charging
    x.chat.check.check_bytes.check_in.check_it.check_sim.check_target.checking.checkpoint
    x.chip_id.choice.choose.chosen.chunk_size.chunked.clear_failure.client.climb.clock
    x.close_shift.closed.coap.coap_port.code.coded.codes.collect.columns.columns_of.command
    x.commands.commission.commission_minor.commission_of.commit.compat.complete.condition.config
    x.confirm.connect.connected.connection.consistent_snapshot.console.container.content
    x.content_range.contradicts.contrast.contrast_t.control.control_of.copies.cose.count_fault
    x.counted.counted_minor.counter.counts.cover_open.crash.crashes.crashes_allowed.crc32.create
    x.create_task.crypto.cryptography.cryptolib.currency.custom.cut.cut_ask.cut_print.d.d_
    x.d_other.damaged.data.data_command.data_vfs.datagram.date_text.date_time.date_time_text
    x.datetime.day.day_report.days.deadline_ms.debit_minor.decode.decompress.decompressobj
    x.default.deflate.delattr.delegated.delegation.delegations.delivered.delivery.delta.denied
    x.denied_ms.depth.derive_keys.desk.detail.details.device_key.dial.dialogs.difference.digest
    x.digest_of.digit.digits.direction.discard.display.do_.do_challenge.do_configure.do_export
    x.do_may_retire.do_retire.do_settings.do_status.do_sync.do_test.do_unlock.done.doubt.down
    x.down_key.download.drivers.dropped.due.due_ms.dump.dumps.duplicate.duration_ms.duties.e.e_
    x.e_other.earlier.ecdsa.ed25519.either.empty.en.encode.encode_request.encode_within.encrypt
    x.encryptor.ended.entry.enumerate.eof.equal.erase.erase_sector.error.errors.etag.every_ms
    x.everybody.exchange.exists.expand.expected_minor.expired.expires.expires_s.expiry.explain
    x.external_aad.extra.f.facts.fail.failed_release.failure.failure_reason.fault.faults.faulty
    x.feed.fetch.fetch_stock.fetch_voucher.fewest.field.fields.figures.file.file_name.files.fill
    x.finish.firmware.first.first_kept.first_rung.fits.flag.flags.flash.float.float_minor
    x.float_now.flows.flush.folder.font.forget.forgotten_batch.fork.forked.found.fr.free_bytes
    x.free_sectors.fresh_until_s.from_hex.from_pem.from_sequence.from_stock_refusal.fromhex.full
    x.g.gap_ms.garbled.gate.gate_battery_mv.gate_blocks.gate_facts.gate_idle_s.gate_sale
    x.gate_unsynced_records.gc.gently.get_field.give_back.give_up_lost.give_way.gives_way.glyph
    x.good.grouped.groups.growth.h.ha.halted.hand_over.happens.hardware.hardware_class
    x.hardware_revision.hardware_revisions.has.has_kind.has_news.has_passed.has_voucher
    x.hash_flash.hashes.hashlib.head.head_ms.headers.heap_free.hear.height.held.helpline.hex
    x.hexlify.high.hint.hints.hkdf_sha256.hmac_sha256.hold.hold_back.holds_s.host.hourly.http
    x.http_client.http_post.hurry.i.identity.idle_ms.idle_s.image.image_hash.image_sha256
    x.image_size.image_size_bytes.imei.implementation.in_step.in_stock.in_use.inflater.info
    x.install.instructions.invert.io.ioctl.irq.is_ascii.is_asked.is_blank.is_blind.is_bound
    x.is_copy.is_digits.is_due.is_empty.is_first.is_guessed_first.is_hourly.is_it.is_known
    x.is_last.is_meter.is_number.is_offered.is_open.is_plain.is_ready.is_renewed.is_right
    x.is_same.is_sound.is_still.is_sure.is_upgrade.is_watched.is_way_back.is_whole.item
    x.items_left.iv.j.joining.journal.journal_reads.journal_version.journal_writes.json.judge
    x.jump.jumps.k.keep.keep_expired.keep_from.keep_only.keep_pace.kept.kept_ms.key_first.key_ms
    x.key_n.key_within.keyid.keyids.keypad.keypad_columns.keypad_rows.keytype.keyval.kind.kinds
    x.known.l.label.ladder.language.languages.last.last_failure.last_look.last_money.last_q
    x.last_sale.last_sales.later.layout.lcd.lcd_q.lcd_watch.learn.least.least_minor.ledger_minor
    x.left.length.length_bytes.length_s.lent.letter.letters.level.levels.lifted.limit_bytes
    x.limits.line.lines.link.listdir.listed.listed_version.load.load_prefix.loaded.loads.lock
    x.lock_s.locked.locked_for.log.login.longest_ms.look.look_back.look_up.looked.looked_s.lost
    x.low.m.m_day.m_info.m_language.m_messages.m_people.m_pin.m_reprint.m_sales.m_service.m_set
    x.m_shift.m_training.m_z.made.main.major.make.make_firm.make_room.make_z.malformed.mapped
    x.mark.mark_bad.marked.match.matches.max.max_age_s.max_amount_minor.max_bytes.max_count
    x.max_depth.max_items.max_minor.max_total_minor.may.may_be_asked.may_be_out.may_be_seen
    x.may_begin.may_break.may_end.may_format.may_go_on.may_leave.may_renew.may_text.mem_free
    x.memory.memoryview.menu.merchant.merchant_name.merchant_text.message.message_counter
    x.message_id.messages.messenger.meta.metadata.meter.method.milliseconds.min.min_bootloader
    x.min_minor.minor_digits.missed.misses.mistrust.mixed.mkdir.mkfs.mode.model.modem
    x.modem_power_key.modes.modules.money.money_and_dates.monotonic_ns.month.more.most
    x.most_minor.most_ms.mount.mount_data.mounting.ms.mtime.must_wait.mv.my_pin.n.n_.n_no_modem
    x.name.names.natural.net.network.new.new_catalogue.new_pin.new_size.newer_lost.newest.news
    x.next_number.next_rung.next_sequence.next_z.no_answer.no_float.no_gprs.no_last.no_link
    x.no_modem.no_name.no_network.no_news_s.no_paper.no_shifts.no_sim.no_stock.nonce.not_among
    x.not_before_s.not_kept.not_newer.not_sold.not_tested.not_yet.note.note_copy.note_key
    x.nothing.now.now_s.np_.number.numbers.o.of.of_days.off.offer.offer_sms.offer_stock.office
    x.offline.offline_count.offline_debit_minor.offline_limits.offline_refusal
    x.offline_total_minor.offset.ok.old.old_size.oldest.on_catalogue.on_head.on_newest
    x.on_registration.on_restart.on_trial.once_more.one.online.only.open_pin.open_reply
    x.open_sale.open_shift.open_still.opened.operation.operator.orphans.os.other.others.out
    x.out_of_service.outcome.owner.p.p256.pace.pack.pack_into.page.pages.pair.paper.paper_out
    x.parent.parse.parse_head.parse_time.part.partition.partitions.parts.patch.patched.path
    x.path_matches.paths.pattern.pause.pause_ms.payload.payloads.payloads_for.pbkdf2_sha256
    x.pending.pending_t.people.percent.permille.permit.person.person_of.pick_up.picture.piece
    x.pieces.pieces_of.pin.pin_again.pin_easy.pin_groups.pin_hash.pin_is.pin_kept.pin_lines
    x.pin_new.pin_old.pin_rounds.pin_salt.pin_short.place.places.plain.plain_body.policy.poll
    x.poll_ms.poll_s.port.post.postpone.postponed.power_cycle.power_key.practice.prefix.prepare
    x.press_all.price.price_list.prices.printed.printer.product.product_id.products.program
    x.prompt.property.prove.pt.public.public_key.purpose.put.put_down.q.question.quiet.quoted.r
    x.r_copy.r_day.r_dial.r_digest.r_help.r_offline.r_records.r_sale.r_serial.r_service.r_shift
    x.r_tax.r_thanks.r_valid.r_vat.r_week.r_x.r_z.radio.radio_cycle.random.ranges.raw.rb.reach
    x.reached.read_hashes.read_into.read_keys.read_raw.read_signal.readable.readblocks.reads
    x.ready.reason.recalled.receipt.receive.received.recent.recipient.record.record_crash
    x.records.recover.recovery.refresh.refusal.refuse.refused.refused_numbers.register
    x.registered.registration.registration_ms.release.releases.remove_q.rename.renew.reply
    x.report.reported.reprint.reprints.request.request_recovery.reserve.reset.reset_cause
    x.resolve.response.responses.rest.rest_ms.restart.restarted.restarts.restated.rests.retire
    x.retry_ms.reversed.revision.revisions.right.ring.rings.road.role.roles.rollout.room
    x.room_for_sale.root.root_bytes.root_version.rotated.rounds.rows.rpartition.rsa.rsa_pss.rtc
    x.run.run_flow.run_once.rung.running.running_sha256.running_well.runs.s.s_config.s_journal
    x.said.sale.sale_no.sales.salt.same.save.say.scan.scheme.scratch.screen.script.seal
    x.seal_request.sealed.search_again_ms.search_ms.second_ms.seconds.secret.sector.sector_of
    x.sectors.sectors_read.security_fits.security_version.seek.seen.select.self_test
    x.selftest_deadline_s.sell.sell_q.sell_what.seller.seller_of.selling.sent.sequence.serial
    x.serve.server.server_time.service.session.sessions.set_aside.set_pin.set_rtc.settings
    x.settle.settled.settled_at.sha256.sha512.sham.shape.shared.shift.shift_copy.shift_open
    x.shift_slip.shifts.shop.shorten.show.show_pin_q.shown.sift.sig.sign_in.signal.signature
    x.signatures.signed.signers.silence_ms.sim.sim800.sim800_names.sim800_start.sim_locked
    x.sim_ms.sim_network.since.since_monday.sink.size.size_bytes.skip.sleep.sleep_ms.slip.slot
    x.slot_.slot_a.slot_b.slot_state.slots.small.sms.sms_box.sms_q.sms_to.sms_waiting.snapshot
    x.snapshot_version.snd.soft.sold.sold_t.sound.sound_display.sources.spell.spell_on.spent
    x.spent_batch.spoiled.st_back.st_doubt.st_out.st_ready.st_refused.st_unread.st_waits.stale
    x.standard.stands.start_trial.started.starter.starting.starts.stat.state.status.status_bar
    x.statvfs.stdin.stdout.stem.step_minor.step_ms.stepping_stone.steps.stock.stock_delivery
    x.stock_key.stock_left.stock_q.stop_batches.stop_selling.storage.store.stream.strict.string
    x.struct.submit.sums.supervisor.sw.switch.sync.sync_s.sys.t.t_battery.t_clock.t_keys.t_lcd
    x.t_memory.t_mute.t_program.table.tables.tag.take.take_channel.take_in.take_raw.take_role
    x.take_up.takes.tally.target.target_name.targets.task.tax_number.technician_permit.telephone
    x.tell.terminal.terminal_id.terminating.terms.test.tested.text.text_width.texted.texts.then
    x.then_token.threshold.through.ticks.ticks_add.ticks_diff.ticks_ms.ticks_us.tidy.till.time
    x.time_s.time_seen.time_text.timeout_ms.timestamp.timestamp_version.tip.title.titled.to_
    x.to_beat_ms.today.token.token_.token_n.told.too_long.took.top.topup.total.total_minor
    x.totals.touched_within.tpdu.tr_done.tr_end.tr_mark.tr_name.tr_paper.tr_q.training.transport
    x.trial.trial_failed.trials.tried.tries.tries_left.trigger.trouble.truncated.trust.trusted
    x.try_others_first.tuf.tuf_delegations.tuf_files.tuf_paths.tuf_signed.turns_on.type_
    x.type_again.typed.typed_again.u.uart.ui.uid.umount.unconfirmed_boots
    x.unconfirmed_boots_allowed.unconsumed_tail.under_way.unescape.unfinished.unhexlify.union
    x.unix_seconds.unknown.unlock.unpack.unpack_from.unread.unread_prices.unreadable.unseal
    x.unsent.unsent_sales.unsolicited.unsynced.unsynced_count.until.up.up_key.update
    x.update_delegated.update_root.update_snapshot.update_targets.update_timestamp.updates.use
    x.utc_offset_s.utf8.v.verified.verify.verify_signature.version.versions.vfs.view.views
    x.void_at.voucher.voucher_sequence.w.wait.wait_at_most.wait_for_ms.wait_for_network
    x.wait_modem.wait_ms.wait_name.wait_out.wait_print.wait_sales.wait_sms.waiting.waits
    x.waits_for.waits_ms.wanted.wanted_s.was_asked.watch.watchdog.way.ways.wb.weak.weak_t
    x.weights.what.where.who.whole.why.width.width_px.window.windows.with_keys.with_signal
    x.with_t.within.word.words.work.wrap.wrap_columns.writeblocks.writes.written.wrong.wrong_pin
    x.x.y.year.yo.your_pin.z.z_copy.z_make.z_none.z_number.z_report.zlib["  "][" - "][" / "]
    x[" HTTP/1.1"][" at byte "][" bytes"][" first"][" is "][" is for "][" payload: "]
    x[" refused: "][" s"]["!"]['"']['"%s"']["#"]["$"]["%"]["%%%02X"]["%23"]["&"]["'"]["("][")"]
    x["*"]["*C"]["+"]["+-"][","][", "]["-"]["--"]["-._~"]["-from-"]["."][".."][".full"][".json"]
    x[".last"][".new"][".root.json"]["/"]["/data"]["/m"]["/plan.json"]["/stock"]["/trust"]
    x["/tuf/news/"]["0"]["0123456789"]["04"]["1"]["1."]["11 / 13"]["2"]["3"]["4"]["5"]["6"]["7"]
    x["8"]["9"][":"][": "][": FAULT"][": ok"][":%d"][";"]["<"]["<H"]["<I"]["<dictcomp>"]
    x["<genexpr>"]["<lambda>"]["<listcomp>"]["="][">"][">4sIII8sH"][">BBII"][">I"][">II"]["?"]
    x["@"]["AB*#"]["CME "]["HTTP/1.0"]["Host: "]["Tel."]["Tel. "]["Terminal "]["["]["]"]["^"]
    x["`"]["brake-"]["brake/"]["brake: "]["check in"]["check-in"]["chunk size"]["class"]
    x["copy "]["cut short"]["expanding "]["host name"]["journal: "]["keyid "]["left alone"]
    x["modem: "]["news: "]["no list"]["no memory"]["no room"]["no value"]["not UTF-8"]
    x["not a map"]["not a time"]["not kept: "]["not ready"]["partition "]["people: {}"]
    x["person "]["printer "]["receive: "]["refused: "]["rollout-"]["rollout/"]["root %d"]
    x["root.json"]["signed in"]["signed out"]["sms: "]["stock/%d"]["stock: "]["too long"]
    x["too many"]["too slow"]["two of "]["w+b"]["{"]["{} - {}"]["{} mV {}%"]["{} x {}"]["{} {}"]
    x["{} {}: {}"]["{}/{}.cbor"]["|"]["}"]["~"]["̀́"]
    import asyncio.core, asyncio.event, asyncio.funcs, asyncio.lock, bootloader.boot
    import bootloader.identity, bootloader.images, bootloader.jump, bootloader.screen
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
    import firmware.drivers.contrast, firmware.drivers.keypad, firmware.drivers.lcd
    import firmware.drivers.printer, firmware.duties, firmware.duties.apart
    import firmware.duties.check_in, firmware.duties.out_of_service, firmware.duties.radio
    import firmware.duties.status_bar, firmware.duties.supervisor, firmware.duties.trial
    import firmware.flows, firmware.flows.bill, firmware.flows.day_report, firmware.flows.float
    import firmware.flows.info, firmware.flows.language, firmware.flows.last_sales
    import firmware.flows.menu, firmware.flows.messages, firmware.flows.meter
    import firmware.flows.my_pin, firmware.flows.people, firmware.flows.recover
    import firmware.flows.reprint, firmware.flows.sell, firmware.flows.service
    import firmware.flows.session, firmware.flows.shift, firmware.flows.shift_copy
    import firmware.flows.sign_in, firmware.flows.sound_display, firmware.flows.steps
    import firmware.flows.steps.amount, firmware.flows.steps.ask_server
    import firmware.flows.steps.cancel, firmware.flows.steps.choose, firmware.flows.steps.day
    import firmware.flows.steps.explain, firmware.flows.steps.finish
    import firmware.flows.steps.hand_over, firmware.flows.steps.others
    import firmware.flows.steps.paper, firmware.flows.steps.pin, firmware.flows.steps.reach
    import firmware.flows.steps.recipient, firmware.flows.steps.report
    import firmware.flows.steps.self_test, firmware.flows.steps.shift_slip
    import firmware.flows.steps.sim_network, firmware.flows.steps.spell
    import firmware.flows.steps.versions, firmware.flows.topup, firmware.flows.training
    import firmware.flows.z_report, firmware.kept, firmware.kept.config, firmware.kept.files
    import firmware.kept.memory, firmware.kept.people, firmware.kept.store, firmware.lent
    import firmware.log, firmware.main, firmware.net, firmware.net.coap, firmware.net.http
    import firmware.net.http_client, firmware.net.link, firmware.net.modem
    import firmware.net.modem.advice, firmware.net.modem.chat, firmware.net.modem.climb
    import firmware.net.modem.errors, firmware.net.modem.figures, firmware.net.modem.joining
    import firmware.net.modem.ladder, firmware.net.modem.no_link, firmware.net.modem.sim800
    import firmware.net.modem.sim800_names, firmware.net.modem.sim800_start
    import firmware.net.modem.sms, firmware.net.modem.standard, firmware.office
    import firmware.office.ask, firmware.office.by_sms, firmware.office.check_in
    import firmware.office.datagram, firmware.office.look_up, firmware.office.messenger
    import firmware.office.sms_box, firmware.office.stock_delivery, firmware.office.sync
    import firmware.office.windows, firmware.paper, firmware.paper.letters
    import firmware.paper.practice, firmware.paper.receipt, firmware.sales
    import firmware.sales.by_others, firmware.sales.cancelling, firmware.sales.catalogue
    import firmware.sales.details, firmware.sales.journal, firmware.sales.mounting
    import firmware.sales.offline_limits, firmware.sales.price_list, firmware.sales.product
    import firmware.sales.recent, firmware.sales.ring, firmware.sales.sale, firmware.sales.scan
    import firmware.sales.seller, firmware.sales.shifts, firmware.sales.state
    import firmware.sales.stock, firmware.sales.tally, firmware.sales.till, firmware.service
    import firmware.service.commands, firmware.service.console, firmware.service.parts
    import firmware.terminal, firmware.ui, firmware.ui.canvas, firmware.ui.dialogs
    import firmware.ui.font, firmware.ui.languages, firmware.ui.languages.en
    import firmware.ui.languages.fr, firmware.ui.languages.ha, firmware.ui.languages.pt
    import firmware.ui.languages.sw, firmware.ui.languages.yo, firmware.ui.money_and_dates
    import firmware.ui.screen, firmware.ui.texts, firmware.update, firmware.update.choice
    import firmware.update.client, firmware.update.delta, firmware.update.download
    import firmware.update.errors, firmware.update.found, firmware.update.gate
    import firmware.update.install, firmware.update.last_look, firmware.update.metadata
    import firmware.update.model, firmware.update.newest, firmware.update.news
    import firmware.update.offer, firmware.update.patch, firmware.update.payload
    import firmware.update.pieces, firmware.update.prepare, firmware.update.prices
    import firmware.update.record, firmware.update.server, firmware.update.switch
    import firmware.update.verified
