// Drawers of what can befall a terminal. Each does a step of the script, or asks the world for a job.
const el = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") for (const [event, does] of Object.entries(value)) made.addEventListener(event, does);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};

export function drawers(root, { job, chosen }) {
  const shows = []; // what follows the terminal's state
  const doing = new Map(); // job → its button
  const act = (line) => chosen()?.do(line);

  const button = (label, does, about = "") => el("button", { type: "button", class: "do", title: about, on: { click: does } }, label);
  const step = (label, line, about = "") => button(label, () => act(line), about || line);

  // a switch that shows what is so, and does the opposite
  function toggle(label, is, on, off) {
    const made = el("button", { type: "button", class: "toggle", role: "switch", "aria-checked": "false" }, el("span", {}, label), el("i"));
    made.addEventListener("click", () => act(made.getAttribute("aria-checked") === "true" ? off : on));
    shows.push((state) => made.setAttribute("aria-checked", String(Boolean(is(state)))));
    return made;
  }

  function slider(label, least, most, by, of, unit, line) {
    const out = el("output");
    const input = el("input", { type: "range", min: least, max: most, step: by, "aria-label": label });
    input.addEventListener("input", () => (out.textContent = `${input.value}${unit}`));
    input.addEventListener("change", () => act(line(input.value)));
    shows.push((state) => {
      if (document.activeElement === input && input.matches(":active")) return;
      const value = of(state);
      if (value !== undefined && value <= most) input.value = value;
      out.textContent = value > most ? "none" : `${value ?? ""}${unit}`;
    });
    return el("label", { class: "slider" }, el("span", {}, label), out, input);
  }

  function number(label, value, unit) {
    const input = el("input", { type: "number", min: 1, value, inputmode: "numeric", "aria-label": label });
    return [input, el("label", { class: "number" }, el("span", {}, label), input, el("small", {}, unit))];
  }

  function select(label, options) {
    const input = el("select", { "aria-label": label }, ...options.map((each) => el("option", { value: each }, each)));
    return input;
  }

  const drawer = (title, open, ...content) => {
    const body = el("div", { class: "inside" }, ...content);
    return el("details", { class: "drawer", open }, el("summary", {}, title), body);
  };
  const row = (...content) => el("div", { class: "row" }, ...content);

  const [operation, operationBox] = number("Flash operation", 3, "from now");
  const moment = select("Moment of the cut", ["torn", "before", "after"]);
  const armed = el("p", { class: "note" });
  shows.push((state, meter) => {
    armed.textContent = state.cut ? "Armed: the battery goes at that operation." : `${(meter.operations ?? 0).toLocaleString("en")} flash operations so far.`;
    armed.classList.toggle("warn", Boolean(state.cut));
  });
  const power = drawer("Power", true,
    row(toggle("Battery in", (s) => s.power, "power on", "power off"), toggle("Charger", (s) => s.charging, "charger on", "charger off")),
    slider("Cell", 2700, 4200, 50, (s) => s.mv, " mV", (mv) => `battery ${mv}`),
    row(step("Reset button", "reset"), step("Off and on", "power cycle")),
    el("fieldset", {}, el("legend", {}, "Cut the power inside flash"),
      row(operationBox, moment, button("Arm", () => act(`power cut ${operation.value} ${moment.value}`))), armed),
  );

  const paper = drawer("Paper", false,
    row(toggle("Paper in", (s) => s.paper, "paper load", "paper out"), toggle("Cover shut", (s) => s.cover, "cover close", "cover open")),
    row(step("3 cm are left", "paper left 30", "It ends in the middle of a receipt"), toggle("Head too hot", (s) => s.hot, "head hot", "head cool")),
  );

  const [dropAt, dropBox] = number("Drop the data link after", 2000, "bytes");
  const air = drawer("Network", true,
    row(toggle("Coverage", (s) => s.coverage, "network on", "network off"), toggle("SIM card", (s) => s.sim, "sim in", "sim out")),
    slider("Signal", 0, 31, 1, (s) => s.signal, "", (level) => `signal ${level}`),
    row(step("Good GPRS", "network gprs"), step("Slow and lossy", "network poor"), step("As if by wire", "network wire")),
    row(step("Dead for 20 s", "network stall 20s", "Nothing crosses, and nothing says so"), step("Break connections", "network break")),
    row(dropBox, button("Arm", () => act(`network drop ${dropAt.value}`))),
  );

  const clock = el("p", { class: "note" });
  shows.push((_, meter) => (clock.textContent = `The board’s clock: ${meter.clock ?? ""} UTC`));
  const time = drawer("Time", false, clock,
    row(step("+1 hour", "clock 3600"), step("+1 day", "clock 86400"), step("+30 days", "clock 2592000")),
    el("fieldset", {}, el("legend", {}, "The cell tells the time"),
      row(step("A year back", "celltime -31536000"), step("A day ahead", "celltime 86400"), step("The truth", "celltime honest"))),
  );

  const [bytes, bytesBox] = number("The next", 20, "bytes");
  const which = select("Wire", ["modem", "printer"]);
  const wires = drawer("Loose wires", false,
    row(bytesBox, which),
    row(button("Drop them", () => act(`wire ${which.value} drop ${bytes.value}`)), button("Garble them", () => act(`wire ${which.value} garble ${bytes.value}`))),
  );

  const worldly = el("div", { class: "worldly" });
  root.append(worldly, power, air, paper, time, wires);

  return {
    show(device) {
      if (device) for (const show of shows) show(device.state, device.meter);
    },
    offers(list) {
      const groups = new Map();
      doing.clear();
      for (const each of list.filter(Boolean)) {
        if (!groups.has(each.group)) groups.set(each.group, []);
        const made = button(each.label, () => job(each.name), each.about);
        doing.set(each.name, made);
        groups.get(each.group).push(made);
      }
      worldly.replaceChildren(...[...groups].map(([title, buttons]) => {
        return drawer(title, title === "Start from", row(...buttons));
      }));
    },
    job(message) {
      doing.get(message.name)?.classList.toggle("busy", message.state === "running");
    },
  };
}
