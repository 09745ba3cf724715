"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
    x.A.AB.ACK.ADDRESS.AES.AMOUNT.ANSWERED.ANSWER_BYTES.ANSWER_MS.AWAKE_SCANS.Answer.B.BIG.BILL
    x.BLIND_START_S.BODY_LIMIT_BYTES.BOOT.BOOTLOADER_VERSION.BadReply.BadResponse.Battery.Bell
    x.BlockDevice.Box.Buzzer.BytesIO.C.CANCEL.CANCELLED.CARRIED.CASHIER.CBC.CHECK_IN.CHUNK_BYTES
    x.COLUMNS.COMMANDS.CON.COPY.COVER_OPEN.Canvas.Catalogue.CatalogueError.CborError.Cell.Chat
    x.ChatAborted.ChatError.ChatTimeout.CheckIn.Choice.Cipher.Clock.Commands.Config.ConfigError
    x.ConnectionLost.ControlBlock.ControlError.D.DATA_BYTES.DAY_S.DEFLATED.DELIVERED.DETAILS
    x.DUKA_R1.Debouncer.DeflateIO.Delegation.DeltaError.Dialogs.Display.Download.Duka.E.ECB
    x.ERROR.ERRORS.EVEN.EXTRA.Encrypt0.Envelope.Event.Expired.F.FEED_MS.FILE.FIRST_LOCK_S.FLAGS
    x.FLOAT_MINOR.FREE_TRIES.Forked.Found.G.GET.GaveWay.Gone.H.HARDWARE_CLASS.HARDWARE_REVISION
    x.HEAD.HEAD_BYTES.HEAD_LIMIT_BYTES.HEIGHT.HINTS_TOP.HttpClient.HttpError.I.IDLE_MS
    x.IDLE_STEPS.INDEX.INTENT_OFFLINE.INTENT_ONLINE.IOBase.IRQ_FALLING.IRQ_RXIDLE.Idle
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
    x.PAGE_BYTES.PAPER_OUT.PATH.PENDING.PIN.PITCH.POLLIN.POST.POWER_DOWN.PRINTED.PRINTER_BAUD
    x.PRINT_MS.Partition.PartitionError.PatchError.Payload.People.PeopleError.Person.Preparation
    x.Prices.Printer.Product.Products.Q.QUEUE_KEYS.R.RADIO_SILENT_MS.REASON_BYTES.RECEIVE_BYTES
    x.RECORD_BYTES.REFUSED.REFUSE_CALLS.REPLY_BYTES.REPRINT.RESERVE_BYTES.RESOLVE.REST_MS
    x.RETRY_FIRST_MS.RST.RUNGS.Radio.Range.Reader.Recent.Recipient.Record.Refused
    x.RegistrationDenied.Release.ReleaseRefused.Report.Response.Ring.Rollback.Rollout.Running.S
    x.SALE.SCAN_MS.SEARCHING.SECTOR_BYTES.SEND_BYTES.SETTING.SETTLED.SHIFT_CLOSED.SHIFT_OPENED
    x.SHOW_MS.SLOT_STATES.SMALL.START_SWEEP_BYTES.STEADY_SCANS.STOCK.STOCK_HELD.STOCK_RECEIVED
    x.STOCK_RECORD.SWEEP_BYTES.Sale.SaleFirst.SaleRefused.SalesState.Scan.ScanError.Screen
    x.SealError.SelfTestFailed.Server.ServerRefused.Shift.Shifts.SignatureCheck.Signers
    x.SimLocked.Slot.SpiDisplay.State.StdioConsole.Stock.StockError.StorageError.Store
    x.StreamReader.Supervisor.T.TABLE.TAG_BYTES.TALLY.TECHNICIAN.TECHNICIAN_SILENT_MS.TEXTS
    x.TICK_MS.TIMESTAMP_BYTES.TOP.TOPUP.Tally.TargetsFile.TargetsRoles.Terminal.ThreadSafeFlag
    x.Till.TimeoutError.TooLarge.TrustError.TrustedMetadata.U.UINT32.UNKNOWN.UNTIL_END
    x.UnicodeError.Untrusted.UpdateClient.V.Verified.VfsLfs2.Voucher.W.WEAK_PERCENT
    x.WHILE_SELLING.WIDTH.WORDS.WORD_BYTES.Walk.Way.Words.X.Y.Z.ZLIB.Z_REPORT._._ACTIVE._ACUTE
    x._ADRIFT_MS._ALGORITHM._ANSWERS._ANSWER_MS._ASK._AT_A_GLANCE._AT_ONCE_MS._AT_REST._A_PAGE
    x._Answer._BASE._BOLD._BOUNDS._BREAK._BY_OTHERS._BY_SMS._BY_SMS_MS._CALL._CANCELLING
    x._CAPITALS._CELL._CENTRE._CHECK_IN._CLIMB._CONFIG._COUNTS._CURVE._Comparison._DATAGRAM._DAY
    x._DAY_S._DIGITS._DOT._DOTTED._DOUBLE._ENTRIES._ERASED._ERASED_WORD._ESCAPES._EXPONENT
    x._EXTERNAL_AAD._Encryptor._Exactly._FAULTS._FEED._FEED_MS._FILE._FINISHING._FIRST
    x._FIRST_PAUSE_MS._FOR_SMS._GRAVE._HEAD._HISTOGRAMS._Here._IMAGE._Image._Inflater._JUDGES._K
    x._KEPT._KEY_MS._L._LATELY_MS._LEFT._LOGITS._LONGEST_LINE._LONGEST_PAUSE_MS
    x._LONGEST_SLEEP_MS._LOOK_MS._LOST._LOW._Lungs._MAGIC._METADATA._METER_DIGITS._MISSES
    x._MORE_STEPS._MOST._MOST_DIGITS._Made._NEEDED._NEEDS._NEW._NEWS._NEW_PIN._NOBODY_LOOKS_MS
    x._NONE._NOTHING_TO_SELL._NOT_ITS_FAULT._NO_NEWS._NO_SERVER._News._OF_AN_OFFER._OF_PEOPLE
    x._ONE_VALUE._ON_PAPER._OURS._OWNER._OWNERS._P._PACE._PAGE._PAGES_PER_SECTOR._PAPER._PARTS
    x._PART_RECORDS._PEOPLE._PERIOD._PIECES._PIN._PLAIN._POLL_MS._PRICES._PRICE_LIST._PRINT_MS
    x._PRODUCT._PROTECTED._QR_LOOK._QUIET_MS._READER._RECENT._REMOVE._RENAME._REPLY_CHARS
    x._REPLY_MS._REPORTS._REQUESTS._RESERVE._ROLES._ROOM._ROWS._Reader._SBOX._SCAN._SECOND_MS
    x._SECRET_SETTINGS._SEEK_MS._SELDOM_MS._SELLER._SELLING._SHIFT._SHIFTED._SHIFTS._SIGNAL_MS
    x._SIM800._SINGLE._SLOT._SMS_BOX._SPACE._SPKI._START._STATUS_MS._STAY._STEPS
    x._STEPS_BY_OTHERS._STEPS_OF_AN_END._STEPS_OF_PEOPLE._STEPS_OF_REPORTS._STOCK._SYNC._Sink
    x._SlotWriter._Source._TAIL._TAIL_HIGH._TALL._TARGETS._TECHNICIAN._TECHNICIANS._TITLE_PX
    x._TODAY._TO_CHOOSE._TO_PREPARE._TO_VERIFY._Taken._UNFINISHED._UNKNOWN._VERSION._WEEK
    x._WINDOWS._WORDS._X._YESTERDAY.__aenter__.__aexit__.__all__.__dict__.__import__._aad._add
    x._address._adopt._adrift_ms._aes._affine._afford._after._after_same._after_two._again
    x._all_rows._alone._answer._answered._answers._append._array._ask._asked._asked_s._at._awake
    x._bar._base_multiple._batch._batches._battery._before._began._begin._begun_without_head
    x._bell._bit_weights._bits._block._block_at._board._boot._boot_count._bounded._braked
    x._breath_ms._breathe._bring_up._broken._buffer._buzzer._by_hash._by_post._by_sms._bytes
    x._cached._candidate._canvas._carry._cash._cash_rows._catalogue._change._channel._check
    x._check_bytes._check_date._check_in._check_not_older._check_secret._check_snapshot_version
    x._choose._chunk._chunk_ms._chunks._circumstances._client._clock._close._code._code_bit
    x._codes._column._columns._commas._compress._confirm._console._control._control_of._copy
    x._count._cramped._cut._data_command._data_waiting._datagram._days._deadline._debouncer
    x._decompress._depth._details._digest._digits._distance._done._double._doubtful._drain
    x._drawn._due_ms._encrypt_block._end._enter._entry._erase._escaped._exchange._expand
    x._expander._expires_s._facts._failed._fed_ms._fetch._fetched._figure._file._files._fill
    x._filled._finish_first._first_since._fits._flag._flags._flash._flush._flushed._fold._folder
    x._foot._fresh._from._full._gate_closed._gate_facts._get._give_back._glob._go_on._halted
    x._hand_out._hang_up._head._head_bytes._head_line._heads._hear._heard._heed._held._here._hex
    x._hints._history._holds._holds_firmly._holds_s._host._in_command._in_set._in_turn._index
    x._install._integers._is_at_work._is_code._is_connected._is_number._is_open._is_permitted
    x._is_selling._is_watched._journal._judged._k._keep._keep_expired._kept._key._keypad._keys
    x._kind._known._last._late._lcd._length._limbs._limit_bytes._line._lines._list_stock._listed
    x._listed_with._load._load_checkpoint._lock._log._log_at._look._lost._made._make._make_room
    x._map._mark._mark_of._may_begin._may_install._may_sell._memory._messenger._metadata
    x._missing._model._modem._modem_log._must_look._name._named._names._need._needed._negated
    x._newer._newest_page._news._next._next_mark._no_network._nonce._not_yet._note._note_key
    x._noted._now._now_ns._now_s._number._number_in._numbers._obey._odd_multiples._of_before
    x._of_bits._of_details._of_same._off._offline_behind._old._old_size._oldest._on_catalogue
    x._on_closed._on_data._on_head._on_lost._on_ring._on_sms._one._one_of._only._open
    x._open_books._opened._order._others._out_of_service._outcome._owner._pace._pads._page
    x._page_after._pair._parse._partition._partitions._passed_over._path._patterns._pause
    x._pause_ms._payload._piece._pin_seal._place._plain._point._poll._poll_ms._poll_s._port
    x._post._prepare._press_power_key._pressed._pressed_or._print._printer._program._put_down_at
    x._queue._radio._range._rates._reach_out._read._read_catalogue._read_sms._reader._realtime
    x._reason_bytes._record._refused_batch._releases._remember._remove._renew_stock._rest
    x._restate._rests_until_ms._resume._retry_s._ring._rings._roles._rollout._rows._rtc._run
    x._running._said._sale._same._same_weights._says._scan._scratch._seal._seal_of._sector
    x._sector_hash._security_version._seen._select._sell._selling._sells_by_sms._send._sent
    x._server._set_aside._settings._settle._shop._sign_in._signature._signatures._signers
    x._since_z._sink._size._size_bytes._skipping._slip._slots._snapshot._sold_from_stock._sort
    x._sound._source._speak._spoiled._spread._stand_aside._start._state._stock._stopped._store
    x._stored._stream._strengthen._switch._switch_off._sync_due_ms._t._table._tag._take
    x._take_back._take_in._take_root._taken._targets._technician_ms._terminal._terminal_id._text
    x._ticks._tidy._till._time_s._tip._to_dial._token._told._told_s._touch._touched_ms._trust
    x._trusted._try._turned_on._type._uart._ui._unanswered._unmarked._unsent._until_end
    x._update_log._update_roots._updates._value._vat._verify_ed25519._version._w._wait._wake
    x._walk._wanted_s._watchdog._watched._ways._which._why._within._without_end._without_ghost
    x._words._write._xor8._xor_key_stream._zlib.a.a2b_base64.aad.aborts.accept.acknowledge
    x.acknowledged.action.active.add.added.adding.address.adopt.advice.aes.aes_cbc.aes_ecb
    x.after_minor.again_s.air.algorithms.alive.alive_ms.alone.also_settled.always.amount
    x.amount_minor.answer.answer_ms.answered.answers.any_down.apart.apn.apn_login.apn_user.apply
    x.are_new.argument.arguments.arm.array.ascii.ask.ask_for.ask_server.asks.asyncio.at.at_hand
    x.at_least.at_most.at_once.at_start.attach.attached.b.back.bad.bad_length.bad_meter
    x.bad_start.base.base_sha256.base_size.batch.batch_id.batch_ids.batches.battery.battery_mv
    x.baud.before.begin.begin_offline.begin_online.begin_trial.behind.bell.beside.big.bill
    x.binascii.bits.blind_starts.block.blocked.board.body.body_length.body_of.bold.boot
    x.boot_count.boot_info.boot_ms.booted.bootloader.boots.bottom.bound.braked.breath.breathe
    x.bring.bring_up.buf.buffer.built.built_s.busy.but.buzzer.by.by_datagram.by_number.by_others
    x.by_sms.byte.bytes_received.c.calendar.cancel.cancel_no.cancel_q.cancelled.cancelling
    x.canonical.canvas.cash_count.cash_minor.cash_now.cash_start.cashier.catalogue.cause.cbor
    x.cell.certain.chain.challenge.change.channel.char.character.charging.chat.check.check_bytes
    x.check_in.check_it.check_sim.check_target.checking.checkpoint.chip_id.choice.choose.chosen
    x.chunk_size.chunked.clear_failure.client.climb.clock.close_shift.closed.coap.coap_port.code
    x.coded.codes.collect.columns.columns_of.command.commands.commission.commission_minor
    x.commission_of.commit.compat.complete.condition.config.confirm.connect.connected.connection
    x.consistent_snapshot.console.container.content.content_range.contradicts.control.control_of
    x.copies.cose.count_fault.counted.counted_minor.counter.counts.cover_open.crash.crashes
    x.crashes_allowed.crc32.create.create_task.crypto.cryptography.cryptolib.currency.custom.cut
    x.cut_ask.cut_print.d.d_.d_other.damaged.data.data_command.data_service.data_vfs.datagram
    x.date_text.date_time.date_time_text.datetime.day.day_report.days.deadline_ms.debit_minor
    x.decode.decompress.decompressobj.default.deflate.delattr.delegated.delegation.delegations
    x.delivered.delivery.delta.denied.denied_ms.depth.derive_keys.desk.detail.details.device_key
    x.dial.dialogs.difference.digest.digest_of.digit.digits.direction.discard.display.do_
    x.do_challenge.do_configure.do_export.do_may_retire.do_retire.do_settings.do_status.do_sync
    x.do_test.do_unlock.done.doubt.down.down_key.download.driver.drivers.dropped.due.due_ms.dump
    x.dumps.duplicate.duration_ms.duties.e.e_.e_other.earlier.ecdsa.ed25519.either.empty.en
    x.encode.encode_request.encode_within.encrypt.encryptor.ended.entry.enumerate.eof.equal
    x.erase.erase_sector.error.errors.etag.every_ms.everybody.exchange.exists.expand
    x.expected_minor.expired.expires.expires_s.expiry.explain.external_aad.extra.f.facts.fail
    x.failed_release.failure.failure_reason.fault.faults.feed.fetch.fetch_stock.fetch_voucher
    x.fewest.field.fields.file.file_name.files.fill.finish.firmware.first.first_kept.first_rung
    x.fits.flag.flags.flash.float.float_minor.float_now.flows.flush.folder.font.forget
    x.forgotten_batch.fork.forked.found.fr.free_bytes.free_sectors.fresh_until_s.from_hex
    x.from_pem.from_sequence.from_stock_refusal.fromhex.full.g.gap_ms.garbled.gate
    x.gate_battery_mv.gate_blocks.gate_facts.gate_idle_s.gate_sale.gate_unsynced_records.gc
    x.gently.get_field.give_back.give_up_lost.give_way.gives_way.glyph.good.grouped.groups
    x.growth.h.ha.halted.hand_over.happens.hardware.hardware_class.hardware_revision
    x.hardware_revisions.has.has_kind.has_news.has_passed.has_voucher.hash_flash.hashes.hashlib
    x.head.head_ms.headers.heap_free.hear.heard.height.held.helpline.hex.hexlify.high.hint.hints
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
    x.longest_ms.look.look_back.look_up.looked.looked_s.lost.low.m.m95.m_day.m_info.m_language
    x.m_messages.m_people.m_pin.m_reprint.m_sales.m_shift.m_z.made.main.major.make.make_firm
    x.make_room.make_z.malformed.mapped.mark.mark_bad.marked.match.matches.max.max_age_s
    x.max_amount_minor.max_bytes.max_count.max_depth.max_items.max_minor.max_total_minor.may
    x.may_be_asked.may_be_out.may_be_seen.may_begin.may_break.may_end.may_format.may_go_on
    x.may_leave.may_renew.may_text.mem_free.memory.memoryview.menu.merchant.merchant_name
    x.merchant_text.message.message_counter.message_id.messages.messenger.meta.metadata.meter
    x.method.milliseconds.min.min_bootloader.min_minor.minor_digits.missed.misses.mistrust.mixed
    x.mkdir.mkfs.mode.model.modem.modem_power_key.modes.modules.money.money_and_dates
    x.monotonic_ns.month.more.most.most_minor.most_ms.mount.mount_data.mounting.ms.mtime
    x.must_wait.mv.my_pin.n.n_.name.names.natural.net.network.new.new_catalogue.new_pin.new_size
    x.newer_lost.newest.news.next_number.next_rung.next_sequence.next_z.no_answer.no_float
    x.no_gprs.no_last.no_link.no_modem.no_name.no_network.no_news_s.no_paper.no_sim.no_stock
    x.nonce.not_among.not_before_s.not_kept.not_newer.not_sold.not_yet.note.note_key.nothing.now
    x.now_s.np_.number.numbers.o.of.of_days.off.offer.offer_sms.offer_stock.office.offline
    x.offline_count.offline_debit_minor.offline_limits.offline_refusal.offline_total_minor
    x.offset.ok.old.old_size.oldest.on_catalogue.on_head.on_newest.on_registration.on_restart
    x.on_trial.once_more.one.online.only.open_pin.open_reply.open_sale.open_shift.open_still
    x.opened.operation.operator.orphans.os.other.others.out.out_of_service.outcome.owner.p.p256
    x.pace.pack.pack_into.page.pages.pair.paper.paper_out.parent.parse.parse_head.parse_time
    x.part.partition.partitions.parts.patch.patched.path.path_matches.paths.pattern.pause
    x.pause_ms.payload.payloads.payloads_for.pbkdf2_sha256.pending.pending_t.people.percent
    x.permille.permit.person.person_of.pick_up.picture.piece.pieces.pieces_of.pin.pin_again
    x.pin_easy.pin_groups.pin_hash.pin_is.pin_kept.pin_lines.pin_new.pin_old.pin_rounds.pin_salt
    x.pin_short.place.places.plain.plain_body.policy.poll.poll_ms.poll_s.port.post.postpone
    x.postponed.power_cycle.power_key.prefix.prepare.price.price_list.prices.printed.printer
    x.product.product_id.products.program.prompt.property.prove.pt.public.public_key.purpose.put
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
    x.s_journal.said.sale.sale_no.sales.salt.same.save.say.scan.scheme.scratch.screen.script
    x.seal.seal_request.sealed.search_again_ms.search_ms.second_ms.seconds.secret.sector
    x.sector_of.sectors.sectors_read.security_fits.security_version.seek.seen.select
    x.selftest_deadline_s.sell.sell_q.sell_what.seller.seller_of.selling.sent.sequence.serial
    x.serve.server.server_time.service.session.sessions.set_aside.set_pin.set_rtc.settings
    x.settle.settled.settled_at.sha256.sha512.sham.shape.shared.shift.shift_open.shifts.shop
    x.shorten.show.show_pin_q.shown.sift.sig.sign_in.signal.signature.signatures.signed.signers
    x.silence_ms.sim800.sim_locked.sim_ms.since.since_monday.sink.size.size_bytes.skip.sleep
    x.sleep_ms.slip.slot.slot_.slot_a.slot_b.slot_state.slots.small.sms.sms_box.sms_q.sms_to
    x.sms_waiting.snapshot.snapshot_version.soft.sold.sold_t.sound.sources.spell.spell_on.spent
    x.spent_batch.spoiled.st_back.st_doubt.st_out.st_ready.st_refused.st_unread.st_waits.stale
    x.standard.stands.start.start_trial.started.starter.starting.starts.stat.state.status
    x.status_bar.statvfs.stdin.stdout.stem.step_minor.step_ms.stepping_stone.steps.stock
    x.stock_delivery.stock_key.stock_left.stock_q.stop_batches.stop_selling.storage.store.stream
    x.strict.string.struct.submit.sums.supervisor.sw.switch.sync.sync_s.sys.t.table.tables.tag
    x.take.take_channel.take_in.take_raw.take_role.take_up.takes.tally.target.target_name
    x.targets.task.tax_number.technician_permit.telephone.tell.terminal.terminal_id.terminating
    x.terms.test.text.text_width.texted.texts.then.then_token.threshold.through.ticks.ticks_add
    x.ticks_diff.ticks_ms.ticks_us.tidy.till.time.time_s.time_seen.time_text.timeout_ms
    x.timestamp.timestamp_version.tip.title.titled.to_.to_beat_ms.today.token.token_.token_n
    x.told.too_long.took.top.topup.total.total_minor.totals.touched_within.tpdu.transport.trial
    x.trial_failed.trials.tried.tries.tries_left.trigger.trouble.truncated.trust.trusted
    x.try_others_first.tuf.tuf_delegations.tuf_files.tuf_paths.tuf_signed.turns_on.type_
    x.type_again.typed.typed_again.u.uart.ui.uid.umount.unconfirmed_boots
    x.unconfirmed_boots_allowed.unconsumed_tail.under_way.unescape.unfinished.unhexlify.union
    x.unix_seconds.unknown.unlock.unpack.unpack_from.unread.unread_prices.unreadable.unseal
    x.unsent.unsent_sales.unsolicited.unsynced.unsynced_count.until.up.up_key.update
    x.update_delegated.update_root.update_snapshot.update_targets.update_timestamp.updates.use
    x.usual_ms.utc_offset_s.utf8.v.verified.verify.verify_signature.version.vfs.view.views
    x.void_at.voucher.voucher_sequence.w.wait.wait_at_most.wait_for_ms.wait_for_network.wait_ms
    x.wait_name.wait_out.wait_print.wait_sales.wait_sms.waiting.waits.waits_for.waits_ms.wanted
    x.wanted_s.was_asked.watch.watchdog.way.ways.wb.weak.weak_t.weights.what.where.who.whole.why
    x.width.width_px.window.windows.with_keys.with_signal.with_t.within.word.words.work.wrap
    x.wrap_columns.writeblocks.writes.written.wrong.wrong_pin.x.y.year.yo.your_pin.z.z_copy
    x.z_make.z_none.z_number.z_report.zlib["  "][" - "][" HTTP/1.1"][" at byte "][" bytes"]
    x[" first"][" is "][" is for "][" payload: "][" refused: "][" s"]["!"]['"']['"%s"']["#"]
    x["$"]["%"]["%%%02X"]["%23"]["&"]["'"]["("][")"]["*"]["*C"]["+"]["+-"][","][", "]["-"]["--"]
    x["-._~"]["-from-"]["."][".."][".full"][".json"][".last"][".new"][".root.json"]["/"]
    x["/data"]["/m"]["/plan.json"]["/stock"]["/trust"]["/tuf/news/"]["0"]["0123456789"]["04"]
    x["1"]["1."]["11 / 13"]["2"]["3"]["4"]["5"]["6"]["7"]["8"]["9"][":"][": "][": FAULT"]
    x[": ok"][":%d"][";"]["<"]["<H"]["<I"]["<dictcomp>"]["<genexpr>"]["<lambda>"]["<listcomp>"]
    x["="][">"][">4sIII8sH"][">BBII"][">I"][">II"]["?"]["@"]["CME "]["HTTP/1.0"]["Host: "]
    x["Tel."]["Tel. "]["Terminal "]["["]["]"]["^"]["`"]["brake-"]["brake/"]["brake: "]
    x["check in"]["check-in"]["chunk size"]["class"]["cut short"]["expanding "]["host name"]
    x["journal: "]["keyid "]["left alone"]["modem: "]["news: "]["no list"]["no memory"]
    x["no room"]["no value"]["not UTF-8"]["not a map"]["not a time"]["not kept: "]["not ready"]
    x["partition "]["people: {}"]["person "]["printer "]["receive: "]["refused: "]["rollout-"]
    x["rollout/"]["root %d"]["root.json"]["signed in"]["signed out"]["sms: "]["stock/%d"]
    x["stock: "]["too long"]["too many"]["too slow"]["two of "]["w+b"]["{"]["{} - {}"]
    x["{} mV {}%"]["{} x {}"]["{} {}"]["{} {}: {}"]["{}/{}.cbor"]["|"]["}"]["~"]["̀́"]
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
    import firmware.flows.steps.hand_over, firmware.flows.steps.others
    import firmware.flows.steps.paper, firmware.flows.steps.pin, firmware.flows.steps.reach
    import firmware.flows.steps.recipient, firmware.flows.steps.report
    import firmware.flows.steps.spell, firmware.flows.topup, firmware.flows.z_report
    import firmware.kept, firmware.kept.config, firmware.kept.files, firmware.kept.memory
    import firmware.kept.people, firmware.kept.store, firmware.lent, firmware.log
    import firmware.main, firmware.net, firmware.net.coap, firmware.net.http
    import firmware.net.http_client, firmware.net.link, firmware.net.modem
    import firmware.net.modem.advice, firmware.net.modem.chat, firmware.net.modem.climb
    import firmware.net.modem.driver, firmware.net.modem.errors, firmware.net.modem.joining
    import firmware.net.modem.ladder, firmware.net.modem.m95, firmware.net.modem.names
    import firmware.net.modem.no_link, firmware.net.modem.sim800, firmware.net.modem.sms
    import firmware.net.modem.standard, firmware.net.modem.start, firmware.office
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
