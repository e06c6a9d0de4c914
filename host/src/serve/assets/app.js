// The page: listens to the server, and to keys.

import { has, lang, other, setLang, t } from "./words.js";
import { $, addMoment, told, draw, history, log, make, picture, tabs, words } from "./view.js";
import { setUp } from "./teach.js";
import { setUpInspection } from "./inspect.js";
import { setUpLessons } from "./lessons.js";
import { setUpRegion } from "./region.js";
import { setUpSession } from "./session.js";
import { setUpSettings } from "./settings.js";
import { showSound, sound, toggleSound } from "./sound.js";

const HISTORY = 48;
const app = { devices: [], log: undefined, current: 0, allowed: false, editing: false, connected: false, heat: localStorage.getItem("heat") !== "no" };
setUpSession(app);
const teach = setUp(app);
const inspect = setUpInspection(app, teach.change);
const lessons = setUpLessons(app, teach);
const settings = setUpSettings(app);
const region = setUpRegion(app, teach.change);
app.updated = () => {
  inspect.update();
  settings.update();
  region.update();
};
app.gallery = lessons.gallery;
app.opened = lessons.opened;
app.open = inspect.open;
app.redraw = () => picture(app.current, app.devices[app.current], app.heat);

const KEYS = [
  [["space"], "key-hold"], [["1", "…", "9"], "key-choose"], [["N"], "key-name"], [["U"], "key-undo"],
  [["G"], "key-good"], [["B"], "key-bad"], [["H"], "key-heat"],
  [["A"], "key-anyway"], [["escape"], "key-leave"],
  [["←", "→"], "key-device"], [["M"], "key-sound"], [["F"], "key-full"], [["S"], "key-stay"], [["D"], "key-next"], [["L"], "key-lang"], [["?"], "key-help"],
];

function drawAll() {
  document.documentElement.lang = lang;
  $("lang").textContent = t("key-lang");
  words();
  showSound();
  $("key-list").replaceChildren(...KEYS.map(([keys, text]) => make("div", {},
    make("dt", {}, ...keys.map((key) => make("kbd", { textContent: has(key) ? t(key) : key }))),
    make("dd", { textContent: t(text) }))));
  log(app.log);
  const device = app.devices[app.current];
  if (!device) return;
  tabs(app.devices, app.current, choose);
  draw(device, app.connected);
  app.redraw();
  history(device, app.open);
  teach.update();
}

function choose(index) {
  if (index < 0 || index >= app.devices.length) return;
  app.current = index;
  sessionStorage.setItem("device", app.devices[index].state.name);
  drawAll();
}

function hear(event) {
  if (event.type === "hello") {
    app.devices = event.devices;
    app.log = event.log;
    const name = sessionStorage.getItem("device");
    const index = app.devices.findIndex(({ state }) => state.name === name);
    app.current = Math.max(0, index);
    drawAll();
    return;
  }
  if (event.type === "log") {
    app.log = event.log;
    log(app.log);
    return;
  }
  const device = app.devices[event.device];
  const shown = event.device === app.current;
  if (event.type === "state") {
    const begun = device.state.counts.since !== event.state.counts.since;
    device.state = event.state;
    if (begun) device.history = [];
    if (shown && begun) history(device, app.open);
    if (shown) teach.update();
  } else if (event.type === "frame") {
    device.state.frame = event.frame;
    // Where heat is wanted it comes with the decision.
    if (shown && !(app.heat && device.state.inspects)) app.redraw();
    return;
  } else if (event.type === "decision") {
    device.state.counts = event.counts;
    device.history.unshift({ id: event.id, decision: event.decision });
    device.history.length = Math.min(device.history.length, HISTORY);
    if (shown) heard(event.decision);
    if (shown) addMoment(device, HISTORY, app.open);
    if (shown && app.heat) app.redraw();
  }
  tabs(app.devices, app.current, choose);
  if (shown) draw(device, app.connected);
}

/** What was last heard of a part. */
let last;
function heard({ part, ...decision }) {
  if (part === "aside") return;
  const { call } = told(decision);
  // Once a part, and when it turns out to be something else.
  if (part !== "begins" && call === last) return;
  last = call;
  sound(call);
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else $("decision").requestFullscreen().catch(() => { /* not here */ });
}

function connect() {
  const source = new EventSource("/events");
  const tell = (connected) => {
    app.connected = connected;
    $("banner").textContent = t("server-lost");
    $("banner").hidden = connected;
    drawAll();
  };
  source.onopen = () => tell(true);
  source.onmessage = (message) => hear(JSON.parse(message.data));
  source.onerror = () => {
    tell(false);
    if (source.readyState !== EventSource.CLOSED) return;
    // A session may have ended.
    teach.look();
    setTimeout(connect, 2000);
  };
}

function switchLang() {
  setLang(other());
  drawAll();
}

$("lang").onclick = switchLang;
$("sound").onclick = toggleSound;
$("full").onclick = fullScreen;
$("keys-button").onclick = () => $("keys").showModal();

addEventListener("keydown", (event) => {
  const writing = event.target instanceof HTMLInputElement && event.target.type !== "radio" || event.target instanceof HTMLSelectElement || document.querySelector("dialog[open]");
  if (writing || event.ctrlKey || event.metaKey || event.altKey) return;
  // Who came to a button by Tab presses it by the space bar.
  if (event.key === " " && event.target instanceof HTMLButtonElement && event.target.id !== "hold") return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const taught = app.devices[app.current]?.state.classes[key - 1];
  const commands = {
    " ": () => event.repeat || teach.hold(),
    "n": () => { $("name").focus(); $("name").select(); },
    "g": inspect.good,
    "b": inspect.bad,
    "h": inspect.heat,
    "a": teach.anyway,
    "Escape": teach.leave,
    "u": () => $("undo").disabled || teach.undo(),
    "s": () => $("stay").disabled || $("reel").hidden || teach.stay(),
    "d": () => $("skip").disabled || $("reel").hidden || teach.skip(),
    "l": switchLang,
    "m": toggleSound,
    "f": fullScreen,
    "?": () => $("keys").showModal(),
    "ArrowLeft": () => choose(app.current - 1),
    "ArrowRight": () => choose(app.current + 1),
  };
  const command = commands[key] ?? (taught && app.allowed ? () => teach.choose(taught.name) : undefined);
  if (command) {
    event.preventDefault();
    command();
  }
});
// After a click or a touch the space bar teaches again.
addEventListener("click", (event) => {
  if (event.detail && document.activeElement instanceof HTMLButtonElement) document.activeElement.blur();
});
addEventListener("keyup", (event) => {
  if (event.key === " ") teach.release();
});

drawAll();
connect();
