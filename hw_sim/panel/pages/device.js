// One terminal as it is: display, keys, paper, lights, sound.
const DOT_PX = 2, MARGIN_PX = 4;
const LIT = { ground: "#b0cd60", off: "#a9c75a", dot: "#1c2618" };
const UNLIT = { ground: "#79846a", off: "#747f65", dot: "#6c775e" };
// of 0 to 255, as the controller was told: the weaker, the nearer is a dot to its ground
const WEAKEST = 0.28;
const SPOKEN = { "*": "star", "#": "hash" };

let sound = true, audio = null;
export const soundOn = () => sound;
export function setSound(on) {
  sound = on;
}

function context() {
  if (!sound || !navigator.userActivation?.hasBeenActive) return null;
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume();
  return audio;
}

function click() {
  const on = context();
  if (!on) return;
  const size = Math.floor(on.sampleRate * 0.012);
  const buffer = on.createBuffer(1, size, on.sampleRate);
  const data = buffer.getChannelData(0);
  for (let n = 0; n < size; n += 1) data[n] = Math.sin(n * 0.9) * (1 - n / size) ** 4 * 0.25;
  const source = on.createBufferSource();
  source.buffer = buffer;
  source.connect(on.destination);
  source.start();
}

export class Device {
  constructor(template, about, wish, chosen) {
    this.at = about.at;
    this.wish = wish;
    this.state = {};
    this.meter = {};
    this.root = template.content.firstElementChild.cloneNode(true);
    this.root.querySelector(".name").textContent = about.name;
    this.root.setAttribute("aria-label", `Terminal of ${about.name}`);
    this.canvas = this.root.querySelector("canvas");
    this.reader = this.root.querySelector(".reader");
    this.hang = this.root.querySelector(".hang");
    this.keys = new Map();
    this.strips = new Map();
    this.tornThrough = -1;
    this._pad(about.layout, about.legends ?? {});
    this.root.addEventListener("pointerdown", chosen);
    this.root.addEventListener("focusin", chosen);
    this.root.querySelector(".switch").addEventListener("click", () => {
      this.do(`power ${this.state.power ? "off" : "on"}`);
    });
    this.root.querySelector(".tear").addEventListener("click", () => this.tear());
    new ResizeObserver(() => this._toSlot()).observe(this.hang); // a telephone is turned round
    this._draw(null, false);
  }

  do(line) {
    return this.wish(`/t/${this.at}/do`, line);
  }

  has(key) {
    return this.keys.has(key);
  }

  setChosen(is, among) {
    this.root.classList.toggle("chosen", is && among);
  }

  // keys

  _pad(layout, legends) {
    const pad = this.root.querySelector(".pad");
    for (const key of layout.join("")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `key ${/\d/.test(key) ? "digit" : `k-${{ "*": "star", "#": "hash" }[key] ?? key}`}`;
      button.innerHTML = "<b></b><small></small>";
      button.firstChild.textContent = key;
      button.lastChild.textContent = legends[key] ?? "";
      button.setAttribute("aria-label", [SPOKEN[key] ?? key, legends[key]].filter(Boolean).join(", "));
      button.addEventListener("pointerdown", (event) => {
        event.preventDefault(); // the keyboard stays the terminal's
        button.setPointerCapture(event.pointerId);
        this.down(key);
      });
      for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
        button.addEventListener(end, () => this.up(key));
      }
      button.addEventListener("click", (event) => {
        if (event.detail === 0) this.tap(key); // by Enter, Space, or a screen reader
      });
      button.addEventListener("contextmenu", (event) => event.preventDefault());
      this.keys.set(key, { button, down: false });
      pad.append(button);
    }
  }

  // one wish after the other, or a finger is lifted before it is put down
  _key(key, down) {
    const say = () => this.wish(`/t/${this.at}/key`, JSON.stringify({ key, down }));
    this.said = (this.said ?? Promise.resolve()).then(say, say);
    return this.said;
  }

  down(key) {
    const found = this.keys.get(key);
    if (!found || found.down) return;
    found.down = true;
    found.button.classList.add("in");
    click();
    navigator.vibrate?.(8);
    this._key(key, true);
  }

  up(key) {
    const found = this.keys.get(key);
    if (!found?.down) return;
    found.down = false;
    found.button.classList.remove("in");
    this._key(key, false);
  }

  tap(key) {
    this.down(key);
    setTimeout(() => this.up(key), 90);
  }

  // what it shows

  hear(message) {
    this[`_on_${message.kind}`]?.(message);
  }

  _on_display(message) {
    this._draw(message.dots, message.lit, message.contrast);
  }

  _on_reading(message) {
    const text = message.text || "dark, or a picture";
    this.canvas.setAttribute("aria-label", `Display: ${text.replaceAll("\n", ", ")}`);
    const lines = message.text.split("\n");
    if (lines.join() !== this.lines?.join()) {
      this.lines = lines;
      // the status bar changes all day; it is told when the rest does
      const rest = lines.slice(1).join("\n");
      if (rest !== this.rest) this.reader.textContent = rest;
      this.rest = rest;
    }
  }

  _draw(dots, lit, contrast = 255) {
    // whole pixels of this screen for each dot, or a grid of grey comes of it
    const size = Math.max(1, Math.round(DOT_PX * devicePixelRatio));
    const edge = Math.round(MARGIN_PX * devicePixelRatio);
    const gap = size > 2 ? 1 : 0;
    this.canvas.width = 128 * size + 2 * edge;
    this.canvas.height = 64 * size + 2 * edge;
    this.canvas.style.width = `${this.canvas.width / devicePixelRatio}px`;
    const paint = this.canvas.getContext("2d");
    const colours = lit ? LIT : UNLIT;
    paint.fillStyle = colours.ground;
    paint.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const bytes = dots ? Uint8Array.from(atob(dots), (c) => c.charCodeAt(0)) : null;
    const paths = [new Path2D(), new Path2D()];
    for (let y = 0; y < 64; y += 1) {
      for (let x = 0; x < 128; x += 1) {
        const on = bytes ? (bytes[y * 16 + (x >> 3)] >> (7 - (x & 7))) & 1 : 0;
        paths[on].rect(edge + x * size, edge + y * size, size - gap, size - gap);
      }
    }
    paint.fillStyle = colours.off;
    paint.fill(paths[0]);
    paint.fillStyle = colours.dot;
    paint.globalAlpha = WEAKEST + ((1 - WEAKEST) * contrast) / 255;
    paint.fill(paths[1]);
    paint.globalAlpha = 1;
  }

  _on_state(state) {
    this.state = state;
    const { root } = this;
    root.classList.toggle("on", state.power);
    root.classList.toggle("charging", state.charging && state.power);
    root.classList.toggle("data", state.data && state.power);
    root.classList.toggle("printing", state.printing);
    const button = root.querySelector(".switch");
    button.setAttribute("aria-pressed", String(state.power));
    button.querySelector("span").textContent = state.power ? "Pull the battery" : "Put the battery in";
    root.querySelector(".port").textContent = state.port;
    for (const [key, found] of this.keys) {
      if (!found.down) found.button.classList.toggle("in", state.keys.includes(key));
    }
  }

  _on_meter(meter) {
    this.meter = meter;
  }

  _on_tone(message) {
    const on = context();
    this.tone?.stop();
    this.tone = null;
    if (!on || !message.hz) return;
    const tone = on.createOscillator();
    const gain = on.createGain();
    gain.gain.value = 0.05;
    tone.type = "square";
    tone.frequency.value = message.hz;
    tone.connect(gain).connect(on.destination);
    tone.start();
    tone.stop(on.currentTime + 2);
    this.tone = tone;
  }

  // paper

  _on_strip(strip) {
    if (strip.receipt >= 0 && strip.receipt <= this.tornThrough) return;
    let row = this.strips.get(strip.of);
    if (!row) {
      if (strip.receipt > this.receipt) this.tear(); // nobody tore off the last one
      if (strip.receipt >= 0) this.receipt = strip.receipt;
      row = document.createElement("div");
      row.className = "strip";
      this.strips.set(strip.of, row);
      this.hang.append(row);
      row.addEventListener("animationend", () => this._toSlot());
    }
    if (strip.picture) {
      const picture = row.querySelector("img") ?? document.createElement("img");
      picture.src = `data:image/png;base64,${strip.picture}`;
      picture.alt = strip.text;
      row.append(picture);
    }
    row.style.setProperty("--dots", strip.dots);
    this._toSlot();
  }

  _toSlot() {
    this.hang.scrollTop = this.hang.scrollHeight;
  }

  _on_receipts(message) {
    const whole = message.torn > this.tornThrough + 1 && this.receipt < message.torn;
    this.root.querySelector(".tear").hidden = !whole;
  }

  tear() {
    if (!this.strips.size) return;
    this.tornThrough = this.receipt ?? this.tornThrough;
    const old = this.hang.cloneNode(true);
    old.classList.add("torn");
    old.removeAttribute("tabindex");
    old.setAttribute("aria-hidden", "true");
    this.hang.after(old);
    old.addEventListener("animationend", () => old.remove());
    setTimeout(() => old.remove(), 1200);
    this.hang.replaceChildren();
    this.strips.clear();
    this.root.querySelector(".tear").hidden = true;
  }
}
