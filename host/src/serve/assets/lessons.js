// Learning from a wrong verdict, and the shots of a class one by one.

import { t } from "./words.js";
import { $, make, say, toast, told, word } from "./view.js";

export function setUpLessons(app, teach) {
  const device = () => `/devices/${app.current}`;
  const state = () => app.devices[app.current]?.state;
  let picture;
  let shown;

  /** A picture of the history is looked at: it may be put right. */
  function opened({ id, decision }) {
    picture = id;
    const { call, name } = told(decision);
    say($("corrected"), "");
    $("wrong").hidden = !app.allowed;
    $("wrong-name").value = "";
    $("wrong-role").value = "plain";
    $("wrong-name").placeholder = ["unknown", "unclear", "undecided"].includes(call) ? t("name-hint") : t("not-this", { name });
  }
  $("wrong-name").oninput = () => {
    const known = state().classes.find((each) => each.name === $("wrong-name").value.trim());
    if (known) $("wrong-role").value = known.role;
    $("wrong-role").disabled = Boolean(known);
  };
  $("wrong").onsubmit = async (event) => {
    event.preventDefault();
    const name = $("wrong-name").value.trim();
    if (!name) {
      toast(t("need-name"), true);
      return;
    }
    $("wrong-teach").disabled = true;
    const answer = await teach.change(`${device()}/correct`, { picture, name, role: $("wrong-role").value });
    $("wrong-teach").disabled = false;
    if (!answer) return;
    const says = (said) => (said ? word({ call: said.call, name: said.class }) : t("nothing-said"));
    say($("corrected"), t("corrected", { name, before: says(answer.before), after: says(answer.after) }));
  };

  /** The shots of a class; each can be taken out. */
  async function gallery(taught) {
    shown = taught;
    const response = await fetch(`${device()}/shots/${taught.id}`).catch(() => undefined);
    if (!response?.ok) {
      toast(t("server-lost"), true);
      return;
    }
    const keys = (await response.json()).gallery;
    say($("gallery-name"), t("gallery", { name: taught.name }));
    $("shots").replaceChildren(...keys.map((key, place) => {
      const label = t("shot", { n: place + 1 });
      const image = make("img", { src: `/shots/${key}`, alt: label, width: 96, height: 96 });
      // It may have been taught elsewhere.
      image.onerror = () => image.replaceWith(make("p", { textContent: t("no-shot") }));
      const drop = make("button", { type: "button", textContent: t("take-out"), ariaLabel: `${t("take-out")}: ${label}` });
      drop.disabled = !app.allowed;
      drop.onclick = async () => {
        if (await teach.change(`${device()}/remove-shot`, { id: shown.id, key })) gallery(shown);
      };
      return make("li", {}, image, drop);
    }));
    if (!$("gallery").open) $("gallery").showModal();
  }

  return { opened, gallery };
}
