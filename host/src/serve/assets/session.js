// Who is at the page: whoever has the token, or somebody who signs in.

import { lang, other, setLang, t } from "./words.js";
import { $, say, words } from "./view.js";

export function setUpSession(app) {
  /** What the server said of whoever is here. */
  app.known = ({ users, name, role }) => {
    document.body.classList.toggle("signed-out", Boolean(users && !role));
    $("account").hidden = !(users && name);
    say($("account"), name ?? "");
    $("account").title = t("sign-out", { name, role: t(`may-${role}`) });
    $("account").ariaLabel = $("account").title;
    $("who").parentElement.classList.toggle("signed-in", Boolean(users && name));
    if (users && !role && !$("sign-in").open) {
      say($("sign-in-lang"), t("key-lang"));
      $("sign-in").showModal();
    }
  };
  // Without signing in there is nothing to go back to.
  $("sign-in").oncancel = (event) => event.preventDefault();
  $("sign-in-lang").onclick = () => {
    setLang(other());
    document.documentElement.lang = lang;
    words();
    say($("sign-in-lang"), t("key-lang"));
    say($("refused"), "");
  };
  $("sign-in").querySelector("form").onsubmit = async (event) => {
    event.preventDefault();
    const body = JSON.stringify({ name: $("user").value, password: $("password").value });
    $("enter").disabled = true;
    const response = await fetch("/session", { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => undefined);
    $("enter").disabled = false;
    $("password").value = "";
    if (response?.ok) {
      location.reload();
      return;
    }
    const wait = response?.headers.get("Retry-After");
    say($("refused"), t(!response ? "server-lost" : wait ? "too-many" : "wrong-password", { n: Number(wait) }));
    $("password").focus();
  };
  $("account").onclick = async () => {
    await fetch("/session", { method: "DELETE" }).catch(() => undefined);
    location.reload();
  };
}
