"use strict";
/* The camera's page: receives pictures with what was found, draws boxes, asks for the status once a second. */

const byId = (id) => document.getElementById(id);
const STAGES = {
  wait: "#8a6f3c", preprocess: "#2a9d6f", forward: "#3b82c4", postprocess: "#a05fb4", latency: "#e08a1e",
};
const RETRY_MS = [250, 500, 1000, 2000, 5000];

const view = { bitmap: null, about: null, threshold: 0.35, hidden: new Set(), drawn: 0 };
const plots = { rate: new Plot(byId("plot-rate"), 120), stages: new Plot(byId("plot-stages"), 120) };
let attempts = 0;
let known = null;

/* --- the live picture --- */

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/live`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    attempts = 0;
    socket.send("next");
  };
  socket.onmessage = async (event) => {
    try {
      await receive(event.data);
      show("live", false);
    } finally {
      if (socket.readyState === WebSocket.OPEN) socket.send("next");
    }
  };
  socket.onclose = (event) => {
    const full = event.code === 4429;
    show(full ? "too many viewers" : "connection lost", true);
    setTimeout(connect, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]);
  };
}

async function receive(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const bitmap = await createImageBitmap(new Blob([new Uint8Array(buffer, 4 + length)], { type: "image/jpeg" }));
  if (view.bitmap) view.bitmap.close();
  view.bitmap = bitmap;
  view.about = about;
  view.drawn += 1;
  draw();
}

function draw() {
  if (!view.bitmap) return;
  const canvas = byId("picture");
  if (canvas.width !== view.bitmap.width || canvas.height !== view.bitmap.height) {
    canvas.width = view.bitmap.width;
    canvas.height = view.bitmap.height;
  }
  const pen = canvas.getContext("2d");
  pen.drawImage(view.bitmap, 0, 0);
  const scale = canvas.width / view.about.width;
  const found = view.about.detections.filter((box) => box.score >= view.threshold && !view.hidden.has(box.label));
  const zoom = canvas.width / Math.max(1, canvas.clientWidth); // the page may show it smaller than it is
  const letters = Math.round(13 * zoom);
  pen.lineWidth = Math.max(2, 2 * zoom);
  pen.font = `${letters}px system-ui, sans-serif`;
  pen.textBaseline = "top";
  for (const box of found.reverse()) {
    const [left, top, right, bottom] = box.box.map((value) => value * scale);
    const text = `${box.label} ${box.score.toFixed(2)}`;
    pen.strokeStyle = pen.fillStyle = colour(box.class_id);
    pen.strokeRect(left, top, right - left, bottom - top);
    const width = pen.measureText(text).width + 6;
    const above = top >= letters + 4 ? top - letters - 4 : top;
    pen.fillRect(left, above, width, letters + 4);
    pen.fillStyle = readableOn(pen.fillStyle);
    pen.fillText(text, left + 3, above + 2);
  }
  canvas.dataset.boxes = String(found.length);
}

/* The same as on drawn pictures; the status brings them. */
function colour(id) {
  return known ? known.colours[id] : "#ffffff";
}

/* Black or white, by the luma of ITU-R BT.601, as on drawn pictures. */
function readableOn(tint) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(tint.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 120 ? "#000" : "#fff";
}

/* --- status, plots, knobs --- */

function show(text, bad) {
  byId("state").textContent = text;
  byId("state").classList.toggle("bad", bad);
}

function notice(text) {
  byId("notice").hidden = !text;
  byId("notice").textContent = text || "";
}

async function refresh() {
  try {
    const answer = await fetch("/api/status");
    if (!answer.ok) throw new Error((await answer.json()).detail);
    fill(await answer.json());
  } catch (error) {
    notice(error instanceof TypeError ? "NanoEdge does not answer." : error.message);
  }
  setTimeout(refresh, 1000);
}

function fill(status) {
  const first = !known;
  known = status;
  if (first) begin(status);
  notice(status.healthy ? "" : `No new pictures: ${status.health}.`);
  byId("source").textContent = status.source;
  byId("rate").textContent = status.rate.toFixed(1);
  const latency = status.stages.latency;
  byId("latency").textContent = latency ? `${latency.p50.toFixed(0)} (p95 ${latency.p95.toFixed(0)})` : "–";
  byId("dropped").textContent = status.dropped.toLocaleString("en");
  const machine = status.machine;
  const slow = machine.throttled ? ", throttled" : status.cooled_fps ? ", slowed to cool" : "";
  byId("temperature").textContent = machine.temperature === null ? "–" : `${machine.temperature.toFixed(0)} °C${slow}`;
  byId("memory").textContent = machine.memory_bytes === null ? "–" : `${(machine.memory_bytes / 1e6).toFixed(0)} MB`;
  byId("uptime").textContent = duration(status.uptime);
  byId("record").disabled = !status.can_record;
  byId("record").setAttribute("aria-pressed", String(status.recording));
  byId("record").textContent = status.recording ? "Stop recording" : "Record";
  plots.rate.add({ rate: { value: status.rate, colour: "#3b82c4" } });
  const lines = {};
  for (const [stage, at] of Object.entries(status.stages)) {
    lines[stage] = { value: at.p50, colour: STAGES[stage] };
    lines[`${stage} p95`] = { value: at.p95, colour: STAGES[stage], dashed: true };
  }
  plots.stages.add(lines);
}

function begin(status) {
  view.threshold = status.score_threshold;
  byId("threshold").value = String(status.score_threshold);
  byId("threshold-value").textContent = status.score_threshold.toFixed(2);
  setTarget(status.target_fps || 0);
  byId("about").textContent =
    `${status.bundle} ${status.input.join("×")}, ${status.engine} ${status.compute}, ` +
    `${status.threads} thread${status.threads === 1 ? "" : "s"}, NanoEdge ${status.version}`;
  if (!status.can_record) byId("record").title = "Start with --recordings DIR";
  byId("no-events").textContent = status.keeps_events ? "None yet." : "Start with --events DIR to keep them.";
  for (const [id, name] of status.classes.entries()) byId("classes").append(classSwitch(id, name));
  for (const [stage, tint] of Object.entries(STAGES)) {
    const item = document.createElement("li");
    item.append(swatch(tint), ` ${stage}`);
    byId("legend").append(item);
  }
}

function swatch(tint) {
  const mark = document.createElement("span");
  mark.className = "swatch";
  mark.style.background = tint;
  return mark;
}

function classSwitch(id, name) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = true;
  box.value = name;
  box.onchange = () => {
    if (box.checked) view.hidden.delete(name);
    else view.hidden.add(name);
    draw();
  };
  label.append(box, swatch(colour(id)), name);
  return label;
}

function switchAll(on) {
  for (const box of byId("classes").querySelectorAll("input")) {
    box.checked = on;
    box.onchange();
  }
}

function setTarget(value) {
  byId("target").value = String(value);
  byId("target-value").textContent = Number(value) > 0 ? String(value) : "no limit";
}

function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const clock = new Date(seconds * 1000).toISOString().slice(11, 19);
  return days ? `${days} d ${clock}` : clock;
}

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  const document = await answer.json();
  if (!answer.ok) throw new Error(typeof document.detail === "string" ? document.detail : "refused");
  return document;
}

async function act(action, done) {
  try {
    byId("said").textContent = done(await action()) || "";
  } catch (error) {
    byId("said").textContent = error.message;
  }
}

byId("threshold").oninput = (event) => {
  view.threshold = Number(event.target.value);
  byId("threshold-value").textContent = view.threshold.toFixed(2);
  draw();
};
byId("target").oninput = (event) => setTarget(event.target.value);
byId("target").onchange = (event) =>
  act(() => post("/api/settings", { target_fps: Number(event.target.value) }), () => "");
byId("all").onclick = () => switchAll(true);
byId("none").onclick = () => switchAll(false);
byId("record").onclick = () =>
  act(
    () => post("/api/recording", { on: !known.recording }),
    (status) => {
      fill(status);
      return status.recording ? "recording" : `written: ${status.recording_file || "nothing"}`;
    },
  );
byId("snapshot").onclick = () => {
  const link = document.createElement("a");
  link.href = "/api/snapshot.jpg";
  link.download = `snapshot-${new Date().toISOString().replace(/[:.]/g, "-")}.jpg`;
  link.click();
};

/* --- events --- */

let newestEvent = null;

async function refreshEvents() {
  try {
    const events = await (await fetch("/api/events?most=24")).json();
    const newest = events.length ? events[0].name : null;
    if (newest !== newestEvent) {
      newestEvent = newest;
      byId("no-events").hidden = events.length > 0;
      byId("events").replaceChildren(...events.map(eventItem));
    }
  } catch {
    /* the status line says that nothing answers */
  }
  setTimeout(refreshEvents, 3000);
}

function eventItem(event) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const picture = document.createElement("img");
  const [date, time] = event.name.split("-");
  link.href = picture.src = `/api/events/${encodeURIComponent(event.name)}.jpg`;
  picture.alt = event.labels.join(", ");
  picture.loading = "lazy";
  const clock = `${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4, 6)}`;
  link.append(picture, `${event.labels.join(", ")} · ${date.slice(6)}.${date.slice(4, 6)}. ${clock}`);
  item.append(link);
  return item;
}

connect();
refresh();
refreshEvents();
