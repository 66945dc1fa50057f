// The price and the date follow the option chosen. Without this the page says those of the option it chose.
document.addEventListener("change", ({ target }) => {
  if (target.name !== "variant") return;
  document.getElementById("price").textContent = target.dataset.price;
  document.getElementById("unit-price").textContent = target.dataset.unit || "";
  const before = document.getElementById("before");
  before.textContent = target.dataset.before || "";
  before.hidden = !target.dataset.before;
  for (const line of document.querySelectorAll(".promises")) line.hidden = line.id !== target.dataset.promise;
});
