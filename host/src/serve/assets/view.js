// Draws the state of a device. What comes from outside is only ever set as text.

import { has, number, t, time, trouble } from "./words.js";

export const $ = (id) => document.getElementById(id);

const MARKS = { good: "✓", class: "✓", defect: "✕", unknown: "?", unclear: "≈", flawed: "✕", undecided: "…", lost: "⚡", idle: "…", trouble: "!" };
/** What the board's outputs say of a part that is told to be this. */
export const PIN = { good: "OK", class: "OK", defect: "NG", flawed: "NG", unknown: "NG", unclear: "NG" };
const BARS = 8;

export function make(tag, attributes = {}, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

/** Changes text only where it differs, so that readers aloud stay quiet. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** What an operator is told with a frame: what the last frames together say, where they vote. */
export function told({ call, nearest, vote }) {
  return vote ? { call: vote.call ?? "undecided", name: vote.class } : { call, name: nearest };
}

/** What a frame alone says where the vote says something else. */
function alone(decision) {
  const { call, name } = told(decision);
  const same = decision.call === call && (["unknown", "unclear"].includes(call) || decision.nearest === name);
  return same ? undefined : { call: decision.call, name: decision.nearest };
}

/** The two classes that a frame lies between. */
function nearest({ distances }) {
  return distances.slice(0, 2).map((measure) => measure.name).join(" / ");
}

/** What is said of a decision where there is little room. */
export function word({ call, name }) {
  return ["class", "good", "defect"].includes(call) && name ? name : t(`short-${call}`);
}

/** What to tell across the room: [call, word, detail, what it is of]. */
function verdict(device, connected) {
  const { state, history } = device;
  const last = history[0];
  if (!connected) return ["lost", t("lost"), t("server-lost")];
  if (state.link === "lost") {
    const told = state.trouble;
    return ["lost", t("lost"), told && told.kind !== "lost" ? trouble(told) : t("lost-detail")];
  }
  if (state.link === "connecting") return ["idle", t("connecting"), t("connecting-detail")];
  if (state.trouble) {
    const { kind } = state.trouble;
    return ["trouble", has(`e-${kind}`) ? t(`e-${kind}`) : t("trouble"), trouble(state.trouble)];
  }
  if (!state.inspects && !state.classes.some((taught) => taught.usable)) return ["idle", t("empty"), t(state.inspection ? "empty-inspect" : "empty-detail")];
  if (!last) return ["idle", t("waiting"), ""];
  if (state.teaching) return ["idle", t("teaching"), t("teaching-detail")];
  const { decision } = last;
  const said = told(decision);
  const other = alone(decision);
  const details = [time(decision.time), t("ms", { ms: number(Math.round(decision.micros / 1000)) })];
  if (other) details.unshift(t("alone", { word: word(other) }));
  else if (said.call === "unknown") details.unshift(t("like", { name: decision.nearest }));
  else if (said.call === "unclear") details.unshift(nearest(decision));
  if (decision.flawed_percent != null) details.unshift(t("flaw-size", { percent: decision.flawed_percent.toFixed(1) }));
  if (decision.vote) details.unshift(t("votes", decision.vote));
  const which = ["unknown", "unclear"].includes(said.call) ? "" : said.name ?? "";
  return [said.call, t(said.call), details.join(" · "), which];
}

/** A measure of how long a text is drawn, in letters; Korean ones are twice as wide. */
function extent(text) {
  return [...text].reduce((sum, letter) => sum + (letter > "\u1100" ? 1.75 : 1), 0);
}

export function draw(device, connected) {
  const [call, text, detail, which = ""] = verdict(device, connected);
  const live = connected && device.state.link === "up";
  $("decision").dataset.call = call;
  say($("mark"), MARKS[call]);
  // The outputs know two words; where the page has another it says theirs, too.
  const pin = PIN[call] && PIN[call] !== text ? `${PIN[call]} · ` : "";
  say($("kind"), has(`kind-${call}`) ? pin + t(`kind-${call}`) : "");
  say($("word"), text);
  say($("which"), which);
  $("which").style.setProperty("--extent", Math.max(8, extent(which)));
  say($("detail"), detail);
  $("drift").hidden = !device.state.drift || !live;
  $("word").style.setProperty("--extent", Math.max(4, extent(text)));
  document.title = `${text} – sudal`;
  bars(live ? device.history[0]?.decision : undefined);
  counters(device.state);
  reel(device.state);
}

/** That decisions are not on the disk, while they are not. */
export function log(state) {
  const told = state?.trouble;
  $("unlogged").hidden = !told;
  if (told) say($("unlogged"), t(state.lost ? "unlogged-lost" : "unlogged", { n: number(state.waiting), lost: number(state.lost), why: trouble(told) }));
}

/** The live picture, with its heat where that is wanted and known. */
export function picture(index, device, heat) {
  const { frame, inspects } = device?.state ?? { frame: 0 };
  const image = $("live");
  image.hidden = frame === 0;
  const hot = heat && inspects;
  $("cropped").hidden = !device?.state.cropped || image.hidden || hot;
  if (frame) image.src = `/devices/${index}/${hot ? "heat" : "picture"}?${frame}`;
}

function reel(state) {
  $("reel").hidden = !state.reel;
  if (!state.reel) return;
  say($("reel-class"), state.reel.class);
  say($("stay"), t(state.reel.stay ? "go-on" : "stay"));
  $("stay").setAttribute("aria-pressed", state.reel.stay);
}

/** How unusual the frame is, with a mark where it becomes unknown. */
function novelty(decision) {
  const row = $("novelty");
  const { novelty: value = null, threshold = null } = decision ?? {};
  row.hidden = value === null || threshold === null;
  if (row.hidden) return;
  const [bar, mark] = row.querySelectorAll("i, b");
  const share = (part) => `${Math.max(0, Math.min(100, (part / (2 * threshold)) * 100))}%`;
  bar.style.width = share(value);
  mark.style.left = share(threshold);
  row.querySelector("data").textContent = value.toFixed(2);
  row.dataset.call = decision.call;
}

function bars(decision) {
  novelty(decision);
  const measures = (decision?.distances ?? []).slice(0, BARS);
  const low = Math.min(0, ...measures.map((measure) => measure.value));
  const high = Math.max(low + 1e-6, ...measures.map((measure) => measure.value));
  const rows = measures.map((measure, place) => {
    const bar = make("i");
    bar.style.width = `${((measure.value - low) / (high - low)) * 100}%`;
    const row = make("li", {}, make("span", { textContent: measure.name, title: measure.name }), make("em", {}, bar),
      make("data", { textContent: measure.value.toFixed(2) }));
    if (place === 0) row.dataset.call = decision.call;
    return row;
  });
  $("bars").replaceChildren(...(rows.length ? rows : [make("p", { textContent: t("no-distances") })]));
}

/** How many of those that were decided passed. */
export function share({ calls }) {
  const of = (pin) => Object.entries(calls).reduce((sum, [call, count]) => sum + (PIN[call] === pin ? count : 0), 0);
  const [passed, all] = [of("OK"), of("OK") + of("NG")];
  return all ? `${((100 * passed) / all).toFixed(1)} %` : "–";
}

function counters({ counts, voting, classes }) {
  say($("yield"), `${t("yield")} ${share(counts)}`);
  say($("since"), t(voting ? "since-voting" : "since", { time: time(counts.since).slice(0, 5), ...voting }));
  $("since").title = t(voting ? "counted-voting" : "counted");
  const taught = ([name]) => classes.some((known) => known.name === name);
  const all = Object.entries(counts.classes).sort((a, b) => b[1] - a[1]);
  const rows = all.filter(taught).map(([name, count]) => [name, count, ""]);
  const gone = all.filter((row) => !taught(row)).reduce((sum, [, count]) => sum + count, 0);
  if (gone) rows.push([t("gone-classes"), gone, "gone"]);
  if (counts.calls.undecided) rows.push([t("undecided-count"), counts.calls.undecided, "undecided"]);
  if (counts.calls.unclear) rows.unshift([t("short-unclear"), counts.calls.unclear, "unclear"]);
  if (counts.calls.unknown) rows.unshift([t("short-unknown"), counts.calls.unknown, "unknown"]);
  if (counts.calls.flawed) rows.unshift([t("short-flawed"), counts.calls.flawed, "flawed"]);
  rows.unshift([t("total"), counts.total, "total"]);
  $("counters").replaceChildren(...rows.map(([name, count, kind]) => {
    const row = make("div", {}, make("dt", { textContent: name, title: name }), make("dd", { textContent: number(count) }));
    row.dataset.kind = kind;
    return row;
  }));
}

function moment({ id, decision }, open) {
  const source = decision.flawed_percent == null ? "picture" : "heat?side=160";
  const image = make("img", { src: `/log/${id}/${source}`, alt: "", loading: "lazy", width: 72, height: 72 });
  const said = told(decision);
  const text = said.call === "undecided" ? t("undecided-count") : word(said);
  const sign = make("u", { textContent: MARKS[said.call] ?? "", ariaHidden: true });
  const item = make("button", { type: "button", title: `${text} · ${time(decision.time)}` }, image,
    sign, make("b", { textContent: text }), make("time", { textContent: time(decision.time) }));
  item.onclick = () => open({ id, decision });
  item.dataset.call = said.call;
  const other = alone(decision);
  if (other) {
    const own = t("alone", { word: word(other) });
    const badge = make("i", { textContent: MARKS[other.call], title: own, role: "img", ariaLabel: own });
    badge.dataset.call = other.call;
    item.title += ` · ${own}`;
    item.append(badge);
  }
  return make("li", {}, item);
}

export function history(device, open) {
  const items = device.history.map((entry) => moment(entry, open));
  $("strip").replaceChildren(...(items.length ? items : [make("p", { textContent: t("no-history") })]));
}

/** One more at the front, without redrawing the others. */
export function addMoment(device, most, open) {
  const strip = $("strip");
  if (device.history.length === 1) strip.replaceChildren();
  strip.prepend(moment(device.history[0], open));
  while (strip.children.length > most) strip.lastChild.remove();
}

export function tabs(devices, current, choose) {
  const nav = $("tabs");
  // A tab stays the same element, or a click on it would be lost when it is redrawn.
  while (nav.children.length > devices.length) nav.lastChild.remove();
  devices.forEach(({ state, history: decisions }, index) => {
    if (!nav.children[index]) {
      const fresh = make("button", { type: "button", onclick: () => choose(index) }, make("i"), make("span"));
      fresh.setAttribute("role", "tab");
      nav.append(fresh);
    }
    const button = nav.children[index];
    say(button.lastChild, state.name);
    button.setAttribute("aria-selected", index === current);
    const said = decisions[0] && told(decisions[0].decision);
    button.dataset.call = state.link === "up" ? said?.call ?? "idle" : "lost";
    const tells = state.link !== "up" ? t("lost") : said && t(said.call);
    button.ariaLabel = tells ? `${state.name}: ${tells}` : state.name;
    // For who can't tell colours apart.
    say(button.firstChild, state.link === "up" ? MARKS[said?.call] ?? "" : MARKS.lost);
  });
}

export function words() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = t(element.dataset.word);
  for (const element of document.querySelectorAll("[data-title]")) element.title = element.ariaLabel = t(element.dataset.title);
  for (const element of document.querySelectorAll("[data-label]")) element.ariaLabel = t(element.dataset.label);
  $("name").placeholder = t("name-hint");
  $("live").alt = t("live");
  $("tabs").ariaLabel = t("devices");
}

let toastEnds;
export function untoast() {
  $("toast").hidden = true;
}

export function toast(text, bad = false) {
  const element = $("toast");
  element.role = bad ? "alert" : "status";
  element.textContent = text;
  element.classList.toggle("bad", bad);
  element.hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => { element.hidden = true; }, bad ? 6000 : 2500);
}
