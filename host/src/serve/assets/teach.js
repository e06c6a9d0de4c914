// What changes something: teaching by holding, undo, names.

import { has, lang, t, trouble } from "./words.js";
import { $, make, say, toast, untoast } from "./view.js";

/** Between two shots of one hold, in milliseconds, and how many a hold takes. */
const BETWEEN = 400;
const SHOTS = 5;

// The address that the server printed ends in the token, which no other page or server gets to see.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname);
}
let token = sessionStorage.getItem("token");
/** Tabs of this browser; only one of them changes something. */
const tabsOfThis = new BroadcastChannel("sudal");

/** Why the last frame does not fit the class that it was to join, if it was refused for that. */
let refused;

/** Asks the server to change something. Gives the answer, or nothing if it was refused and told. */
export async function post(path, body = {}) {
  const raw = body instanceof Blob;
  refused = undefined;
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: {
        ...authorization(),
        ...(raw ? {} : { "Content-Type": "application/json" }),
      },
      body: raw ? body : JSON.stringify(body),
    });
    if (response.ok) return response.status === 204 ? {} : await response.json();
    const text = await response.text();
    let told = { kind: "", text };
    try { told = JSON.parse(text); } catch { /* not from a device */ }
    if (has(`left-${told.kind}`)) refused = told;
    else toast(has(`e-${told.kind}`) ? `${t(`e-${told.kind}`)}. ${trouble(told)}` : trouble(told), true);
  } catch {
    toast(t("server-lost"), true);
  }
}

/** What proves to the server who this is, where that is no session. */
function authorization() {
  if (!token) return {};
  const by = encodeURIComponent(localStorage.getItem("who") ?? "");
  return { "Authorization": `Bearer ${token}`, "X-Sudal-By": by };
}

/** A file of the server that not everybody may read; nothing if it can't be had. */
export async function read(path) {
  const response = await fetch(path, { headers: authorization() }).catch(() => undefined);
  if (response?.ok) return response.blob();
  toast(response ? await response.text() : t("server-lost"), true);
}

/** Whether there are users, who this is, and what they may do. */
async function session() {
  const response = await fetch("/session", { headers: authorization() });
  return response.ok ? response.json() : {};
}

export function setUp(app) {
  const device = () => `/devices/${app.current}`;
  const state = () => app.devices[app.current]?.state;
  let holding = false;
  /** Shots that this hold added, and the class of the last one. */
  let taken = 0;
  let lesson;
  const classOf = (name) => state()?.classes.find((known) => known.name === name && known.usable);
  /** Why nothing can be added to a class, if so. */
  function full(name) {
    const now = state();
    const taught = classOf(name);
    if (taught && taught.shots >= now.max_shots) return t("class-full", { name, most: now.max_shots });
    if (name && !now.classes.some((known) => known.name === name) && now.classes.length >= now.max_classes) {
      return t("classes-full", { most: now.max_classes });
    }
  }
  const chosenRole = () => document.querySelector("#roles :checked").value;
  for (const input of document.querySelectorAll("#roles input")) {
    input.onchange = async () => {
      const taught = classOf($("name").value.trim());
      if (taught && taught.role !== input.value) await role(taught, input.value);
      update();
    };
  }
  /** A frame that was refused and can be enrolled all the same. */
  let offer;

  async function look() {
    const who = await session().catch(() => ({}));
    app.allowed = ["teach", "administer"].includes(who.role);
    app.administers = who.role === "administer";
    $("watch-only").hidden = app.allowed;
    const why = $("watch-only").firstElementChild;
    why.dataset.word = who.users ? "watch-only-user" : "watch-only";
    say(why, t(why.dataset.word));
    app.known(who);
    document.body.classList.toggle("watching", !app.allowed);
    if (!app.allowed) tabsOfThis.postMessage("who teaches?");
    update();
  }
  tabsOfThis.onmessage = ({ data }) => {
    if (app.allowed && data === "who teaches?") tabsOfThis.postMessage("I do");
    if (app.allowed && data === "hand over") {
      tabsOfThis.postMessage({ token });
      token = null;
      sessionStorage.removeItem("token");
      release();
      look().then(() => toast(t("taken-over"), true));
    }
    if (!app.allowed && data === "I do") $("take-over").hidden = false;
    if (taking && data.token) {
      taking = false;
      ({ token } = data);
      sessionStorage.setItem("token", token);
      $("take-over").hidden = true;
      look();
    }
  };
  let taking = false;
  $("take-over").onclick = () => {
    if (!confirm(t("take-over-sure"))) return;
    taking = true;
    tabsOfThis.postMessage("hand over");
  };
  look();

  async function hold() {
    const name = $("name").value.trim();
    if (holding || !app.allowed) return;
    if (!name) {
      toast(t("need-name"), true);
      $("name").focus();
      return;
    }
    if (full(name)) return;
    untoast();
    holding = true;
    taken = 0;
    offer = undefined;
    const path = device();
    const number = Date.now();
    let left;
    do {
      update();
      const answer = await post(`${path}/enroll`, { name, hold: number, role: chosenRole() });
      taken += answer ? 1 : 0;
      // A frame that does not fit is left out, and told; the next may.
      if (!answer && !refused) break;
      if (refused && refused.kind !== "same") left = { told: refused, path, name, hold: number };
      update();
      await new Promise((done) => setTimeout(done, BETWEEN));
    } while (holding && taken < SHOTS && !full(name));
    holding = false;
    offer = left;
    lesson = taken ? name : undefined;
    update();
  }
  const release = () => { holding = false; };

  const button = $("hold");
  button.addEventListener("pointerdown", (event) => {
    if (event.button === 0) {
      event.preventDefault();
      button.setPointerCapture(event.pointerId);
      // From here on keys are commands again.
      $("name").blur();
      hold();
    }
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(end, release);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.repeat) hold();
  });
  button.addEventListener("keyup", release);
  addEventListener("blur", release);
  document.addEventListener("visibilitychange", release);

  /** The frame that was refused, all the same. */
  async function anyway() {
    if (holding || offer?.path !== device()) return;
    const { path, name, hold: number } = offer;
    if (await change(`${path}/enroll-anyway`, { hold: number })) toast(t("added", { name }));
  }
  function leave() {
    offer = undefined;
    update();
  }
  $("anyway").onclick = anyway;
  $("leave").onclick = leave;

  /** Changes what was taught; what was refused before is then no longer offered. */
  function change(path, body) {
    leave();
    return post(path, body);
  }

  const undo = async () => {
    if (await change(`${device()}/undo`)) toast(t("undone"));
  };
  const stay = () => post(`${device()}/stay`, { stay: !state().reel.stay });
  const skip = () => post(`${device()}/skip`);
  $("undo").onclick = undo;
  $("stay").onclick = stay;
  $("skip").onclick = skip;
  $("name").oninput = () => update();
  $("name").onkeydown = (event) => {
    if (event.key === "Enter" || event.key === "Escape") $("name").blur();
  };
  $("recenter").onclick = async () => {
    if (await change(`${device()}/recenter`)) toast(t("recentered"));
  };
  $("uncenter").onclick = async () => {
    if (await change(`${device()}/uncenter`)) toast(t("uncentered"));
  };
  $("new-shift").onclick = async () => {
    if (await post("/shift")) toast(t("shift-begun"));
  };

  function choose(name) {
    $("name").value = name;
    const taught = classOf(name);
    if (taught) document.querySelector(`#roles [value="${taught.role}"]`).checked = true;
    update();
  }

  /** What classes stand for. */
  const ROLES = ["plain", "good", "defect"];
  function role(taught, to) {
    return change(`${device()}/role`, { id: taught.id, role: to });
  }

  function rename(row, name) {
    const input = make("input", { value: name, maxLength: 96 });
    input.setAttribute("aria-label", t("rename", { name }));
    let done = false;
    const finish = async (save) => {
      if (done) return;
      done = true;
      const to = input.value.trim();
      if (save && to && to !== name) await change(`${device()}/rename`, { from: name, to });
      if ($("name").value === name && save && to) $("name").value = to;
      app.editing = false;
      update();
    };
    input.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter") finish(true);
      if (event.key === "Escape") finish(false);
    };
    input.onblur = () => finish(true);
    app.editing = true;
    listed = "";
    row.replaceChildren(input);
    input.select();
  }

  async function remove(taught) {
    if (await change(`${device()}/remove`, { id: taught.id })) toast(t("removed", { name: taught.name }));
  }

  let listed;
  function list(classes) {
    // As with tabs: what has not changed is not redrawn.
    const now = JSON.stringify([classes, app.allowed, app.current, lang, $("name").value.trim()]);
    if (now === listed) return;
    listed = now;
    const rows = classes.map((taught, place) => {
      const { name } = taught;
      const key = make("kbd", { textContent: place < 9 ? place + 1 : "" });
      const pick = make("button", { type: "button", className: "pick", title: name }, key, make("span", { textContent: name }),
        make("small", { textContent: taught.usable ? `${taught.shots}` : t("other-model") }));
      // A sign alone is nothing to read aloud.
      const tool = (className, label, sign) => make("button", { type: "button", className, title: label, ariaLabel: label }, sign);
      const edit = tool("edit", t("rename", { name }), "✎");
      const drop = tool("drop", t("remove", { name }), make("img", { src: "/assets/bin.svg", alt: "" }));
      const stands = make("select", { className: "role", title: t("role", { name }), ariaLabel: t("role", { name }) },
        ...ROLES.map((value) => make("option", { value, textContent: t(`role-${value}`), selected: value === taught.role })));
      stands.dataset.role = taught.role;
      stands.onchange = () => role(taught, stands.value);
      const shots = tool("shots", t("gallery", { name }), "▦");
      shots.onclick = () => app.gallery(taught);
      const row = make("li", {}, pick, stands, shots, edit, drop);
      const chosen = name === $("name").value.trim();
      row.classList.toggle("chosen", chosen);
      pick.ariaPressed = chosen;
      pick.onclick = () => choose(name);
      edit.onclick = () => rename(row, name);
      drop.onclick = () => remove(taught);
      for (const button of [pick, stands, edit, drop]) button.disabled = !app.allowed;
      return row;
    });
    const buttons = () => [...$("list").querySelectorAll("button, select")];
    const focused = buttons().indexOf(document.activeElement);
    $("list").replaceChildren(...(rows.length ? rows : [make("p", { textContent: t("none") })]));
    buttons()[focused]?.focus();
  }

  /** What was taught and will not work. */
  function separation(found) {
    const confused = (found?.confused ?? []).map(({ classes, mistaken, shots }) =>
      t(5 * mistaken < shots ? "confused" : "not-apart", { one: classes[0], other: classes[1], mistaken, shots }));
    const same = (found?.same ?? []).map((name) => t("all-same", { name }));
    const { shots, right, unknown } = found ?? {};
    const left = shots ? [t(unknown ? "left-out-unknown" : "left-out", { right, shots, unknown })] : [];
    // What concerns the class of the last lesson comes first.
    const lines = [...same, ...confused].sort((a, b) => (lesson ? b.includes(lesson) - a.includes(lesson) : 0));
    say($("separation"), [...left, ...lines].slice(0, 5).join("\n"));
  }

  function update() {
    const now = state();
    for (const element of document.querySelectorAll(".needs-token")) element.disabled = !app.allowed;
    for (const element of document.querySelectorAll(".needs-admin")) element.disabled = !app.administers;
    $("audits").hidden = !app.administers;
    // Names to choose from.
    const known = now ? now.classes.map((each) => each.name) : [];
    if ([...$("known").children].map((option) => option.value).join("\n") !== known.join("\n")) {
      $("known").replaceChildren(...known.map((value) => make("option", { value })));
    }
    if (!now) return;
    const name = $("name").value.trim();
    const taught = classOf(name);
    // A class that is there has a role; it is shown, unless it is just being chosen.
    if (taught && !$("roles").contains(document.activeElement)) document.querySelector(`#roles [value="${taught.role}"]`).checked = true;
    const why = full(name);
    const [title, hint] = button.children;
    button.classList.toggle("held", holding);
    button.disabled = !app.allowed || now.link !== "up" || (Boolean(why) && !holding);
    title.textContent = t(holding ? "holding" : "hold");
    if (holding && refused) hint.textContent = t(`left-${refused.kind}`, { other: refused.class });
    else if (why) hint.textContent = why;
    else if (holding) hint.textContent = t("taken", { n: taken, most: SHOTS });
    else hint.textContent = taught ? t("shots", { n: taught.shots, most: now.max_shots }) : t("hold-hint");
    const offered = offer?.path === device() && !holding;
    $("refusal").hidden = !offered;
    if (offered) say($("refusal").firstElementChild, t(`refused-${offer.told.kind}`, { name: offer.name, other: offer.told.class }));
    const { undo: last } = now;
    $("undo").disabled = !app.allowed || !last || now.link !== "up";
    $("undo").textContent = last ? t(`undo-${last.what}`, { n: last.shots, name: last.name, role: last.role && t(`as-${last.role}`) }) : t("undo");
    $("uncenter").hidden = !now.recentered;
    separation(now.separation);
    $("room").textContent = t("room", { n: now.classes.length, most: now.max_classes });
    if (!app.editing) list(now.classes);
    $("report").href = `/report?lang=${lang}&offset=${-new Date().getTimezoneOffset()}`;
    $("csv").href = "/log.csv";
    app.updated?.();
  }

  return { look, update, change, hold, release, anyway, leave, undo, stay, skip, choose };
}
