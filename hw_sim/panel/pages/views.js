// What happened: receipts, air, journal, the technician's port, the script. One view at a time.
const KEPT = 200;
const el = (name, text = "", kind = "") => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const size = (bytes) => (bytes >= 10000 ? `${(bytes / 1000).toFixed(1)} kB` : `${bytes} B`);

export class Views {
  constructor(tabs, views, chosen, wish) {
    Object.assign(this, { tabs, views, chosen, wish, panes: new Map(), of: new Map(), playing: new Map() });
    tabs.addEventListener("keydown", (event) => this._arrow(event));
  }

  add(name, title) {
    const tab = el("button", title, "tab");
    Object.assign(tab, { type: "button", id: `tab-${name}` });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `view-${name}`);
    const pane = el("div", "", `view view-${name}`);
    pane.id = `view-${name}`;
    pane.setAttribute("role", "tabpanel");
    pane.setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", () => this.open(name));
    this.tabs.append(tab);
    this.views.append(pane);
    this.panes.set(name, { tab, pane });
    this.open([...this.panes.keys()][0]); // and only that one
    return pane;
  }

  addLists() {
    this.receipts = this._list(this.add("receipts", "Receipts"), "No receipt yet: sell something.", "ol", "slips");
    const air = this.add("air", "Air");
    this.sums = el("div", "", "sums");
    air.append(this.sums);
    this.air = this._list(air, "Nothing went over the air yet.");
    this.journal = this._list(this.add("journal", "Journal"), "The journal is empty.");
    const port = this.add("port", "Port");
    this.console = el("pre", "", "console");
    this.console.tabIndex = 0;
    this.portAbout = el("p", "", "note");
    this.events = this._list(el("div"), "");
    port.append(this.portAbout, this.console, el("h3", "What befell the board"), this.events);
    this._script(this.add("script", "Script"));
  }

  addGuide() {
    this.guidePane = el("div", "What you may try stands here in a moment.", "guide");
    this.add("guide", "Try this").append(this.guidePane);
  }

  _list(pane, empty, name = "ol", kind = "list") {
    const list = el(name, "", kind);
    list.dataset.empty = empty;
    list.tabIndex = 0;
    pane.append(list);
    return list;
  }

  _script(pane) {
    pane.append(el("p", "Everything that you do is a step of the simulator’s script, the one its tests speak. Save it, and play it again.", "note"));
    const buttons = el("div", "", "row");
    const button = (label, does) => {
      const made = el("button", label, "do");
      made.type = "button";
      made.addEventListener("click", does);
      buttons.append(made);
      return made;
    };
    const path = (what) => `/t/${this.chosen()}/${what}`;
    button("Play", () => this.wish(path("play"), this.text.value));
    button("Stop", () => this.wish(path("stop")));
    button("Take what was recorded", async () => (this.text.value = await (await fetch(path("session.txt"))).text()));
    button("Record anew", () => this.wish(path("forget")));
    const save = el("a", "Save", "do");
    save.addEventListener("click", () => {
      save.href = `/t/${this.chosen()}/session.txt`;
      save.download = "session.txt";
    });
    save.href = "/t/0/session.txt";
    buttons.append(save);
    this.text = el("textarea");
    this.text.rows = 9;
    this.text.spellcheck = false;
    this.text.setAttribute("aria-label", "Script to play");
    this.text.placeholder = "press 5\nwait shows \"Menu\" 30s\nnetwork off";
    this.played = el("p", "", "note");
    this.played.setAttribute("role", "status");
    pane.append(this.text, buttons, this.played, el("h3", "Recorded so far"));
    this.recorded = this._list(pane, "Nothing yet: press a key.", "ol", "list code");
  }

  open(name) {
    for (const [each, { tab, pane }] of this.panes) {
      const is = each === name;
      tab.setAttribute("aria-selected", String(is));
      tab.tabIndex = is ? 0 : -1;
      pane.hidden = !is;
    }
    document.body.dataset.view = name;
  }

  _arrow(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const names = [...this.panes.keys()];
    const at = names.findIndex((name) => this.panes.get(name).tab === document.activeElement);
    const next = names[(at + by + names.length) % names.length];
    this.open(next);
    this.panes.get(next).tab.focus();
  }

  clear() {
    this.of.clear();
    this.playing.clear();
    this.show(this.chosen());
  }

  _of(at) {
    if (!this.of.has(at)) this.of.set(at, { air: [], journal: [], event: [], recorded: [], strips: new Map(), receipts: 0, sums: {}, console: "", meter: {} });
    return this.of.get(at);
  }

  hear(message) {
    const here = this._of(message.at);
    const { kind } = message;
    if (kind === "strip") here.strips.set(message.of, message);
    else if (kind === "receipts") here.receipts = message.all;
    else if (kind === "airsum") here.sums = message.sums;
    else if (kind === "console") here.console = message.text;
    else if (kind === "meter") here.meter = message;
    else if (kind === "playing") this.playing.set(message.at, message);
    else if (kind === "forget") here[message.what] = [];
    else here[kind].push(message);
    if (Array.isArray(here[kind]) && here[kind].length > KEPT) here[kind].shift();
    if (message.at === this.chosen()) this._later();
  }

  show() {
    this._later();
  }

  _later() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      this._draw(this._of(this.chosen()));
    });
  }

  _draw(here) {
    if (!this.air) return;
    this._fill(this.air, here.air, (m) => [["b", m.purpose], ["span", `↑ ${size(m.up)}`], ["span", `↓ ${size(m.down)}`], ["small", `${m.path} · ${m.status}`]]);
    this._fill(this.journal, here.journal, (m) => [["b", `${m.sequence}`], ["span", m.what], ["small", m.text]]);
    this._fill(this.events, here.event, (m) => [["b", m.what], ["small", m.text]]);
    this._fill(this.recorded, here.recorded, (m) => [["code", m.text]]);
    this._drawReceipts(here);
    this._drawSums(here);
    const heard = here.console.replaceAll("\r\n", "\n").replace(/[^\n\t\x20-\x7e\u00a0-\uffff]/g, "·");
    if (this.console.textContent !== heard) {
      this.console.textContent = heard;
      this.console.scrollTop = this.console.scrollHeight;
    }
    this.portAbout.textContent = "The technician’s cable ends at the device named under the keypad: python -m tools tech … --port reaches it.";
    const playing = this.playing.get(this.chosen());
    this.played.textContent = playing ? (playing.line ? `Line ${playing.line}: ${playing.text}` : playing.text) : "";
    this.played.classList.toggle("warn", Boolean(playing?.failed));
  }

  _fill(list, messages, parts) {
    const seen = Number(list.dataset.seen ?? -1);
    const last = messages.length ? messages.at(-1) : null;
    if (list.last === last && seen === messages.length) return;
    list.last = last;
    list.dataset.seen = messages.length;
    list.replaceChildren(...messages.toReversed().map((message) => {
      const row = el("li");
      row.append(...parts(message).map(([name, text]) => el(name, text)));
      return row;
    }));
  }

  _drawReceipts(here) {
    const key = `${this.chosen()}/${here.receipts}/${here.strips.size}`;
    if (this.receipts.dataset.key === key) return;
    this.receipts.dataset.key = key;
    const texts = [];
    for (const strip of here.strips.values()) if (strip.receipt >= 0 && strip.text) (texts[strip.receipt] ??= []).push(strip.text);
    const rows = [];
    for (let n = here.receipts - 1; n >= 0; n -= 1) {
      const row = el("li");
      const lines = (texts[n] ?? []).length;
      const picture = el("img");
      picture.src = `/t/${this.chosen()}/receipt/${n}.png?${lines}`;
      picture.alt = (texts[n] ?? []).join(", ");
      picture.loading = "lazy";
      const save = el("a", "Save picture", "do");
      save.href = `/t/${this.chosen()}/receipt/${n}.png`;
      save.download = `receipt-${n + 1}.png`;
      row.append(picture, el("span", `Receipt ${n + 1}`), save);
      rows.push(row);
    }
    this.receipts.replaceChildren(...rows);
  }

  _drawSums(here) {
    const sums = Object.entries(here.sums);
    const most = Math.max(1, ...sums.map(([, [bytes]]) => bytes));
    const head = el("p", "", "figures");
    const figure = (label, text) => {
      const made = el("span");
      made.append(el("b", text), el("small", label));
      return made;
    };
    head.append(figure("payload up", size(here.meter.up ?? 0)), figure("payload down", size(here.meter.down ?? 0)), figure("billed, about", size(here.meter.billed ?? 0)));
    const table = el("dl");
    for (const [name, [bytes, times]] of sums) {
      const bar = el("i");
      bar.style.width = `${(100 * bytes) / most}%`;
      const value = el("dd");
      value.append(bar, el("span", `${size(bytes)}${times ? ` · ${times}×` : ""}`));
      table.append(el("dt", name), value);
    }
    this.sums.replaceChildren(head, table);
  }

  guide(facts) {
    if (!facts.guide) return;
    const list = el("ol");
    for (const [title, keys] of facts.guide) {
      const row = el("li");
      row.append(el("b", title), el("span", keys));
      list.append(row);
    }
    const about = el("dl", "", "facts");
    for (const [label, text] of [["Merchant’s PIN", facts.pin], ["Server’s board", facts.board], ["Its password", facts.password], ["The world’s folder", facts.folder]]) {
      about.append(el("dt", label), el("dd", text));
    }
    this.guidePane.replaceChildren(list, el("h3", "What belongs to it"), about);
  }
}
