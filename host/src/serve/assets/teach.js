// What changes something: teaching by holding, undo, names.

import { has, lang, t, trouble } from "./words.js";
import { $, make, say, toast } from "./view.js";

/** Between two shots of one hold, in milliseconds. */
const BETWEEN = 400;

// The address that the server printed ends in the token, which no other page or server gets to see.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname);
}
const token = sessionStorage.getItem("token");

/** Why the last frame does not fit the class that it was to join, if it was refused for that. */
let refused;

/** Asks the server to change something. Gives the answer, or nothing if it was refused and told. */
async function post(path, body = {}) {
  refused = undefined;
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
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

/** Whether the token lets this page change something. */
async function may() {
  if (!token) return false;
  const response = await fetch("/token", { method: "POST", headers: { "Authorization": `Bearer ${token}` } });
  return response.ok;
}

export function setUp(app) {
  const device = () => `/devices/${app.current}`;
  const state = () => app.devices[app.current]?.state;
  let holding = false;
  /** A frame that was refused and can be enrolled all the same. */
  let offer;

  may().catch(() => false).then((allowed) => {
    app.allowed = allowed;
    $("watch-only").hidden = allowed;
    document.body.classList.toggle("watching", !allowed);
    update();
  });

  async function hold() {
    const name = $("name").value.trim();
    if (holding || !app.allowed) return;
    if (!name) {
      toast(t("need-name"), true);
      $("name").focus();
      return;
    }
    holding = true;
    offer = undefined;
    const path = device();
    const number = Date.now();
    let left;
    do {
      update();
      const answer = await post(`${path}/enroll`, { name, hold: number });
      // A frame that does not fit is left out, and told; the next may.
      if (!answer && !refused) break;
      if (refused && refused.kind !== "same") left = { told: refused, path, name, hold: number };
      await new Promise((done) => setTimeout(done, BETWEEN));
    } while (holding);
    holding = false;
    offer = left;
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
    update();
  }

  /** What classes stand for, and how that is drawn, in the order of the button. */
  const ROLES = { plain: "◆", good: "✓", defect: "✕" };
  function role(taught) {
    const roles = Object.keys(ROLES);
    const next = roles[(roles.indexOf(taught.role) + 1) % roles.length];
    return change(`${device()}/role`, { id: taught.id, role: next });
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
      const stands = tool("role", `${t("role", { name })}: ${t(`role-${taught.role}`)}`, ROLES[taught.role]);
      stands.dataset.role = taught.role;
      stands.onclick = () => role(taught);
      const row = make("li", {}, pick, stands, edit, drop);
      const chosen = name === $("name").value.trim();
      row.classList.toggle("chosen", chosen);
      pick.ariaPressed = chosen;
      pick.onclick = () => choose(name);
      edit.onclick = () => rename(row, name);
      drop.onclick = () => remove(taught);
      for (const button of [pick, stands, edit, drop]) button.disabled = !app.allowed;
      return row;
    });
    const buttons = () => [...$("list").querySelectorAll("button")];
    const focused = buttons().indexOf(document.activeElement);
    $("list").replaceChildren(...(rows.length ? rows : [make("p", { textContent: t("none") })]));
    buttons()[focused]?.focus();
  }

  /** What was taught and will not work. */
  function separation(found) {
    const confused = (found?.confused ?? []).map(({ classes, mistaken, shots }) =>
      t(5 * mistaken < shots ? "confused" : "not-apart", { one: classes[0], other: classes[1], mistaken, shots }));
    const same = (found?.same ?? []).map((name) => t("all-same", { name }));
    say($("separation"), [...same, ...confused].slice(0, 4).join("\n"));
  }

  function update() {
    const now = state();
    for (const element of document.querySelectorAll(".needs-token")) element.disabled = !app.allowed;
    if (!now) return;
    const name = $("name").value.trim();
    const taught = now.classes.find((known) => known.name === name && known.usable);
    const [title, hint] = button.children;
    button.classList.toggle("held", holding);
    button.disabled = !app.allowed || now.link !== "up";
    title.textContent = t(holding ? "holding" : "hold");
    if (holding && refused) hint.textContent = t(`left-${refused.kind}`, { other: refused.class });
    else hint.textContent = taught ? t("shots", { n: taught.shots, most: now.max_shots }) : t("hold-hint");
    const offered = offer?.path === device() && !holding;
    $("refusal").hidden = !offered;
    if (offered) say($("refusal").firstElementChild, t(`refused-${offer.told.kind}`, { name: offer.name, other: offer.told.class }));
    const { undo: last } = now;
    $("undo").disabled = !app.allowed || !last || now.link !== "up";
    $("undo").textContent = last ? t(`undo-${last.what}`, { n: last.shots, name: last.name, role: last.role && t(`role-${last.role}`) }) : t("undo");
    $("uncenter").hidden = !now.recentered;
    separation(now.separation);
    $("room").textContent = t("room", { n: now.classes.length, most: now.max_classes });
    if (!app.editing) list(now.classes);
    $("report").href = `/report?lang=${lang}`;
    $("csv").href = "/log.csv";
    app.updated?.();
  }

  return { update, change, hold, release, anyway, leave, undo, stay, skip, choose };
}
