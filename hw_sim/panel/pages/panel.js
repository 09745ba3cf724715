// The page's centre: the stream of what happens, who is looked at, and how a wish reaches the panel.
import { Device, setSound, soundOn } from "./device.js";
import { drawers } from "./drawers.js";
import { Views } from "./views.js";

const $ = (id) => document.getElementById(id);
const devices = [];
let chosen = 0;
const facts = {};
const offers = [];
const views = new Views($("tabs"), $("views"), () => chosen, wish);
views.addGuide();
const drawer = drawers(views.add("drawers", "Do to it"), { job, chosen: () => devices[chosen] });
views.addLists();

export async function wish(path, body = "") {
  try {
    const reply = await fetch(path, { method: "POST", body });
    if (!reply.ok) toast(await reply.text());
    return reply.ok;
  } catch {
    toast("The panel does not answer: was it ended?");
    return false;
  }
}

function job(name) {
  wish(`/t/${chosen}/job/${name}`);
}

let toastTimer = 0;
function toast(text, kind = "bad") {
  const box = $("toast");
  box.textContent = text;
  box.className = `toast show ${kind}`;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (box.className = "toast"), 6000);
}

function choose(at) {
  chosen = at;
  devices.forEach((device, n) => device.setChosen(n === at, devices.length > 1));
  views.show(at);
  drawer.show(devices[at]);
}

function addTerminal(message) {
  if (devices[message.at]) return;
  const device = new Device($("device"), message, wish, () => choose(message.at));
  devices[message.at] = device;
  $("devices").append(device.root);
  document.body.dataset.terminals = devices.length;
  choose(chosen);
}

function world(message) {
  const card = $("making");
  if (message.failed) {
    card.className = "making failed";
    card.querySelector(".what").textContent = message.failed;
    $("line").textContent = "The world could not be made";
  } else if (message.making) {
    card.className = message.pin ? "making over" : "making"; // no card before what can be used
    const what = card.querySelector(".what");
    if (what.textContent !== message.making) {
      const done = document.createElement("li");
      done.textContent = what.textContent;
      card.querySelector(".done").append(done);
      what.textContent = message.making;
    }
    $("line").textContent = message.pin ? `Merchant’s PIN ${message.pin}. ${message.making} …` : `${message.making} …`;
  } else {
    card.className = "making over";
    Object.assign(facts, message);
    $("line").textContent = message.pin ? `Merchant’s PIN ${message.pin}` : "Ready";
    if (message.board) {
      const url = new URL(message.board);
      url.username = "office";
      url.password = message.password;
      $("board").href = url.href;
      $("board").hidden = false;
      $("board").title = `Password: ${message.password}`;
    }
    views.guide(message);
  }
}

const handlers = {
  hello() {
    devices.length = 0;
    $("devices").replaceChildren();
    offers.length = 0;
    views.clear();
    $("making").className = "making over";
  },
  world,
  terminal: addTerminal,
  offer(message) {
    offers[message.of] = message;
    drawer.offers(offers);
  },
  job(message) {
    drawer.job(message);
    if (message.state === "done") toast(`${message.label}: ${message.text}`, "good");
    if (message.state === "failed") toast(`${message.label}: ${message.text}`);
  },
  said(message) {
    toast(message.text, "good");
  },
};
const ofDevice = new Set(["display", "reading", "state", "meter", "strip", "receipts", "tone"]);
const ofViews = new Set(["strip", "receipts", "air", "airsum", "journal", "console", "event", "recorded", "playing", "forget", "meter"]);

function hear(message) {
  handlers[message.kind]?.(message);
  if (ofDevice.has(message.kind)) devices[message.at]?.hear(message);
  if (ofViews.has(message.kind)) views.hear(message);
  if (message.at === chosen && (message.kind === "state" || message.kind === "meter")) drawer.show(devices[chosen]);
}

function connect() {
  const stream = new EventSource("/stream");
  stream.onmessage = (event) => hear(JSON.parse(event.data));
  stream.onerror = () => {
    $("line").textContent = "The panel does not answer …";
  };
  stream.onopen = () => {
    $("line").textContent = "Connected";
  };
}

// the computer's keyboard is the keypad, unless somebody writes, or presses a button of the page
const MAP = { Enter: "#", Backspace: "*", Escape: "*", ArrowUp: "A", ArrowDown: "B", Delete: "C" };
const held = new Map();

function keyOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return "";
  const at = event.target;
  if (at.matches("input:not([type=range]):not([type=checkbox]), textarea, select")) return "";
  if (at.matches("input[type=range]") && event.key.startsWith("Arrow")) return "";
  if (at.matches("[role=tab], .hang, .list") && event.key.startsWith("Arrow")) return "";
  if (at.matches("button, a, summary") && (event.key === "Enter" || event.key === " ")) return "";
  const key = MAP[event.key] ?? event.key.toUpperCase();
  return key.length === 1 && devices[chosen]?.has(key) ? key : "";
}

document.addEventListener("keydown", (event) => {
  const key = keyOf(event);
  if (!key) return;
  event.preventDefault();
  if (event.repeat || held.has(event.code)) return;
  held.set(event.code, [devices[chosen], key]);
  devices[chosen].down(key);
});
document.addEventListener("keyup", (event) => lift(event.code));
window.addEventListener("blur", () => [...held.keys()].forEach(lift));
function lift(code) {
  const found = held.get(code);
  if (!found) return;
  held.delete(code);
  found[0].up(found[1]);
}

// whoever works with the pointer types on the terminal: Enter is for it, not for what was clicked last
document.addEventListener("click", (event) => {
  if (event.detail > 0) event.target.closest("button, a, summary")?.blur();
});

$("sound").addEventListener("click", () => {
  setSound(!soundOn());
  $("sound").setAttribute("aria-pressed", String(soundOn()));
});

connect();
