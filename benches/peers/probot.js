// A receiver on probot's own server. What it hears is in memory only.

import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createNodeMiddleware, createProbot } from "probot";

const [secretFile] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const probot = createProbot({
  overrides: {
    appId: 1,
    privateKey: privateKey.export({ type: "pkcs1", format: "pem" }),
    secret: readFileSync(secretFile, "utf8").trim(),
    logLevel: "fatal",
  },
});
let heard = 0;
const app = (robot) => {
  robot.on("issue_comment", () => {
    heard += 1;
  });
};
const middleware = await createNodeMiddleware(app, { probot, webhooksPath: "/webhook" });
const server = createServer(middleware);
server.listen(0, "127.0.0.1", () => {
  console.log(`listening 127.0.0.1:${server.address().port}`);
});
process.stdin.on("end", () => process.exit(0)).resume();
