// Which part of the picture is looked at, and how a part in it is brought upright.

import { t } from "./words.js";
import { $, say, toast } from "./view.js";

const SIDES = ["left", "top", "width", "height"];

export function setUpRegion(app, change) {
  const device = () => `/devices/${app.current}`;
  const state = () => app.devices[app.current]?.state;
  const side = (name) => $(`region-${name}`);
  const get = () => SIDES.map((name) => Number(side(name).value));

  /** Shows a region in percent of the picture. */
  function set(region) {
    SIDES.forEach((name, place) => { side(name).value = Math.round(region[place] * 10) / 10; });
    draw();
  }
  function draw() {
    const [left, top, width, height] = get();
    Object.assign($("region-box").style, { left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` });
  }
  for (const name of SIDES) side(name).oninput = draw;

  $("region-open").onclick = () => {
    $("region-picture").src = `${device()}/frame?${Date.now()}`;
    set((state().region ?? [0, 0, 1, 1]).map((part) => part * 100));
    $("region").showModal();
  };
  // Drawn from corner to corner.
  let corner;
  const at = (event) => {
    const { left, top, width, height } = $("region-picture").getBoundingClientRect();
    const within = (value) => Math.min(100, Math.max(0, value));
    return [within((event.clientX - left) / width * 100), within((event.clientY - top) / height * 100)];
  };
  const area = $("region-area");
  area.onpointerdown = (event) => {
    event.preventDefault();
    area.setPointerCapture(event.pointerId);
    corner = at(event);
  };
  area.onpointermove = (event) => {
    if (!corner) return;
    const [x, y] = at(event);
    set([Math.min(x, corner[0]), Math.min(y, corner[1]), Math.abs(x - corner[0]), Math.abs(y - corner[1])]);
  };
  for (const end of ["pointerup", "pointercancel"]) area.addEventListener(end, () => { corner = undefined; });

  async function send(region) {
    if (!await change(`${device()}/region`, { region })) return;
    $("region").close();
    toast(t("look-changed"));
  }
  $("region-form").onsubmit = (event) => {
    event.preventDefault();
    send(get().map((percent) => percent / 100));
  };
  $("region-all").onclick = () => send(null);
  $("region-close").onclick = () => $("region").close();

  async function align() {
    const done = await change(`${device()}/align`, { align: $("align").value, window: Number($("window").value) });
    if (done) toast(t("look-changed"));
  }
  $("align").onchange = align;
  $("window").onchange = align;
  $("window").oninput = () => say($("window-now"), `${$("window").value} %`);

  function update() {
    const now = state();
    if (!now) return;
    const { region, alignment } = now;
    say($("region-now"), region ? t("region-part", { percent: Math.round(region[2] * region[3] * 100) }) : t("region-whole"));
    if (![$("align"), $("window")].includes(document.activeElement)) {
      $("align").value = alignment.align;
      $("window").value = alignment.window;
      say($("window-now"), `${alignment.window} %`);
    }
    $("window").parentElement.hidden = $("align").value === "off";
  }
  return { update };
}
