"use strict";
// Asks for the board every few seconds and puts it in place; sends a HALT; sounds when one is new.
(() => {
  const EVERY_MS = 3000, main = document.querySelector("main");
  const live = document.getElementById("live"), said = document.getElementById("said");
  let tag = "", lost = 0, sound = null;
  const halts = () => Number(main.firstElementChild?.dataset.halts ?? 0);
  let known = halts();
  const ring = () => {
    try {
      sound = sound ?? new AudioContext();
      for (const [n, pitch] of [660, 880, 660].entries()) {
        const tone = sound.createOscillator(), from = sound.currentTime + n * 0.35;
        tone.frequency.value = pitch; tone.connect(sound.destination);
        tone.start(from); tone.stop(from + 0.3);
      }
    } catch { /* a wall without loudspeakers */ }
  };
  const look = async () => {
    try {
      const answer = await fetch(location.origin + "/board/live", { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
      if (answer.status === 200) {
        main.innerHTML = await answer.text();
        tag = answer.headers.get("etag") ?? "";
        const now = halts();
        if (now > known) { ring(); document.body.dataset.rang = String(Number(document.body.dataset.rang ?? 0) + 1); }
        known = now;
      } else if (answer.status !== 304) { throw new Error(String(answer.status)); }
      lost = 0; live.className = ""; live.textContent = "live " + new Date().toISOString().slice(11, 19) + " UTC";
    } catch (error) {
      lost += 1; live.className = "lost"; live.textContent = "NO CONTACT: this is old (" + lost * EVERY_MS / 1000 + " s)";
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button.halt");
    if (!button) return;
    const { channel, release } = button.dataset;
    button.disabled = true; said.textContent = "halting " + release + " on " + channel + " …";
    try {
      const answer = await fetch(location.origin + "/board/halt", {
        method: "POST", headers: { "content-type": "application/json" },
        body: JSON.stringify({ channel, release: Number(release) }),
      });
      const told = await answer.json(); said.textContent = told.text ?? "NOT HALTED: " + told.error;
    } catch (error) { said.textContent = "NOT HALTED: no answer. Press again, or `fleet halt " + release + " " + channel + "`"; }
    button.disabled = false; await look();
  });
  const beat = async () => { await look(); setTimeout(beat, EVERY_MS); };
  beat();
})();
