// Both sides fill themselves and show what differs. Without this each has a button, which leads there by its address;
// here the frame alone is scrolled, so that the page stays where it is.
for (const form of document.querySelectorAll("form[data-fills]")) {
  const frame = document.querySelector(`iframe[name="${form.target}"]`);
  frame.addEventListener("load", () => {
    const shown = frame.contentDocument?.getElementById("previewed");
    if (shown) frame.contentWindow.scrollTo(0, shown.getBoundingClientRect().top - 24);
  });
  form.action = form.action.split("#")[0];
  form.submit();
}
