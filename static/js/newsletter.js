// Counts what a newsletter comes to while it is written; the server measures it again when it is saved.
const body = document.querySelector("textarea[data-most]");
if (body) {
  const { most, many, frame } = body.dataset;
  const note = document.createElement("p");
  note.className = "help";
  note.id = "newsletter-size";
  note.setAttribute("role", "status");
  (body.closest(".flex-container") ?? body).after(note);
  body.setAttribute("aria-describedby", [body.getAttribute("aria-describedby"), note.id].filter(Boolean).join(" "));

  // A part travels as quoted-printable or base64, whichever is shorter, once as text and once as HTML.
  const measure = (text) => {
    const bytes = new TextEncoder().encode(text).length;
    const beyondAscii = bytes - text.replace(/[^\x00-\x7f]/g, "").length;
    const paragraphs = text.split(/\n\s*\n/).length;
    return Number(frame) + 2 * Math.min(1.03 * bytes + 2 * beyondAscii, 1.37 * bytes) + 40 * paragraphs;
  };
  let told = "";
  const tell = () => {
    const size = measure(body.value);
    const words = `About ${Math.round(size / 1000)} of ${most / 1000} KB.`;
    const advice =
      size > most
        ? " Too long: mail programs would cut off the end, and with it the link by which people leave."
        : size > many
          ? " It gets long: beyond that, mail programs cut off the end."
          : "";
    if (told !== words + advice) note.textContent = told = words + advice;
    note.style.fontWeight = size > many ? "bold" : "";
  };
  body.addEventListener("input", tell);
  tell();
}
