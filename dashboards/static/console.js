// The living part of every page: one stream of changes for all tabs, ages that run, and alerts that are noticed.
"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  let state = JSON.parse(document.getElementById("state").textContent);
  let arrived = performance.now();
  let leads = false;
  const plainTitle = document.title;
  const part = document.getElementById("part");
  const seen = { overview: state.overview, alerts: state.alerts };
  const LOST_AFTER = 15000;

  // --- time -------------------------------------------------------------------------------------------------
  const wallNow = () => state.wall + (performance.now() - arrived);
  const dataNow = () => (state.at === null ? null : state.at + Math.max(0, wallNow() - state.noted) * state.speed);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  const two = (n) => String(n).padStart(2, "0");

  function ageText(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 120) return fill(words.seconds, { n: s });
    if (s < 7200) return fill(words.minutes, { n: Math.floor(s / 60) });
    if (s < 172800) return fill(words.hours, { n: Math.floor(s / 3600) });
    return fill(words.days, { n: Math.floor(s / 86400) });
  }

  function beijing(ms) {
    const d = new Date(ms + 8 * 3600000);
    return `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())} ` +
      `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`;
  }

  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  let flip = false;

  function everySecond() {
    const now = dataNow();
    if (now !== null) {
      const [date, hand] = beijing(now).split(" ");
      document.querySelector("#now .date").textContent = date;
      document.querySelector("#now .hand").textContent = hand;
      for (const element of document.querySelectorAll("[data-age]")) {
        element.textContent = ageText(now - Number(element.dataset.age));
      }
    }
    flip = !flip;
    document.title = state.open && (flip || calm.matches)
      ? `● ${fill(words.unacknowledged, { n: state.open })}` : plainTitle;
    showLink(performance.now() - arrived > LOST_AFTER);
    if (state.urgent.length) notice();
  }

  function showLink(lost) {
    let line = document.getElementById("line-link");
    if (!lost) {
      line?.remove();
      return;
    }
    if (!line) {
      line = document.createElement("p");
      line.id = "line-link";
      line.className = "line warn";
      document.getElementById("ribbon").before(line);
    }
    line.textContent = fill(words.link_lost, { age: ageText(performance.now() - arrived) });
  }

  // --- changes ----------------------------------------------------------------------------------------------
  const tell = (element, name) => element?.dispatchEvent(new CustomEvent(name));

  function take(next) {
    const before = state;
    const back = performance.now() - arrived > LOST_AFTER;
    state = next;
    arrived = performance.now();
    const count = document.getElementById("open-count");
    count.textContent = state.open;
    count.hidden = !state.open;
    const ribbon = ["store", "desk", "silent", "open"].some((name) => before[name] !== state[name]) ||
      before.newest.join() !== state.newest.join() || !state.store || !state.desk || state.silent;
    if (ribbon || back) tell(document.getElementById("ribbon"), "jianhu:ribbon");
    const wants = (part?.dataset.part || "").split(" ");
    if (part && !typing() && (back || wants.some((name) => name && seen[name] !== state[name]))) {
      remember();
      tell(part, "jianhu:part");
      seen.overview = state.overview;
      seen.alerts = state.alerts;
    }
    notice();
  }

  // a form that somebody fills in is not taken from under his hands; the page is renewed when it is empty or sent
  function typing() {
    if (!part || !("typed" in part.dataset)) return false;
    return [...part.querySelectorAll("textarea, input:not([type=hidden])")].some((field) =>
      field.value !== field.defaultValue || field.checked !== field.defaultChecked);
  }

  const channel = "BroadcastChannel" in window ? new BroadcastChannel("jianhu") : null;
  if (channel) channel.onmessage = (message) => { if (!leads) take(message.data); };

  function listen() {
    leads = true;
    const source = new EventSource("/live");
    source.addEventListener("state", (event) => {
      const next = JSON.parse(event.data);
      channel?.postMessage(next);
      take(next);
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
    };
    notice();
  }

  // one tab of a browser listens for all: a browser opens only six connections to one host
  if (navigator.locks && channel) {
    navigator.locks.request("jianhu-live", () => { listen(); return new Promise(() => {}); });
  } else {
    listen();
  }

  // --- what is new fades in ---------------------------------------------------------------------------------
  let held = new Map();
  let picked = [];
  function remember() {
    held = new Map();
    for (const row of document.querySelectorAll("tr[id], li[id]")) {
      held.set(row.id, [...row.children].map((cell) => cell.textContent));
    }
  }
  document.addEventListener("htmx:after:swap", () => {
    for (const row of held.size ? document.querySelectorAll("tr[id], li[id]") : []) {
      const old = held.get(row.id);
      if (!old) { fresh(row); continue; }
      [...row.children].forEach((cell, place) => { if (old[place] !== cell.textContent) fresh(cell); });
    }
    held = new Map();
    // what was chosen stays chosen
    for (const box of document.querySelectorAll("#queue input[name=item]")) box.checked = picked.includes(box.value);
    chosen();
    find();
  });
  function fresh(element) {
    element.classList.remove("fresh");
    void element.offsetWidth;
    element.classList.add("fresh");
  }

  // --- sound ------------------------------------------------------------------------------------------------
  const store = {
    get(name) { try { return JSON.parse(localStorage.getItem(`jianhu.${name}`)); } catch { return null; } },
    set(name, value) { try { localStorage.setItem(`jianhu.${name}`, JSON.stringify(value)); } catch { /* private mode */ } },
  };
  const sound = document.getElementById("sound");
  let audio = null;

  function beep() {
    const start = audio.currentTime;
    for (const [delay, pitch] of [[0, 880], [0.22, 660], [0.44, 880]]) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, start + delay);
      volume.gain.exponentialRampToValueAtTime(0.25, start + delay + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + delay + 0.2);
      tone.connect(volume).connect(audio.destination);
      tone.start(start + delay);
      tone.stop(start + delay + 0.22);
    }
  }

  const AGAIN = 60000, SHIFT = 12 * 3600000;
  let called = performance.now();

  // a mute ends with the shift: nobody after it knows of it
  function muted() {
    const held = store.get("muted");
    return held && (held.until || 0) > Date.now() ? held : null;
  }

  function notice() {
    showSound();
    const heard = new Set(store.get("heard") || []);
    const waiting = [...new Set([...state.urgent, ...state.newest])];
    const unheard = waiting.filter((id) => !heard.has(id));
    // what is urgent sounds also when muted, and again every minute until somebody signs
    const again = state.urgent.length > 0 && performance.now() - called >= AGAIN;
    if ((!unheard.length && !again) || !leads) return;
    if (!again && muted() && !unheard.some((id) => state.urgent.includes(id))) { store.set("heard", waiting); return; }
    if (audio?.state !== "running") return;
    beep();
    called = performance.now();
    store.set("heard", waiting);
    sound.dataset.beeps = String(Number(sound.dataset.beeps || 0) + 1);
  }

  function showSound() {
    const off = muted();
    const asleep = audio?.state !== "running";
    sound.hidden = false;
    sound.classList.toggle("attention", asleep && !off);
    sound.textContent = off ? words.sound_off : asleep ? words.sound_tap : words.sound_on;
    sound.title = off ? `${off.by} ${off.at}` : "";
    sound.setAttribute("aria-pressed", String(!off && !asleep));
  }

  async function wake() {
    if (!("AudioContext" in window)) return;
    audio ??= new AudioContext();
    if (audio.state === "suspended") await audio.resume();
    notice();
  }
  for (const kind of ["pointerdown", "keydown"]) {
    // the button itself decides by what it said before the touch
    document.addEventListener(kind, (event) => { if (!event.target.closest?.("#sound")) wake(); }, { passive: true });
  }

  sound.addEventListener("click", async () => {
    if (muted()) {
      store.set("muted", null);
    } else if (sound.getAttribute("aria-pressed") === "true") {
      const by = await author();
      if (by) store.set("muted", { by, at: beijing(wallNow()), until: Date.now() + SHIFT });
    }
    await wake();
    showSound();
  });

  // --- acknowledging ----------------------------------------------------------------------------------------
  function author() {
    const known = store.get("author");
    if (known) return Promise.resolve(known);
    const dialog = document.getElementById("signature");
    const name = document.getElementById("signature-name");
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        const given = dialog.returnValue === "save" ? name.value.trim() : "";
        if (given) store.set("author", given);
        resolve(given);
      }, { once: true });
      dialog.returnValue = "";
      dialog.showModal();
      name.focus();
    });
  }

  async function acknowledge(form) {
    const by = form.elements.author?.value || (await author());
    if (!by) return;
    const item = form.closest("[data-event]");
    const next = item?.nextElementSibling || item?.previousElementSibling;
    const id = item?.dataset.event || form.dataset.event;
    let answer = null;
    try {
      answer = await fetch(`/api/v1/alerts/${encodeURIComponent(id)}/acknowledge`, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ author: by }),
      });
    } catch { /* the link is down: said below */ }
    if (!answer?.ok) return failed();
    document.getElementById("line-failed")?.remove();
    if (item && next) choose(next);
    remember();
    tell(part, "jianhu:part");
    tell(document.getElementById("ribbon"), "jianhu:ribbon");
  }

  // --- forms that are signed: acknowledging on the desk, acts on a case --------------------------------------
  async function sign(form) {
    const field = form.elements.author;
    const by = field?.value.trim() || (await author());
    if (!by) return;
    store.set("author", by);
    const said = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && name !== "author") said.append(name, value);
    said.append("author", by);
    let answer = null;
    try {
      answer = await fetch(form.action, { method: "POST", body: said });
    } catch { /* the link is down: said below */ }
    if (!answer || answer.status >= 500) return failed();
    document.getElementById("line-failed")?.remove();
    if (!form.closest("#queue, .bulk") || !answer.ok) {
      // a page of its own answers: what is missing stands on it
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const lack = page.getElementById("lack") || (answer.ok ? null : page.querySelector("h1"));
      if (lack) return failed(lack.textContent);
      location.assign(answer.redirected ? answer.url : location.href);
      return;
    }
    const item = form.closest(".item");
    const next = item?.nextElementSibling?.matches(".item") ? item.nextElementSibling : item?.previousElementSibling;
    if (next?.matches(".item")) choose(next);
    for (const box of (item || document).querySelectorAll("input[name=item]:checked")) box.checked = false;
    chosen();
    remember();
    tell(part, "jianhu:part");
    tell(document.getElementById("ribbon"), "jianhu:ribbon");
  }

  function failed(text) {
    let line = document.getElementById("line-failed");
    if (!line) {
      line = document.createElement("p");
      line.id = "line-failed";
      line.className = "line warn";
      line.setAttribute("role", "alert");
      document.getElementById("ribbon").before(line);
    }
    line.textContent = text || words.not_noted;
    line.scrollIntoView({ block: "nearest" });
  }

  function chosen() {
    picked = [...document.querySelectorAll("#queue input[name=item]:checked")].map((box) => box.value);
    const bulk = document.getElementById("bulk");
    if (!bulk) return;
    bulk.hidden = picked.length === 0;
    const line = bulk.querySelector("[data-chosen]");
    line.textContent = fill(line.dataset.chosen, { n: picked.length });
  }
  document.addEventListener("change", (event) => {
    if (event.target.matches("#queue input[name=item]")) chosen();
    if (event.target.matches("form.narrow select, form.narrow input")) event.target.form.requestSubmit();
    if (event.target.matches("input[data-hash]")) hash(event.target);
  });

  // the file stays here: only its name and its SHA-256 go into the form
  async function hash(field) {
    const file = field.files[0];
    if (!file || !window.crypto?.subtle) return;
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    const form = field.form;
    form.elements.kind.value = "file";
    form.elements.value.value = file.name;
    form.elements.sha256.value = [...new Uint8Array(digest)].map((n) => n.toString(16).padStart(2, "0")).join("");
    field.value = "";
  }

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form.sign")) {
      event.preventDefault();
      sign(event.target);
      return;
    }
    if (event.target.matches("form.ack")) {
      event.preventDefault();
      acknowledge(event.target);
    }
  });

  // --- keys -------------------------------------------------------------------------------------------------
  const items = () => [...document.querySelectorAll("#queue > .item")];
  function choose(item) {
    item.focus();
    item.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    if (document.querySelector("dialog[open]")) return;
    const all = items();
    if (!all.length) return;
    const here = all.indexOf(document.activeElement?.closest(".item"));
    if (event.key === "j") choose(all[Math.min(all.length - 1, here + 1)]);
    else if (event.key === "k") choose(all[Math.max(0, here - 1)]);
    else if (event.key === "a" && here >= 0) all[here].querySelector("form.ack, form.sign")?.requestSubmit();
    else if (event.key === "A" && !document.getElementById("bulk")?.hidden) document.getElementById("bulk")?.requestSubmit();
    else if (event.key === "x" && here >= 0) all[here].querySelector("input[name=item]")?.click();
    else if (event.key === "Enter" && document.activeElement === all[here]) location.href = all[here].dataset.href;
    else return;
    event.preventDefault();
  });

  // --- finding ----------------------------------------------------------------------------------------------
  function find() {
    const wanted = (document.getElementById("find")?.value || "").trim().toLowerCase();
    for (const row of document.querySelectorAll("tr[data-find]")) {
      const out = wanted !== "" && !row.dataset.find.includes(wanted);
      row.hidden = out;
      document.getElementById(row.id.replace("row-", "mark-"))?.classList.toggle("dim", out);
    }
  }
  document.addEventListener("input", (event) => { if (event.target.id === "find") find(); });
  document.addEventListener("pointerover", (event) => light(event.target, true));
  document.addEventListener("pointerout", (event) => light(event.target, false));
  function light(target, on) {
    const row = target.closest?.("tr[data-find]");
    const mark = target.closest?.(".mark");
    if (row) document.getElementById(row.id.replace("row-", "mark-"))?.classList.toggle("lit", on);
    if (mark) document.getElementById(mark.id.replace("mark-", "row-"))?.classList.toggle("lit", on);
  }

  // a long strip starts at its newest end
  for (const strip of document.querySelectorAll(".strip")) strip.scrollLeft = strip.scrollWidth;
  setInterval(everySecond, 1000);
  everySecond();
  notice();
})();
