"""Names of the terminal's program, frozen into a board's interpreter: there they take no
heap. Never loaded. Made by `inv names`; what it does is told in `tools/lab/names.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    x = None
    x.A.AB.ACK.AES.AMOUNT.ANSWERED.ANSWER_BYTES.ANSWER_MS.AWAKE_SCANS.Answer.B.BIG.BILL
    x.BLIND_START_S.BODY_LIMIT_BYTES.BOOT.BOOTLOADER_VERSION.BadReply.BadResponse.Battery.Bell
    x.BlockDevice.Buzzer.BytesIO.C.CARRIED.CBC.CHECK_IN.CHUNK_BYTES.COLUMNS.COMMANDS.CON.COPY
    x.COVER_OPEN.Canvas.Catalogue.CatalogueError.CborError.Cell.Chat.ChatAborted.ChatError
    x.ChatTimeout.CheckIn.Choice.Cipher.Clock.Commands.Config.ConfigError.ConnectionLost
    x.ControlBlock.ControlError.D.DEFLATED.DELIVERED.DETAILS.DUKA_R1.DayReport.Debouncer
    x.DeflateIO.Delegation.DeltaError.Dialogs.Display.Download.Duka.E.ECB.ERROR.ERRORS.EVEN
    x.EXTRA.Encrypt0.Envelope.Event.Expired.F.FEED_MS.FILE.FIRST_LOCK_S.FLOAT_MINOR.FREE_TRIES
    x.Forked.Found.G.GET.GaveWay.Gone.H.HARDWARE_CLASS.HARDWARE_REVISION.HEAD.HEAD_BYTES
    x.HEAD_LIMIT_BYTES.HEIGHT.HINTS_TOP.HttpClient.HttpError.I.IDLE_MS.IDLE_STEPS.INDEX
    x.INTENT_OFFLINE.INTENT_ONLINE.IOBase.IRQ_RXIDLE.Idle.InstallError.Interrupted.J.JOURNAL
    x.JOURNAL_READS.JOURNAL_VERSION.Journal.JournalDamaged.JournalFull.JsonError.K
    x.KEYID_HEX_DIGITS.KEYS.KINDS.KNOWN_FILES.Kept.Keypad.Keys.L.LANGUAGES.LIMITS_BYTES.LINES
    x.LINE_CHARS.LINE_LIMIT_BYTES.LONGEST_LOCK_S.LONGEST_PAUSE_S.LOOK_UP.LOOK_UP_MS.Ladder
    x.LastLook.Lcd.LineReader.Link.LinkError.LinkTimeout.Listed.Lock.M.MAX_AGAIN_S.MAX_BATCHES
    x.MAX_BODY_BYTES.MAX_BYTES.MAX_DELEGATIONS.MAX_DEPTH.MAX_DETAILS.MAX_HEAD_BYTES.MAX_ITEMS
    x.MAX_LABEL.MAX_MESSAGE_BYTES.MAX_NAME.MAX_OPEN.MAX_PIN_BYTES.MAX_PRODUCTS
    x.MAX_ROOT_ROTATIONS.MAX_SERIAL_BYTES.MAX_VALUE.MAX_VOUCHERS.MERCHANT_SILENT_MS
    x.MESSAGE_BYTES.METER.MIN_PIN_BYTES.MODEM_BAUD.MOST.MOST_BYTES.Malformed.Memory.Messenger
    x.Metadata.Mismatch.Missing.Model.Modem.ModemError.Mount.N.NAMES.NETWORK_MS.NEW.NEWS.NON
    x.NONCE_BYTES.NO_ANSWER.Newest.NoCoverage.NoData.NoModem.NoNetwork.NoRanges.NoSim.NotSigned
    x.O.OFFLINE.OK.ONE_REQUEST_BYTES.ONLINE.OTHER.Offer.Open.P.PAGES.PAGE_BYTES.PAPER_OUT
    x.PENDING.PIN.PIN_DIGITS.PITCH.POLLIN.POST.PRINTED.PRINTER_BAUD.PRINT_MS.Partition
    x.PartitionError.PatchError.Payload.Preparation.Prices.Printer.Product.Products.Q.QUEUE_KEYS
    x.R.RADIO_SILENT_MS.REASON_BYTES.RECEIVE_BYTES.RECORD_BYTES.REFUSED.REPLY_BYTES.REPRINT
    x.RESERVE_BYTES.REST_MS.RETRY_FIRST_MS.RST.RUNGS.Radio.Range.Reader.Recent.Recipient.Record
    x.Refused.RegistrationDenied.Release.ReleaseRefused.Response.Ring.Rollback.Rollout.Running.S
    x.SALE.SCAN_MS.SEARCHING.SECTOR_BYTES.SEND_BYTES.SETTING.SETTLED.SHOW_MS.SLOT_STATES.SMALL
    x.START_SWEEP_BYTES.STEADY_SCANS.STOCK.STOCK_HELD.STOCK_RECEIVED.STOCK_RECORD.SWEEP_BYTES
    x.Sale.SaleRefused.SalesState.Scan.ScanError.Screen.SealError.SelfTestFailed.Server
    x.ServerRefused.SignatureCheck.Signers.SimLocked.Slot.SpiDisplay.State.StdioConsole.Stock
    x.StockError.StorageError.Store.StreamReader.Supervisor.T.TAG_BYTES.TECHNICIAN_SILENT_MS
    x.TEXTS.TICK_MS.TIMESTAMP_BYTES.TOP.TOPUP.TargetsFile.TargetsRoles.Terminal.ThreadSafeFlag
    x.Till.TimeoutError.TooLarge.TrustError.TrustedMetadata.U.UINT32.UNKNOWN.UNTIL_END
    x.UnicodeError.Untrusted.UpdateClient.V.Verified.VfsLfs2.Voucher.W.WHILE_SELLING.WIDTH.Walk
    x.Way.Words.X.Y.Z.ZLIB._ACTIVE._ADRIFT_MS._ALGORITHM._AT_A_GLANCE._AT_ONCE_MS._AT_REST
    x._A_PAGE._Answer._BASE._BOLD._BOUNDS._BREAK._BY_OTHERS._CENTRE._CHECK_IN._CLIMB._CONFIG
    x._COUNTS._CURVE._Comparison._DATAGRAM._DAY_S._DIGITS._DOUBLE._ENTRIES._ERASED._ERASED_WORD
    x._ESCAPES._EXPONENT._EXTERNAL_AAD._Encryptor._Exactly._FAULTS._FEED._FEED_MS._FILE
    x._FINISHING._FIRST._FIRST_PAUSE_MS._HEAD._HISTOGRAMS._Here._Image._Inflater._JUDGES._K
    x._KEPT._KEY_MS._L._LATELY_MS._LEFT._LOGITS._LONGEST_LINE._LONGEST_PAUSE_MS
    x._LONGEST_SLEEP_MS._LOOK_MS._LOST._LOW._Lungs._MAGIC._METADATA._METER_DIGITS._MISSES
    x._MORE_STEPS._MOST._MOST_DIGITS._Made._NEEDED._NEW._NEWS._NOBODY_LOOKS_MS._NOTHING_TO_SELL
    x._NOT_ITS_FAULT._NO_NEWS._NO_SERVER._News._OF_AN_OFFER._ONE_VALUE._ON_PAPER._OURS._P
    x._PAGES_PER_SECTOR._PARTS._PART_RECORDS._PERIOD._PLAIN._POLL_MS._PRICES._PRICE_LIST
    x._PRINT_MS._PRODUCT._PROTECTED._QUIET_MS._READER._RECENT._REPLY_CHARS._REPLY_MS._REQUESTS
    x._RESERVE._ROOM._Reader._SBOX._SCAN._SECOND_MS._SECRET_SETTINGS._SEEK_MS._SELDOM_MS
    x._SELLING._SHIFTED._SIGNAL_MS._SINGLE._SLOT._SPACE._SPKI._START._STATUS_MS._STAY._STEPS
    x._STEPS_BY_OTHERS._STEPS_OF_AN_END._STOCK._SYNC._Sink._SlotWriter._Source._TABLE._TAIL
    x._TAIL_HIGH._TALL._TARGETS._TITLE_PX._TO_CHOOSE._TO_PREPARE._TO_VERIFY._Taken._UNFINISHED
    x._UNKNOWN._VERSION._WINDOWS._WORDS.__aenter__.__aexit__.__all__.__dict__.__import__._aad
    x._add._address._adopt._adrift_ms._aes._affine._afford._after._after_same._after_two._again
    x._all_rows._alone._answer._answered._append._array._ask._asked._asked_s._at._awake._bar
    x._base_table._batch._batches._battery._before._begin._begun_without_head._bell._bit_weights
    x._bits._block._block_at._board._boot._boot_count._bounded._breath_ms._breathe._broken
    x._buffer._buzzer._by_hash._by_post._bytes._cached._candidate._canvas._carry._catalogue
    x._change._channel._check._check_date._check_in._check_not_older._check_snapshot_version
    x._choose._chunk._chunk_ms._chunks._circumstances._client._clock._code._code_bit._codes
    x._column._columns._commas._compress._confirm._console._control._control_of._copy._count
    x._cramped._cut._data_command._data_waiting._datagram._deadline._debouncer._decompress
    x._depth._details._digest._digits._distance._double._doubtful._drain._drawn._due_ms
    x._encrypt_block._enter._entry._erase._escaped._exchange._expand._expander._expires_s._facts
    x._failed._fed_ms._fetch._fetched._figure._file._files._fill._filled._finish_first
    x._first_since._fits._flag._flash._flush._flushed._fold._folder._fresh._from._full
    x._gate_closed._gate_facts._get._give_back._glob._glyph._halted._hand_out._hang_up._head
    x._head_line._heads._hear._heard._held._here._hints._history._holds._holds_firmly._holds_s
    x._host._in_command._in_set._in_turn._index._install._integers._is_code._is_connected
    x._is_number._is_permitted._is_selling._is_watched._journal._k._keep._keep_expired._kept
    x._key._keypad._keys._kind._known._last._lcd._length._limbs._limit_bytes._line._lines
    x._list_stock._listed._listed_with._load._load_checkpoint._lock._log._log_at._look._made
    x._make_room._map._mark._mark_of._may_begin._may_install._may_sell._metadata._missing._model
    x._modem._modem_log._must_look._name._names._need._needed._negated._newest_page._news._next
    x._next_mark._no_network._nonce._not_yet._note._note_key._noted._now._now_ns._number
    x._number_in._numbers._obey._odd_multiples._of_bits._of_details._of_same._offline_behind
    x._old._old_size._oldest._on_catalogue._on_closed._on_data._on_head._on_lost._on_ring._one
    x._open._open_books._opened._order._out_of_service._outcome._pads._page._page_after._pair
    x._parse._partition._partitions._passed_over._path._patterns._pause_ms._payload._piece
    x._pin_seal._place._plain._point._poll._poll_ms._poll_s._port._post._prepare
    x._press_power_key._pressed._pressed_or._print._printer._program._put_down_at._queue._radio
    x._range._rates._reach_out._read._read_catalogue._reader._realtime._reason_bytes._record
    x._refused_batch._releases._remove._renew_stock._rest._restate._rests_until_ms._resume
    x._retry_s._ring._rings._roles._rollout._rows._rtc._run._running._said._sale._same
    x._same_weights._says._scan._scratch._seal._seal_of._sector._sector_hash._security_version
    x._seen._select._sell._selling._send._sent._server._settings._sign_in._signature._signatures
    x._signers._sink._size._size_bytes._skipping._slip._slots._snapshot._sold_from_stock._sound
    x._source._speak._spoiled._spread._start._state._stock._stopped._store._stored._stream
    x._strengthen._switch._switch_off._sync_due_ms._t._tables._tag._take._take_root._taken
    x._targets._technician_ms._terminal._terminal_id._text._ticks._tidy._till._time_s._tip
    x._token._told._told_s._touch._touched_ms._trust._trusted._try._type._uart._ui._unanswered
    x._unmarked._until_end._update_log._update_roots._updates._value._verify_ed25519._version._w
    x._wait._wait_out._wake._walk._wanted_s._watchdog._watched._ways._why._within._without_ghost
    x._write._xor8._xor_key_stream._zlib.a.a2b_base64.aad.aborts.accept.acknowledge.acknowledged
    x.action.active.add.add_up.address.adopt.advice.aes.aes_cbc.aes_ecb.after_minor.again_s
    x.algorithms.alive.alive_ms.also_settled.always.amount.amount_minor.answer.answer_ms
    x.answered.answers.any_down.apart.apn.apn_login.apn_user.apply.are_new.argument.arguments
    x.arm.array.ascii.ask.ask_for.ask_server.asyncio.at.at_hand.at_least.at_most.at_once
    x.at_start.attach.attached.b.back.bad.bad_length.bad_meter.bad_start.base.base_sha256
    x.base_size.batch.batch_id.batch_ids.batches.battery.battery_mv.baud.before.begin
    x.begin_offline.begin_online.begin_trial.behind.bell.big.bill.binascii.bits.blind_starts
    x.block.blocked.board.body.body_length.body_of.bold.boot.boot_count.boot_info.boot_ms.booted
    x.bootloader.boots.bottom.bound.breath.breathe.bring.bring_up.buf.buffer.built.built_s.busy
    x.but.buzzer.by.by_datagram.by_number.by_others.byte.bytes_received.c.calendar.cancel
    x.canonical.canvas.catalogue.cause.cbor.cell.certain.chain.challenge.change.channel.char
    x.character.charging.chat.check.check_bytes.check_in.check_it.check_sim.check_target
    x.checking.checkpoint.chip_id.choice.choose.chosen.chunk_size.chunked.clear_failure.client
    x.climb.clock.closed.coap.coap_port.code.coded.codes.collect.columns.command.commands
    x.commission.commission_minor.commission_of.commit.compat.complete.condition.config.confirm
    x.connect.connected.connection.consistent_snapshot.console.container.content.content_range
    x.contradicts.control.control_of.copies.cose.count_fault.counter.counts.cover_open.crash
    x.crashes.crashes_allowed.crc32.create.create_task.crypto.cryptolib.currency.custom.cut
    x.cut_ask.cut_print.d.d_.d_other.damaged.data.data_command.data_vfs.datagram.date_text
    x.date_time.date_time_text.datetime.day.day_report.days.deadline_ms.debit_minor.decode
    x.decompress.decompressobj.default.deflate.delattr.delegated.delegation.delegations
    x.delivered.delivery.delta.denied.denied_ms.depth.derive_keys.desk.detail.details.device_key
    x.dialogs.digest.digest_of.digits.direction.discard.display.do_.do_challenge.do_configure
    x.do_export.do_may_retire.do_retire.do_settings.do_status.do_sync.do_test.do_unlock.done
    x.doubt.down.down_key.download.drivers.dropped.due.due_ms.dump.dumps.duplicate.duration_ms
    x.duties.e.e_.e_other.earlier.ecdsa.ed25519.either.empty.en.encode.encode_request
    x.encode_within.encrypt.encryptor.ended.entry.enumerate.eof.equal.erase.erase_sector.error
    x.errors.etag.every_ms.exchange.exists.expand.expired.expires.expires_s.expiry.explain
    x.external_aad.extra.f.facts.fail.failed_release.failure.failure_reason.fault.faults.feed
    x.fetch.fetch_stock.fetch_voucher.fewest.field.fields.file.file_name.files.fill.finish
    x.firmware.first.first_kept.first_rung.fits.flash.float.float_minor.float_now.flows.flush
    x.folder.font.forget.forgotten_batch.fork.forked.found.free_bytes.free_sectors.fresh_until_s
    x.from_hex.from_pem.from_sequence.from_stock_refusal.fromhex.full.g.gap_ms.garbled.gate
    x.gate_battery_mv.gate_blocks.gate_facts.gate_idle_s.gate_unsynced_records.gc.get_field
    x.give_back.give_up_lost.give_way.gives_way.good.grouped.groups.growth.h.halted.hand_over
    x.happens.hardware.hardware_class.hardware_revision.hardware_revisions.has.has_kind.has_news
    x.has_passed.has_voucher.hash_flash.hashes.hashlib.head.head_ms.headers.heap_free.hear
    x.height.held.hex.hexlify.high.hint.hints.hkdf_sha256.hmac_sha256.hold.hold_back.holds_s
    x.host.http.http_client.http_post.hurry.i.identity.idle_ms.idle_s.image.image_hash
    x.image_sha256.image_size.image_size_bytes.implementation.in_step.in_stock.in_use.inflater
    x.info.install.instructions.intent.invert.io.ioctl.irq.is_ascii.is_asked.is_blank.is_blind
    x.is_bound.is_digits.is_due.is_empty.is_first.is_hourly.is_it.is_known.is_last.is_meter
    x.is_number.is_open.is_ready.is_renewed.is_right.is_same.is_sound.is_still.is_sure
    x.is_upgrade.is_watched.is_way_back.is_whole.item.items_left.iv.j.joining.journal
    x.journal_reads.journal_version.journal_writes.json.jump.jumps.k.keep.keep_expired.keep_from
    x.keep_only.kept.kept_ms.key_first.key_ms.key_n.key_within.keyid.keyids.keypad
    x.keypad_columns.keypad_rows.keytype.keyval.kind.kinds.known.l.label.ladder.language.last
    x.last_failure.last_look.last_money.last_q.last_sale.last_sales.later.layout.lcd.learn.least
    x.least_minor.ledger_minor.left.length.length_bytes.length_s.lent.level.levels.limit_bytes
    x.limits.line.lines.link.listdir.listed.load.load_prefix.loaded.loads.lock.lock_s.locked
    x.locked_for.log.login.longest_ms.look.look_back.look_up.looked.looked_s.lost.low.m.m_day
    x.m_info.m_language.m_messages.m_reprint.m_sales.made.main.major.make_firm.make_room
    x.malformed.mapped.mark.mark_bad.marked.match.matches.max.max_age_s.max_amount_minor
    x.max_bytes.max_count.max_depth.max_items.max_minor.max_total_minor.may_be_out.may_be_seen
    x.may_break.may_end.may_format.may_go_on.may_renew.mem_free.memory.memoryview.menu.merchant
    x.merchant_name.merchant_text.message.message_counter.message_id.messages.messenger.meta
    x.metadata.meter.method.milliseconds.min.min_bootloader.min_minor.minor_digits.missed.misses
    x.mistrust.mixed.mkdir.mkfs.mode.model.modem.modem_power_key.modes.modules.money
    x.money_and_dates.monotonic_ns.month.more.most.most_minor.most_ms.mount.mount_data.mounting
    x.ms.mtime.must_wait.mv.n.n_.name.names.natural.net.network.new.new_catalogue.new_size
    x.newer_lost.newest.news.next_rung.next_sequence.no_answer.no_float.no_gprs.no_last.no_link
    x.no_modem.no_name.no_network.no_news_s.no_paper.no_sim.no_stock.nonce.not_among
    x.not_before_s.not_newer.not_sold.not_yet.note.note_key.now.now_s.np_.number.o.of.offer
    x.offer_stock.office.offline.offline_count.offline_debit_minor.offline_limits
    x.offline_refusal.offline_total_minor.offset.ok.old.old_size.oldest.on_catalogue.on_head
    x.on_newest.on_registration.on_restart.on_trial.once_more.one.online.open_pin.open_reply
    x.open_sale.open_still.opened.operation.operator.orphans.os.other.others.out.out_of_service
    x.outcome.p.p256.pack.pack_into.page.pages.pair.paper.paper_out.parent.parse.parse_head
    x.parse_time.part.partition.partitions.parts.patch.patched.path.path_matches.paths.pattern
    x.pause_ms.pause_s.payload.payloads.payloads_for.pbkdf2_sha256.pending.pending_t.percent
    x.permille.permit.pick_up.picture.piece.pieces.pieces_of.pin.pin_groups.pin_hash.pin_is
    x.pin_lines.pin_rounds.pin_salt.place.places.plain.plain_body.policy.poll.poll_ms.poll_s
    x.port.post.postpone.postponed.power_cycle.power_key.prefix.prepare.price.price_list.prices
    x.printed.printer.product.product_id.products.program.prompt.property.prove.public
    x.public_key.put.put_down.q.question.quiet.quoted.r.r_copy.r_day.r_offline.r_sale.r_serial
    x.r_thanks.r_valid.radio.radio_cycle.random.ranges.raw.rb.reach.reached.read_hashes
    x.read_into.read_keys.read_raw.read_signal.readable.readblocks.reads.ready.reason.recalled
    x.receipt.receive.received.recent.recipient.record.record_crash.records.recover.recovery
    x.refresh.refusal.refuse.refused.refused_numbers.register.registered.registration
    x.registration_ms.release.releases.rename.renew.reply.report.reported.reprint.reprints
    x.request.request_recovery.reserve.reset.reset_cause.resolve.response.responses.rest.rest_ms
    x.restart.restarted.restarts.restated.rests.retire.retry_ms.reversed.revision.revisions
    x.right.ring.rings.role.roles.rollout.room.room_for_sale.root.root_bytes.root_version
    x.rotated.rounds.rows.rpartition.rsa.rsa_pss.rtc.run.run_flow.run_once.rung.running
    x.running_sha256.running_well.runs.s.s_config.s_journal.said.sale.sale_no.sales.salt.same
    x.save.say.scan.scheme.scratch.screen.script.seal.seal_request.sealed.search_again_ms
    x.search_ms.second_ms.seconds.secret.sector.sector_of.sectors.sectors_read.security_fits
    x.security_version.seek.seen.select.selftest_deadline_s.sell.sell_q.sell_what.selling.sent
    x.sequence.serial.serve.server.server_time.service.session.sessions.set_rtc.settings.settle
    x.settled_at.sha256.sha512.sham.shape.shared.shorten.show.show_pin_q.shown.sift.sig.sign_in
    x.signal.signature.signatures.signed.signers.silence_ms.sim800.sim800_names.sim800_start
    x.sim_locked.sim_ms.sink.size.size_bytes.skip.sleep.sleep_ms.slip.slot.slot_.slot_a.slot_b
    x.slot_state.slots.small.snapshot.snapshot_version.soft.sold.sold_t.sound.sources
    x.spent_batch.spoiled.st_back.st_doubt.st_out.st_ready.st_refused.st_unread.st_waits.stale
    x.standard.stands.start_trial.started.starter.starting.starts.stat.state.status.status_bar
    x.statvfs.stdin.stdout.stem.step_minor.step_ms.stepping_stone.steps.stock.stock_delivery
    x.stock_key.stock_left.stock_q.stop_batches.stop_selling.storage.store.stream.strict.string
    x.struct.sums.supervisor.switch.sync.sync_s.sys.t.table.tables.tag.take.take_channel.take_in
    x.take_raw.take_role.takes.target.target_name.targets.task.technician_permit.tell.terminal
    x.terminal_id.terminating.terms.test.text.text_width.texts.then.then_token.threshold.through
    x.ticks.ticks_add.ticks_diff.ticks_ms.ticks_us.tidy.till.time.time_s.time_seen.timeout_ms
    x.timestamp.timestamp_version.tip.title.titled.to_.to_beat_ms.today.token.token_.token_n
    x.told.too_long.took.top.topup.total.total_minor.touched_within.transport.trial.trial_failed
    x.trials.tried.tries_left.trigger.trouble.truncated.trust.trusted.try_others_first.tuf
    x.tuf_delegations.tuf_files.tuf_paths.tuf_signed.type_.type_again.typed.typed_again.u.uart
    x.ui.uid.umount.unconfirmed_boots.unconfirmed_boots_allowed.unconsumed_tail.under_way
    x.unescape.unfinished.unhexlify.union.unix_seconds.unknown.unlock.unpack.unpack_from
    x.unread_prices.unreadable.unseal.unsolicited.unsynced.unsynced_count.up.up_key.update
    x.update_delegated.update_root.update_snapshot.update_targets.update_timestamp.updates.use
    x.utc_offset_s.utf8.v.verified.verify.verify_signature.version.vfs.view.views.void_at
    x.voucher.voucher_sequence.w.wait.wait_at_most.wait_for_ms.wait_for_network.wait_ms
    x.wait_name.wait_print.wait_sales.waiting.waits.waits_for.waits_ms.wanted.wanted_s.was_asked
    x.watch.watchdog.way.ways.wb.weights.what.where.who.whole.why.width.width_px.window.windows
    x.with_keys.with_signal.with_t.within.words.work.wrap.wrap_columns.writeblocks.writes
    x.written.wrong.wrong_pin.x.y.year.your_pin.z.zlib["  "][" - "][" HTTP/1.1"][" at byte "]
    x[" bytes"][" first"][" is "][" is for "][" payload: "][" refused: "][" s"]["!"]['"']
    x['"%s"']["#"]["%%%02X"]["*C"]["+"]["+-"][", "]["-"]["--"]["-._~"]["-from-"]["."][".."]
    x[".full"][".json"][".last"][".new"][".root.json"]["/data"]["/m"]["/plan.json"]["/stock"]
    x["/trust"]["/tuf/news/"]["0"]["04"]["1"]["1."]["11 / 13"]["2"]["3"]["4"]["5"]["6"]["7"]
    x["8"]["9"][":"][": "][": FAULT"][": ok"][":%d"]["<H"]["<I"]["<dictcomp>"]["<genexpr>"]
    x["<lambda>"]["<listcomp>"][">4sIII8sH"][">BBII"][">I"][">II"]["?"]["CME "]["HTTP/1.0"]
    x["Host: "]["Terminal "]["["]["]"]["check-in"]["chunk size"]["class"]["cut short"]
    x["expanding "]["host name"]["journal: "]["keyid "]["left alone"]["modem: "]["news: "]
    x["no list"]["no memory"]["no room"]["no value"]["not UTF-8"]["not a map"]["not a time"]
    x["not kept: "]["not ready"]["partition "]["printer "]["receive: "]["refused: "]["rollout-"]
    x["rollout/"]["root %d"]["root.json"]["signed in"]["signed out"]["stock/%d"]["stock: "]
    x["too long"]["too slow"]["two of "]["w+b"]["{} mV {}%"]["{} x {}"]["{} {}"]["{} {}: {}"]
    x["{}/{}.cbor"]["|"]
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
    import firmware.counts
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
    import firmware.flows.bill
    import firmware.flows.day_report
    import firmware.flows.float
    import firmware.flows.info
    import firmware.flows.language
    import firmware.flows.last_sales
    import firmware.flows.menu
    import firmware.flows.messages
    import firmware.flows.meter
    import firmware.flows.recover
    import firmware.flows.reprint
    import firmware.flows.sell
    import firmware.flows.session
    import firmware.flows.sign_in
    import firmware.flows.steps
    import firmware.flows.steps.amount
    import firmware.flows.steps.ask_server
    import firmware.flows.steps.choose
    import firmware.flows.steps.explain
    import firmware.flows.steps.finish
    import firmware.flows.steps.hand_over
    import firmware.flows.steps.others
    import firmware.flows.steps.paper
    import firmware.flows.steps.reach
    import firmware.flows.steps.recipient
    import firmware.flows.topup
    import firmware.kept
    import firmware.kept.config
    import firmware.kept.files
    import firmware.kept.memory
    import firmware.kept.store
    import firmware.lent
    import firmware.log
    import firmware.main
    import firmware.net
    import firmware.net.coap
    import firmware.net.http
    import firmware.net.http_client
    import firmware.net.link
    import firmware.net.modem
    import firmware.net.modem.advice
    import firmware.net.modem.chat
    import firmware.net.modem.climb
    import firmware.net.modem.errors
    import firmware.net.modem.joining
    import firmware.net.modem.ladder
    import firmware.net.modem.no_link
    import firmware.net.modem.sim800
    import firmware.net.modem.sim800_names
    import firmware.net.modem.sim800_start
    import firmware.net.modem.standard
    import firmware.office
    import firmware.office.ask
    import firmware.office.check_in
    import firmware.office.datagram
    import firmware.office.look_up
    import firmware.office.messenger
    import firmware.office.stock_delivery
    import firmware.office.sync
    import firmware.office.windows
    import firmware.paper
    import firmware.paper.receipt
    import firmware.sales
    import firmware.sales.by_others
    import firmware.sales.catalogue
    import firmware.sales.day
    import firmware.sales.details
    import firmware.sales.journal
    import firmware.sales.mounting
    import firmware.sales.offline_limits
    import firmware.sales.price_list
    import firmware.sales.product
    import firmware.sales.recent
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
    import firmware.update.found
    import firmware.update.gate
    import firmware.update.install
    import firmware.update.last_look
    import firmware.update.metadata
    import firmware.update.model
    import firmware.update.newest
    import firmware.update.news
    import firmware.update.offer
    import firmware.update.patch
    import firmware.update.payload
    import firmware.update.prepare
    import firmware.update.prices
    import firmware.update.record
    import firmware.update.server
    import firmware.update.switch
    import firmware.update.verified
