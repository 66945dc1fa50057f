// Counts the mails every two seconds, and shows new ones in the list while nobody is reading.
const count = document.getElementById("count");
const news = document.getElementById("news");
const reading = document.body.classList.contains("reading");
let newest = document.body.dataset.newest;

async function look() {
  try {
    const answer = await (await fetch("/api/count")).json();
    count.textContent = answer.count;
    if (answer.newest === newest) return;
    newest = answer.newest;
    if (reading) news.hidden = !newest;
    else location.reload();
  } catch {
    count.textContent = "?"; // the shop has stopped
  }
}

setInterval(() => { if (!document.hidden) look(); }, 2000);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
document.getElementById("empty").addEventListener("submit", (event) => {
  if (!confirm("Throw away every mail in the box?")) event.preventDefault();
});
