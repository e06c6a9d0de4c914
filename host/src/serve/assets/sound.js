// A sound for each verdict, so that nobody has to look; it can be silenced, and stays so.

import { t } from "./words.js";
import { $, PIN } from "./view.js";

/** Tones of a verdict: [hertz, seconds]. What does not pass is longer and lower. */
const TONES = {
  OK: [[1320, 0.06]],
  NG: [[220, 0.22], [165, 0.32]],
  unknown: [[330, 0.14], [330, 0.14], [330, 0.14]],
  unclear: [[392, 0.14], [262, 0.22]],
};
const GAP = 0.05;

let context;
let silent = localStorage.getItem("silent") === "yes";

function show() {
  const button = $("sound");
  button.title = button.ariaLabel = t(silent ? "sound-off" : "sound-on");
  button.ariaPressed = !silent;
}

/** The sound of a part that is told to be this. */
export function sound(call) {
  const tones = TONES[call] ?? TONES[PIN[call]];
  if (silent || !tones) return;
  context ??= new AudioContext();
  // Browsers let a page be heard once somebody has touched it.
  if (context.state === "suspended") context.resume();
  let at = context.currentTime;
  for (const [hertz, seconds] of tones) {
    const tone = new OscillatorNode(context, { type: "triangle", frequency: hertz });
    const volume = new GainNode(context, { gain: 0.25 });
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + GAP;
  }
}

export function toggleSound() {
  silent = !silent;
  localStorage.setItem("silent", silent ? "yes" : "no");
  show();
}

export const showSound = show;
