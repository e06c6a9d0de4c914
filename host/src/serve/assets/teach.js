// What changes something: teaching by holding, undo, names.

import { lang, t, trouble } from "./words.js";
import { $, make, toast } from "./view.js";

/** Between two shots of one hold, in milliseconds. */
const BETWEEN = 150;

// The address that the server printed ends in the token, which no other page or server gets to see.
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) {
  sessionStorage.setItem("token", given);
  history.replaceState(null, "", location.pathname);
}
const token = sessionStorage.getItem("token");

/** Whether the last refusal was of one frame. */
let refused = false;

/** Asks the server to change something. Gives the answer, or nothing if it was refused and told. */
async function post(path, body = {}) {
  refused = false;
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
    refused = told.kind === "outlier";
    toast(trouble(told), true);
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
    const path = `${device()}/enroll`;
    const number = Date.now();
    do {
      update();
      const answer = await post(path, { name, hold: number });
      // A frame that does not fit is left out, and told; the next may.
      if (!answer && !refused) break;
      await new Promise((done) => setTimeout(done, BETWEEN));
    } while (holding);
    holding = false;
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

  const undo = async () => {
    if (await post(`${device()}/undo`)) toast(t("undone"));
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
    if (await post(`${device()}/recenter`)) toast(t("recentered"));
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
    return post(`${device()}/role`, { id: taught.id, role: next });
  }

  function rename(row, name) {
    const input = make("input", { value: name, maxLength: 32 });
    input.setAttribute("aria-label", t("rename", { name }));
    let done = false;
    const finish = async (save) => {
      if (done) return;
      done = true;
      const to = input.value.trim();
      if (save && to && to !== name) await post(`${device()}/rename`, { from: name, to });
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
    if (await post(`${device()}/remove`, { id: taught.id })) toast(t("removed", { name: taught.name }));
  }

  let listed;
  function list(classes) {
    // As with tabs: what has not changed is not drawn anew.
    const now = JSON.stringify([classes, app.allowed, app.current, lang, $("name").value.trim()]);
    if (now === listed) return;
    listed = now;
    const rows = classes.map((taught, place) => {
      const { name } = taught;
      const key = make("kbd", { textContent: place < 9 ? place + 1 : "" });
      const pick = make("button", { type: "button", className: "pick", title: name }, key, make("span", { textContent: name }),
        make("small", { textContent: taught.usable ? `${taught.shots}` : t("other-model") }));
      const edit = make("button", { type: "button", textContent: "✎", className: "edit", title: t("rename", { name }) });
      const bin = make("img", { src: "/assets/bin.svg", alt: t("remove", { name }) });
      const drop = make("button", { type: "button", title: t("remove", { name }) }, bin);
      const meaning = `${t("role", { name })}: ${t(`role-${taught.role}`)}`;
      const stands = make("button", { type: "button", textContent: ROLES[taught.role], className: "role", title: meaning });
      stands.dataset.role = taught.role;
      stands.onclick = () => role(taught);
      const row = make("li", {}, pick, stands, edit, drop);
      row.classList.toggle("chosen", name === $("name").value.trim());
      pick.onclick = () => choose(name);
      edit.onclick = () => rename(row, name);
      drop.onclick = () => remove(taught);
      for (const button of [pick, stands, edit, drop]) button.disabled = !app.allowed;
      return row;
    });
    $("list").replaceChildren(...(rows.length ? rows : [make("p", { textContent: t("none") })]));
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
    hint.textContent = taught ? t("shots", { n: taught.shots, most: now.max_shots }) : t("hold-hint");
    const { undo: last } = now;
    $("undo").disabled = !app.allowed || !last || now.link !== "up";
    $("undo").textContent = last ? t(`undo-${last.what}`, { n: last.shots, name: last.name }) : t("undo");
    $("room").textContent = t("room", { n: now.classes.length, most: now.max_classes });
    if (!app.editing) list(now.classes);
    $("report").href = `/report?lang=${lang}`;
    $("csv").href = "/log.csv";
  }

  return { update, hold, release, undo, stay, skip, choose };
}
