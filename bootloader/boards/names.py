"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
    x.A.AB.ACK.AES.AMOUNT.ANSWERED.ANSWER_BYTES.ANSWER_MS.AWAKE_SCANS.Answer.B.BEAT_MS.BIG.BILL
    x.BLIND_START_S.BODY_LIMIT_BYTES.BOOT.BOOTLOADER_VERSION.BadReply.BadResponse.Battery.Bell
    x.BlockDevice.Box.Buzzer.BytesIO.C.CANCEL.CANCELLED.CARRIED.CASHIER.CBC.CHECK_IN.CHUNK_BYTES
    x.COLUMNS.COMMANDS.CON.COPY.COVER_OPEN.Canvas.Catalogue.CatalogueError.CborError.Cell.Chat
    x.ChatAborted.ChatError.ChatTimeout.CheckIn.Choice.Cipher.Clock.Commands.Config.ConfigError
    x.ConnectionLost.ControlBlock.ControlError.D.DATA_BYTES.DAY_S.DEFLATED.DELIVERED.DETAILS
    x.DUKA_R1.Debouncer.DeflateIO.Delegation.DeltaError.Dialogs.Display.Download.Duka.E.ECB
    x.ERROR.ERRORS.EVEN.EXTRA.Encrypt0.Envelope.Event.Expired.F.FILE.FIRST_LOCK_S.FLAGS
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
    x.PAGE_BYTES.PAPER_OUT.PATH.PENDING.PIN.PITCH.POLLIN.POST.PRINTED.PRINTER_BAUD.PRINT_MS
    x.Partition.PartitionError.PatchError.Payload.People.PeopleError.Person.Preparation.Prices
    x.Printer.Product.Products.Q.QUEUE_KEYS.R.RADIO_SILENT_MS.REASON_BYTES.RECEIVE_BYTES
    x.RECORD_BYTES.REFUSED.REPLY_BYTES.REPRINT.RESERVE_BYTES.REST_BEAT_MS.REST_MS.RETRY_FIRST_MS
    x.RST.RUNGS.Radio.Range.Reader.Recent.Recipient.Record.Refused.RegistrationDenied.Release
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
    x.Y.Z.ZLIB.Z_REPORT._._ACTIVE._ACUTE._ADRIFT_MS._ALGORITHM._ANSWER_MS._ASK._AT_A_GLANCE
    x._AT_ONCE_MS._AT_REST._A_PAGE._Answer._BASE._BOLD._BOUNDS._BREAK._BY_OTHERS._BY_SMS
    x._BY_SMS_MS._CALL._CANCELLING._CAPITALS._CELL._CENTRE._CHECK_IN._CLIMB._CONFIG._COUNTS
    x._CURVE._Comparison._DATAGRAM._DAY._DAY_S._DIGITS._DOT._DOTTED._DOUBLE._ENTRIES._ERASED
    x._ERASED_WORD._ESCAPES._EXPONENT._EXTERNAL_AAD._Encryptor._Exactly._FAULTS._FEED._FEED_MS
    x._FILE._FINISHING._FIRST._FIRST_PAUSE_MS._FOR_SMS._GRAVE._HEAD._HISTOGRAMS._Here._IMAGE
    x._Image._Inflater._JUDGES._K._KEPT._KEY_MS._L._LATELY_MS._LEFT._LOGITS._LONGEST_LINE
    x._LONGEST_PAUSE_MS._LONGEST_SLEEP_MS._LOOK_MS._LOST._LOW._Lungs._MAGIC._METADATA
    x._METER_DIGITS._MISSES._MORE_STEPS._MOST._MOST_DIGITS._Made._NEEDED._NEEDS._NEW._NEWS
    x._NEW_PIN._NOBODY_LOOKS_MS._NONE._NOTHING_TO_SELL._NOT_ITS_FAULT._NO_NEWS._NO_SERVER._News
    x._OF_AN_OFFER._OF_PEOPLE._ONE_VALUE._ON_PAPER._OURS._OWNER._OWNERS._P._PACE._PAGE
    x._PAGES_PER_SECTOR._PAPER._PARTS._PART_RECORDS._PEOPLE._PERIOD._PIECES._PIN._PLAIN._POLL_MS
    x._PRICES._PRICE_LIST._PRINT_MS._PRODUCT._PROTECTED._QR_LOOK._QUIET_MS._READER._RECENT
    x._REMOVE._RENAME._REPLY_CHARS._REPLY_MS._REPORTS._REQUESTS._RESERVE._ROLES._ROOM._ROWS
    x._Reader._SBOX._SCAN._SECOND_MS._SECRET_SETTINGS._SEEK_MS._SELDOM_MS._SELLER._SELLING
    x._SHIFT._SHIFTED._SHIFTS._SIGNAL_MS._SINGLE._SLOT._SMS_BOX._SPACE._SPKI._START._STAY._STEPS
    x._STEPS_BY_OTHERS._STEPS_OF_AN_END._STEPS_OF_PEOPLE._STEPS_OF_REPORTS._STOCK._SYNC._Sink
    x._SlotWriter._Source._TAIL._TAIL_HIGH._TALL._TARGETS._TECHNICIAN._TECHNICIANS._TITLE_PX
    x._TODAY._TO_CHOOSE._TO_PREPARE._TO_VERIFY._Taken._UNFINISHED._UNKNOWN._VERSION._WEEK
    x._WINDOWS._WORDS._X._YESTERDAY.__aenter__.__aexit__.__all__.__dict__.__import__._aad._add
    x._address._adopt._adrift_ms._aes._affine._afford._after._after_same._after_two._again
    x._all_rows._alone._answer._answered._answers._append._array._ask._asked._asked_s._at._awake
    x._bar._base_multiple._batch._batches._battery._before._began._begin._begun_without_head
    x._bell._bit_weights._bits._block._block_at._board._boot._boot_count._bounded._braked
    x._breath_ms._breathe._broken._buffer._buzzer._by_hash._by_post._by_sms._bytes._cached
    x._candidate._canvas._carry._cash._cash_rows._catalogue._change._channel._check._check_bytes
    x._check_date._check_in._check_not_older._check_secret._check_snapshot_version._choose
    x._chunk._chunk_ms._chunks._circumstances._client._clock._close._code._code_bit._codes
    x._column._columns._commas._compress._confirm._console._control._control_of._copy._count
    x._cramped._cut._data_command._data_waiting._datagram._days._deadline._debouncer._decompress
    x._depth._details._digest._digits._distance._done._double._doubtful._drain._drawn._due_ms
    x._encrypt_block._end._enter._entry._erase._escaped._exchange._expand._expander._expires_s
    x._facts._failed._fed_ms._fetch._fetched._figure._file._files._fill._filled._finish_first
    x._first_since._fits._flag._flags._flash._flush._flushed._fold._folder._foot._fresh._from
    x._full._gate_closed._gate_facts._get._give_back._glob._go_on._halted._hand_out._hang_up
    x._head._head_bytes._head_line._heads._hear._heard._heed._held._here._hex._hints._history
    x._holds._holds_firmly._holds_s._host._in_command._in_set._in_turn._index._install._integers
    x._is_at_work._is_code._is_connected._is_number._is_open._is_permitted._is_selling
    x._is_watched._journal._judged._k._keep._keep_expired._kept._key._keypad._keys._kind._known
    x._last._late._lcd._length._limbs._limit_bytes._line._lines._list_stock._listed._listed_with
    x._load._load_checkpoint._lock._log._log_at._look._lost._made._make._make_room._map._mark
    x._mark_of._may_begin._may_install._may_sell._memory._messenger._metadata._missing._model
    x._modem._modem_log._must_look._name._named._names._need._needed._negated._newer
    x._newest_page._news._next._next_mark._no_network._nonce._not_yet._note._note_key._noted
    x._now._now_ns._now_s._number._number_in._numbers._obey._odd_multiples._of_before._of_bits
    x._of_details._of_same._off._offline_behind._old._old_size._oldest._on_catalogue._on_closed
    x._on_data._on_head._on_lost._on_ring._on_sms._one._one_of._only._open._open_books._opened
    x._order._others._out_of_service._outcome._owner._pace._pads._page._page_after._pair._parse
    x._partition._partitions._passed_over._path._patterns._pause._pause_ms._payload._piece
    x._pin_seal._place._plain._point._poll._poll_ms._poll_s._port._post._prepare
    x._press_power_key._pressed._pressed_or._print._printer._program._put_down_at._queue._radio
    x._range._rates._reach_out._read._read_catalogue._read_sms._reader._realtime._reason_bytes
    x._record._refused_batch._releases._remember._remove._renew_stock._rest._restate._resting
    x._rests_until_ms._resume._retry_s._ring._rings._roles._rollout._rows._rtc._run._running
    x._said._sale._same._same_weights._says._scan._scratch._seal._seal_of._sector._sector_hash
    x._security_version._seen._select._sell._selling._sells_by_sms._send._sent._server
    x._set_aside._settings._settle._shop._sign_in._signature._signatures._signers._since_z._sink
    x._size._size_bytes._skipping._slip._slots._snapshot._sold_from_stock._sort._sound._source
    x._speak._spoiled._spread._stand_aside._start._state._stirred._stock._stopped._store._stored
    x._stream._strengthen._switch._switch_off._sync_due_ms._t._table._tag._take._take_back
    x._take_in._take_root._taken._targets._technician_ms._terminal._terminal_id._text._ticks
    x._tidy._till._time_s._tip._to_dial._to_next_feed._token._told._told_s._touch._touched_ms
    x._trust._trusted._try._turned_on._type._uart._ui._unanswered._unmarked._unsent._until_end
    x._update_log._update_roots._updates._value._vat._verify_ed25519._version._w._wait._wake
    x._walk._wanted_s._watchdog._watched._ways._why._within._without_end._without_ghost._words
    x._write._xor8._xor_key_stream._zlib.a.a2b_base64.aad.aborts.accept.acknowledge.acknowledged
    x.action.active.add.added.adding.address.adopt.advice.aes.aes_cbc.aes_ecb.after_minor
    x.again_s.air.algorithms.alive.alive_ms.alone.also_settled.always.amount.amount_minor.answer
    x.answer_ms.answered.answers.any_down.apart.apn.apn_login.apn_user.apply.are_new.argument
    x.arguments.arm.array.ascii.ask.ask_for.ask_server.asks.asyncio.at.at_hand.at_least.at_most
    x.at_once.at_start.attach.attached.b.back.bad.bad_length.bad_meter.bad_start.base
    x.base_sha256.base_size.batch.batch_id.batch_ids.batches.battery.battery_mv.baud.before
    x.begin.begin_offline.begin_online.begin_trial.behind.bell.beside.big.bill.binascii.bits
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
    x.delivered.delivery.delta.denied.denied_ms.depth.derive_keys.desk.detail.details.device_key
    x.dial.dialogs.difference.digest.digest_of.digit.digits.direction.discard.display.do_
    x.do_challenge.do_configure.do_export.do_may_retire.do_retire.do_settings.do_status.do_sync
    x.do_test.do_unlock.done.doubt.down.down_key.download.drivers.dropped.due.due_ms.dump.dumps
    x.duplicate.duration_ms.duties.e.e_.e_other.earlier.ecdsa.ed25519.either.empty.en.encode
    x.encode_request.encode_within.encrypt.encryptor.ended.entry.enumerate.eof.equal.erase
    x.erase_sector.error.errors.etag.every_ms.everybody.exchange.exists.expand.expected_minor
    x.expired.expires.expires_s.expiry.explain.external_aad.extra.f.facts.fail.failed_release
    x.failure.failure_reason.fault.faults.feed.fetch.fetch_stock.fetch_voucher.fewest.field
    x.fields.file.file_name.files.fill.finish.firmware.first.first_kept.first_rung.fits.flag
    x.flags.flash.float.float_minor.float_now.flows.flush.folder.font.forget.forgotten_batch
    x.fork.forked.found.fr.free_bytes.free_sectors.fresh_until_s.from_hex.from_pem.from_sequence
    x.from_stock_refusal.fromhex.full.g.gap_ms.garbled.gate.gate_battery_mv.gate_blocks
    x.gate_facts.gate_idle_s.gate_sale.gate_unsynced_records.gc.gently.get_field.give_back
    x.give_up_lost.give_way.gives_way.glyph.good.grouped.groups.growth.h.ha.halted.hand_over
    x.happens.hardware.hardware_class.hardware_revision.hardware_revisions.has.has_kind.has_news
    x.has_passed.has_voucher.hash_flash.hashes.hashlib.head.head_ms.headers.heap_free.hear
    x.height.held.helpline.hex.hexlify.high.hint.hints.hkdf_sha256.hmac_sha256.hold.hold_back
    x.holds_s.host.hourly.http.http_client.http_post.hurry.i.identity.idle_ms.idle_s.image
    x.image_hash.image_sha256.image_size.image_size_bytes.implementation.in_step.in_stock.in_use
    x.inflater.info.install.instructions.invert.io.ioctl.irq.is_ascii.is_asked.is_blank.is_blind
    x.is_bound.is_copy.is_digits.is_due.is_empty.is_first.is_guessed_first.is_hourly.is_it
    x.is_known.is_last.is_meter.is_number.is_offered.is_open.is_plain.is_ready.is_renewed
    x.is_right.is_same.is_sound.is_still.is_sure.is_upgrade.is_watched.is_way_back.is_whole.item
    x.items_left.iv.j.joining.journal.journal_reads.journal_version.journal_writes.json.judge
    x.jump.jumps.k.keep.keep_expired.keep_from.keep_only.keep_pace.kept.kept_ms.key_first.key_ms
    x.key_n.key_within.keyid.keyids.keypad.keypad_columns.keypad_rows.keytype.keyval.kind.kinds
    x.known.l.label.ladder.language.languages.last.last_failure.last_look.last_money.last_q
    x.last_sale.last_sales.later.layout.lcd.learn.least.least_minor.ledger_minor.left.length
    x.length_bytes.length_s.lent.letter.letters.level.levels.lifted.limit_bytes.limits.line
    x.lines.link.listdir.listed.listed_version.load.load_prefix.loaded.loads.lock.lock_s.locked
    x.locked_for.log.login.longest_ms.look.look_back.look_up.looked.looked_s.lost.low.m.m_day
    x.m_info.m_language.m_messages.m_people.m_pin.m_reprint.m_sales.m_shift.m_z.made.main.major
    x.make.make_firm.make_room.make_z.malformed.mapped.mark.mark_bad.marked.match.matches.max
    x.max_age_s.max_amount_minor.max_bytes.max_count.max_depth.max_items.max_minor
    x.max_total_minor.may.may_be_asked.may_be_out.may_be_seen.may_begin.may_break.may_end
    x.may_format.may_go_on.may_leave.may_renew.may_text.mem_free.memory.memoryview.menu.merchant
    x.merchant_name.merchant_text.message.message_counter.message_id.messages.messenger.meta
    x.metadata.meter.method.milliseconds.min.min_bootloader.min_minor.minor_digits.missed.misses
    x.mistrust.mixed.mkdir.mkfs.mode.model.modem.modem_power_key.modes.modules.money
    x.money_and_dates.monotonic_ns.month.more.most.most_minor.most_ms.mount.mount_data.mounting
    x.ms.mtime.must_wait.mv.my_pin.n.n_.name.names.natural.net.network.new.new_catalogue.new_pin
    x.new_size.newer_lost.newest.news.next_number.next_rung.next_sequence.next_z.no_answer
    x.no_float.no_gprs.no_last.no_link.no_modem.no_name.no_network.no_news_s.no_paper.no_sim
    x.no_stock.nonce.not_among.not_before_s.not_kept.not_newer.not_sold.not_yet.note.note_key
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
    x.poll_ms.poll_s.port.post.postpone.postponed.power_cycle.power_key.prefix.prepare.price
    x.price_list.prices.printed.printer.product.product_id.products.program.prompt.property
    x.prove.pt.public.public_key.purpose.put.put_down.q.question.quiet.quoted.r.r_copy.r_day
    x.r_dial.r_digest.r_help.r_offline.r_records.r_sale.r_serial.r_shift.r_tax.r_thanks.r_valid
    x.r_vat.r_week.r_x.r_z.radio.radio_cycle.random.ranges.raw.rb.reach.reached.read_hashes
    x.read_into.read_keys.read_raw.read_signal.readable.readblocks.reads.ready.reason.recalled
    x.receipt.receive.received.recent.recipient.record.record_crash.records.recover.recovery
    x.refresh.refusal.refuse.refused.refused_numbers.register.registered.registration
    x.registration_ms.release.releases.remove_q.rename.renew.reply.report.reported.reprint
    x.reprints.request.request_recovery.reserve.reset.reset_cause.resolve.response.responses
    x.rest.rest_ms.restart.restarted.restarts.restated.rests.retire.retry_ms.reversed.revision
    x.revisions.right.ring.rings.road.role.roles.rollout.room.room_for_sale.root.root_bytes
    x.root_version.rotated.rounds.rows.rpartition.rsa.rsa_pss.rtc.run.run_flow.run_once.rung
    x.running.running_sha256.running_well.runs.s.s_config.s_journal.said.sale.sale_no.sales.salt
    x.same.save.say.scan.scheme.scratch.screen.script.seal.seal_request.sealed.search_again_ms
    x.search_ms.second_ms.seconds.secret.sector.sector_of.sectors.sectors_read.security_fits
    x.security_version.seek.seen.select.selftest_deadline_s.sell.sell_q.sell_what.seller
    x.seller_of.selling.sent.sequence.serial.serve.server.server_time.service.session.sessions
    x.set_aside.set_pin.set_rtc.settings.settle.settled.settled_at.sha256.sha512.sham.shape
    x.shared.shift.shift_open.shifts.shop.shorten.show.show_pin_q.shown.sift.sig.sign_in.signal
    x.signature.signatures.signed.signers.silence_ms.sim800.sim800_names.sim800_start.sim_locked
    x.sim_ms.since.since_monday.sink.size.size_bytes.skip.sleep.sleep_ms.slip.slot.slot_.slot_a
    x.slot_b.slot_state.slots.small.sms.sms_box.sms_q.sms_to.sms_waiting.snapshot
    x.snapshot_version.soft.sold.sold_t.sound.sources.spell.spell_on.spent.spent_batch.spoiled
    x.st_back.st_doubt.st_out.st_ready.st_refused.st_unread.st_waits.stale.standard.stands
    x.start_trial.started.starter.starting.starts.stat.state.status.status_bar.statvfs.stdin
    x.stdout.stem.step_minor.step_ms.stepping_stone.steps.stock.stock_delivery.stock_key
    x.stock_left.stock_q.stop_batches.stop_selling.storage.store.stream.strict.string.struct
    x.submit.sums.supervisor.sw.switch.sync.sync_s.sys.t.table.tables.tag.take.take_channel
    x.take_in.take_raw.take_role.take_up.takes.tally.target.target_name.targets.task.tax_number
    x.technician_permit.telephone.tell.terminal.terminal_id.terminating.terms.test.text
    x.text_width.texted.texts.then.then_token.threshold.through.ticks.ticks_add.ticks_diff
    x.ticks_ms.ticks_us.tidy.till.time.time_s.time_seen.time_text.timeout_ms.timestamp
    x.timestamp_version.tip.title.titled.to_.to_beat_ms.today.token.token_.token_n.told.too_long
    x.took.top.topup.total.total_minor.totals.touched_within.tpdu.transport.trial.trial_failed
    x.trials.tried.tries.tries_left.trigger.trouble.truncated.trust.trusted.try_others_first.tuf
    x.tuf_delegations.tuf_files.tuf_paths.tuf_signed.turns_on.type_.type_again.typed.typed_again
    x.u.uart.ui.uid.umount.unconfirmed_boots.unconfirmed_boots_allowed.unconsumed_tail.under_way
    x.unescape.unfinished.unhexlify.union.unix_seconds.unknown.unlock.unpack.unpack_from.unread
    x.unread_prices.unreadable.unseal.unsent.unsent_sales.unsolicited.unsynced.unsynced_count
    x.until.up.up_key.update.update_delegated.update_root.update_snapshot.update_targets
    x.update_timestamp.updates.use.utc_offset_s.utf8.v.verified.verify.verify_signature.version
    x.vfs.view.views.void_at.voucher.voucher_sequence.w.wait.wait_at_most.wait_for_ms
    x.wait_for_network.wait_ms.wait_name.wait_out.wait_print.wait_sales.wait_sms.waiting.waits
    x.waits_for.waits_ms.wanted.wanted_s.was_asked.watch.watchdog.way.ways.wb.weak.weak_t
    x.weights.what.where.who.whole.why.width.width_px.window.windows.with_keys.with_signal
    x.with_t.within.word.words.work.wrap.wrap_columns.writeblocks.writes.written.wrong.wrong_pin
    x.x.y.year.yo.your_pin.z.z_copy.z_make.z_none.z_number.z_report.zlib["  "][" - "]
    x[" HTTP/1.1"][" at byte "][" bytes"][" first"][" is "][" is for "][" payload: "]
    x[" refused: "][" s"]["!"]['"']['"%s"']["#"]["$"]["%"]["%%%02X"]["%23"]["&"]["'"]["("][")"]
    x["*"]["*C"]["+"]["+-"][","][", "]["-"]["--"]["-._~"]["-from-"]["."][".."][".full"][".json"]
    x[".last"][".new"][".root.json"]["/"]["/data"]["/m"]["/plan.json"]["/stock"]["/trust"]
    x["/tuf/news/"]["0"]["0123456789"]["04"]["1"]["1."]["11 / 13"]["2"]["3"]["4"]["5"]["6"]["7"]
    x["8"]["9"][":"][": "][": FAULT"][": ok"][":%d"][";"]["<"]["<H"]["<I"]["<dictcomp>"]
    x["<genexpr>"]["<lambda>"]["<listcomp>"]["="][">"][">4sIII8sH"][">BBII"][">I"][">II"]["?"]
    x["@"]["CME "]["HTTP/1.0"]["Host: "]["Tel."]["Tel. "]["Terminal "]["["]["]"]["^"]["`"]
    x["brake-"]["brake/"]["brake: "]["check in"]["check-in"]["chunk size"]["class"]["cut short"]
    x["expanding "]["host name"]["journal: "]["keyid "]["left alone"]["modem: "]["news: "]
    x["no list"]["no memory"]["no room"]["no value"]["not UTF-8"]["not a map"]["not a time"]
    x["not kept: "]["not ready"]["partition "]["people: {}"]["person "]["printer "]["receive: "]
    x["refused: "]["rollout-"]["rollout/"]["root %d"]["root.json"]["signed in"]["signed out"]
    x["sms: "]["stock/%d"]["stock: "]["too long"]["too many"]["too slow"]["two of "]["w+b"]["{"]
    x["{} - {}"]["{} mV {}%"]["{} x {}"]["{} {}"]["{} {}: {}"]["{}/{}.cbor"]["|"]["}"]["~"]
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
    import firmware.net.modem.errors, firmware.net.modem.joining, firmware.net.modem.ladder
    import firmware.net.modem.no_link, firmware.net.modem.sim800
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
