// The price and the date follow the option chosen. Without this the page says those of the option it chose.
document.addEventListener("change", ({ target }) => {
  if (target.name !== "variant") return;
  document.getElementById("price").textContent = target.dataset.price;
  for (const line of document.querySelectorAll(".promises")) line.hidden = line.id !== target.dataset.promise;
});
