// A receiver on octokit's webhook middleware. With a database it keeps each delivery, with every
// commit synced to the disk, before it answers; without one it only answers.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Webhooks, createNodeMiddleware } from "@octokit/webhooks";
import Database from "better-sqlite3";

const [secretFile, file] = process.argv.slice(2);
const webhooks = new Webhooks({ secret: readFileSync(secretFile, "utf8").trim() });
if (file) {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("CREATE TABLE deliveries (id TEXT PRIMARY KEY, event TEXT, body TEXT)");
  const insert = database.prepare("INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?)");
  webhooks.onAny(({ id, name, payload }) => {
    insert.run(id, name, JSON.stringify(payload));
  });
} else {
  webhooks.onAny(() => {});
}
const server = createServer(createNodeMiddleware(webhooks, { path: "/webhook" }));
server.listen(0, "127.0.0.1", () => {
  console.log(`listening 127.0.0.1:${server.address().port}`);
});
process.stdin.on("end", () => process.exit(0)).resume();
