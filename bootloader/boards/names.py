"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
    x.A.AB.ACK.ADDRESS.AES.ALL.AMOUNT.ANSWERED.ANSWER_BYTES.ANSWER_MS.APN.AWAKE_SCANS.Answer.B
    x.BEAT_MS.BIG.BILL.BLIND_START_S.BODY_LIMIT_BYTES.BOOT.BOOTLOADER_VERSION.BadReply
    x.BadResponse.Battery.Bell.BlockDevice.Box.Buzzer.BytesIO.C.CANCEL.CANCELLED.CARRIED.CASHIER
    x.CBC.CHECK_IN.CHUNK_BYTES.COLUMNS.COMMANDS.CON.COPY.COVER_OPEN.CURVES.Canvas.Catalogue
    x.CatalogueError.CborError.Cell.Chat.ChatAborted.ChatError.ChatTimeout.CheckIn.Choice.Cipher
    x.Clock.Closed.Coder.Commands.Config.ConfigError.ConnectionLost.ControlBlock.ControlError.D
    x.DATA_BYTES.DAY_S.DEFLATED.DELIVERED.DETAILS.DUKA_R1.Debouncer.DeflateIO.Delegation
    x.DeltaError.Dialogs.Display.Download.Duka.E.ECB.ERROR.ERRORS.EXTRA.Encrypt0.Envelope.Event
    x.Expired.F.FILE.FIRST_LOCK_S.FLAGS.FLOAT_MINOR.FOLDER.FREE_TRIES.Forked.Found.G.GET.GONE
    x.GaveWay.Gone.H.HARDWARE_CLASS.HARDWARE_REVISION.HEAD.HEAD_BYTES.HEAD_LIMIT_BYTES.HEIGHT
    x.HINTS_TOP.HttpClient.HttpError.I.IDLE_MS.IDLE_STEPS.IMEI.INDEX.INTENT_OFFLINE
    x.INTENT_ONLINE.IOBase.IRQ_FALLING.IRQ_RXIDLE.Idle.InstallError.Interrupted.J.JOURNAL
    x.JOURNAL_READS.JOURNAL_VERSION.Journal.JournalDamaged.JournalFull.JsonError.K
    x.KEYID_HEX_DIGITS.KEYS.KINDS.KNOWN_FILES.Kept.Keypad.Keys.L.LANGUAGES.LEAST_DIGITS.LETTERS
    x.LIMITS_BYTES.LINES.LINE_CHARS.LINE_LIMIT_BYTES.LOCK.LONGEST_LOCK_S.LONGEST_PAUSE_S.LOOK_UP
    x.LOOK_UP_MS.LOW_PERCENT.Ladder.LastLook.Lcd.LineReader.Link.LinkError.LinkTimeout.Listed
    x.Lock.M.MARKS.MAX_AGAIN_S.MAX_BATCHES.MAX_BODY_BYTES.MAX_BYTES.MAX_DELEGATIONS.MAX_DEPTH
    x.MAX_DETAILS.MAX_HEAD_BYTES.MAX_ITEMS.MAX_LABEL.MAX_MESSAGE_BYTES.MAX_NAME.MAX_OPEN
    x.MAX_PIN_BYTES.MAX_PRODUCTS.MAX_ROOT_ROTATIONS.MAX_SERIAL_BYTES.MAX_VALUE.MAX_VOUCHERS
    x.MERCHANT_SILENT_MS.MESSAGE_BYTES.METER.MIN_PIN_BYTES.MODEM_BAUD.MOST.MOST_BYTES
    x.MOST_DIGITS.MOST_LETTERS.MWmw.Malformed.Memory.Messenger.Metadata.Mismatch.Missing.Modem
    x.ModemError.Mount.N.NAMES.NETWORK_MS.NEW.NEWS.NOBODY_LOOKS_MS.NON.NONCE_BYTES.NO_ANSWER
    x.Newest.NoCoverage.NoData.NoModem.NoNetwork.NoSim.NotSigned.O.OFFLINE.OFFLINE_LIMITS.OK
    x.ONE_REQUEST_BYTES.ONLINE.OTHER.OWNER.Offer.Open.P.PAGES.PAGE_BYTES.PAPER_OUT.PATH.PENDING
    x.PIN.PITCH.POLLIN.POST.POWER_DOWN.PRESET.PRESET_NAME.PRINTED.PRINTER_BAUD.PRINT_MS
    x.Partition.PartitionError.PatchError.Payload.People.PeopleError.Person.Preparation.Prices
    x.Printer.Product.Products.Q.QUEUE_KEYS.R.RADIO_SILENT_MS.REASON_BYTES.RECEIVE_BYTES
    x.RECORD_BYTES.REFUSED.REFUSE_CALLS.REPLY_BYTES.REPRINT.RESERVE_BYTES.RESOLVE.RESTARTED
    x.REST_BEAT_MS.REST_MS.RETRY_FIRST_MS.RST.RUNGS.Radio.Range.Reader.Recent.Recipient.Record
    x.Refused.RegistrationDenied.Release.ReleaseRefused.Report.Response.Ring.Rollback.Rollout
    x.Running.S.SALE.SCAN_MS.SEARCHING.SECTOR_BYTES.SEND_BYTES.SETTING.SETTLED.SHIFT_CLOSED
    x.SHIFT_OPENED.SHOW_MS.SLOT_STATES.SMALL.START_SWEEP_BYTES.STEADY_SCANS.STOCK.STOCK_HELD
    x.STOCK_RECEIVED.STOCK_RECORD.SWEEP_BYTES.Sale.SaleFirst.SaleRefused.SalesState.Scan
    x.ScanError.Screen.SealError.SelfTestFailed.Server.ServerRefused.Shift.Shifts.SignatureCheck
    x.Signers.SimLocked.Slot.SpiDisplay.State.StdioConsole.Stock.StockError.StorageError.Store
    x.StreamReader.Supervisor.T.TABLE.TAG_BYTES.TALLY.TECHNICIAN.TECHNICIAN_SILENT_MS.TEXTS
    x.TICK_MS.TIMESTAMP_BYTES.TITLE_PX.TOP.TOPUP.Taken.Tally.TargetsFile.TargetsRoles.Terminal
    x.ThreadSafeFlag.Till.TimeoutError.TooLarge.TrustError.TrustedMetadata.U.UINT32.UNKNOWN
    x.UNTIL_END.USUAL.UnicodeError.Untrusted.UpdateClient.V.Verified.VfsLfs2.Voucher.W
    x.WEAK_PERCENT.WHILE_SELLING.WIDTH.WORDS.WORD_BYTES.Walk.Way.Words.X.Y.Z.ZLIB.Z_REPORT._
    x._ACTIVE._ACUTE._ALGORITHM._ALL_LIT._ANSWERS._ANSWER_MS._ASK._ASK_MS._AS_HELD._AS_USUAL
    x._AT_A_GLANCE._AT_ONCE_MS._AT_REST._A_PAGE._Answer._BASE._BOLD._BOUNDS._BREAK._BYTE_CODE
    x._BY_OTHERS._BY_SMS._BY_SMS_MS._CALL._CANCELLING._CAPITALS._CELL._CENTRE._CHECK_IN._CLIMB
    x._COLUMNS._CONFIG._CONTRAST._COPY._COUNTS._CURVE._Comparison._DATAGRAM._DAY._DAY_S
    x._DIGEST_BYTES._DIGITS._DOT._DOTTED._DOUBLE._ENTRIES._ERASED._ERASED_WORD._ESCAPES
    x._EXPONENT._EXTERNAL_AAD._Encryptor._Exactly._FAULTS._FAVOURITES._FEED._FEED_MS._FIGURES
    x._FILE._FINISHING._FIRST._FLOWS._FOR_SMS._GRAVE._HEAD._HELD._HISTOGRAMS._Here._IMAGE
    x._INSTALL._Inflater._JUDGES._K._KEPT._KEY_MS._L._LARGE._LEAST_DBM._LEAST_MV
    x._LEAST_SECOND_MS._LEFT._LETTER._LEVELS._LIT_MS._LONGEST_SLEEP_MS._LOOK_MS._LOST._LOW
    x._Lungs._MACHINE_CODE._MAGIC._METADATA._METER_DIGITS._MISSES._MOST._MOST_DIGITS
    x._MOST_LETTERS._MOST_MV._MOST_SECOND_MS._Made._NAME._NAMES._NEEDED._NEW._NEWS._NEW_PIN
    x._NONE._NOTHING_TO_SELL._NOTICES._NOT_ITS_FAULT._NO_NEWS._NO_SERVER._NO_SNAPSHOT._News
    x._OF_AN_OFFER._ONE_VALUE._OURS._OUTWARDS._OWNERS._P._PACE._PAGE._PAGES._PAGES_PER_SECTOR
    x._PAPER._PARTS._PART_RECORDS._PATIENCE_MS._PATTERN._PEOPLE._PERIOD._PIECES._PIN._PLAIN
    x._PRICES._PRICE_LIST._PRINT_MS._PRODUCT._PROTECTED._QR_LOOK._READER._RECENT._REMOVE._RENAME
    x._REPLY_CHARS._REPLY_MS._REPORTS._REQUESTS._RESERVE._REST_MS._ROLES._ROOM._ROWS._Reader
    x._SBOX._SCAN._SCRATCH._SECRET_SETTINGS._SELDOM_MS._SELLER._SETTINGS._SHIFTED._SHIFTS._SHORT
    x._SIM800._SINGLE._SLOT._SMS_BOX._SPACE._SPKI._START._STATES._STAY._STEPS._STILL_MS._STOCK
    x._SYNC._Sink._SlotWriter._Source._TALL._TARGETS._TECHNICIANS._TODAY._TOKEN_DIGITS
    x._TO_CHOOSE._TO_PREPARE._TO_VERIFY._TRIES._Taken._UNKNOWN._UNREAD._VERSION._WEEK._WINDOWS
    x._WORDS._X._YESTERDAY.__aenter__.__aexit__.__all__.__dict__.__import__._aad._add._address
    x._adopt._adrift_ms._aes._affine._afford._after._again._all_rows._alone._answer._answered
    x._answers._append._array._ask._asked._asked_from_ms._asked_s._at._awake._bar._base_multiple
    x._batch._batches._battery._before._begin._begun_without_head._bell._block._board._boot
    x._boot_count._bounded._braked._breath_ms._breathe._bring_up._broken._buffer._by_hash
    x._by_post._by_sms._bytes._cached._candidate._canvas._carry._cash._catalogue._channel._check
    x._check_bytes._check_date._check_in._check_not_older._check_secret._check_snapshot_version
    x._choose._chosen._chunk._chunk_ms._chunks._circumstances._client._clock._close._code._codes
    x._column._columns._commas._compress._confirm._console._contrast._control._control_of
    x._copied._copies._copy._count._cramped._cut._data_command._data_waiting._datagram._days
    x._deadline._debouncer._decompress._depth._details._digest._digits._display._distance._done
    x._double._doubtful._drain._drawn._due_ms._encrypt_block._end._enter._entry._erase._escaped
    x._exchange._expand._expander._expires_s._facts._failed._fed_ms._fetch._fetched._figure
    x._figures._file._files._fill._filled._finish_first._first_since._fits._flag._flags._flash
    x._flush._flushed._fold._folder._foot._fresh._from._full._gate_closed._gate_facts._get
    x._give_back._glob._go_on._halted._hand_out._hand_over._hang_up._has_asked._head._head_bytes
    x._head_line._heads._hear._heard._heed._held._here._hex._hints._holds._holds_firmly._holds_s
    x._host._in_command._in_set._in_turn._index._install._integers._is_at_work._is_code
    x._is_connected._is_consistent._is_his._is_notice._is_number._is_open._is_permitted
    x._is_selling._is_tried_again._is_watched._is_whole._journal._judged._k._keep._keep_expired
    x._kept._key._keypad._keys._kind._known._last._late._lcd._length._limbs._limit._limit_bytes
    x._line._lines._list_stock._listed._listed_with._load._load_checkpoint._lock._log._log_at
    x._look._look_at_policy._lost._made._made_room._make._make_room._map._mark._mark_of._matters
    x._may_begin._may_install._may_sell._memory._messenger._metadata._missing._modem._modem_log
    x._must_look._name._named._names._need._needed._negated._newer._newest_page._news._next
    x._next_mark._no_network._nonce._not_yet._note._note_key._noted._now._now_ns._now_s._number
    x._number_in._numbers._obey._odd_multiples._of._of_before._of_details._off._offline_behind
    x._old._oldest._on_catalogue._on_closed._on_data._on_head._on_lost._on_ring._on_sms._one
    x._one_of._only._open._open_books._opened._order._others._out._out_of_service._outcome
    x._owner._pace._pads._page._page_after._pair._parse._part._partition._partitions
    x._passed_over._path._patterns._pause._pause_ms._payload._piece._pin_seal._place._plain
    x._point._poll._poll_ms._poll_s._port._post._practise._prefixes._prepare._press_power_key
    x._pressed._pressed_or._print._printer._program._put._put_down_at._queue._quoted._radio
    x._range._reach_out._read._read_catalogue._read_sms._reader._realtime._reason_bytes._record
    x._refuse._refused_batch._releases._remember._remove._renew_stock._rest._restate._resting
    x._rests_until_ms._resume._retry_s._ring._rings._roles._rollout._rows._rtc._run._running
    x._said._sale._scan._scratch._seal._seal_of._sector._sector_hash._security_version._seen
    x._select._sell._selling._sells_by_sms._send._sent._server._set_aside._settings._settle
    x._shop._show._shown._sign_in._signature._signatures._signers._sim._since_z._sink._size
    x._size_bytes._skipping._slip._snapshot._sold._sold_from_stock._sort._sound._source._speak
    x._spoiled._spread._stand_aside._standing._start._state._steps._stirred._stock._stopped
    x._store._stored._stream._strengthen._switch._switch_off._sync_due_ms._t._table._tag._take
    x._take_back._take_in._take_root._taken._targets._technician_ms._tell._terminal._terminal_id
    x._text._ticks._tidy._till._time_s._tip._title._to_dial._to_next_feed._token._told._told_s
    x._touch._touched_ms._trust._trusted._try._turn._turned_on._type._uart._ui._unanswered
    x._unmarked._unsent._until_end._update_log._update_roots._updates._value._vat._verified
    x._verify_ed25519._version._voucher._w._wait._wake._walk._wanted_s._was_open._watch
    x._watchdog._watched._watches._ways._which._why._window._within._without_end._without_ghost
    x._words._wrapped._write._xor8._xor_key_stream._zlib.a.a2b_base64.aad.aborts.accept
    x.acknowledge.acknowledged.action.active.add.added.adding.address.adopt.advice.aes.aes_cbc
    x.aes_ecb.after_minor.again_s.agree.air.algorithms.alive.alive_ms.alone.also_settled.always
    x.amount.amount_minor.answer.answer_ms.answered.answers.any_down.apart.apn.apn_login
    x.apn_user.apply.are_new.argument.arguments.arm.array.ascii.ask.ask_for.ask_server.asked
    x.asks.asyncio.at.at_hand.at_least.at_most.at_once.at_start.attach.attached.away.away_s.b
    x.back.bad.bad_length.bad_meter.bad_start.bar.base.base_sha256.base_size.batch.batch_id
    x.batch_ids.batches.battery.battery_mv.baud.before.began.begin.begin_offline.begin_online
    x.begin_trial.begin_try.behind.bell.beside.big.bill.binascii.bits.blind_starts.block.blocked
    x.board.body.body_length.body_of.bold.boot.boot_count.boot_info.boot_ms.booted.bootloader
    x.boots.bottom.bound.braked.breath.breathe.bring.bring_up.buf.buffer.built.built_s.busy.but
    x.buzzer.by.by_datagram.by_number.by_others.by_sms.byte.bytes_received.c.calendar.cancel
    x.cancel_no.cancel_q.cancelled.cancelling.canonical.canvas.card.cash_count.cash_minor
    x.cash_now.cash_rows.cash_start.cashier.catalogue.cause.cbor.cell.cells.certain.chain
    x.challenge.change.channel.char.character.charging.chat.check.check_bytes.check_in.check_it
    x.check_sim.check_target.checking.checkpoint.chip_id.choice.choose.chosen.chunk_size.chunked
    x.clear_failure.client.climb.clock.close_shift.closed.coap.coap_port.code.coded.codes
    x.collect.columns.columns_of.columns_on.command.commands.commission.commission_minor
    x.commission_of.commit.compat.complete.condition.config.confirm.connect.connected.connection
    x.consistent_snapshot.console.container.content.content_range.contradicts.contrast
    x.contrast_t.control.control_of.copies.cose.count_fault.counted.counted_minor.counted_rows
    x.counter.counts.cover_open.crash.crashes.crashes_allowed.crc32.create.create_task.crypto
    x.cryptography.cryptolib.currency.curves.custom.cut.cut_ask.cut_print.d.d_.d_other.damaged
    x.data.data_command.data_service.data_vfs.datagram.date_text.date_time.date_time_text
    x.datetime.day.day_report.days.deadline_ms.debit_minor.decode.decompress.decompressobj
    x.default.deflate.delattr.delegated.delegation.delegations.delivered.delivery.delta.denied
    x.denied_ms.deposit.depth.derive_keys.desk.detail.details.device_key.dial.dialogs.difference
    x.digest.digest_of.digit.digits.direction.discard.display.do_.do_challenge.do_configure
    x.do_export.do_may_retire.do_retire.do_settings.do_status.do_sync.do_test.do_unlock.done
    x.doubt.down.down_key.download.driver.drivers.dropped.due.due_ms.dump.dumps.duplicate
    x.duration_ms.duties.e.e_.e_other.earlier.ecdsa.ed25519.either.empty.en.encode
    x.encode_request.encode_within.encrypt.encryptor.end_try.ended.entry.enumerate.eof.equal
    x.erase.erase_sector.error.errors.etag.every_ms.everybody.exchange.exists.expand.expected
    x.expected_minor.expired.expires.expires_s.expiry.explain.external_aad.extra.f.facts.fail
    x.failed_release.failure.failure_reason.fault.faults.faulty.fav_full.fav_off.fav_on
    x.favourites.feed.fetch.fetch_stock.fetch_voucher.fewest.field.fields.figures.file.file_name
    x.files.fill.finish.firmware.first.first_kept.first_rung.fits.flag.flags.flash.float
    x.float_minor.float_now.float_then.flows.flush.folder.font.forget.forgotten_batch.fork
    x.forked.found.fr.free_bytes.free_sectors.fresh_until_s.from_hex.from_pem.from_sequence
    x.from_stock_refusal.fromhex.full.g.gap_ms.garbled.gate.gate_battery_mv.gate_blocks
    x.gate_facts.gate_idle_s.gate_sale.gate_unsynced_records.gc.gently.get_field.give_back
    x.give_up_lost.give_way.gives_way.glyph.good.grouped.groups.h.ha.halted.halts.halts_path
    x.hand_over.happens.hardware.hardware_class.hardware_revision.hardware_revisions.has
    x.has_failed.has_kind.has_news.has_passed.has_short.has_voucher.hash_flash.hashes.hashlib
    x.head.head_ms.headers.heap_free.hear.heard.height.held.helpline.here.hex.hexlify.high.hint
    x.hints.hkdf_sha256.hmac_sha256.hold.hold_back.holds_s.host.hourly.http.http_client
    x.http_post.hurry.i.identity.idle_ms.idle_s.image.image_hash.image_sha256.image_size
    x.image_size_bytes.imei.implementation.in_step.in_stock.in_the_way.in_use.inflater.info
    x.install.instructions.invert.io.ioctl.irq.is_any.is_ascii.is_asked.is_blank.is_blind
    x.is_bound.is_consistent.is_copy.is_digits.is_due.is_empty.is_failed.is_first
    x.is_guessed_first.is_hourly.is_it.is_last.is_long.is_lost.is_meter.is_newest.is_number
    x.is_online.is_open.is_over_quote.is_plain.is_ready.is_renewed.is_right.is_same.is_short
    x.is_so.is_sound.is_still.is_sure.is_upgrade.is_watched.is_way_back.is_whole.item.items_left
    x.iv.j.joining.journal.journal_reads.journal_version.journal_writes.json.judge.jump.k.keep
    x.keep_expired.keep_from.keep_only.keep_pace.kept.kept_ms.key_first.key_ms.key_n.key_within
    x.keyid.keyids.keypad.keypad_columns.keypad_rows.keytype.keyval.kind.kinds.known.l.label
    x.ladder.language.languages.last.last_failure.last_look.last_money.last_q.last_sale
    x.last_sales.later.layout.lcd.lcd_q.lcd_watch.learn.least.least_minor.ledger_minor.left
    x.length.length_bytes.length_s.lent.letter.letters.level.levels.lifted.limit_bytes.limits
    x.line.lines.link.listdir.listed.listed_version.load.load_prefix.loaded.loads.lock.lock_s
    x.locked.locked_for.log.login.longest_ms.look.look_back.look_up.looked.looked_s.lost.low.m
    x.m95.m_day.m_info.m_language.m_messages.m_people.m_pin.m_reprint.m_sales.m_service.m_set
    x.m_shift.m_training.m_z.made.main.major.make.make_firm.make_room.make_z.malformed.mapped
    x.mark.mark_bad.marked.match.matches.matters.max.max_age_s.max_amount_minor.max_bytes
    x.max_count.max_depth.max_items.max_minor.max_total_minor.may.may_be_asked.may_be_out
    x.may_be_seen.may_begin.may_break.may_end.may_format.may_go_on.may_go_to.may_leave.may_renew
    x.may_text.mem_free.memory.memoryview.menu.merchant.merchant_name.merchant_text.message
    x.message_counter.message_id.messages.messenger.meta.metadata.meter.method.milliseconds.min
    x.min_bootloader.min_minor.minor_digits.missed.misses.mistrust.mixed.mkdir.mkfs.mode.model
    x.modem.modem_power_key.modes.modules.money.money_and_dates.monotonic_ns.month.more.most
    x.most_minor.most_ms.mount.mount_data.mounting.ms.mtime.must_wait.must_wipe.mv.my_pin.n.n_
    x.n_no_modem.name.names.natural.net.network.new.new_catalogue.new_pin.new_size.newer_lost
    x.newest.news.next_number.next_rung.next_sequence.next_z.no_answer.no_float.no_gprs.no_last
    x.no_link.no_modem.no_name.no_network.no_news_s.no_paper.no_room.no_shifts.no_sim.no_stock
    x.nonce.not_among.not_before_s.not_kept.not_newer.not_sold.not_tested.not_yet.note.note_copy
    x.note_key.noted.nothing.notice.notice_told.notices.now.now_s.np_.number.numbers.o.of.of_all
    x.of_another.of_days.off.offer.offer_sms.offer_stock.office.offline.offline_count
    x.offline_debit_minor.offline_left.offline_limits.offline_refusal.offline_total_minor.offset
    x.ok.old.old_size.oldest.on_catalogue.on_head.on_lost.on_newest.on_registration.on_restart
    x.on_trial.once_more.one.online.only.open_pin.open_reply.open_sale.open_shift.open_still
    x.opened.operation.operator.operator_of.orphans.os.other.others.out.out_of_service.outcome
    x.owner.p.p256.pace.pack.pack_into.page.pages.paid_out.pair.pairs.paper.paper_mm.paper_out
    x.parent.parse.parse_head.parse_time.part.partition.partitions.parts.patch.patch_1.patched
    x.path.path_matches.paths.pattern.pause.pause_ms.payload.payloads.payloads_for.pbkdf2_sha256
    x.pending.pending_t.people.percent.permille.permit.person.person_of.pick_up.picture.piece
    x.pieces.pieces_of.pin.pin_again.pin_easy.pin_groups.pin_hash.pin_is.pin_kept.pin_lines
    x.pin_new.pin_old.pin_rounds.pin_salt.pin_short.place.places.plain.plain_body.plan.plan_path
    x.plan_until_s.policy.poll.poll_ms.poll_s.port.post.postpone.postponed.power_cycle.power_key
    x.practice.prefix.prefixes.prepare.press_all.price.price_list.prices.printed.printer.product
    x.product_id.products.program.prompt.property.prove.pt.public.public_key.purpose.put
    x.put_down.q.question.quiet.quote_bytes.quoted.r.r_copy.r_day.r_dial.r_digest.r_help
    x.r_offline.r_records.r_sale.r_serial.r_service.r_shift.r_tax.r_thanks.r_valid.r_vat.r_week
    x.r_x.r_z.radio.radio_cycle.random.ranges.raw.rb.reach.reached.read_hashes.read_into
    x.read_keys.read_raw.read_signal.readable.readblocks.reader.reads.ready.reason.recalled
    x.receipt.receive.received.recent.recipient.record.record_crash.records.recover.recovery
    x.refill.refresh.refusal.refuse.refused.refused_numbers.register.registered.registration
    x.registration_ms.release.releases.remove_q.rename.renew.reply.report.reported.reprint
    x.reprints.request.request_recovery.reserve.reset.reset_cause.resolve.response.responses
    x.rest.rest_ms.restart.restarted.restarts.restated.rests.retire.retry_ms.reversed.revision
    x.revisions.right.ring.rings.road.role.roles.rollout.room.room_for_sale.root.root_bytes
    x.root_version.rotated.rounds.rows.rpartition.rsa.rsa_pss.rtc.run.run_flow.run_once.rung
    x.running.running_sha256.running_well.runs.s.s_config.s_journal.s_stolen.s_wiped.said.sale
    x.sale_no.sales.salt.same.save.say.scan.scheme.scratch.screen.script.seal.seal_request
    x.sealed.search_again_ms.search_ms.second_ms.seconds.secret.sector.sector_of.sectors
    x.sectors_read.security_fits.security_version.seek.seen.select.self_test.selftest_deadline_s
    x.sell.sell_q.sell_what.seller.seller_of.selling.sent.sequence.serial.serve.server
    x.server_time.service.session.sessions.set_aside.set_pin.set_rtc.settings.settle.settled
    x.settled_at.sha256.sha512.sham.shape.shared.shift.shift_copy.shift_open.shift_slip.shifts
    x.shop.shorten.show.show_pin_q.shown.sift.sig.sign_in.signal.signature.signatures.signed
    x.signers.silence_ms.sim.sim800.sim_locked.sim_ms.sim_network.since.since_monday.sink.size
    x.size_bytes.skip.sleep.sleep_ms.slip.slot.slot_.slot_a.slot_b.slot_state.slots.small.sms
    x.sms_box.sms_q.sms_to.sms_waiting.snapshot.snapshot_version.snd.soft.sold.sold_t.sound
    x.sound_display.sources.spell.spell_on.spent.spent_batch.spoiled.st_back.st_doubt.st_out
    x.st_ready.st_refused.st_unread.st_waits.stale.standard.standing.stands.start.start_trial
    x.started.starter.starting.starts.stat.state.status.status_bar.statvfs.stdin.stdout.stem
    x.step_minor.step_ms.stepping_stone.steps.still.stock.stock_delivery.stock_key.stock_left
    x.stock_q.stolen.stop_batches.stop_selling.storage.store.stream.strict.string.struct.submit
    x.sums.supervisor.sw.switch.sync.sync_s.sys.t.t_battery.t_clock.t_keys.t_lcd.t_memory.t_mute
    x.t_program.table.tag.take.take_channel.take_in.take_notices.take_raw.take_role.take_up
    x.taken.takes.tally.target.target_name.targets.task.tax_number.technician_permit.telephone
    x.tell.terminal.terminal_id.terminating.terms.test.tested.text.text_width.texted.texts.then
    x.then_token.threshold.through.ticks.ticks_add.ticks_diff.ticks_ms.ticks_us.tidy.till.time
    x.time_s.time_seen.time_text.timeout_ms.timestamp.timestamp_version.tip.title.titled.to_
    x.to_beat_ms.to_bill.today.token.token_.token_n.told.too_long.took.top.topup.total
    x.total_minor.totals.touched_within.tpdu.tr_done.tr_end.tr_mark.tr_name.tr_paper.tr_q
    x.training.transport.trial.trial_failed.trials.tried.tries.tries_left.trigger.trouble
    x.truncated.trust.trusted.try_others_first.tuf.tuf_delegations.tuf_files.tuf_paths
    x.tuf_signed.turn.turns_on.type_.type_again.typed.typed_again.u.uart.ui.uid.umount
    x.unconfirmed_boots.unconfirmed_boots_allowed.unconsumed_tail.under_way.unescape.unfinished
    x.unhexlify.union.unix_seconds.unknown.unlock.unpack.unpack_from.unread.unread_prices
    x.unreadable.unseal.unsent.unsent_sales.unsolicited.unsynced.unsynced_count.until.up.up_key
    x.update.update_delegated.update_root.update_snapshot.update_targets.update_timestamp
    x.updates.use.usual_ms.utc_offset_s.utf8.v.verified.verify.verify_signature.version.versions
    x.vfs.view.views.void_at.voucher.voucher_sequence.w.wait.wait_at_most.wait_for_ms
    x.wait_for_network.wait_modem.wait_ms.wait_name.wait_out.wait_print.wait_sales.wait_sms
    x.waiting.waits.waits_for.waits_ms.walk.wanted.wanted_s.was_asked.watch.watchdog.way.ways.wb
    x.weak.weak_t.what.when.where.who.whole.why.width.width_px.window.windows.wipe.wipe_after_s
    x.wiped.wiped_through.with_keys.with_notices.with_signal.with_t.within.word.words.work.wrap
    x.wrap_columns.writeblocks.writes.written.wrong.wrong_pin.x.y.year.yo.your_pin.z.z_copy
    x.z_make.z_none.z_number.z_report.zlib["  "][" - "][" / "][" @%d"][" HTTP/1.1"][" at byte "]
    x[" bytes"][" first"][" h"][" is "][" is for "][" payload: "][" refused: "][" s"]["!"]['"']
    x['"%s"']["#"]["$"]["%"]["%%%02X"]["%23"]["&"]["'"]["("][")"]["*"]["*C"]["+"]["+-"][","]
    x[", "]["-"]["--"]["-._~"]["-from-"]["."][".."][".full"][".json"][".last"][".model"][".new"]
    x[".patch"][".practice"][".root.json"]["/"]["/data"]["/m"]["/plan.json"]["/stock"]["/trust"]
    x["/tuf/news/"]["/tuf/p/"]["0"]["0123456789"]["04"]["1"]["1."]["11 / 13"]["2"]["3"]["4"]
    x["5"]["6"]["7"]["8"]["9"][":"][": "][": FAULT"][": ok"][":%d"][";"]["<"]["<H"]["<I"]
    x["<dictcomp>"]["<genexpr>"]["<lambda>"]["<listcomp>"]["="][">"][">4sIII8sH"][">BBII"][">I"]
    x[">II"]["?"]["@"]["@ "]["AB*#"]["CME "]["HTTP/1.0"]["Host: "]["Tel."]["Tel. "]["Terminal "]
    x["["]["]"]["^"]["`"]["brake-"]["brake/"]["brake: "]["check in"]["check-in"]["chunk size"]
    x["class"]["copy "]["cut short"]["day report"]["expanding "]["host name"]["journal: "]
    x["keyid "]["left alone"]["modem: "]["news: "]["no list"]["no memory"]["no room"]
    x["no value"]["not UTF-8"]["not a map"]["not a time"]["not kept: "]["not ready"]
    x["partition "]["people: {}"]["person "]["printer "]["receive: "]["refused: "]["rollout-"]
    x["rollout/"]["root %d"]["root.json"]["signed in"]["signed out"]["sms: "]["stock/%d"]
    x["stock: "]["too long"]["too many"]["too slow"]["two of "]["w+b"]["{"]["{} - {}"]
    x["{} mV {}%"]["{} x {}"]["{} {}"]["{} {}: {}"]["{}/{}-{}"]["{}/{}.cbor"]["|"]["}"]["~"]
    x["̀́"]
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
    import firmware.flows.steps.explain, firmware.flows.steps.favourites
    import firmware.flows.steps.finish, firmware.flows.steps.hand_over
    import firmware.flows.steps.held, firmware.flows.steps.others, firmware.flows.steps.paper
    import firmware.flows.steps.pin, firmware.flows.steps.reach, firmware.flows.steps.recipient
    import firmware.flows.steps.report, firmware.flows.steps.self_test
    import firmware.flows.steps.shift_slip, firmware.flows.steps.sim_network
    import firmware.flows.steps.spell, firmware.flows.steps.versions, firmware.flows.topup
    import firmware.flows.training, firmware.flows.z_report, firmware.kept
    import firmware.kept.config, firmware.kept.files, firmware.kept.memory
    import firmware.kept.notices, firmware.kept.people, firmware.kept.store, firmware.lent
    import firmware.log, firmware.main, firmware.net, firmware.net.coap, firmware.net.http
    import firmware.net.http_client, firmware.net.link, firmware.net.modem
    import firmware.net.modem.advice, firmware.net.modem.chat, firmware.net.modem.climb
    import firmware.net.modem.driver, firmware.net.modem.errors, firmware.net.modem.figures
    import firmware.net.modem.joining, firmware.net.modem.ladder, firmware.net.modem.m95
    import firmware.net.modem.names, firmware.net.modem.no_link, firmware.net.modem.sim800
    import firmware.net.modem.sms, firmware.net.modem.standard, firmware.net.modem.start
    import firmware.office, firmware.office.ask, firmware.office.by_sms
    import firmware.office.check_in, firmware.office.datagram, firmware.office.look_up
    import firmware.office.messenger, firmware.office.sms_box, firmware.office.stock_delivery
    import firmware.office.sync, firmware.office.windows, firmware.paper
    import firmware.paper.letters, firmware.paper.practice, firmware.paper.receipt
    import firmware.sales, firmware.sales.away, firmware.sales.by_others
    import firmware.sales.cancelling, firmware.sales.catalogue, firmware.sales.details
    import firmware.sales.journal, firmware.sales.mounting, firmware.sales.offline_limits
    import firmware.sales.price_list, firmware.sales.product, firmware.sales.recent
    import firmware.sales.ring, firmware.sales.sale, firmware.sales.scan, firmware.sales.seller
    import firmware.sales.shifts, firmware.sales.state, firmware.sales.stock
    import firmware.sales.tally, firmware.sales.till, firmware.service
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
    import firmware.update.reader, firmware.update.record, firmware.update.server
    import firmware.update.switch, firmware.update.taken, firmware.update.verified
