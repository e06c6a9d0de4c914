// Inspection: what good parts look like, learned frame by frame, and where a part is not like them.

import { number, t, time } from "./words.js";
import { $, make, say, toast } from "./view.js";

/** Of commissioning, where nothing else is written. */
const FRAMES = 200;

export function setUpInspection(app, change) {
  const device = () => `/devices/${app.current}`;
  const state = () => app.devices[app.current]?.state;
  const known = () => state()?.inspection;
  /** A picture of the history that is looked at, and whether its heat is shown. */
  let opened;
  let heated = true;
  let forgetting = false;

  /** Teaches the frame in view, or that of a picture of the history. */
  async function teach(what, picture) {
    if (!app.allowed || !known()) return false;
    const done = await change(`${device()}/${what}`, { picture });
    if (done) toast(t(`${what}-learned`));
    return Boolean(done);
  }
  const good = () => $("good").disabled || teach("good");
  const bad = () => $("bad").disabled || teach("bad");
  $("good").onclick = good;
  $("bad").onclick = bad;

  function heat() {
    if (!known()) return;
    app.heat = !app.heat;
    localStorage.setItem("heat", app.heat ? "yes" : "no");
    app.redraw();
    update();
  }
  $("heat").onclick = heat;

  $("commission").onsubmit = (event) => {
    event.preventDefault();
    $("frames").blur();
    change(`${device()}/commission`, { frames: Math.max(1, Math.trunc(Number($("frames").value)) || FRAMES) });
  };
  $("keep").onclick = async () => {
    if (await change(`${device()}/keep-commission`)) toast(t("commission-kept"));
  };
  $("discard").onclick = async () => {
    if (await change(`${device()}/discard-commission`)) toast(t("commission-discarded"));
  };
  // Asked for twice.
  const ask = (asked) => () => {
    forgetting = asked;
    update();
    $(asked ? "forget-no" : "forget").focus();
  };
  $("forget").onclick = ask(true);
  $("forget-no").onclick = ask(false);
  $("forget-yes").onclick = async () => {
    forgetting = false;
    if (await change(`${device()}/forget`)) toast(t("forgotten"));
    update();
  };

  /** Shows a picture of the history, and what can be said of it. */
  function open({ id, decision }) {
    opened = { id, decision, of: app.current };
    heated = decision.flawed_percent != null;
    drawMoment();
    app.opened(opened);
    $("moment").showModal();
  }
  function drawMoment() {
    if (!opened) return;
    const { id, decision } = opened;
    const now = known();
    const image = $("moment-picture");
    const source = `/log/${id}/${heated ? "heat" : "picture"}`;
    if (image.getAttribute("src") !== source) image.src = source;
    say($("moment-time"), time(decision.time));
    say($("moment-size"), decision.flawed_percent == null ? "" : t("flaw-size", { percent: decision.flawed_percent.toFixed(1) }));
    const inspected = Boolean(now) && decision.novelty != null;
    $("moment-heat").hidden = !inspected;
    $("moment-heat").ariaPressed = heated;
    const held = Boolean(now) && now.shown && id >= now.first && opened.of === app.current;
    for (const button of ["moment-good", "moment-bad"]) {
      $(button).hidden = !now || !held;
      $(button).disabled = !app.allowed || Boolean(now?.commission) || (button === "moment-bad" && !now?.good);
    }
    $("moment-gone").hidden = !now || held;
    if (now) say($("moment-gone"), t(now.shown ? "frame-gone" : "own-camera"));
  }
  // Without a heat map, as before there were good parts, there is the picture.
  $("moment-picture").onerror = () => {
    if (!heated) return;
    heated = false;
    drawMoment();
  };
  $("moment-heat").onclick = () => {
    heated = !heated;
    drawMoment();
  };
  for (const what of ["good", "bad"]) {
    $(`moment-${what}`).onclick = async () => {
      if (await teach(what, opened.id)) $("moment").close();
    };
  }
  $("moment").onclose = () => { opened = undefined; };

  function facts(now) {
    const rows = [
      [t("good-frames"), number(now.good)],
      [t("bad-frames"), number(now.bad)],
      [t("memory-used"), t("kilobytes", { n: Math.round(now.bytes / 1024), most: Math.round(now.max_bytes / 1024) })],
      [t("commissioned"), now.watched ? t("watched", { n: number(now.watched) }) : t("not-commissioned")],
    ];
    $("facts").replaceChildren(...rows.map(([name, value]) =>
      make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value }))));
  }

  let drawn;
  function update() {
    const now = known();
    $("inspect").hidden = !now;
    document.body.classList.toggle("inspects", Boolean(now));
    if (!now) return;
    const up = state().link === "up";
    const { commission } = now;
    const fresh = JSON.stringify([now, document.documentElement.lang]);
    if (fresh !== drawn) facts(now);
    drawn = fresh;
    const hint = commission ? "commission-hint" : now.foreign ? "foreign-hint"
      : now.good === 0 ? "first-hint" : now.good < 4 ? "more-hint"
        : now.watched < now.fewest ? "commission-next" : "ready-hint";
    say($("inspect-hint"), t(hint, { n: now.good }));
    const able = app.allowed && up && !commission && !now.foreign;
    $("good").disabled = !able;
    $("bad").disabled = !able || now.good === 0;
    $("heat").disabled = now.good === 0 || now.foreign;
    $("heat").ariaPressed = Boolean(app.heat);
    $("commission").hidden = Boolean(commission);
    for (const field of ["frames", "start"]) $(field).disabled = !able || now.good === 0;
    $("forget").hidden = Boolean(commission) || forgetting;
    $("forget").disabled = !app.administers || !up || now.good === 0;
    $("forgetting").hidden = !forgetting || Boolean(commission);
    $("commissioning").hidden = !commission;
    if (!commission) say($("seen"), "");
    if (commission) {
      $("progress").max = commission.frames;
      $("progress").value = commission.seen;
      say($("seen"), t("seen", { n: number(commission.seen), most: number(commission.frames) }));
      for (const button of ["keep", "discard"]) $(button).disabled = !app.allowed || !up;
      $("keep").disabled ||= commission.seen === 0;
    }
    drawMoment();
  }

  return { update, open, good, bad, heat };
}
