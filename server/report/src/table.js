(() => {
  const el = (name, text, kind) => {
    const one = document.createElement(name);
    if (text !== undefined) one.textContent = text;
    if (kind) one.className = kind;
    return one;
  };
  const number = (value, digits) =>
    value === null ? "–" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "−");
  const clock = (ms) => {
    const s = Math.round(ms / 1000), two = (n) => String(n).padStart(2, "0");
    return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  };
  const size = 100;
  document.querySelectorAll("[data-table]").forEach((box) => {
    const data = JSON.parse(document.getElementById(box.dataset.table).textContent);
    const table = box.querySelector("table"), body = table.tBodies[0], tools = box.querySelector(".tools");
    const [input, status, back, on, save] = ["input", "[role=status]", ".back", ".on", ".save"].map((one) => tools.querySelector(one));
    let rows = data.rows, page = 0, sorted = -1, up = true;
    const word = (kind, value) => {
      if (value === null) return "";
      if (kind.k === "name") return data.names[value];
      if (kind.k === "link") return Array.isArray(value) ? value[0] : value;
      if (kind.k === "choice") return kind.of[value][0];
      if (kind.k === "tags") return value.join(" ");
      if (kind.k === "clock") return clock(value);
      if (kind.k === "sign") return (value > 0 ? "+" : "") + number(value, kind.d);
      return kind.k === "number" ? number(value, kind.d) : String(value);
    };
    const cell = (kind, value, idx) => {
      const one = el(idx ? "td" : "th", undefined, kind.c);
      if (!idx) one.scope = "row";
      if (kind.k === "link" && value !== null) {
        const [text, href] = Array.isArray(value) ? value : [value, kind.to + value + ".html"];
        const link = href ? el("a", text) : el("span", text);
        if (href) link.href = href;
        one.append(link);
      } else if (kind.k === "tags") value.forEach((tag) => one.append(el("span", tag, "tag")));
      else if (kind.k === "choice" && value !== null) one.append(el("span", kind.of[value][0], kind.of[value][1]));
      else one.textContent = value === null ? "–" : word(kind, value);
      return one;
    };
    const draw = () => {
      const last = Math.max(0, Math.ceil(rows.length / size) - 1);
      page = Math.min(page, last);
      const shown = rows.slice(page * size, page * size + size);
      body.replaceChildren(...shown.map((row) => {
        const line = el("tr");
        line.append(...row.map((value, idx) => cell(data.kinds[idx], value, idx)));
        return line;
      }));
      const from = rows.length ? page * size + 1 : 0;
      status.textContent = `${number(from, 0)}–${number(page * size + shown.length, 0)} / ${number(rows.length, 0)}`;
      back.disabled = page === 0;
      on.disabled = page === last;
    };
    const sift = () => {
      const wanted = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      rows = wanted.length
        ? data.rows.filter((row) => {
            const text = row.map((value, idx) => word(data.kinds[idx], value)).join("\n").toLowerCase();
            return wanted.every((one) => text.includes(one));
          })
        : data.rows.slice();
      if (sorted >= 0) {
        const kind = data.kinds[sorted];
        const key = (value) =>
          value === null ? null : typeof value === "number" && kind.k !== "name" ? value : kind.k === "tags" ? value.length : word(kind, value);
        rows = rows.map((row) => [key(row[sorted]), row]);
        rows.sort(([a], [b]) => {
          if (a === null || b === null) return (a === null) - (b === null);
          const order = typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0;
          return up ? order : -order;
        });
        rows = rows.map(([, row]) => row);
      }
      page = 0;
      draw();
    };
    table.querySelectorAll("thead th").forEach((head, idx) => {
      const button = el("button", head.textContent);
      button.type = "button";
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        up = sorted === idx ? !up : !/number|sign|tags|clock|choice/.test(data.kinds[idx].k);
        sorted = idx;
        table.querySelectorAll("thead th").forEach((one) => one.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        sift();
      });
    });
    let later;
    input.addEventListener("input", () => {
      clearTimeout(later);
      later = setTimeout(sift, 120);
    });
    back.addEventListener("click", () => (page--, draw()));
    on.addEventListener("click", () => (page++, draw()));
    save.addEventListener("click", () => {
      const quote = (text) => '"' + String(text).replace(/^[=+@\t\r\n＝＋－＠-]/, "'$&").replaceAll('"', '""') + '"';
      const lines = [[...table.querySelectorAll("thead th")].map((one) => quote(one.textContent))];
      rows.forEach((row) => lines.push(row.map((value, idx) => {
        const kind = data.kinds[idx];
        return typeof value === "number" && /number|sign|clock/.test(kind.k) ? (kind.k === "clock" ? value / 1000 : value) : quote(word(kind, value));
      })));
      const link = el("a");
      link.href = URL.createObjectURL(new Blob(["\ufeff" + lines.map((line) => line.join(",")).join("\r\n")], { type: "text/csv" }));
      link.download = box.dataset.table + ".csv";
      link.click();
    });
    tools.hidden = false;
    draw();
  });
})();
