// Loaded beside htmx only. A switch that could not be saved must not look saved:
// put it back as it was and say so, where it is and to screen readers.
function say(element, text) {
  document.getElementById("said").textContent = text;
  const part = element.closest(".switch, .additions");
  if (!part) return;
  const line = part.querySelector(".said") || part.appendChild(document.createElement("p"));
  line.className = "said error";
  line.textContent = text;
}

function undo(event) {
  const element = event.detail.elt;
  if (element.type === "checkbox") element.checked = !element.checked;
  for (const option of element.options || []) option.selected = option.defaultSelected;
  say(element, "Not saved. Please try again.");
}

document.addEventListener("htmx:responseError", undo);
document.addEventListener("htmx:sendError", undo);
document.addEventListener("htmx:timeout", undo);

// A session that ended sends the request to the sign-in page: go there, do not paste it in here.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  if (xhr.responseURL && new URL(xhr.responseURL).pathname.startsWith("/accounts/login/") && !pathInfo.requestPath.startsWith("/accounts/login/")) {
    event.detail.shouldSwap = false;
    location.assign(`/accounts/login/?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
});
