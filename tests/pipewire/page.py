"""page.py PORT: a page that takes a camera as a call does, and notes in seen.jsonl what its pixels show; shot.png is one."""

import base64
import http.server
import json
import pathlib
import sys

PAGE = b"""<!doctype html><title>call</title><video id=v autoplay muted playsinline></video><script>
const v = document.getElementById('v'), c = document.createElement('canvas');
const post = what => fetch('/seen', {method: 'POST', body: JSON.stringify(what)}).catch(() => 0);
const ask = () => fetch('/turn').then(answer => answer.text());
const sleep = ms => new Promise(done => setTimeout(done, ms));
async function call() {
  const stream = await navigator.mediaDevices.getUserMedia({video: true});
  const track = stream.getVideoTracks()[0];
  const labels = (await navigator.mediaDevices.enumerateDevices()).filter(d => d.kind == 'videoinput').map(d => d.label);
  v.srcObject = stream;
  let time = -1, still = 0;
  const turn = await ask();
  while (track.readyState == 'live' && still < 8 && await ask() == turn) {
    await sleep(400);
    still = v.currentTime == time ? still + 1 : 0;
    time = v.currentTime;
    if (!v.videoWidth || still) continue;
    [c.width, c.height] = [v.videoWidth, v.videoHeight];
    const ctx = c.getContext('2d', {willReadFrequently: true});
    ctx.drawImage(v, 0, 0);
    const data = ctx.getImageData(0, 0, c.width, c.height).data;
    let red = 0, blue = 0;
    for (let at = 0; at < data.length; at += 4) {
      red += data[at] > 150 && data[at + 1] < 80 && data[at + 2] < 80;
      blue += data[at + 2] > 180 && data[at] < 100;
    }
    await post({label: track.label, labels, size: [c.width, c.height], red, blue, all: data.length / 4,
                shot: c.toDataURL('image/png')});
  }
  track.stop();
}
(async () => { for (;;) { try { await call(); } catch (e) { await post({error: String(e)}); } await sleep(500); } })();
</script>"""


def kind(seen):
    if "error" in seen:
        return "none"
    if seen["blue"] > 0:
        return "room"
    return "composed" if seen["red"] > 0.99 * seen["all"] else "placeholder"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answer = PAGE
        if self.path == "/turn":
            # When this changes, the page takes the camera anew, as a user does by choosing it again.
            answer = pathlib.Path("turn").read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self):
        seen = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        shot = seen.pop("shot", None)
        seen["kind"] = kind(seen)
        with open("seen.jsonl", "a") as log:
            log.write(json.dumps(seen) + "\n")
        if shot and seen["kind"] == "composed":
            with open("shot.png", "wb") as file:
                file.write(base64.b64decode(shot.split(",")[1]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("localhost", int(sys.argv[1])), Handler).serve_forever()
