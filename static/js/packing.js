// The packing table: a scan goes to the shop without leaving the page, and a refused one is heard.
// Scans are sent one after the other, as fast as they come; nothing typed meanwhile is lost.
const waiting = [];
let isBusy = false;
let sound;

function beep() {
  try {
    sound = sound || new AudioContext();
    for (const start of [0, 0.18]) {
      const tone = sound.createOscillator();
      tone.type = "square";
      tone.frequency.value = 220;
      tone.connect(sound.destination);
      tone.start(sound.currentTime + start);
      tone.stop(sound.currentTime + start + 0.12);
    }
  } catch {
    // no sound on this machine: the words are there all the same
  }
}

function say(words, isError) {
  const line = document.createElement("p");
  line.className = isError ? "said error" : "said success";
  line.textContent = words;
  document.getElementById("packing-said").replaceChildren(line);
  if (isError) beep();
}

function focusOn(typed) {
  const field = document.getElementById("code");
  if (!field) return;
  field.value = typed;
  field.focus();
}

function show(page) {
  const part = page.getElementById("packing");
  if (!part) return false;
  const typed = document.getElementById("code")?.value || "";
  document.getElementById("packing").replaceWith(document.importNode(part, true));
  const said = page.getElementById("packing-said");
  document.getElementById("packing-said").replaceChildren(...document.importNode(said, true).childNodes);
  if (said.querySelector(".error")) beep();
  focusOn(typed);
  return true;
}

async function send() {
  if (isBusy) return;
  isBusy = true;
  while (waiting.length) {
    const { url, data } = waiting[0];
    try {
      const answer = await fetch(url, { method: "POST", body: data });
      if (!answer.ok || !show(new DOMParser().parseFromString(await answer.text(), "text/html"))) return location.reload();
      waiting.shift();
    } catch {
      waiting.length = 0;
      say("The shop did not answer. Look at the count, then scan again.", true);
    }
  }
  isBusy = false;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const field = document.getElementById("code");
  const isScan = form.matches("[data-scans]") || (form.matches("[data-closes]") && field.value.trim());
  if (!isScan) return;
  event.preventDefault();
  waiting.push({ url: form.action, data: new FormData(form) });
  if (field) field.value = "";
  send();
});

// A click beside the field takes the focus away from the scanner: give it back.
document.addEventListener("click", (event) => {
  if (!event.target.closest("a, button, input, textarea, select, label, summary")) document.getElementById("code")?.focus();
});

if (document.querySelector("#packing-said .error")) beep();
