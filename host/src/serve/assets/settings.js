// Settings: how much may be called unknown, pictures that are brought along, a camera of this computer.

import { lang, number, t, trouble } from "./words.js";
import { $, make, say, toast } from "./view.js";
import { post, read } from "./teach.js";

/** Shares of known parts that may be called unknown, in parts of 10,000. */
const RATES = [10, 20, 30, 50, 100, 200, 300, 500, 1000, 2000];
/** Between two pictures of a camera, in milliseconds, and how large they are at most. */
const BETWEEN = 150;
const LARGEST = 640;
const PAUSE = 120;

export function setUpSettings(app) {
  const device = () => `/devices/${app.current}`;
  const state = () => app.devices[app.current]?.state;
  const percent = (parts) => `${parts / 100} %`;

  let waits;
  let chosen = false;
  async function whatIf() {
    const parts = RATES[$("rate").value];
    say($("rate-now"), percent(parts));
    const response = await fetch(`${device()}/what-if?parts=${parts}`).catch(() => undefined);
    if (!response?.ok) return;
    const found = await response.json();
    const words = found.exact ? "what-if" : "what-if-about";
    const rejected = found.unknown + found.flawed;
    say($("what-if"), found.parts ? t(words, { ...found, rejected }) : t("what-if-none"));
  }
  $("rate").oninput = () => {
    chosen = true;
    clearTimeout(waits);
    waits = setTimeout(whatIf, PAUSE);
  };
  $("rate").onchange = async () => {
    clearTimeout(waits);
    await post(`${device()}/rate`, { parts: RATES[$("rate").value] });
    chosen = false;
    await whatIf();
  };
  $("settings").querySelector("details").ontoggle = whatIf;

  /** Teaches files; those of a folder are of a class that is called so. */
  async function bring(files) {
    let [taken, left, why] = [0, 0];
    for (const [number, { file, folder }] of files.entries()) {
      say($("imported"), t("importing", { n: number + 1, most: files.length }));
      const name = folder || $("name").value.trim() || file.name.replace(/\.[^.]*$/, "");
      const role = document.querySelector("#roles :checked").value;
      const answer = await post(`${device()}/import?${new URLSearchParams({ name, role })}`, file);
      if (!answer) left += 1;
      for (const found of Object.values(answer?.classes ?? {})) {
        taken += found.taken;
        left += found.left_out;
        why = found.why ?? why;
      }
    }
    say($("imported"), t("imported", { taken, left }) + (why ? ` ${trouble(why)}` : ""));
  }
  const isPicture = ({ name }) => /\.(png|jpe?g|bmp|tiff?|webp|zip)$/i.test(name);
  $("brought").onchange = () => {
    bring([...$("brought").files].map((file) => ({ file, folder: "" })));
    $("brought").value = "";
  };

  /** All files of what was dropped, with the folder that each lies in. */
  async function unfold(entry, folder = "") {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => { entry.file(done, failed); });
      return isPicture(file) ? [{ file, folder }] : [];
    }
    const reader = entry.createReader();
    const all = [];
    for (;;) {
      const some = await new Promise((done, failed) => { reader.readEntries(done, failed); });
      if (!some.length) break;
      all.push(...some);
    }
    return (await Promise.all(all.map((each) => unfold(each, entry.name)))).flat();
  }
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("drops");
  });
  for (const end of ["dragleave", "drop"]) addEventListener(end, () => document.body.classList.remove("drops"));
  addEventListener("drop", async (event) => {
    event.preventDefault();
    if (!app.allowed) return;
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    $("settings").querySelector("details").open = true;
    const files = (await Promise.all(entries.map((entry) => unfold(entry)))).flat();
    if (files.length) bring(files);
    else toast(t("x-no-picture"), true);
  });

  /** The camera of this computer or phone, while it gives its pictures to a device. */
  let camera;
  function stop() {
    for (const track of camera?.stream.getTracks() ?? []) track.stop();
    camera = undefined;
    $("own").hidden = true;
    update();
  }
  async function start() {
    const path = `${device()}/frame`;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "environment", width: { ideal: LARGEST } },
      });
      camera = { stream, path };
    } catch (error) {
      toast(t(navigator.mediaDevices ? "no-camera" : "no-https", { why: error.message }), true);
      return;
    }
    const mine = camera;
    const video = $("own");
    video.srcObject = mine.stream;
    video.hidden = false;
    await video.play();
    update();
    const canvas = document.createElement("canvas");
    while (camera === mine) {
      const scale = Math.min(1, LARGEST / Math.max(video.videoWidth, video.videoHeight, 1));
      canvas.width = Math.max(1, video.videoWidth * scale);
      canvas.height = Math.max(1, video.videoHeight * scale);
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      const picture = await new Promise((done) => { canvas.toBlob(done, "image/jpeg", 0.9); });
      if (picture && !(await post(path, picture))) stop();
      await new Promise((done) => { setTimeout(done, BETWEEN); });
    }
  }
  $("camera").onclick = () => (camera ? stop() : start());

  /** The models that a board could have. */
  let models = [];
  function cost() {
    const found = models.find(({ name }) => name === $("model").value);
    if (!found) return;
    const kilo = (bytes) => number(Math.ceil(bytes / 1000));
    const fill = { ...found, ram: kilo(found.ram), flash: kilo(found.flash), macs: (found.macs / 1e6).toFixed(1) };
    say($("model-cost"), `${found.about}. ${t("model-cost", fill)}${found.patches ? ` ${t("model-patches")}` : ""}`);
  }
  async function listModels() {
    if (!models.length) models = await fetch("/models").then((response) => response.json()).catch(() => []);
    $("model").replaceChildren(...models.map(({ name }) => make("option", { value: name, textContent: name })));
    $("model").value = models.some(({ name }) => name === state()?.model) ? state().model : models[0]?.name;
    cost();
  }
  $("model").onchange = cost;
  $("model-use").onclick = async () => {
    const name = $("model").value;
    if (confirm(t("model-sure", { name })) && await post(`${device()}/model`, { name })) toast(t("model-changed", { name }));
  };
  $("settings").querySelector("details").addEventListener("toggle", listModels);

  // The audit has names, so it is read with what proves who reads it.
  for (const link of ["audit", "audit-json"]) {
    $(link).onclick = async (event) => {
      event.preventDefault();
      const path = $(link).getAttribute("href");
      const blob = await read(path);
      if (blob) make("a", { href: URL.createObjectURL(blob), download: `sudal${path.replace("/", "-")}` }).click();
    };
  }
  $("qr").onload = () => { $("phone").hidden = false; };
  $("settings").querySelector("details").addEventListener("toggle", () => { $("qr").src = "/qr.svg"; });

  $("who").value = localStorage.getItem("who") ?? "";
  $("who").onchange = () => localStorage.setItem("who", $("who").value.trim());

  let spoken = lang;
  function update() {
    const now = state();
    if (!now) return;
    if (spoken !== lang && $("what-if").textContent) whatIf();
    if (spoken !== lang) cost();
    spoken = lang;
    if (!chosen && document.activeElement !== $("rate")) {
      const place = RATES.findIndex((parts) => parts >= now.rate);
      $("rate").value = place < 0 ? RATES.length - 1 : place;
      say($("rate-now"), percent(now.rate));
    }
    $("camera").textContent = t(camera ? "camera-stop" : "camera-start");
    $("camera").ariaPressed = Boolean(camera);
  }

  return { update };
}
