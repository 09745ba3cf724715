"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
    x.A.AB.ACK.AES.AMOUNT.ANSWERED.ANSWER_BYTES.ANSWER_MS.AWAKE_SCANS.Answer.B.BIG.BILL
    x.BLIND_START_S.BODY_LIMIT_BYTES.BOOT.BOOTLOADER_VERSION.BadReply.BadResponse.Battery.Bell
    x.BlockDevice.Box.Buzzer.BytesIO.C.CANCEL.CANCELLED.CARRIED.CASHIER.CBC.CHECK_IN.CHUNK_BYTES
    x.COLUMNS.COMMANDS.CON.COPY.COVER_OPEN.Canvas.Catalogue.CatalogueError.CborError.Cell.Chat
    x.ChatAborted.ChatError.ChatTimeout.CheckIn.Choice.Cipher.Clock.Commands.Config.ConfigError
    x.ConnectionLost.ControlBlock.ControlError.D.DATA_BYTES.DAY_S.DEFLATED.DELIVERED.DETAILS
    x.DUKA_R1.Debouncer.DeflateIO.Delegation.DeltaError.Dialogs.Display.Download.Duka.E.ECB
    x.ERROR.ERRORS.EVEN.EXTRA.Encrypt0.Envelope.Event.Expired.F.FEED_MS.FILE.FIRST_LOCK_S.FLAGS
    x.FLOAT_MINOR.FOLDER.FREE_TRIES.Forked.Found.G.GET.GaveWay.Gone.H.HARDWARE_CLASS
    x.HARDWARE_REVISION.HEAD.HEAD_BYTES.HEAD_LIMIT_BYTES.HEIGHT.HINTS_TOP.HttpClient.HttpError.I
    x.IDLE_MS.IDLE_STEPS.INDEX.INTENT_OFFLINE.INTENT_ONLINE.IOBase.IRQ_FALLING.IRQ_RXIDLE.Idle
    x.InstallError.Interrupted.J.JOURNAL.JOURNAL_READS.JOURNAL_VERSION.Journal.JournalDamaged
    x.JournalFull.JsonError.K.KEYID_HEX_DIGITS.KEYS.KINDS.KNOWN_FILES.Kept.Keypad.Keys.L
    x.LANGUAGES.LEAST_DIGITS.LETTERS.LIMITS_BYTES.LINES.LINE_CHARS.LINE_LIMIT_BYTES.LOCK
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
    x.TrustError.TrustedMetadata.U.UINT32.UNKNOWN.UNTIL_END.UnicodeError.Untrusted.UpdateClient
    x.V.Verified.VfsLfs2.Voucher.W.WEAK_PERCENT.WHILE_SELLING.WIDTH.WORD_BYTES.Walk.Way.Words.X
    x.Y.Z.ZLIB.Z_REPORT._._ACTIVE._ACUTE._ADRIFT_MS._ALGORITHM._ANSWER_MS._ASK._ASKED_MS
    x._AT_A_GLANCE._AT_ONCE_MS._AT_REST._A_PAGE._Answer._BASE._BOLD._BOUNDS._BREAK._BY_OTHERS
    x._BY_SMS._BY_SMS_MS._CALL._CANCELLING._CAPITALS._CELL._CENTRE._CHECK_IN._CLIMB._CONFIG
    x._COUNTS._CURVE._Comparison._DATAGRAM._DAY._DAY_S._DIGITS._DOT._DOTTED._DOUBLE._ENTRIES
    x._ERASED._ERASED_WORD._ESCAPES._EXPONENT._EXTERNAL_AAD._Encryptor._Exactly._FAULTS._FEED
    x._FEED_MS._FILE._FINISHING._FIRST._FIRST_PAUSE_MS._FOR_SMS._GRAVE._HEAD._HELD._HISTOGRAMS
    x._Here._IMAGE._Image._Inflater._JUDGES._K._KEPT._KEY_MS._L._LATELY_MS._LEFT._LOGITS
    x._LONGEST_LINE._LONGEST_PAUSE_MS._LONGEST_SLEEP_MS._LOOK_MS._LOST._LOW._Lungs._MAGIC
    x._METADATA._METER_DIGITS._MISSES._MORE_STEPS._MOST._MOST_DIGITS._Made._NAME._NEEDED._NEEDS
    x._NEW._NEWS._NEW_PIN._NOBODY_LOOKS_MS._NONE._NOTHING_TO_SELL._NOTICES._NOT_ITS_FAULT
    x._NO_NEWS._NO_SERVER._News._OF_AN_OFFER._OF_PEOPLE._ONE_VALUE._ON_PAPER._OURS._OWNER
    x._OWNERS._P._PACE._PAGE._PAGES_PER_SECTOR._PAPER._PARTS._PART_RECORDS._PEOPLE._PERIOD
    x._PIECES._PIN._PLAIN._POLL_MS._PRICES._PRICE_LIST._PRINT_MS._PRODUCT._PROTECTED._QR_LOOK
    x._QUIET_MS._READER._RECENT._REMOVE._RENAME._REPLY_CHARS._REPLY_MS._REPORTS._REQUESTS
    x._RESERVE._ROLES._ROOM._ROWS._Reader._SBOX._SCAN._SECOND_MS._SECRET_SETTINGS._SEEK_MS
    x._SELDOM_MS._SELLER._SELLING._SHIFT._SHIFTED._SHIFTS._SIGNAL_MS._SINGLE._SLOT._SMS_BOX
    x._SPACE._SPKI._START._STATUS_MS._STAY._STEPS._STEPS_BY_OTHERS._STEPS_OF_AN_END
    x._STEPS_OF_PEOPLE._STEPS_OF_REPORTS._STOCK._SYNC._Sink._SlotWriter._Source._TAIL._TAIL_HIGH
    x._TALL._TARGETS._TECHNICIAN._TECHNICIANS._TITLE_PX._TODAY._TO_CHOOSE._TO_PREPARE._TO_VERIFY
    x._Taken._UNFINISHED._UNKNOWN._UNREAD._VERSION._WEEK._WINDOWS._WORDS._X._YESTERDAY
    x.__aenter__.__aexit__.__all__.__dict__.__import__._aad._add._address._adopt._adrift_ms._aes
    x._affine._afford._after._after_same._after_two._again._all_rows._alone._answer._answered
    x._answers._append._array._ask._asked._asked_from_ms._asked_s._at._awake._bar._base_multiple
    x._batch._batches._battery._before._began._begin._begun_without_head._bell._bit_weights
    x._bits._block._block_at._board._boot._boot_count._bounded._braked._breath_ms._breathe
    x._broken._buffer._buzzer._by_hash._by_post._by_sms._bytes._cached._candidate._canvas._carry
    x._cash._cash_rows._catalogue._change._channel._check._check_bytes._check_date._check_in
    x._check_not_older._check_secret._check_snapshot_version._choose._chunk._chunk_ms._chunks
    x._circumstances._client._clock._close._code._code_bit._codes._column._columns._commas
    x._compress._confirm._console._control._control_of._copy._count._cramped._cut._data_command
    x._data_waiting._datagram._days._deadline._debouncer._decompress._depth._details._digest
    x._digits._distance._done._double._doubtful._drain._drawn._due_ms._encrypt_block._end._enter
    x._entry._erase._escaped._exchange._expand._expander._expires_s._facts._failed._fed_ms
    x._fetch._fetched._figure._file._files._fill._filled._finish_first._first_since._fits._flag
    x._flags._flash._flush._flushed._fold._folder._foot._fresh._from._full._gate_closed
    x._gate_facts._get._give_back._glob._go_on._halted._hand_out._hang_up._has_asked._head
    x._head_bytes._head_line._heads._hear._heard._heed._held._here._hex._hints._history._holds
    x._holds_firmly._holds_s._host._in_command._in_set._in_turn._index._install._integers
    x._is_at_work._is_code._is_connected._is_copy._is_notice._is_number._is_open._is_permitted
    x._is_selling._is_watched._journal._judged._k._keep._keep_expired._kept._key._keypad._keys
    x._kind._known._last._late._lcd._length._limbs._limit_bytes._line._lines._list_stock._listed
    x._listed_with._load._load_checkpoint._lock._log._log_at._look._look_at_policy._lost._made
    x._made_room._make._make_room._map._mark._mark_of._may_begin._may_install._may_sell._memory
    x._messenger._metadata._missing._model._modem._modem_log._must_look._name._named._names
    x._need._needed._negated._newer._newest_page._news._next._next_mark._no_network._nonce
    x._not_yet._note._note_key._noted._now._now_ns._now_s._number._number_in._numbers._obey
    x._odd_multiples._of_before._of_bits._of_details._of_same._off._offline_behind._old
    x._old_size._oldest._on_catalogue._on_closed._on_data._on_head._on_lost._on_ring._on_sms
    x._one._one_of._only._open._open_books._opened._order._others._out_of_service._outcome
    x._owner._pace._pads._page._page_after._pair._parse._partition._partitions._passed_over
    x._path._patterns._pause._pause_ms._payload._piece._pin_seal._place._plain._point._poll
    x._poll_ms._poll_s._port._post._prepare._press_power_key._pressed._pressed_or._print
    x._printer._program._put_down_at._queue._radio._range._rates._reach_out._read
    x._read_catalogue._read_sms._reader._realtime._reason_bytes._record._refused_batch._releases
    x._remember._remove._renew_stock._rest._restate._rests_until_ms._resume._retry_s._ring
    x._rings._roles._rollout._rows._rtc._run._running._said._sale._same._same_weights._says
    x._scan._scratch._seal._seal_of._sector._sector_hash._security_version._seen._select._sell
    x._selling._sells_by_sms._send._sent._server._set_aside._settings._settle._shop._show
    x._sign_in._signature._signatures._signers._since_z._sink._size._size_bytes._skipping._slip
    x._slots._snapshot._sold_from_stock._sort._sound._source._speak._spoiled._spread
    x._stand_aside._standing._start._state._stock._stopped._store._stored._stream._strengthen
    x._switch._switch_off._sync_due_ms._t._table._tag._take._take_back._take_in._take_root
    x._taken._targets._technician_ms._tell._terminal._terminal_id._text._ticks._tidy._till
    x._time_s._tip._title._to_dial._token._told._told_s._touch._touched_ms._trust._trusted._try
    x._turned_on._type._uart._ui._unanswered._unmarked._unsent._until_end._update_log
    x._update_roots._updates._value._vat._verify_ed25519._version._w._wait._wake._walk._wanted_s
    x._was_open._watchdog._watched._ways._why._within._without_end._without_ghost._words._write
    x._xor8._xor_key_stream._zlib.a.a2b_base64.aad.aborts.accept.acknowledge.acknowledged.action
    x.active.add.added.adding.address.adopt.advice.aes.aes_cbc.aes_ecb.after_minor.again_s.air
    x.algorithms.alive.alive_ms.alone.also_settled.always.amount.amount_minor.answer.answer_ms
    x.answered.answers.any_down.apart.apn.apn_login.apn_user.apply.are_new.argument.arguments
    x.arm.array.ascii.ask.ask_for.ask_server.asks.asyncio.at.at_hand.at_least.at_most.at_once
    x.at_start.attach.attached.away_s.b.back.bad.bad_length.bad_meter.bad_start.base.base_sha256
    x.base_size.batch.batch_id.batch_ids.batches.battery.battery_mv.baud.before.begin
    x.begin_offline.begin_online.begin_trial.behind.bell.beside.big.bill.binascii.bits
    x.blind_starts.block.blocked.board.body.body_length.body_of.bold.boot.boot_count.boot_info
    x.boot_ms.booted.bootloader.boots.bottom.bound.braked.breath.breathe.bring.bring_up.buf
    x.buffer.built.built_s.busy.but.buzzer.by.by_datagram.by_number.by_others.by_sms.byte
    x.bytes_received.c.calendar.cancel.cancel_no.cancel_q.cancelled.cancelling.canonical.canvas
    x.cash_count.cash_minor.cash_now.cash_start.cashier.catalogue.cause.cbor.cell.certain.chain
    x.challenge.change.channel.char.character.charging.chat.check.check_bytes.check_in.check_it
    x.check_sim.check_target.checking.checkpoint.chip_id.choice.choose.chosen.chunk_size.chunked
    x.clear_failure.client.climb.clock.close_shift.closed.coap.coap_port.code.coded.codes
    x.collect.columns.columns_of.command.commands.commission.commission_minor.commission_of
    x.commit.compat.complete.condition.config.confirm.connect.connected.connection
    x.consistent_snapshot.console.container.content.content_range.contradicts.control.control_of
    x.copies.cose.count_fault.counted.counted_minor.counter.counts.cover_open.crash.crashes
    x.crashes_allowed.crc32.create.create_task.crypto.cryptography.cryptolib.currency.custom.cut
    x.cut_ask.cut_print.d.d_.d_other.damaged.data.data_command.data_vfs.datagram.date_text
    x.date_time.date_time_text.datetime.day.day_report.days.deadline_ms.debit_minor.decode
    x.decompress.decompressobj.default.deflate.delattr.delegated.delegation.delegations
    x.delivered.delivery.delta.denied.denied_ms.deposit.depth.derive_keys.desk.detail.details
    x.device_key.dial.dialogs.difference.digest.digest_of.digit.digits.direction.discard.display
    x.do_.do_challenge.do_configure.do_export.do_may_retire.do_retire.do_settings.do_status
    x.do_sync.do_test.do_unlock.done.doubt.down.down_key.download.drivers.dropped.due.due_ms
    x.dump.dumps.duplicate.duration_ms.duties.e.e_.e_other.earlier.ecdsa.ed25519.either.empty.en
    x.encode.encode_request.encode_within.encrypt.encryptor.ended.entry.enumerate.eof.equal
    x.erase.erase_sector.error.errors.etag.every_ms.everybody.exchange.exists.expand
    x.expected_minor.expired.expires.expires_s.expiry.explain.external_aad.extra.f.facts.fail
    x.failed_release.failure.failure_reason.fault.faults.feed.fetch.fetch_stock.fetch_voucher
    x.fewest.field.fields.file.file_name.files.fill.finish.firmware.first.first_kept.first_rung
    x.fits.flag.flags.flash.float.float_minor.float_now.float_then.flows.flush.folder.font
    x.forget.forgotten_batch.fork.forked.found.fr.free_bytes.free_sectors.fresh_until_s.from_hex
    x.from_pem.from_sequence.from_stock_refusal.fromhex.full.g.gap_ms.garbled.gate
    x.gate_battery_mv.gate_blocks.gate_facts.gate_idle_s.gate_sale.gate_unsynced_records.gc
    x.gently.get_field.give_back.give_up_lost.give_way.gives_way.glyph.good.grouped.groups
    x.growth.h.ha.halted.hand_over.happens.hardware.hardware_class.hardware_revision
    x.hardware_revisions.has.has_kind.has_news.has_passed.has_voucher.hash_flash.hashes.hashlib
    x.head.head_ms.headers.heap_free.hear.height.held.helpline.here.hex.hexlify.high.hint.hints
    x.hkdf_sha256.hmac_sha256.hold.hold_back.holds_s.host.hourly.http.http_client.http_post
    x.hurry.i.identity.idle_ms.idle_s.image.image_hash.image_sha256.image_size.image_size_bytes
    x.implementation.in_step.in_stock.in_use.inflater.info.install.instructions.invert.io.ioctl
    x.irq.is_ascii.is_asked.is_blank.is_blind.is_bound.is_copy.is_digits.is_due.is_empty
    x.is_first.is_guessed_first.is_hourly.is_it.is_known.is_last.is_meter.is_number.is_offered
    x.is_open.is_plain.is_ready.is_renewed.is_right.is_same.is_sound.is_still.is_sure.is_upgrade
    x.is_watched.is_way_back.is_whole.item.items_left.iv.j.joining.journal.journal_reads
    x.journal_version.journal_writes.json.judge.jump.jumps.k.keep.keep_expired.keep_from
    x.keep_only.keep_pace.kept.kept_ms.key_first.key_ms.key_n.key_within.keyid.keyids.keypad
    x.keypad_columns.keypad_rows.keytype.keyval.kind.kinds.known.l.label.ladder.language
    x.languages.last.last_failure.last_look.last_money.last_q.last_sale.last_sales.later.layout
    x.lcd.learn.least.least_minor.ledger_minor.left.length.length_bytes.length_s.lent.letter
    x.letters.level.levels.lifted.limit_bytes.limits.line.lines.link.listdir.listed
    x.listed_version.load.load_prefix.loaded.loads.lock.lock_s.locked.locked_for.log.login
    x.longest_ms.look.look_back.look_up.looked.looked_s.lost.low.m.m_day.m_info.m_language
    x.m_messages.m_people.m_pin.m_reprint.m_sales.m_shift.m_z.made.main.major.make.make_firm
    x.make_room.make_z.malformed.mapped.mark.mark_bad.marked.match.matches.max.max_age_s
    x.max_amount_minor.max_bytes.max_count.max_depth.max_items.max_minor.max_total_minor.may
    x.may_be_asked.may_be_out.may_be_seen.may_begin.may_break.may_end.may_format.may_go_on
    x.may_leave.may_renew.may_text.mem_free.memory.memoryview.menu.merchant.merchant_name
    x.merchant_text.message.message_counter.message_id.messages.messenger.meta.metadata.meter
    x.method.milliseconds.min.min_bootloader.min_minor.minor_digits.missed.misses.mistrust.mixed
    x.mkdir.mkfs.mode.model.modem.modem_power_key.modes.modules.money.money_and_dates
    x.monotonic_ns.month.more.most.most_minor.most_ms.mount.mount_data.mounting.ms.mtime
    x.must_wait.must_wipe.mv.my_pin.n.n_.name.names.natural.net.network.new.new_catalogue
    x.new_pin.new_size.newer_lost.newest.news.next_number.next_rung.next_sequence.next_z
    x.no_answer.no_float.no_gprs.no_last.no_link.no_modem.no_name.no_network.no_news_s.no_paper
    x.no_sim.no_stock.nonce.not_among.not_before_s.not_kept.not_newer.not_sold.not_yet.note
    x.note_key.nothing.notice.notice_told.notices.now.now_s.np_.number.numbers.o.of.of_days.off
    x.offer.offer_sms.offer_stock.office.offline.offline_count.offline_debit_minor
    x.offline_limits.offline_refusal.offline_total_minor.offset.ok.old.old_size.oldest
    x.on_catalogue.on_head.on_newest.on_registration.on_restart.on_trial.once_more.one.online
    x.only.open_pin.open_reply.open_sale.open_shift.open_still.opened.operation.operator.orphans
    x.os.other.others.out.out_of_service.outcome.owner.p.p256.pace.pack.pack_into.page.pages
    x.paid_out.pair.paper.paper_out.parent.parse.parse_head.parse_time.part.partition.partitions
    x.parts.patch.patched.path.path_matches.paths.pattern.pause.pause_ms.payload.payloads
    x.payloads_for.pbkdf2_sha256.pending.pending_t.people.percent.permille.permit.person
    x.person_of.pick_up.picture.piece.pieces.pieces_of.pin.pin_again.pin_easy.pin_groups
    x.pin_hash.pin_is.pin_kept.pin_lines.pin_new.pin_old.pin_rounds.pin_salt.pin_short.place
    x.places.plain.plain_body.policy.poll.poll_ms.poll_s.port.post.postpone.postponed
    x.power_cycle.power_key.prefix.prepare.price.price_list.prices.printed.printer.product
    x.product_id.products.program.prompt.property.prove.pt.public.public_key.purpose.put
    x.put_down.q.question.quiet.quoted.r.r_copy.r_day.r_dial.r_digest.r_help.r_offline.r_records
    x.r_sale.r_serial.r_shift.r_tax.r_thanks.r_valid.r_vat.r_week.r_x.r_z.radio.radio_cycle
    x.random.ranges.raw.rb.reach.reached.read_hashes.read_into.read_keys.read_raw.read_signal
    x.readable.readblocks.reads.ready.reason.recalled.receipt.receive.received.recent.recipient
    x.record.record_crash.records.recover.recovery.refresh.refusal.refuse.refused
    x.refused_numbers.register.registered.registration.registration_ms.release.releases.remove_q
    x.rename.renew.reply.report.reported.reprint.reprints.request.request_recovery.reserve.reset
    x.reset_cause.resolve.response.responses.rest.rest_ms.restart.restarted.restarts.restated
    x.rests.retire.retry_ms.reversed.revision.revisions.right.ring.rings.road.role.roles.rollout
    x.room.room_for_sale.root.root_bytes.root_version.rotated.rounds.rows.rpartition.rsa.rsa_pss
    x.rtc.run.run_flow.run_once.rung.running.running_sha256.running_well.runs.s.s_config
    x.s_journal.s_stolen.s_wiped.said.sale.sale_no.sales.salt.same.save.say.scan.scheme.scratch
    x.screen.script.seal.seal_request.sealed.search_again_ms.search_ms.second_ms.seconds.secret
    x.sector.sector_of.sectors.sectors_read.security_fits.security_version.seek.seen.select
    x.selftest_deadline_s.sell.sell_q.sell_what.seller.seller_of.selling.sent.sequence.serial
    x.serve.server.server_time.service.session.sessions.set_aside.set_pin.set_rtc.settings
    x.settle.settled.settled_at.sha256.sha512.sham.shape.shared.shift.shift_open.shifts.shop
    x.shorten.show.show_pin_q.shown.sift.sig.sign_in.signal.signature.signatures.signed.signers
    x.silence_ms.sim800.sim800_names.sim800_start.sim_locked.sim_ms.since.since_monday.sink.size
    x.size_bytes.skip.sleep.sleep_ms.slip.slot.slot_.slot_a.slot_b.slot_state.slots.small.sms
    x.sms_box.sms_q.sms_to.sms_waiting.snapshot.snapshot_version.soft.sold.sold_t.sound.sources
    x.spell.spell_on.spent.spent_batch.spoiled.st_back.st_doubt.st_out.st_ready.st_refused
    x.st_unread.st_waits.stale.standard.standing.stands.start_trial.started.starter.starting
    x.starts.stat.state.status.status_bar.statvfs.stdin.stdout.stem.step_minor.step_ms
    x.stepping_stone.steps.stock.stock_delivery.stock_key.stock_left.stock_q.stolen.stop_batches
    x.stop_selling.storage.store.stream.strict.string.struct.submit.sums.supervisor.sw.switch
    x.sync.sync_s.sys.t.table.tables.tag.take.take_channel.take_in.take_notices.take_raw
    x.take_role.take_up.takes.tally.target.target_name.targets.task.tax_number.technician_permit
    x.telephone.tell.terminal.terminal_id.terminating.terms.test.text.text_width.texted.texts
    x.then.then_token.threshold.through.ticks.ticks_add.ticks_diff.ticks_ms.ticks_us.tidy.till
    x.time.time_s.time_seen.time_text.timeout_ms.timestamp.timestamp_version.tip.title.titled
    x.to_.to_beat_ms.to_bill.today.token.token_.token_n.told.too_long.took.top.topup.total
    x.total_minor.totals.touched_within.tpdu.transport.trial.trial_failed.trials.tried.tries
    x.tries_left.trigger.trouble.truncated.trust.trusted.try_others_first.tuf.tuf_delegations
    x.tuf_files.tuf_paths.tuf_signed.turns_on.type_.type_again.typed.typed_again.u.uart.ui.uid
    x.umount.unconfirmed_boots.unconfirmed_boots_allowed.unconsumed_tail.under_way.unescape
    x.unfinished.unhexlify.union.unix_seconds.unknown.unlock.unpack.unpack_from.unread
    x.unread_prices.unreadable.unseal.unsent.unsent_sales.unsolicited.unsynced.unsynced_count
    x.until.up.up_key.update.update_delegated.update_root.update_snapshot.update_targets
    x.update_timestamp.updates.use.utc_offset_s.utf8.v.verified.verify.verify_signature.version
    x.vfs.view.views.void_at.voucher.voucher_sequence.w.wait.wait_at_most.wait_for_ms
    x.wait_for_network.wait_ms.wait_name.wait_out.wait_print.wait_sales.wait_sms.waiting.waits
    x.waits_for.waits_ms.wanted.wanted_s.was_asked.watch.watchdog.way.ways.wb.weak.weak_t
    x.weights.what.when.where.who.whole.why.width.width_px.window.windows.wipe.wipe_after_s
    x.wiped.wiped_through.with_keys.with_notices.with_signal.with_t.within.word.words.work.wrap
    x.wrap_columns.writeblocks.writes.written.wrong.wrong_pin.x.y.year.yo.your_pin.z.z_copy
    x.z_make.z_none.z_number.z_report.zlib["  "][" - "][" @%d"][" HTTP/1.1"][" at byte "]
    x[" bytes"][" first"][" is "][" is for "][" payload: "][" refused: "][" s"]["!"]['"']
    x['"%s"']["#"]["$"]["%"]["%%%02X"]["%23"]["&"]["'"]["("][")"]["*"]["*C"]["+"]["+-"][","]
    x[", "]["-"]["--"]["-._~"]["-from-"]["."][".."][".full"][".json"][".last"][".new"]
    x[".root.json"]["/"]["/data"]["/m"]["/plan.json"]["/stock"]["/trust"]["/tuf/news/"]["0"]
    x["0123456789"]["04"]["1"]["1."]["11 / 13"]["2"]["3"]["4"]["5"]["6"]["7"]["8"]["9"][":"]
    x[": "][": FAULT"][": ok"][":%d"][";"]["<"]["<H"]["<I"]["<dictcomp>"]["<genexpr>"]
    x["<lambda>"]["<listcomp>"]["="][">"][">4sIII8sH"][">BBII"][">I"][">II"]["?"]["@"]["@ "]
    x["CME "]["HTTP/1.0"]["Host: "]["Tel."]["Tel. "]["Terminal "]["["]["]"]["^"]["`"]["brake-"]
    x["brake/"]["brake: "]["check in"]["check-in"]["chunk size"]["class"]["cut short"]
    x["expanding "]["host name"]["journal: "]["keyid "]["left alone"]["modem: "]["news: "]
    x["no list"]["no memory"]["no room"]["no value"]["not UTF-8"]["not a map"]["not a time"]
    x["not kept: "]["not ready"]["partition "]["people: {}"]["person "]["printer "]["receive: "]
    x["refused: "]["rollout-"]["rollout/"]["root %d"]["root.json"]["signed in"]["signed out"]
    x["sms: "]["stock/%d"]["stock: "]["too long"]["too many"]["too slow"]["two of "]["w+b"]["{"]
    x["{} - {}"]["{} mV {}%"]["{} x {}"]["{} {}"]["{} {}: {}"]["{}/{}-{}"]["{}/{}.cbor"]["|"]
    x["}"]["~"]["̀́"]
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
    import firmware.drivers.keypad, firmware.drivers.lcd, firmware.drivers.printer
    import firmware.duties, firmware.duties.apart, firmware.duties.check_in
    import firmware.duties.out_of_service, firmware.duties.radio, firmware.duties.status_bar
    import firmware.duties.supervisor, firmware.duties.trial, firmware.flows
    import firmware.flows.bill, firmware.flows.day_report, firmware.flows.float
    import firmware.flows.info, firmware.flows.language, firmware.flows.last_sales
    import firmware.flows.menu, firmware.flows.messages, firmware.flows.meter
    import firmware.flows.my_pin, firmware.flows.people, firmware.flows.recover
    import firmware.flows.reprint, firmware.flows.sell, firmware.flows.session
    import firmware.flows.shift, firmware.flows.sign_in, firmware.flows.steps
    import firmware.flows.steps.amount, firmware.flows.steps.ask_server
    import firmware.flows.steps.cancel, firmware.flows.steps.choose, firmware.flows.steps.day
    import firmware.flows.steps.explain, firmware.flows.steps.finish
    import firmware.flows.steps.hand_over, firmware.flows.steps.held
    import firmware.flows.steps.others, firmware.flows.steps.paper, firmware.flows.steps.pin
    import firmware.flows.steps.reach, firmware.flows.steps.recipient
    import firmware.flows.steps.report, firmware.flows.steps.spell, firmware.flows.topup
    import firmware.flows.z_report, firmware.kept, firmware.kept.config, firmware.kept.files
    import firmware.kept.memory, firmware.kept.notices, firmware.kept.people
    import firmware.kept.store, firmware.lent, firmware.log, firmware.main, firmware.net
    import firmware.net.coap, firmware.net.http, firmware.net.http_client, firmware.net.link
    import firmware.net.modem, firmware.net.modem.advice, firmware.net.modem.chat
    import firmware.net.modem.climb, firmware.net.modem.errors, firmware.net.modem.joining
    import firmware.net.modem.ladder, firmware.net.modem.no_link, firmware.net.modem.sim800
    import firmware.net.modem.sim800_names, firmware.net.modem.sim800_start
    import firmware.net.modem.sms, firmware.net.modem.standard, firmware.office
    import firmware.office.ask, firmware.office.by_sms, firmware.office.check_in
    import firmware.office.datagram, firmware.office.look_up, firmware.office.messenger
    import firmware.office.sms_box, firmware.office.stock_delivery, firmware.office.sync
    import firmware.office.windows, firmware.paper, firmware.paper.letters
    import firmware.paper.receipt, firmware.sales, firmware.sales.by_others
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
    import firmware.update.record, firmware.update.server, firmware.update.switch
    import firmware.update.verified
