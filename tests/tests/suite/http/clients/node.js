const base = process.env.BASE;
(async () => {
  let answer = await fetch(base + "/show/it");
  console.log(answer.status, await answer.text());
  answer = await fetch(base + "/users/7", { method: "DELETE" });
  console.log(answer.status);
  await answer.arrayBuffer();
  answer = await fetch(base + "/people/br");
  console.log(await answer.text());
  const http2 = require("http2");
  const client = http2.connect(base);
  const stream = client.request({ ":path": "/people/json" });
  let body = "";
  stream.setEncoding("utf8");
  stream.on("data", (piece) => { body += piece; });
  stream.on("end", () => { console.log(body); client.close(); });
  stream.end();
})();
