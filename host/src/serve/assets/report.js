// The report in the reader's time, and its button.

const { lang } = document.documentElement;
const full = { dateStyle: "medium", timeStyle: "short" };
/** Under a picture there is little room. */
const short = { month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
for (const element of document.querySelectorAll("time")) {
  element.textContent = new Date(element.dateTime).toLocaleString(lang, element.closest("li") ? short : full);
}
document.getElementById("print").onclick = () => print();
