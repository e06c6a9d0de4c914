// The report in the reader's time, and its button.

const { lang } = document.documentElement;
for (const element of document.querySelectorAll("time")) {
  element.textContent = new Date(element.dateTime).toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" });
}
document.getElementById("print").onclick = () => print();
